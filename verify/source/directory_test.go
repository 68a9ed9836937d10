package source

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
)

const account = "111122223333"

// chainKey is the key of a digest, a day of March 2026 at noon.
func digestKey(prefix string, day int) string {
	return digest.Name{Prefix: prefix, Chain: digest.Chain{Account: account, Region: "eu-west-1", Trail: "main", HomeRegion: "eu-west-1"},
		End: time.Date(2026, 3, day, 12, 0, 0, 0, time.UTC)}.Key()
}

// writeDigest writes an unsigned digest file that says where it was written to.
func writeDigest(t testing.TB, dir, bucket, key string) {
	t.Helper()
	n, err := digest.ParseName(key)
	if err != nil {
		t.Fatal(err)
	}
	tail, _ := digest.FromAWSLogs(key)
	end := n.End.Format(time.RFC3339)
	writeFile(t, dir, tail, zip(fmt.Sprintf(`{"awsAccountId":%q,"digestStartTime":%q,"digestEndTime":%q,"digestS3Bucket":%q,"digestS3Object":%q,
		"digestPublicKeyFingerprint":"x","digestSignatureAlgorithm":"SHA256withRSA","newestEventTime":null,"oldestEventTime":null,
		"previousDigestS3Bucket":null,"previousDigestS3Object":null,"previousDigestHashValue":null,"previousDigestHashAlgorithm":null,
		"previousDigestSignature":null,"logFiles":[]}`, account, n.End.Add(-time.Hour).Format(time.RFC3339), end, bucket, key)))
}

func zip(data string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte(data))
	w.Close()
	return b.String()
}

