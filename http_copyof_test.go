package trailseal_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

const archiveKey = "arn:aws:kms:eu-west-1:444455556666:key/11111111-2222-3333-4444-555555555555"

// archive moves a world's only bucket into another one, below a prefix, where
// a client sealed it. It gives where each file lies now.
func archive(t *testing.T, w *verifytest.World, to verify.Ref) map[string]verify.Ref {
	t.Helper()
	from := w.Buckets()[0]
	moved := map[string]verify.Ref{}
	for key, o := range maps.Collect(w.Scan(from, "")) {
		there := verify.Ref{Bucket: to.Bucket, Key: to.Key + key}
		w.Put(there, o)
		w.Delete(verify.Ref{Bucket: from, Key: key})
		moved["s3://"+from+"/"+key] = there
	}
	w.KMS().Add(archiveKey)
	if err := w.Seal(verifytest.Seal{Scheme: "s3ec-v2", Key: archiveKey}, func(r verify.Ref) bool { return !strings.HasSuffix(r.Key, "/") }); err != nil {
		t.Fatal(err)
	}
	return moved
}

// An archive in another bucket verifies when it is said what it is a copy of,
// with what was done to it since.
func TestCopyOfABucketInAnother(t *testing.T) {
	t.Parallel()
	w := mintWorld(t, func(s *verifytest.Spec) { s.Hours, s.Prefix = 5, "audit" })
	span, keys := window(w), keyFiles(t, w)
	_, logs := spotOf(t, w, "eu-west-1")
	moved := archive(t, w, verify.Ref{Bucket: "archive", Key: "2026/"})
	run := func(original string) report {
		t.Helper()
		s := serveHTTP(t, w, verifytest.ServerOptions{})
		args := append(append([]string{"s3://archive/2026/audit", "--kms-key", archiveKey}, span...), keys...)
		if original != "" {
			args = append(args, "--copy-of", original)
		}
		return verifyJSON(t, awsEnv(t, s.URL), args...)
	}
	original := fmt.Sprintf("s3://%s/audit", w.Trails()[0].Bucket)
	if r := run(original); r.Exit != 0 || r.Summary.Logs["kept"] == 0 || len(r.Findings) != 1 || kinds(r)[0] != string(verify.Moved) {
		t.Errorf("an honest copy: %+v", r)
	}
	if r := run(""); r.Exit != 1 || r.Summary.Digests["kept"] > 0 {
		t.Errorf("digests of another place prove nothing here unless somebody says so: %+v", r)
	}
	if r := run("s3://somewhere-else"); r.Exit != 1 || r.Summary.Digests["kept"] > 0 {
		t.Errorf("a copy of something else: %+v", r)
	}
	w.Delete(moved[logs[0].URI()])
	if r := run(original); r.Exit != 1 || r.verdict(logs[0].URI()) != "deleted" || len(r.Files) != 1 {
		t.Errorf("a log is missing from the copy: %+v", r)
	}
}
