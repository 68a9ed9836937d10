package kms_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/trailseal/trailseal/kms"
	"github.com/trailseal/trailseal/verify/verifytest"
)

const (
	key1   = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000001"
	tokyo  = "arn:aws:kms:ap-northeast-1:111122223333:key/00000000-0000-4000-8000-000000000002"
	mrkUS  = "arn:aws:kms:us-east-1:111122223333:key/mrk-00000000000040008000000000000003"
	mrkEU  = "arn:aws:kms:eu-west-1:111122223333:key/mrk-00000000000040008000000000000003"
	absent = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-00000000000f"
)

var pairs = map[string]string{"purpose": "archive"}

// A service is KMS over HTTP with the keys above, and a client of eu-west-1.
// The stand-in answers for a key only where the request was signed for the
// key's region.
type service struct {
	*verifytest.Server
	kms    *verifytest.KMS
	client *kms.Client
	data   []byte
}

func newService(t *testing.T, attempts int, faults ...verifytest.Fault) *service {
	t.Helper()
	spec := verifytest.DefaultSpec()
	spec.Hours, spec.LogsPerHour, spec.EventsPerLog, spec.Regions = 1, 1, 1, []string{"eu-west-1"}
	w, err := verifytest.Mint(spec)
	if err != nil {
		t.Fatal(err)
	}
	s := &service{kms: w.KMS(), data: bytes.Repeat([]byte{7}, 32)}
	s.kms.Add(key1)
	s.kms.Add(tokyo)
	s.kms.Replicate(mrkUS, "eu-west-1")
	if s.Server, err = verifytest.NewServer(w, verifytest.ServerOptions{Faults: faults}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	s.client = kms.NewClient(aws.Config{Region: "eu-west-1", RetryMaxAttempts: attempts, Credentials: aws.CredentialsProviderFunc(
		func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIAFAKE", SecretAccessKey: "secret"}, nil
		})}, s.URL)
	return s
}

func (s *service) wrap(t *testing.T, arn string) []byte {
	t.Helper()
	blob, err := s.kms.Wrap(arn, s.data, pairs, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return blob
}

func code(err error) string {
	var coded interface{ ErrorCode() string }
	if errors.As(err, &coded) {
		return coded.ErrorCode()
	}
	return fmt.Sprint(err)
}

func TestDecrypt(t *testing.T) {
	for _, c := range []struct {
		name, wrapped, asked string
		change               func(k *verifytest.KMS)
		want                 string // the key that KMS used, or its code
		requests             int64
	}{
		{"its own region", key1, key1, nil, key1, 1},
		{"the ARN's region", tokyo, tokyo, nil, tokyo, 1},
		{"no key named, the configured region", key1, "", nil, key1, 1},
		{"no key named, another region's", tokyo, "", nil, "AccessDeniedException", 1},
		{"no ARN, the configured region", key1, "00000000-0000-4000-8000-000000000001", nil, key1, 1},
		{"another key", key1, tokyo, nil, "IncorrectKeyException", 1},
		{"no such key", key1, absent, nil, "NotFoundException", 1},
		{"disabled", key1, key1, state(key1, verifytest.KeyDisabled), "DisabledException", 1},
		{"pending", key1, key1, state(key1, verifytest.KeyPendingDeletion), "KMSInvalidStateException", 1},
		{"denied", key1, key1, func(k *verifytest.KMS) { k.Add(key1, func(s *verifytest.KeySettings) { s.Denied = true }) }, "AccessDeniedException", 1},
		{"primary", mrkUS, mrkUS, nil, mrkUS, 1},
		{"replica", mrkUS, mrkEU, nil, mrkEU, 1},
		{"primary disabled, replica opens", mrkUS, mrkUS, state(mrkUS, verifytest.KeyDisabled), mrkEU, 2},
		{"primary gone, replica opens", mrkUS, mrkUS, state(mrkUS, verifytest.KeyGone), mrkEU, 2},
		{"replica disabled, which is where we are", mrkUS, mrkEU, state(mrkEU, verifytest.KeyDisabled), "DisabledException", 1},
		{"both refuse: the key that was asked says why", mrkUS, mrkUS, func(k *verifytest.KMS) {
			k.Key(mrkUS).SetState(verifytest.KeyPendingDeletion)
			k.Key(mrkEU).SetState(verifytest.KeyDisabled)
		}, "KMSInvalidStateException", 2},
		{"no replica here", tokyo, tokyo, state(tokyo, verifytest.KeyDisabled), "DisabledException", 1},
	} {
		s := newService(t, 1)
		blob := s.wrap(t, c.wrapped)
		if c.change != nil {
			c.change(s.kms)
		}
		data, used, err := s.client.Decrypt(t.Context(), blob, pairs, c.asked)
		if err != nil {
			used = code(err)
		} else if !bytes.Equal(data, s.data) {
			t.Errorf("%s: another data key", c.name)
		}
		if used != c.want || s.Requests()["Decrypt"] != c.requests || s.client.Requests()["decrypt"] != c.requests {
			t.Errorf("%s: %s (%v) after %v, want %s after %d", c.name, used, err, s.client.Requests(), c.want, c.requests)
		}
	}
}

func state(arn string, to verifytest.KeyState) func(*verifytest.KMS) {
	return func(k *verifytest.KMS) { k.Add(arn).SetState(to) }
}

// The context binds the data key, and a context that ended is nobody's refusal.
func TestDecryptContexts(t *testing.T) {
	s := newService(t, 1)
	blob := s.wrap(t, key1)
	for _, other := range []map[string]string{nil, {"purpose": "other"}, {"purpose": "archive", "x": "y"}} {
		if _, _, err := s.client.Decrypt(t.Context(), blob, other, key1); code(err) != "InvalidCiphertextException" {
			t.Errorf("%v: %v", other, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := s.client.Decrypt(ctx, s.wrap(t, mrkUS), pairs, mrkUS); err != context.Canceled {
		t.Errorf("ended: %v", err)
	}
}

// Throttling is asked through, as often as the configuration says.
func TestThrottled(t *testing.T) {
	for times, want := range map[int]string{1: "<nil>", 2: "ThrottlingException"} {
		s := newService(t, 2, verifytest.Fault{Operation: "Decrypt", Key: key1, Status: 400, Code: "ThrottlingException", Times: times})
		_, _, err := s.client.Decrypt(t.Context(), s.wrap(t, key1), pairs, key1)
		if code(err) != want || s.Requests()["Decrypt"] != 2 || s.client.Requests()["decrypt"] != 1 {
			t.Errorf("throttled %d times: %v after %v", times, err, s.Requests())
		}
	}
	// What is no throttling is asked once.
	s := newService(t, 3, verifytest.Fault{Operation: "DescribeKey", Status: 400, Code: "AccessDeniedException", Message: "no"})
	if got := s.client.Describe(t.Context(), key1); got.Name != "" || code(got.Err) != "AccessDeniedException" || s.Requests()["DescribeKey"] != 1 {
		t.Errorf("%+v after %v", got, s.Requests())
	}
}