func roots(t *testing.T, d *Directory) []string {
	t.Helper()
	refs, err := d.Roots(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var uris []string
	for _, r := range refs {
		uris = append(uris, r.URI())
	}
	return uris
}

const log1 = "AWSLogs/" + account + "/CloudTrail/eu-west-1/2026/03/01/1.json.gz"

// TestSeveralBuckets: a copy of two buckets side by side, one moved to
// another in the middle of its life, and one of which nothing tells.
func TestSeveralBuckets(t *testing.T) {
	dir := t.TempDir()
	one, two := filepath.Join(dir, "any name"), filepath.Join(dir, "x/deep/pre/fix")
	for _, day := range []int{1, 2, 3} {
		writeDigest(t, one, "bucket-one", digestKey("", day))
	}
	writeDigest(t, one, "bucket-moved", digestKey("new/", 9))
	writeDigest(t, two, "bucket-two", digestKey("pre/fix/", 1))
	writeFile(t, one, log1, "log of one")
	writeFile(t, two, log1, "log of two")
	writeFile(t, dir, "silent/"+log1, "log of a silent one")
	writeFile(t, dir, "AWSLogs.txt", "")
	d := openDir(t, dir)
	want := []string{"s3://bucket-moved/new/", "s3://silent/", "s3://bucket-two/pre/fix/"}
	if got := roots(t, d); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for _, c := range []struct{ bucket, key, want string }{
		{"bucket-one", log1, "log of one"},
		{"bucket-moved", "new/" + log1, "log of one"},
		{"bucket-two", "pre/fix/" + log1, "log of two"},
		{"silent", log1, "log of a silent one"},
		{"unknown", log1, "log of one"}, // content decides, not the name
		{"bucket-one", log1 + "x", "not-found"},
		{"bucket-moved", "new/" + log1 + "x", "not-found"},
		{"bucket-moved", "old/" + log1 + "x", string(verify.NotCopied)},
		{"unknown", log1 + "x", string(verify.NotCopied)},
		{"bucket-one", "no folder of that name", string(verify.NotCopied)},
		{"bucket-one", "AWSLogs/../../../etc/passwd", string(verify.NotCopied)},
		{"bucket-one", "AWSLogs//x", string(verify.NotCopied)},
		{"bucket-one", "AWSLogs/a\x00b", string(verify.NotCopied)},
	} {
		got, _, err := read(d, verify.Ref{Bucket: c.bucket, Key: c.key})
		var missing *verify.NotFoundError
		if errors.As(err, &missing) {
			got = "not-found"
		} else if err != nil {
			got = string(reason(err))
		}
		if got != c.want {
			t.Errorf("%s %q: %s (%v), want %s", c.bucket, c.key, got, err, c.want)
		}
	}
	if got := keys(d, verify.Ref{Bucket: "bucket-one", Key: "AWSLogs/"}, "", ""); len(got) != 5 {
		t.Errorf("listed under its other name: %q", got)
	}
	if got := keys(d, verify.Ref{Bucket: "unknown", Key: "AWSLogs/"}, "", ""); len(got) != 1 || !strings.Contains(got[0], "not-copied") {
		t.Errorf("listed what is not there: %q", got)
	}
	if !d.Holds(verify.Ref{Bucket: "a", Key: "p/" + log1}, verify.Ref{Bucket: "b", Key: log1}) {
		t.Error("a copy knows neither bucket nor prefix")
	}
	if d.Holds(verify.Ref{Bucket: "a", Key: log1}, verify.Ref{Bucket: "a", Key: strings.Replace(log1, account, "444455556666", 1)}) {
		t.Error("another account's place is another place")
	}
}

// TestTwoCopiesOfOneBucket are listed as one.
func TestTwoCopiesOfOneBucket(t *testing.T) {
	dir := t.TempDir()
	for i, day := range []int{1, 2} {
		part := filepath.Join(dir, fmt.Sprint("part", i))
		writeDigest(t, part, "bucket", digestKey("", day))
		writeFile(t, part, fmt.Sprint(log1, i), fmt.Sprint(i))
		writeFile(t, part, log1, fmt.Sprint("both, here ", i))
	}
	d := openDir(t, dir)
	if got := roots(t, d); !slices.Equal(got, []string{"s3://bucket/"}) {
		t.Errorf("%q", got)
	}
	at := verify.Ref{Bucket: "bucket", Key: ""}
	want := []string{digestKey("", 1), digestKey("", 2), log1, log1 + "0", log1 + "1"}
	slices.Sort(want)
	if got := keys(d, at, "", ""); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if got := keys(d, at, log1, ""); len(got) != 4-2+0 && !slices.Equal(got, want[slices.Index(want, log1)+1:]) {
		t.Errorf("%q", got)
	}
	for range d.List(context.Background(), at, "", "") {
		break // the other listings must end too
	}
	if got, _, err := read(d, verify.Ref{Bucket: "bucket", Key: log1}); got != "both, here 0" {
		t.Error(got, err)
	}
	dirs, err := d.Dirs(context.Background(), verify.Ref{Bucket: "bucket", Key: "AWSLogs/" + account + "/"})
	if err != nil || !slices.Equal(dirs, []string{"CloudTrail-Digest/", "CloudTrail/"}) {
		t.Errorf("%q, %v", dirs, err)
	}
}

// TestWaysIn: the path may lead above, to, or into an AWSLogs folder.
func TestWaysIn(t *testing.T) {
	dir := t.TempDir()
	writeDigest(t, filepath.Join(dir, "a/b"), "bucket", digestKey("p/", 1))
	writeFile(t, dir, "a/b/AWSLogs/o-abcdefghij/"+account+"/CloudTrail/f", "x")
	for path, want := range map[string]string{
		"":                                "s3://bucket/p/",
		"a":                               "s3://bucket/p/",
		"a/b":                             "s3://bucket/p/",
		"a/b/AWSLogs":                     "s3://bucket/p/",
		"a/b/AWSLogs/" + account:          "s3://bucket/p/AWSLogs/" + account + "/",
		"a/b/AWSLogs/o-abcdefghij/":       "s3://bucket/p/AWSLogs/o-abcdefghij/",
		"a/b/AWSLogs/" + account + "/../": "s3://bucket/p/",
	} {
		if got := roots(t, openDir(t, filepath.Join(dir, path))); !slices.Equal(got, []string{want}) {
			t.Errorf("%q: %q, want %q", path, got, want)
		}
	}
	if got := roots(t, openDir(t, t.TempDir())); got != nil {
		t.Errorf("an empty directory has roots %q", got)
	}
	below := filepath.Join(t.TempDir(), "AWSLogs/copies")
	writeFile(t, below, "bucket-b/"+log1, "x")
	if got := roots(t, openDir(t, below)); !slices.Equal(got, []string{"s3://bucket-b/"}) {
		t.Errorf("%q", got)
	}
	for _, path := range []string{filepath.Join(dir, "none"), filepath.Join(dir, "a/b", log1), ""} {
		var wrong *UsageError
		if d, err := OpenDirectory(path); path != "" && !errors.As(err, &wrong) {
			t.Errorf("%q: %v", path, err)
		} else if d != nil {
			d.Close()
		}
	}
}

func TestSideFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "bucket")
	for name, side := range map[string]string{
		"good":     `{"X-Amz-Meta-Signature": "ab", "signature-algorithm": "SHA256withRSA", "BACKFILL": "t"}`,
		"nested":   `{"Metadata": {"signature": "ab"}}`,
		"cut":      `{"signature": "ab"`,
		"big":      `{"signature": "` + strings.Repeat("a", 70<<10) + `"}`,
		"list":     `[]`,
		"nullfile": `null`,
	} {
		writeFile(t, dir, "AWSLogs/x/"+name, "data")
		writeFile(t, dir, "AWSLogs/x/"+name+".metadata.json", side)
	}
	writeFile(t, dir, "AWSLogs/x/public-keys-eu.json", "")
	writeFile(t, dir, "AWSLogs/x/none", "data")
	d := openDir(t, dir)
	at := verify.Ref{Bucket: "bucket", Key: "AWSLogs/x/"}
	all := keys(d, at, "", "")
	if len(all) != 7 {
		t.Errorf("%q", all)
	}
	for _, key := range all {
		got, o, err := read(d, verify.Ref{Bucket: "bucket", Key: key})
		if err != nil || got != "data" {
			t.Errorf("%s: %q, %v", key, got, err)
		}
		if good := strings.HasSuffix(key, "good"); good != (len(o.Metadata) > 0) ||
			good && (o.Metadata["signature"] != "ab" || o.Metadata["backfill"] != "t") {
			t.Errorf("%s: %q", key, o.Metadata)
		}
	}
}

