package source

import (
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/trailseal/trailseal/kms"
	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

const (
	ownKey     = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000001"
	foreignKey = "arn:aws:kms:us-east-1:999988887777:key/00000000-0000-4000-8000-000000000002"
)

// served is a small world over HTTP, with KMS.
type served struct {
	*verifytest.Server
	w    *verifytest.World
	logs []verify.Ref
}

// serve makes one. prepare is called before the server starts.
func serve(t testing.TB, o verifytest.ServerOptions, prepare func(w *verifytest.World, logs []verify.Ref)) *served {
	t.Helper()
	newFake(t) // for the environment alone
	spec := verifytest.DefaultSpec()
	spec.Hours, spec.LogsPerHour, spec.EventsPerLog, spec.QuietEvery, spec.Backfill, spec.Markers = 3, 2, 2, 0, false, false
	spec.Regions = []string{"eu-west-1"}
	w, err := verifytest.Mint(spec)
	if err != nil {
		t.Fatal(err)
	}
	s := &served{w: w, logs: w.Logs()}
	w.KMS().Add(ownKey)
	if prepare != nil {
		prepare(w, s.logs)
	}
	if s.Server, err = verifytest.NewServer(w, o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// store opens the world's bucket, with KMS.
func (s *served) store(t testing.TB, change ...func(*S3Options)) (*S3, *KMS) {
	t.Helper()
	k := NewKMS(t.Context(), AWSOptions{Region: "eu-west-1", EndpointURL: s.URL}, "")
	o := S3Options{URI: "s3://" + s.w.Buckets()[0], Region: "eu-west-1", EndpointURL: s.URL, KMS: k, MaxAttempts: 3}
	for _, c := range change {
		c(&o)
	}
	store, err := OpenS3(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	store.retrier.longest = 2 * shortestPause
	return store, k
}

// opening is the same with the layer that opens what any of the keys sealed.
func (s *served) opening(t testing.TB, change ...func(*S3Options)) *Opening {
	t.Helper()
	store, k := s.store(t, change...)
	return NewOpening(store, k, &kms.Opener{KMS: k, AnyKey: true})
}

// asked are the requests for objects, buckets' payers and KMS, in short:
// "GET HEAD payer describe", each as often as it came.
func (s *served) asked() string {
	var all []string
	counts := s.Requests()
	for _, r := range [][2]string{{"GetObject", "GET"}, {"HeadObject", "HEAD"}, {"GetBucketRequestPayment", "payer"}, {"DescribeKey", "describe"}, {"Decrypt", "decrypt"}} {
		for range counts[r[0]] {
			all = append(all, r[1])
		}
	}
	return strings.Join(all, " ")
}

func only(refs ...verify.Ref) func(verify.Ref) bool {
	return func(ref verify.Ref) bool {
		for _, r := range refs {
			if r == ref {
				return true
			}
		}
		return false
	}
}

func newRandom() io.Reader { return rand.NewChaCha8([32]byte{3}) }
