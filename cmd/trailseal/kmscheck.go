package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/spf13/cobra"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/report"
	"github.com/trailseal/trailseal/verify/source"
)

const kmsCheckLong = `Ask whether what lies in a bucket can be read at all, before a long run does. Of each
account's region, the first digest and the first log of each day in the window are asked for
their KMS key with a HEAD request, which needs no permission on the key. Then each key's state
is asked for (kms:DescribeKey), and one digest and one log of each key are really read. What is
missing is printed as IAM statements to paste.

Exit status: 0 all could be read, 3 something could not, 2 wrong usage.`

const kmsCheckExample = `  trailseal kms check s3://my-trail-bucket
  trailseal kms check --trail management-events --start 90d
  trailseal kms check s3://my-archive --kms-key arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab`

func newKMS(s streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "kms",
		Short: "KMS keys: check whether they let the logs be read",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newKMSCheck(s))
	return cmd
}

func newKMSCheck(s streams) *cobra.Command {
	o := verifyOptions{}
	cmd := &cobra.Command{
		Use:     "check SOURCE",
		Short:   "Ask whether a bucket's files can be read, key by key",
		Long:    kmsCheckLong + "\n\n" + windowHelp,
		Example: kmsCheckExample,
		Args:    func(_ *cobra.Command, args []string) error { return o.checkBucket(args) },
		PreRunE: func(*cobra.Command, []string) error { return o.kms.check() },
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.kmsCheck(cmd.Context(), s, strings.Join(args, ""))
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.trail, "trail", "", "`ARN` or name of a trail, in place of SOURCE")
	f.StringVar(&o.start, "start", "", "begin of the window, a `time`: RFC 3339, a date, or an age such as 7d")
	f.StringVar(&o.end, "end", "", "end of the window, a `time` in the same forms (default now)")
	f.StringArrayVar(&o.filter.Accounts, "account", nil, "only accounts that match this shell `pattern` (repeatable)")
	f.StringArrayVar(&o.filter.Regions, "region", nil, "only logs of regions that match this shell `pattern` (repeatable)")
	o.aws.flags(f)
	o.kms.flags(f)
	f.BoolVarP(&o.quiet, "quiet", "q", false, "no warnings")
	return cmd
}

// checkBucket wants a bucket: a copy on disk has no keys to ask about.
func (o *verifyOptions) checkBucket(args []string) error {
	if len(args) != 1 && (len(args) > 1 || o.trail == "") {
		return usagef("kms check takes one SOURCE, got %d: give s3://BUCKET[/PREFIX], or --trail", len(args))
	}
	if err := o.checkSource(args); err != nil {
		return err
	}
	if len(args) == 1 && !isS3(args[0]) {
		return usagef("kms check wants a bucket, and %q is none", args[0]).
			hint("a copy on disk is read with trailseal verify, and one file of it with trailseal decrypt")
	}
	return nil
}

// mostSamples bounds the files asked about.
const mostSamples = 20_000

func (o *verifyOptions) kmsCheck(ctx context.Context, s streams, name string) error {
	now := time.Now().UTC()
	window, err := parseWindow(o.start, o.end, now, false)
	if err != nil {
		return err
	}
	from, err := o.open(ctx, name, s.warner(o.quiet))
	if err != nil {
		return err
	}
	store := from.store.(*source.Opening)
	bucket := store.Store.(*source.S3)
	var refs []verify.Ref
	findings := verify.Samples(ctx, verify.Request{Store: store, Window: window, Now: now, Filter: from.filter},
		func(ref verify.Ref) bool { refs = append(refs, ref); return len(refs) < mostSamples })
	p, err := source.Check(ctx, bucket, store, refs)
	if err != nil {
		return &exitError{exitUnproven, fmt.Errorf("checking %s: %w", from.name, err)}
	}
	if printCheck(s.out, from.name, p, findings) {
		return nil
	}
	return &exitError{code: exitUnproven}
}

// printCheck says key by key what came of it, and whether all could be read.
func printCheck(w io.Writer, name string, p source.Preflight, findings []verify.Finding) bool {
	fine := len(findings) == 0 && len(p.Refusals) == 0 && len(p.Keys) > 0
	fmt.Fprintf(w, "%s: %s asked about\n\n", report.CleanText(name), counted(p.Files, "file"))
	for _, k := range p.Keys {
		fine = fine && k.Err == nil
		printKey(w, k)
	}
	for i, r := range p.Refusals {
		if i == 5 {
			fmt.Fprintf(w, "  cannot be asked about: %d more\n", len(p.Refusals)-i)
			break
		}
		fmt.Fprintf(w, "  cannot be asked about (%s)  %s\n%s", r.Err.Reason, report.Clean(r.Ref.URI()), hintLine(r.Err))
	}
	for _, f := range findings {
		fmt.Fprintf(w, "  %s  %s\n", f.Kind, report.CleanText(f.Message))
	}
	if len(p.Keys)+len(p.Refusals)+len(findings) == 0 {
		fmt.Fprintln(w, "  nothing was found in the window, so nothing is known: check the bucket, the prefix and --start")
	}
	printStatements(w, p.Missing())
	if fine {
		fmt.Fprintln(w, "\nAll could be read.")
	}
	return fine
}

func printKey(w io.Writer, k source.KeyCheck) {
	verdict, key := "can be read", "no KMS key"
	if k.Err != nil {
		verdict = fmt.Sprintf("CANNOT be read (%s)", k.Err.Reason)
	}
	if k.ARN != "" {
		key = "key " + k.ARN
	}
	fmt.Fprintf(w, "  %s  %s, %s, %s\n", verdict, report.Clean(key), orElse(report.Clean(k.Encryption), "encryption not told"), counted(k.Files, k.Kind))
	if k.ARN != "" {
		fmt.Fprintf(w, "      state %s\n", report.CleanText(stateText(k.State)))
	}
	fmt.Fprintf(w, "      read %s\n", report.Clean(k.Read.URI()))
	if k.Err != nil {
		fmt.Fprintf(w, "      %s\n%s", report.CleanText(k.Err.Err.Error()), hintLine(k.Err))
	}
}

func stateText(s verify.KeyState) string {
	switch {
	case s.State == "":
		return "unknown: " + s.Problem
	case !s.Deletion.IsZero():
		return s.State + ", deleted on " + s.Deletion.Format(time.RFC3339)
	case !s.Expires.IsZero():
		return s.State + ", its material ends on " + s.Expires.Format(time.RFC3339)
	}
	return s.State
}

func hintLine(u *verify.UnreadableError) string {
	if u.Hint == "" {
		return ""
	}
	return "      hint: " + report.CleanText(u.Hint) + "\n"
}

func printStatements(w io.Writer, missing []source.Statement) {
	if len(missing) == 0 {
		return
	}
	policy := struct {
		Version   string
		Statement []source.Statement
	}{"2012-10-17", missing}
	text, err := json.MarshalIndent(policy, "", "  ")
	if err != nil {
		panic(err) // texts and lists of them
	}
	fmt.Fprintf(w, "\nWhat seems to be missing, as a policy for the caller (a key of another account must allow it in its own policy too):\n\n%s\n", ascii(string(text)))
}

// ascii escapes what is not printing ASCII as JSON does.
func ascii(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\n' || r >= ' ' && r <= '~':
			b.WriteRune(r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		}
	}
	return b.String()
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// counted is a number of things in words.
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