// TestFewSideFiles: that most files of a folder have none says nothing of the others.
func TestFewSideFiles(t *testing.T) {
	for _, with := range []int{0, 1} {
		dir := filepath.Join(t.TempDir(), "bucket")
		for i := range 3 * loneFiles {
			writeFile(t, dir, fmt.Sprintf("AWSLogs/x/%03d", i), "data")
		}
		if with > 0 {
			writeFile(t, dir, "AWSLogs/x/040.metadata.json", `{"signature":"ab"}`)
		}
		d, found := openDir(t, dir), 0
		for range 2 {
			for i := range 3 * loneFiles {
				_, o, err := read(d, verify.Ref{Bucket: "bucket", Key: fmt.Sprintf("AWSLogs/x/%03d", i)})
				if err != nil {
					t.Error(err)
				}
				found += len(o.Metadata)
			}
		}
		if found != 2*with {
			t.Errorf("%d side files found, want %d", found, 2*with)
		}
	}
}

// TestOddFiles: links stay inside, pipes do not stop the run.
func TestOddFiles(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links need rights there")
	}
	dir := t.TempDir()
	bucket := filepath.Join(dir, "bucket")
	writeFile(t, dir, "secret", "secret")
	writeFile(t, bucket, "AWSLogs/x/real", "data")
	writeFile(t, bucket, "AWSLogs/empty/folder/x", "")
	os.Remove(filepath.Join(bucket, "AWSLogs/empty/folder/x"))
	link := func(to, name string) {
		if err := os.Symlink(to, filepath.Join(bucket, "AWSLogs/x", name)); err != nil {
			t.Fatal(err)
		}
	}
	link("real", "link")
	link("../x/real", "dots")
	link("../../../secret", "out")
	link(filepath.Join(dir, "secret"), "absolute")
	link("nowhere", "dangling")
	link("loop", "loop")
	link(".", "folder")
	link("/dev/zero", "zero")
	makePipe(t, filepath.Join(bucket, "AWSLogs/x/pipe"))
	os.Symlink(dir, filepath.Join(bucket, "AWSLogs/outside"))
	d := openDir(t, bucket)
	for name, want := range map[string]string{
		"real": "data", "link": "data", "dots": "data", "out": "read-failed", "absolute": "read-failed", "loop": "read-failed",
		"folder": "read-failed", "zero": "read-failed", "pipe": "read-failed", "dangling": "no object", "../outside/secret": "not-copied",
		"folder/real": "data",
	} {
		got, _, err := read(d, verify.Ref{Bucket: "bucket", Key: "AWSLogs/x/" + name})
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if _, _, err := read(d, verify.Ref{Bucket: "bucket", Key: "AWSLogs/outside/secret"}); reason(err) != verify.ReadFailed {
		t.Error("a linked folder led outside:", err)
	}
	if got := keys(d, verify.Ref{Bucket: "bucket"}, "", ""); len(got) != 9 || slices.Contains(got, "AWSLogs/x/pipe") {
		t.Errorf("%q", got)
	}
	dirs, err := d.Dirs(context.Background(), verify.Ref{Bucket: "bucket", Key: "AWSLogs/"})
	if err != nil || !slices.Equal(dirs, []string{"x/"}) {
		t.Errorf("%q, %v", dirs, err)
	}
}

