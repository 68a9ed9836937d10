package trailseal_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/trailseal/trailseal/verify"
	reports "github.com/trailseal/trailseal/verify/report"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// A recovered is what these tests read of a report with recover in it.
type recovered struct {
	Exit  int
	Files []struct {
		URI     string
		Verdict verify.Verdict
		Recover *verify.Recover
	}
}

func (r recovered) of(uri string) *verify.Recover {
	for _, f := range r.Files {
		if f.URI == uri {
			return f.Recover
		}
	}
	return nil
}

// recoverJSON runs trailseal recover and wants an exit status.
func recoverJSON(t *testing.T, want int, env []string, args ...string) (r recovered) {
	t.Helper()
	cmd := exec.Command(binary(t), append([]string{"recover", "--format", "json"}, args...)...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.Output()
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
		t.Logf("%s", exit.Stderr)
	}
	if err := json.Unmarshal(out, &r); err != nil || got != want || r.Exit != want {
		t.Fatalf("exit %d, want %d; %v: %s", got, want, err, out)
	}
	return r
}

// What is recovered is saved so that it verifies, and the bucket is only read.
func TestRecoverOverHTTP(t *testing.T) {
	for _, page := range []int{1000, 1} {
		w := mintWorld(t, func(s *verifytest.Spec) { s.Regions = s.Regions[:1]; s.Prefix = "pre fix+ü" })
		bucket := w.Buckets()[0]
		w.Version(bucket)
		w.Hand(time.Date(2026, 3, 11, 1, 2, 3, 0, time.UTC), "somebody")
		digests := w.Chains()[0].Digests
		logs := w.Logs()
		for _, ref := range logs[:2] {
			w.Put(ref, verifytest.Object{Bytes: []byte("encrypted; pay")})
			w.Delete(ref)
		}
		for _, d := range digests[1:4] {
			w.Delete(d.Ref)
		}
		o, _ := w.Get(digests[0].Ref)
		w.Put(digests[4].Ref, o)
		server := serveHTTP(t, w, verifytest.ServerOptions{PageSize: page})
		to := filepath.Join(t.TempDir(), "originals")
		args := append(append([]string{"s3://" + bucket}, window(w)...), "--to", to)
		r := recoverJSON(t, 1, awsEnv(t, server.URL), append(args, "--concurrency", "3")...)
		for _, ref := range []verify.Ref{logs[0], logs[1], digests[1].Ref, digests[2].Ref, digests[3].Ref, digests[4].Ref} {
			got := r.of(ref.URI())
			if got == nil || got.Version == "" || got.Removed == nil || got.RemovedBy != "somebody" || got.Saved == "" {
				t.Errorf("pages of %d: %s: %+v", page, ref.Key, got)
				continue
			}
			saved, err := os.ReadFile(got.Saved)
			if original := w.Versions(ref); err != nil || string(saved) != string(original[len(original)-1].Bytes) {
				t.Errorf("%s: %d bytes saved, %v", got.Saved, len(saved), err)
			}
		}
		for operation := range server.Requests() {
			if !strings.HasPrefix(operation, "Get") && !strings.HasPrefix(operation, "List") && !strings.HasPrefix(operation, "Head") {
				t.Errorf("the bucket was asked for %s", operation)
			}
		}
		// What was saved is a copy of the bucket, as far as it goes.
		out := verifyJSON(t, nil, append([]string{to}, keyFiles(t, w)...)...)
		for uri, verdict := range map[string]string{digests[1].URI(): "kept", digests[3].URI(): "kept", digests[4].URI(): "kept"} {
			if out.verdict(uri) != "" && out.verdict(uri) != verdict {
				t.Errorf("%s is %s", uri, out.verdict(uri))
			}
		}
		if out.Summary.Digests["kept"] != 4 || out.Summary.Digests["modified"] != 0 || out.Summary.Logs["modified"] != 0 {
			t.Errorf("what was saved: %+v", out.Summary)
		}
	}
}

// What a client sealed is recovered by what it opens to and saved as it was stored,
// also where its instruction file was deleted with it.
func TestRecoverSealed(t *testing.T) {
	for _, seal := range []verifytest.Seal{{Scheme: "s3ec-v2"}, {Scheme: "s3ec-v2", Instruction: true}, {Scheme: "s3ec-v3", Instruction: true}, {Scheme: "esdk-v2"}} {
		t.Run(sealName(seal), func(t *testing.T) {
			w := kmsWorld(t, func(s *verifytest.Spec) { s.Regions = s.Regions[:1] })
			sealWorld(t, w, seal, nil)
			bucket := w.Buckets()[0]
			w.Version(bucket)
			victims := []verify.Ref{w.Chains()[0].Digests[2].Ref, w.Chains()[0].Digests[3].Ref}
			for _, ref := range w.Logs() {
				if isLog(ref) && len(victims) < 4 {
					victims = append(victims, ref)
				}
			}
			for i, ref := range victims {
				if i == 3 {
					w.Put(ref, verifytest.Object{Bytes: []byte("nonsense")})
					continue
				}
				w.Delete(ref)
				if aside := (verify.Ref{Bucket: ref.Bucket, Key: ref.Key + verifytest.InstructionFile}); seal.Instruction {
					w.Delete(aside)
				}
			}
			server := serveHTTP(t, w, verifytest.ServerOptions{})
			to := filepath.Join(t.TempDir(), "originals")
			env := append(awsEnv(t, server.URL), "AWS_ENDPOINT_URL_KMS="+server.URL)
			r := recoverJSON(t, 1, env, append(append([]string{"s3://" + bucket}, window(w)...), "--to", to, "--kms-key", kmsTrail)...)
			for _, ref := range victims {
				got := r.of(ref.URI())
				if got == nil || got.Version == "" || got.Saved == "" || got.Problem != "" {
					t.Errorf("%s: %+v", ref.Key, got)
					continue
				}
				all := w.Versions(ref)
				if saved, err := os.ReadFile(got.Saved); err != nil || string(saved) != string(all[len(all)-1].Bytes) {
					t.Errorf("%s: not as it was stored: %d bytes, %v", got.Saved, len(saved), err)
				}
			}
			out := verifyJSON(t, env, append([]string{to, "--kms-key", kmsTrail}, keyFiles(t, w)...)...)
			if out.Summary.Digests["kept"] != 2 || out.Summary.Logs["modified"]+out.Summary.Logs["unreadable"]+out.Summary.Digests["modified"] != 0 {
				t.Errorf("what was saved: %+v %+v", out.Summary, out.Files)
			}
		})
	}
}

