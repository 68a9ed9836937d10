package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/trailseal/trailseal/kms"
	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/source"
)

// awsOptions are the flags about AWS itself.
type awsOptions struct {
	profile, region, endpoint string
	noSign, requestPayer      bool
}

// A flagSet is the part of pflag's that is used here.
type flagSet interface {
	StringVar(p *string, name, value, usage string)
	StringVarP(p *string, name, shorthand, value, usage string)
	BoolVar(p *bool, name string, value bool, usage string)
	StringArrayVar(p *[]string, name string, value []string, usage string)
}

func (a *awsOptions) flags(f flagSet) {
	f.StringVar(&a.profile, "profile", "", "AWS `profile`")
	f.StringVar(&a.region, "aws-region", "", "AWS `region` to ask first; a bucket's own is found by itself")
	f.StringVar(&a.endpoint, "endpoint-url", "", "`URL` of an S3-compatible server")
	f.BoolVar(&a.noSign, "no-sign-request", false, "do not sign requests to S3 (a public bucket)")
	f.BoolVar(&a.requestPayer, "request-payer", false, "pay for requests to a requester-pays bucket")
}

func (a *awsOptions) options() source.AWSOptions {
	return source.AWSOptions{Profile: a.profile, Region: a.region, EndpointURL: a.endpoint}
}

// opened is what a run reads from.
type opened struct {
	name     string
	store    verify.Store
	keys     verify.Keys
	filter   verify.Filter
	delivery *verify.Delivery
	keysIn   string // names of the key files, where they lie in the copy itself
	trailKey string // ARN of the KMS key that the trail encrypts with; empty where it has none or none is known
	kms      *source.KMS
	states   verify.KeyStates // kms, or a bundle's
	evidence *evidence        // the bundle that it is; nil: it is none
	bucket   *source.S3       // below store; nil: it is none
	arn      string           // of --trail
}

func isS3(source string) bool { return strings.HasPrefix(strings.ToLower(source), "s3://") }

// open finds the store and the keys.
func (o *verifyOptions) open(ctx context.Context, name string, warn func(string, ...any)) (opened, error) {
	from := opened{name: name, filter: o.filter}
	if o.trail != "" {
		if err := o.resolve(ctx, &from, warn); err != nil {
			return from, err
		}
	}
	given, err := o.keysGiven(warn)
	if err != nil {
		return from, err
	}
	if isBundle(from.name) {
		return from, o.openBundle(ctx, &from, given, warn)
	}
	from.kms = source.NewKMS(ctx, o.aws.options(), o.kms.endpoint)
	from.states = from.kms
	if isS3(from.name) {
		err = o.openS3(ctx, &from)
	} else {
		err = o.openDirectory(ctx, &from, given != nil, warn)
	}
	if given != nil {
		from.keys = given
	}
	if err == nil {
		from.store = source.NewOpening(from.store, from.kms, o.kms.opener(from.kms, from.trailKey))
	}
	return from, usage(err)
}

// resolve asks CloudTrail where a trail's files are, and narrows the run to it.
func (o *verifyOptions) resolve(ctx context.Context, from *opened, warn func(string, ...any)) error {
	trail, err := source.ResolveTrail(ctx, o.trail, o.aws.options())
	if err != nil {
		return usage(fmt.Errorf("asking for the trail %q: %w", o.trail, err))
	}
	if trail.StatusErr != nil {
		trail.Delivery.StatusError = trail.StatusErr.Error()
	}
	from.name = "s3://" + trail.Bucket
	if trail.Prefix != "" {
		from.name += "/" + trail.Prefix
	}
	from.filter.Trails = []string{quoteGlob(trail.Name)}
	from.filter.HomeRegions = []string{trail.HomeRegion}
	switch {
	case trail.Organization != "":
		from.filter.Organizations = []string{trail.Organization}
	case !trail.IsOrganization:
		if !verify.Matches(o.filter.Accounts, trail.Account) {
			return usagef("the trail %q logs the account %s only, and --account %q does not match it",
				trail.Name, trail.Account, o.filter.Accounts)
		}
		from.filter.Accounts = []string{trail.Account}
	}
	from.delivery, from.arn = &trail.Delivery, trail.ARN
	if trail.KMSKeyID != "" {
		if from.trailKey, err = kms.ParseKey(trail.KMSKeyID); err != nil {
			warn("the trail's KMS key: %v", err)
		}
	}
	return nil
}

// quoteGlob makes a name a pattern that only the name matches.
func quoteGlob(name string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(name)
}

// keysGiven reads --public-keys.
func (o *verifyOptions) keysGiven(warn func(string, ...any)) (verify.Keys, error) {
	if len(o.keyFiles) == 0 {
		return nil, nil
	}
	keys, err := source.OpenKeyFiles(o.keyFiles)
	if err != nil {
		return nil, usage(err)
	}
	warnAll(warn, keys)
	return keys, nil
}

// few names one file, and how many more there are.
func few(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return fmt.Sprintf("%s and %d more", names[0], len(names)-1)
}

func warnAll(warn func(string, ...any), keys *source.KeyFile) {
	for _, w := range keys.Warnings() {
		warn("%v", w)
	}
}

func (o *verifyOptions) openS3(ctx context.Context, from *opened) error {
	store, err := source.OpenS3(ctx, source.S3Options{
		URI: from.name, Profile: o.aws.profile, Region: o.aws.region, EndpointURL: o.aws.endpoint,
		NoSignRequest: o.aws.noSign, RequestPayer: o.aws.requestPayer, Concurrency: o.concurrency, KMS: from.kms,
	})
	if err != nil {
		return err
	}
	from.store, from.keys, from.bucket = store, store.Keys(), store
	if o.copyOf != "" {
		from.store, err = source.NewCopyOf(store, o.copyOf)
	}
	return err
}

// openDirectory opens a copy, with the keys that lie in it, else CloudTrail's.
func (o *verifyOptions) openDirectory(ctx context.Context, from *opened, haveKeys bool, warn func(string, ...any)) error {
	store, err := source.OpenDirectory(from.name)
	if errors.Is(err, fs.ErrNotExist) {
		return usagef("there is no directory %q", from.name).hint("a bucket is given as s3://BUCKET[/PREFIX]")
	}
	if err != nil {
		return err
	}
	from.store = store
	if haveKeys {
		return nil
	}
	files, err := store.KeyFiles()
	if err != nil {
		return err
	}
	if files != nil {
		warnAll(warn, files)
		from.keys, from.keysIn = files, few(store.PublicKeyFiles())
		return nil
	}
	from.keys, err = source.OpenCloudTrail(ctx, o.aws.options())
	return err
}

// usage passes on the hint of the source's own usage errors. They exit 2 like
// ours, but help on the flags would not help.
func usage(err error) error {
	var wrong *source.UsageError
	if !errors.As(err, &wrong) || wrong.Hint == "" {
		return err
	}
	return &hintedError{err, []string{wrong.Hint}}
}
