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

// regionKey is the key of a digest or a log of another region.
func regionKey(key, region string) string { return strings.ReplaceAll(key, "eu-west-1", region) }

// TestPartsOfOneBucket are listed as one.
func TestPartsOfOneBucket(t *testing.T) {
	dir := t.TempDir()
	regions := []string{"eu-west-1", "eu-west-2"}
	for i, region := range regions {
		part := filepath.Join(dir, fmt.Sprint("part", i))
		writeDigest(t, part, "bucket", regionKey(digestKey("", 1), region))
		writeFile(t, part, regionKey(log1, region), fmt.Sprint("log of ", i))
	}
	if err := os.MkdirAll(filepath.Join(dir, "part1", filepath.Dir(log1)), 0o755); err != nil {
		t.Fatal(err) // an empty folder is no copy of anything
	}
	d := openDir(t, dir)
	if got := roots(t, d); !slices.Equal(got, []string{"s3://bucket/"}) {
		t.Errorf("%q", got)
	}
	at := verify.Ref{Bucket: "bucket", Key: ""}
	want := []string{digestKey("", 1), regionKey(digestKey("", 1), regions[1]), log1, regionKey(log1, regions[1])}
	slices.Sort(want)
	if got := keys(d, at, "", ""); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if got := keys(d, at, want[1], ""); !slices.Equal(got, want[2:]) {
		t.Errorf("%q", got)
	}
	for range d.List(context.Background(), at, "", "") {
		break // the other listings must end too
	}
	if got, _, err := read(d, verify.Ref{Bucket: "bucket", Key: log1}); got != "log of 0" {
		t.Error(got, err)
	}
	dirs, err := d.Dirs(context.Background(), verify.Ref{Bucket: "bucket", Key: "AWSLogs/" + account + "/"})
	if err != nil || !slices.Equal(dirs, []string{"CloudTrail-Digest/", "CloudTrail/"}) {
		t.Errorf("%q, %v", dirs, err)
	}
}

// TestTwoCopiesOfOneBucket would hide each other's deletions.
func TestTwoCopiesOfOneBucket(t *testing.T) {
	for name, lay := range map[string]func(a, b string){
		"digests": func(a, b string) { writeDigest(t, b, "bucket", digestKey("p/", 2)) },
		"logs, and no digest tells where from": func(a, b string) {
			writeDigest(t, a, "bucket", digestKey("p/", 1))
			writeDigest(t, b, "bucket", regionKey(digestKey("p/", 1), "eu-west-2"))
			writeFile(t, a, log1, "a")
			writeFile(t, b, log1+"x", "b")
		},
	} {
		dir := t.TempDir()
		a, b := filepath.Join(dir, "a"), filepath.Join(dir, "x/b")
		writeDigest(t, a, "bucket", digestKey("p/", 1))
		lay(a, b)
		d, err := OpenDirectory(dir)
		var wrong *UsageError
		if !errors.As(err, &wrong) {
			t.Errorf("%s: %v", name, err)
			d.Close()
			continue
		}
		for _, want := range []string{`two copies of "s3://bucket/p"`, fmt.Sprintf("%q and %q", a, b), "one at a time"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: no %s in %v", name, want, err)
			}
		}
		for _, one := range []string{a, b} {
			openDir(t, one)
		}
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
	writeFile(t, dir, "public-keys-eu.json", "")
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

// TestForgedNames: nothing among the logs is hidden by a name alone.
func TestForgedNames(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "bucket")
	forged := []string{
		"AWSLogs/x/alone.json.gz.metadata.json", "AWSLogs/x/public-keys-eu.json", "AWSLogs/x/public-keys.json",
		"AWSLogs/x/real.metadata.json.metadata.json", "AWSLogs/x/y.metadata.json", "AWSLogs/z/.metadata.json",
	}
	for _, name := range forged {
		writeFile(t, dir, name, "data")
	}
	writeFile(t, dir, "AWSLogs/x/real", "data")
	writeFile(t, dir, "AWSLogs/x/real.metadata.json", "{}")
	writeFile(t, dir, "AWSLogs/x/y/real", "data") // a folder is no file
	d := openDir(t, dir)
	want := append([]string{"AWSLogs/x/real", "AWSLogs/x/y/real"}, forged...)
	slices.Sort(want)
	if got := keys(d, verify.Ref{Bucket: "bucket"}, "", ""); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	dirs, err := d.Dirs(context.Background(), verify.Ref{Bucket: "bucket", Key: "AWSLogs/"})
	if err != nil || !slices.Equal(dirs, []string{"x/", "z/"}) {
		t.Errorf("%q, %v", dirs, err)
	}
	if got := d.PublicKeyFiles(); got != nil {
		t.Errorf("key files among the logs: %q", got)
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
	os.Symlink("x", filepath.Join(bucket, "AWSLogs/inside"))
	os.Symlink("empty", filepath.Join(bucket, "AWSLogs/hollow"))
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
	var want []string
	for _, name := range []string{"hollow", "inside", "outside", "x/absolute", "x/dangling", "x/dots", "x/folder", "x/link", "x/loop", "x/out", "x/real", "x/zero"} {
		want = append(want, "AWSLogs/"+name)
	}
	if got := keys(d, verify.Ref{Bucket: "bucket"}, "", ""); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	dirs, err := d.Dirs(context.Background(), verify.Ref{Bucket: "bucket", Key: "AWSLogs/"})
	if err != nil || !slices.Equal(dirs, []string{"inside/", "outside/", "x/"}) {
		t.Errorf("%q, %v", dirs, err)
	}
	if got := keys(d, verify.Ref{Bucket: "bucket", Key: "AWSLogs/outside/"}, "", ""); len(got) != 1 || !strings.Contains(got[0], "read-failed") {
		t.Errorf("listed what lies outside: %q", got)
	}
	if got := keys(d, verify.Ref{Bucket: "bucket", Key: "AWSLogs/inside/"}, "", ""); len(got) != 9 {
		t.Errorf("a linked folder that was asked for: %q", got)
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
	for _, size := range []int{0, 1, 4096, 4097, 1<<20 + 1, wholeBytes, wholeBytes + 1, 5 << 20} {
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
