package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/securityhub"
	"github.com/aws/aws-sdk-go-v2/service/securityhub/types"
)

// asff sends each line as a request with the AWS SDK, to nobody: the SDK knows
// the fields and checks which must be there, and what it would send must be
// what stands in the line. The limits are those of the API reference.
func asff(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for i, line := range bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n")) {
		if err := asffRequest(line); err != nil {
			return fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	return nil
}

func asffRequest(line []byte) error {
	var input securityhub.BatchImportFindingsInput
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&input); err != nil {
		return err
	}
	if n := len(input.Findings); n < 1 || n > 100 {
		return fmt.Errorf("%d findings, want 1 to 100", n)
	}
	sent, err := asffSend(&input)
	if err != nil {
		return err
	}
	var want, got any
	if err := errors.Join(json.Unmarshal(line, &want), json.Unmarshal(sent, &got)); err != nil {
		return err
	}
	if !reflect.DeepEqual(want, got) {
		return fmt.Errorf("the SDK would send\n%s\nof\n%s", sent, line)
	}
	var raw struct{ Findings []json.RawMessage }
	if err := json.Unmarshal(line, &raw); err != nil {
		return err
	}
	for i, f := range input.Findings {
		if err := asffLimits(f, len(raw.Findings[i]), input.Findings[0]); err != nil {
			return fmt.Errorf("finding %d (%.80q): %w", i+1, aws.ToString(f.Title), err)
		}
	}
	return nil
}

// asffSend is the body that the SDK makes of a request.
func asffSend(input *securityhub.BatchImportFindingsInput) (body []byte, err error) {
	client := securityhub.New(securityhub.Options{
		Region: "eu-west-1", HTTPClient: nobody{&body},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "trailsealtest", SecretAccessKey: "trailsealtest"}, nil
		}),
	})
	_, err = client.BatchImportFindings(context.Background(), input)
	return body, err
}

// nobody takes a request in place of a server, and is content with it.
type nobody struct{ body *[]byte }

func (n nobody) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	*n.body = body
	answer := `{"FailedCount":0,"SuccessCount":1,"FailedFindings":[]}`
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(answer)), Request: r}, err
}

var (
	accountForm = regexp.MustCompile(`^[0-9]{12}$`)
	instantForm = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z$`)
	productForm = regexp.MustCompile(`^arn:aws(-cn|-us-gov)?:securityhub:[a-z0-9-]+:([0-9]{12}):product/([0-9]{12})/default$`)
	resources   = []string{"AwsCloudTrailTrail", "AwsKmsKey", "AwsS3Object", "Other"} // of the types that Security Hub knows
)

// asffLimits checks what the SDK does not: forms, lengths, words, and that all
// of a request are of the account that makes it.
func asffLimits(f types.AwsSecurityFinding, size int, first types.AwsSecurityFinding) error {
	s := aws.ToString
	var errs []error
	want := func(is bool, format string, args ...any) {
		if !is {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	want(size <= 240<<10, "%d bytes", size)
	product := productForm.FindStringSubmatch(s(f.ProductArn))
	want(product != nil && product[2] == s(f.AwsAccountId) && product[3] == s(f.AwsAccountId), "product %q of account %q", s(f.ProductArn), s(f.AwsAccountId))
	want(s(f.ProductArn) == s(first.ProductArn), "%q beside %q", s(f.ProductArn), s(first.ProductArn))
	want(accountForm.MatchString(s(f.AwsAccountId)), "account %q", s(f.AwsAccountId))
	want(s(f.SchemaVersion) == "2018-10-08", "schema %q", s(f.SchemaVersion))
	want(instantForm.MatchString(s(f.CreatedAt)) && instantForm.MatchString(s(f.UpdatedAt)), "times %q and %q", s(f.CreatedAt), s(f.UpdatedAt))
	want(f.FindingProviderFields != nil && slices.Contains(f.FindingProviderFields.Severity.Label.Values(), f.FindingProviderFields.Severity.Label), "severity")
	want(f.Severity != nil && slices.Contains(f.Severity.Label.Values(), f.Severity.Label), "severity")
	want(f.Compliance == nil || slices.Contains(f.Compliance.Status.Values(), f.Compliance.Status), "compliance %v", f.Compliance)
	want(slices.Contains(f.RecordState.Values(), f.RecordState), "state %q", f.RecordState)
	for _, of := range []struct {
		text  *string
		limit int
	}{{f.Title, 256}, {f.Description, 1024}, {f.Id, 512}, {f.GeneratorId, 512}, {f.ProductName, 128}} {
		want(of.text != nil && strings.TrimSpace(*of.text) != "" && len(*of.text) <= of.limit, "%d bytes, at most %d: %.40q", len(s(of.text)), of.limit, s(of.text))
	}
	if f.Remediation != nil {
		want(len(s(f.Remediation.Recommendation.Text)) <= 512, "remediation of %d bytes", len(s(f.Remediation.Recommendation.Text)))
	}
	want(len(f.ProductFields) <= 50, "%d product fields", len(f.ProductFields))
	for name, value := range f.ProductFields {
		want(len(name) <= 128 && len(value) <= 2048 && strings.TrimSpace(value) != "", "product field %q: %.40q", name, value)
	}
	want(len(f.Resources) >= 1 && len(f.Resources) <= 32, "%d resources", len(f.Resources))
	for _, r := range f.Resources {
		want(strings.TrimSpace(s(r.Id)) != "" && len(s(r.Id)) <= 512 && slices.Contains(resources, s(r.Type)), "resource %q %.40q", s(r.Type), s(r.Id))
		want(r.Region == nil || len(*r.Region) <= 16, "resource in %q", s(r.Region))
		want(r.Partition == "" || slices.Contains(r.Partition.Values(), r.Partition), "partition %q", r.Partition)
	}
	return errors.Join(errs...)
}
