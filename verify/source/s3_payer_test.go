package source

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// TestRequesterPays: the bucket is asked once who pays, and the reason is that
// for reads, heads and listings.
func TestRequesterPays(t *testing.T) {
	for _, c := range []struct {
		pays, says, denied bool
		want               verify.Reason
		payer              int64
	}{
		{true, false, false, verify.RequesterPays, 1},
		{true, true, false, "<nil>", 0},
		{false, false, false, "<nil>", 0},
		{false, false, true, verify.AccessDenied, 1},
		{false, true, true, verify.AccessDenied, 0},
	} {
		o := verifytest.ServerOptions{}
		if c.denied {
			for _, op := range []string{"GetObject", "HeadObject", "ListObjectsV2"} {
				o.Faults = append(o.Faults, verifytest.Fault{Operation: op, Status: 403, Code: "AccessDenied", Message: "Access Denied"})
			}
		}
		s := serve(t, o, func(w *verifytest.World, _ []verify.Ref) {})
		s.Close()
		o.RequesterPays = map[string]bool{s.w.Buckets()[0]: c.pays}
		var err error
		if s.Server, err = verifytest.NewServer(s.w, o); err != nil {
			t.Fatal(err)
		}
		store, _ := s.store(t, func(o *S3Options) { o.RequestPayer = c.says })
		at := verify.Ref{Bucket: s.logs[0].Bucket}
		var errs []error
		for _, ref := range s.logs[:2] {
			_, _, err := read(store, ref)
			_, headErr := store.Head(t.Context(), ref)
			errs = append(errs, err, headErr)
		}
		_, err = store.Dirs(t.Context(), at)
		errs = append(errs, err)
		for _, err = range store.List(t.Context(), at, "", "") {
		}
		for i, err := range append(errs, err) {
			if reason(err) != c.want || c.want == verify.RequesterPays && !strings.Contains(unreadable(err).Hint, "--request-payer") {
				t.Errorf("%+v: request %d: %v", c, i, err)
			}
		}
		if n := s.Requests()["GetBucketRequestPayment"]; n != c.payer || store.Requests()["payer"] != c.payer {
			t.Errorf("%+v: asked %d times who pays", c, n)
		}
	}
}

// TestExplainEnded: what ended is not explained.
func TestExplainEnded(t *testing.T) {
	f := newFake(t)
	ctx, cancel := context.WithCancel(t.Context())
	f.before = func(w http.ResponseWriter, _ *http.Request, _ int) bool {
		cancel()
		refuse(w, 403, "AccessDenied", "Access Denied")
		return true
	}
	err := f.open(t).Read(ctx, f.put("bucket", "k", "x"), nil)
	if !errors.Is(err, context.Canceled) && reason(err) != verify.AccessDenied || len(f.seen) != 1 {
		t.Errorf("%v after %v", err, f.seen)
	}
}
