package trailseal_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/trailseal/trailseal/kms"
	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/source"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// KMS keys of the tests in http_kms_*_test.go.
const (
	kmsTrail   = "arn:aws:kms:eu-west-1:111122223333:key/0a0a0a0a-0000-4000-8000-000000000001"
	kmsSecond  = "arn:aws:kms:eu-west-1:111122223333:key/0b0b0b0b-0000-4000-8000-000000000002"
	kmsForeign = "arn:aws:kms:eu-west-1:999988887777:key/0c0c0c0c-0000-4000-8000-000000000003"
	kmsMinIO   = "arn:aws:kms:ctlogs-key" // as MinIO names its keys
)

// A kmsAsking is how a run is asked for that may meet KMS keys.
type kmsAsking struct {
	asking
	kms.Opener
	off  bool   // --decrypt off
	late func() // is done after all files were read, before the keys' states are asked for
}

// changing does something before it asks for a key's state.
type changing struct {
	verify.KeyStates
	first func()
}

func (c changing) KeyState(ctx context.Context, key string) verify.KeyState {
	if c.first != nil {
		c.first()
	}
	return c.KeyStates.KeyState(ctx, key)
}

// judgeKMS is judgeOver as the command asks: with KMS at the same server.
func judgeKMS(t testing.TB, w *verifytest.World, url string, change func(*kmsAsking)) *judgement {
	t.Helper()
	a, store := openKMS(t, w, url, change)
	var j judgement
	if _, err := verify.Run(t.Context(), a.asking.Request, &j); err != nil {
		t.Fatal(err)
	}
	store.Close()
	return &j
}

func openKMS(t testing.TB, w *verifytest.World, url string, change func(*kmsAsking)) (*kmsAsking, *source.S3) {
	t.Helper()
	a := &kmsAsking{asking: asking{
		source.S3Options{URI: "s3://" + w.Trails()[0].Bucket, Region: "eu-west-1", EndpointURL: url, MaxAttempts: 2},
		verify.Request{Source: "test", Window: everything(w), Now: later(w), All: true},
	}}
	if change != nil {
		change(a)
	}
	k := source.NewKMS(t.Context(), source.AWSOptions{Region: a.S3Options.Region, EndpointURL: url}, "")
	a.S3Options.KMS = k
	store, err := source.OpenS3(t.Context(), a.S3Options)
	if err != nil {
		t.Fatal(err)
	}
	a.Opener.KMS = k
	opener := &a.Opener
	if a.off {
		opener = nil
	}
	r := &a.asking.Request
	r.Store, r.Keys, r.KeyStates = source.NewOpening(store, k, opener), store.Keys(), changing{k, a.late}
	if r.OwnKeys == nil {
		r.OwnKeys = a.Opener.Keys
	}
	return a, store
}

// allow lets keys be asked, as --kms-key does.
func allow(keys ...string) func(*kmsAsking) {
	return func(a *kmsAsking) { a.Opener.Keys = keys }
}

// key is what the key report has on a key, which must be there.
func (j *judgement) key(t testing.TB, arn string) verify.KeyUse {
	t.Helper()
	for _, k := range j.summary.Keys {
		if k.ARN == arn {
			return k
		}
	}
	t.Errorf("the key %s is not reported: %+v", arn, j.summary.Keys)
	return verify.KeyUse{}
}

// file is what was said of a file, which must be there.
func (j *judgement) file(t testing.TB, ref verify.Ref) verify.File {
	t.Helper()
	for _, f := range j.files {
		if f.URI == ref.URI() {
			return f
		}
	}
	t.Errorf("nothing is said of %s", ref.URI())
	return verify.File{}
}

// kmsWorld is a small trail; change may ask for another one.
func kmsWorld(t testing.TB, change func(*verifytest.Spec)) *verifytest.World {
	t.Helper()
	return mintWorld(t, func(s *verifytest.Spec) {
		if s.Hours, s.Backfill = 4, false; change != nil {
			change(s)
		}
	})
}

func sealWorld(t testing.TB, w *verifytest.World, s verifytest.Seal, match func(verify.Ref) bool) {
	t.Helper()
	if s.Key == "" {
		s.Key = kmsTrail
	}
	if err := w.Seal(s, match); err != nil {
		t.Fatal(err)
	}
}

// Ways to choose files of a world.
func isDigest(ref verify.Ref) bool { return strings.Contains(ref.Key, "/CloudTrail-Digest/") }
func isLog(ref verify.Ref) bool    { return !isDigest(ref) && strings.HasSuffix(ref.Key, ".json.gz") }
func only(refs ...verify.Ref) func(verify.Ref) bool {
	return func(ref verify.Ref) bool { return slices.Contains(refs, ref) }
}

// outcomes wants an outcome of all files that match, and of the logs that only
// unreadable or damaged digests name.
func outcomes(w *verifytest.World, digests, logs string) map[string]string {
	files := map[string]string{}
	for ref := range w.Expect(later(w)) {
		switch {
		case isDigest(ref) && digests != "":
			files[ref.URI()] = digests
		case isLog(ref) && logs != "":
			files[ref.URI()] = logs
		}
	}
	return files
}

// alter changes an object of a world that is not served yet.
func alter(t testing.TB, w *verifytest.World, ref verify.Ref, change func(*verifytest.Object)) {
	t.Helper()
	o, ok := w.Get(ref)
	if !ok {
		t.Fatalf("there is no %s", ref.URI())
	}
	o.Bytes = bytes.Clone(o.Bytes)
	fields := map[string]string{}
	for name, value := range o.Metadata {
		fields[name] = value
	}
	o.Metadata = fields
	change(&o)
	w.Put(ref, o)
}

// frontOf stands before a server and sees each request first.
func frontOf(t testing.TB, s *verifytest.Server, see func(*http.Request)) string {
	t.Helper()
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		see(r)
		s.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	return front.URL
}

// noRequest wants that KMS was not asked for anything.
func noRequest(t testing.TB, s *verifytest.Server, operations ...string) {
	t.Helper()
	for _, operation := range operations {
		if n := s.Requests()[operation]; n > 0 {
			t.Errorf("%d requests %s, want none", n, operation)
		}
	}
}
