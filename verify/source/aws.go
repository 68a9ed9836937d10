package source

import (
	"context"
	"errors"
	"net/url"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
)

// AWSOptions say which account, region and endpoint to use. Each may be
// empty: the SDK's own environment and configuration files then decide.
type AWSOptions struct {
	Profile     string // of the shared configuration files
	Region      string // where nothing names one: us-east-1
	EndpointURL string // instead of AWS's own endpoints, for every service asked
}

// defaultRegion is asked where no region is configured. For S3 it is a first
// guess only: the bucket's own region is learned from the first answer.
const defaultRegion = "us-east-1"

// regionName is what may become a part of a host name that gets signed
// requests. Regions come from bucket contents and answers, so they are hostile.
var regionName = regexp.MustCompile(`^[a-z]{2,8}(-[a-z0-9]{1,16}){1,5}$`)

// session is a loaded configuration.
type session struct {
	cfg      aws.Config
	endpoint string // from the options; beats every environment variable
}

// load reads the SDK's configuration. Its HTTP client is the SDK's own, with
// the proxy and the CA bundle that the environment names.
func load(ctx context.Context, o AWSOptions) (session, error) {
	if err := checkEndpoint(o.EndpointURL); err != nil {
		return session{}, err
	}
	options := []func(*config.LoadOptions) error{config.WithHTTPClient(awshttp.NewBuildableClient())}
	if o.Profile != "" {
		options = append(options, config.WithSharedConfigProfile(o.Profile))
	}
	if o.Region != "" {
		options = append(options, config.WithRegion(o.Region))
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return session{}, configError(ctx, o, err)
	}
	cfg.Logger = nil // the SDK's own remarks would go to standard error; what matters comes as an error
	if cfg.Region == "" || cfg.Region == "aws-global" {
		cfg.Region = defaultRegion
	}
	if !regionName.MatchString(cfg.Region) {
		return session{}, usage("region", "", "%q is no region name", cfg.Region)
	}
	return session{cfg: cfg, endpoint: o.EndpointURL}, nil
}

func configError(ctx context.Context, o AWSOptions, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var missing config.SharedConfigProfileNotExistError
	if errors.As(err, &missing) {
		return &UsageError{What: "AWS profile " + missing.Profile, Err: errors.New("no such profile in the shared configuration files"),
			Hint: "`aws configure list-profiles` names those there are"}
	}
	return &UsageError{What: "AWS configuration", Err: err}
}

func checkEndpoint(endpoint string) error {
	if endpoint == "" {
		return nil
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return usage("endpoint URL", "give it as https://HOST[:PORT]", "%q is no http or https address", endpoint)
	}
	return nil
}

// credentials makes sure early that requests can be signed at all.
func (s session) credentials(ctx context.Context) error {
	if s.cfg.Credentials == nil {
		return usage("AWS credentials", credentialsHint, "none are configured")
	}
	if _, err := s.cfg.Credentials.Retrieve(ctx); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return &UsageError{What: "AWS credentials", Hint: credentialsHint, Err: err}
	}
	return nil
}

const credentialsHint = "set AWS_PROFILE or give --profile, log in (`aws sso login`), or see the AWS CLI's guide to credentials"

// bundle is the HTTP client that the SDK made for the configuration.
func (s session) bundle() *awshttp.BuildableClient {
	if b, ok := s.cfg.HTTPClient.(*awshttp.BuildableClient); ok {
		return b
	}
	return awshttp.NewBuildableClient()
}

// userAgent names the tool to servers that log it.
const userAgent = "trailseal"