func TestForbiddenFiles(t *testing.T) {
	if os.Getuid() == 0 || runtime.GOOS == "windows" {
		t.Skip("root may read everything")
	}
	dir := filepath.Join(t.TempDir(), "bucket")
	writeFile(t, dir, "AWSLogs/x/file", "")
	writeFile(t, dir, "AWSLogs/y/file", "")
	os.Chmod(filepath.Join(dir, "AWSLogs/x/file"), 0)
	os.Chmod(filepath.Join(dir, "AWSLogs/y"), 0)
	t.Cleanup(func() { os.Chmod(filepath.Join(dir, "AWSLogs/y"), 0o755) })
	d := openDir(t, dir)
	for _, name := range []string{"x/file", "y/file"} {
		if _, _, err := read(d, verify.Ref{Bucket: "bucket", Key: "AWSLogs/" + name}); reason(err) != verify.AccessDenied {
			t.Error(name, err)
		}
	}
	if got := keys(d, verify.Ref{Bucket: "bucket"}, "", ""); len(got) != 2 || !strings.Contains(got[1], "access-denied") {
		t.Errorf("%q", got)
	}
}

func TestBigFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "bucket")
	for _, size := range []int{0, 1, 4096, 4097, wholeBytes, wholeBytes + 1, 5 << 20} {
		name := fmt.Sprint("AWSLogs/x/", size)
		data := strings.Repeat("abcdefg", size/7+1)[:size]
		writeFile(t, dir, name, data)
		d := openDir(t, dir)
		for range 2 {
			if got, o, err := read(d, verify.Ref{Bucket: "bucket", Key: name}); err != nil || got != data || o.Size != int64(size) {
				t.Errorf("%d: %d bytes, %v", size, len(got), err)
			}
		}
	}
}

// TestFoldersAreBounded: folders stay open, but not all of them.
func TestFoldersAreBounded(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "bucket")
	d := (*Directory)(nil)
	for i := range 20 {
		writeFile(t, dir, fmt.Sprintf("AWSLogs/%d/f", i), "data")
	}
	d = openDir(t, dir)
	d.folders.most = 4
	done := make(chan error)
	for w := range 8 {
		go func() {
			var err error
			for i := range 200 {
				_, _, e := read(d, verify.Ref{Bucket: "bucket", Key: fmt.Sprintf("AWSLogs/%d/f", (i*(w+1))%20)})
				err = errors.Join(err, e)
			}
			done <- err
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if n := d.folders.recent.Len(); n > 4 || n != len(d.folders.open) {
		t.Errorf("%d folders open, %d known", n, len(d.folders.open))
	}
}

func TestSpread(t *testing.T) {
	all := []string{"a", "b", "c", "d", "e"}
	for n, want := range map[int]string{2: "ae", 3: "ace", 5: "abcde", 9: "abcde"} {
		if got := strings.Join(spread(all, n), ""); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
