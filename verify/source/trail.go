package source

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"github.com/trailseal/trailseal/verify"
)

// A Trail is what CloudTrail says of a trail: where it delivers to, and how
// its delivery goes.
type Trail struct {
	ARN, Name, Bucket, Prefix, HomeRegion string
	Account                               string // that owns it, from its ARN
	Organization                          string // always empty: the API does not tell
	MultiRegion, IsOrganization           bool
	KMSKeyID                              string
	Delivery                              verify.Delivery
	StatusErr                             error // why Delivery tells nothing of times and errors; nil where it does
}

// ResolveTrail asks CloudTrail for a trail: by its ARN in the ARN's region, by
// its name in the configured region, shadows of other regions' trails
// included. The status is asked in the home region. A trail that is not found
// or cannot be asked for is a *UsageError.
func ResolveTrail(ctx context.Context, nameOrARN string, o AWSOptions) (Trail, error) {
	session, err := load(ctx, o)
	if err != nil {
		return Trail{}, err
	}
	region := session.cfg.Region
	if strings.HasPrefix(nameOrARN, "arn:") {
		a, err := parseTrailARN(nameOrARN)
		if err != nil {
			return Trail{}, err
		}
		region = a.Region
	}
	if err := session.credentials(ctx); err != nil {
		return Trail{}, err
	}
	described, err := describe(ctx, session.cloudtrail(region), nameOrARN, region)
	if err != nil {
		return Trail{}, err
	}
	t, err := newTrail(described, region)
	if err != nil {
		return Trail{}, err
	}
	if t.StatusErr = t.status(ctx, session); ctx.Err() != nil {
		return Trail{}, ctx.Err()
	}
	return t, nil
}

func parseTrailARN(text string) (arn.ARN, error) {
	a, err := arn.Parse(text)
	if err != nil || a.Service != "cloudtrail" || !strings.HasPrefix(a.Resource, "trail/") || !regionName.MatchString(a.Region) {
		return a, usage("trail", "give it as arn:aws:cloudtrail:REGION:ACCOUNT:trail/NAME, or its name", "%q is no trail's ARN", text)
	}
	return a, nil
}

func describe(ctx context.Context, client *cloudtrail.Client, nameOrARN, region string) (types.Trail, error) {
	out, err := client.DescribeTrails(ctx, &cloudtrail.DescribeTrailsInput{TrailNameList: []string{nameOrARN}, IncludeShadowTrails: aws.Bool(true)})
	if ctx.Err() != nil {
		return types.Trail{}, ctx.Err()
	}
	what := fmt.Sprintf("trail %q", nameOrARN)
	if code, _ := errorCode(err); err != nil && code != "TrailNotFoundException" {
		return types.Trail{}, &UsageError{What: what, Err: err,
			Hint: "the caller needs cloudtrail:DescribeTrails in " + region + "; s3://BUCKET[/PREFIX] works without"}
	}
	if err == nil {
		for _, t := range out.TrailList { // not every stand-in for AWS heeds the name asked for
			if nameOrARN == aws.ToString(t.Name) || nameOrARN == aws.ToString(t.TrailARN) {
				return t, nil
			}
		}
	}
	return types.Trail{}, usage(what, "give the region with --aws-region, or the trail's ARN", "no such trail in region %s", region)
}

func newTrail(d types.Trail, region string) (Trail, error) {
	t := Trail{
		ARN: aws.ToString(d.TrailARN), Name: aws.ToString(d.Name), HomeRegion: aws.ToString(d.HomeRegion),
		Bucket: aws.ToString(d.S3BucketName), Prefix: aws.ToString(d.S3KeyPrefix), KMSKeyID: aws.ToString(d.KmsKeyId),
		MultiRegion: aws.ToBool(d.IsMultiRegionTrail), IsOrganization: aws.ToBool(d.IsOrganizationTrail),
	}
	if a, err := arn.Parse(t.ARN); err == nil {
		t.Account = a.AccountID
	}
	if !regionName.MatchString(t.HomeRegion) {
		t.HomeRegion = region
	}
	if t.Bucket == "" {
		return Trail{}, usage(fmt.Sprintf("trail %q", t.Name), "", "CloudTrail names no bucket for it")
	}
	t.Delivery = verify.Delivery{Trail: t.ARN, Region: t.HomeRegion, Validation: aws.ToBool(d.LogFileValidationEnabled)}
	return t, nil
}

// status fills in how the delivery goes.
func (t *Trail) status(ctx context.Context, s session) error {
	out, err := s.cloudtrail(t.HomeRegion).GetTrailStatus(ctx, &cloudtrail.GetTrailStatusInput{Name: &t.ARN})
	if err != nil {
		return fmt.Errorf("status of trail %q in %s: %w", t.Name, t.HomeRegion, err)
	}
	t.Delivery.LatestDigest = aws.ToTime(out.LatestDigestDeliveryTime).UTC()
	t.Delivery.DigestError = aws.ToString(out.LatestDigestDeliveryError)
	t.Delivery.Logging = aws.ToBool(out.IsLogging)
	return nil
}