// A refusal to list versions is told of, and changes no verdict.
func TestRecoverMayNotListVersions(t *testing.T) {
	w := mintWorld(t, nil)
	bucket := w.Buckets()[0]
	w.Version(bucket)
	log := w.Logs()[1]
	w.Delete(log)
	server := serveHTTP(t, w, verifytest.ServerOptions{Faults: []verifytest.Fault{{Operation: "ListObjectVersions", Status: 403, Code: "AccessDenied"}}})
	r := recoverJSON(t, 1, awsEnv(t, server.URL), append([]string{"s3://" + bucket}, window(w)...)...)
	if got := r.of(log.URI()); got == nil || got.Version != "" || !strings.Contains(got.Problem, "s3:ListBucketVersions") {
		t.Errorf("%+v", got)
	}
}

// The commands name the bucket whose versions were looked at, which of a copy is
// not the original's.
func TestRecoverFromACopyInAnotherBucket(t *testing.T) {
	w := mintWorld(t, func(s *verifytest.Spec) { s.Regions = s.Regions[:1] })
	original := w.Buckets()[0]
	const archive = "example-archive"
	for key, o := range w.Scan(original, "") {
		w.Put(verify.Ref{Bucket: archive, Key: "old/" + key}, o)
	}
	w.Version(archive)
	logs := w.Logs()[:2]
	slices.SortFunc(logs, func(a, b verify.Ref) int { return strings.Compare(a.Key, b.Key) })
	there := func(ref verify.Ref) verify.Ref {
		return verify.Ref{Bucket: archive, Key: "old/" + strings.TrimPrefix(ref.Key, "old/")}
	}
	w.Delete(there(logs[0]))
	w.Put(there(logs[1]), verifytest.Object{Bytes: []byte("nonsense")})
	server := serveHTTP(t, w, verifytest.ServerOptions{})
	r := recoverJSON(t, 1, awsEnv(t, server.URL), append([]string{"s3://" + archive + "/old", "--copy-of", "s3://" + original}, window(w)...)...)
	for _, ref := range logs {
		key := strings.TrimPrefix(ref.Key, "old/")
		got := r.of("s3://" + original + "/" + key)
		if got == nil || !strings.Contains(got.Command, " --bucket "+archive+" --key old/"+key+" ") || strings.Contains(got.Command, original) {
			t.Errorf("%s: %+v", key, got)
		}
	}
}

// A real S3 server that keeps versions says the same.
func TestRecoverFromARealS3Server(t *testing.T) {
	url := versitygw(t, "--versioning-dir", t.TempDir())
	w := mintWorld(t, func(s *verifytest.Spec) {
		s.Regions, s.Backfill = s.Regions[:1], false
		s.Prefix = "pre fix+ü%41/it's" // what a shell, a URL and the AWS CLI each treat in their own way
	})
	c := client(url)
	bucket := w.Buckets()[0]
	if _, err := c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{Bucket: &bucket,
		VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}}); err != nil {
		t.Skipf("SKIPPED: this versitygw keeps no versions: %v", err)
	}
	uploadInto(t, c, w, bucket)
	logs, digests := w.Logs(), w.Chains()[0].Digests
	for _, ref := range []verify.Ref{logs[1], digests[2].Ref, digests[3].Ref} {
		if _, err := c.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &ref.Bucket, Key: &ref.Key}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &logs[2].Key, Body: strings.NewReader("nonsense")}); err != nil {
		t.Fatal(err)
	}
	env := awsEnv(t, url)
	args := append(append([]string{"s3://" + bucket}, window(w)...), keyFiles(t, w)...)
	r := recoverJSON(t, 1, env, args...)
	for _, ref := range []verify.Ref{logs[1], logs[2], digests[2].Ref, digests[3].Ref} {
		if got := r.of(ref.URI()); got == nil || got.Version == "" || got.Command == "" {
			t.Errorf("%s: %+v", ref.Key, got)
		}
	}
	// The commands restore them.
	if _, err := exec.LookPath("aws"); err != nil {
		t.Skip("SKIPPED: no aws here: whether the commands restore what they say is not known")
	}
	for _, f := range r.Files {
		if f.Recover == nil || f.Recover.Command == "" {
			continue
		}
		if shown := reports.CleanText(f.Recover.Command); shown != f.Recover.Command { // it is pasted from there
			t.Errorf("a report for people shows %s for %s", shown, f.Recover.Command)
		}
		cmd := exec.Command("sh", "-c", f.Recover.Command+" --endpoint-url "+url)
		cmd.Env = slices.DeleteFunc(append(os.Environ(), env...), func(e string) bool { return strings.HasPrefix(e, "AWS_PROFILE=") })
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", f.Recover.Command, err, out)
		}
	}
	if r := verifyJSON(t, env, args...); r.Exit != 0 {
		t.Errorf("after the commands: exit %d, %+v", r.Exit, r.Files)
	}
}
