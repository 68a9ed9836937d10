package source

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/trailseal/trailseal/verify"
)

// TestOpenFile: one file of a copy, and one that stands alone.
func TestOpenFile(t *testing.T) {
	dir := t.TempDir()
	copyOf := filepath.Join(dir, "copy")
	writeDigest(t, copyOf, "bucket-one", digestKey("pre/", 1))
	writeFile(t, copyOf, log1, "log")
	writeFile(t, copyOf, log1+".metadata.json", `{"a":"b"}`)
	writeFile(t, dir, "alone.json.gz", "alone")
	writeFile(t, dir, "alone.json.gz.metadata.json", `{"X-Amz-Meta-a":"b"}`)
	writeFile(t, dir, "alone.json.gz.instruction", `{"x":"y"}`)
	writeFile(t, dir, "two/one/"+log1, "log of one")
	writeFile(t, dir, "two/"+log1, "log of two")
	for _, name := range []string{" a b", "ü%41", "-x", "a\x01\x1b[2J\u202e", "...", "k.instruction", "AWSLogs"} {
		writeFile(t, dir, "odd/"+name, "odd "+name)
	}
	for name, c := range map[string]struct {
		path, want string
		inCopy     bool
		ref        verify.Ref
	}{
		"in a copy":          {copyOf + "/" + log1, "log", true, verify.Ref{Bucket: "bucket-one", Key: "pre/" + log1}},
		"alone":              {dir + "/alone.json.gz", "alone", false, verify.Ref{Key: "alone.json.gz"}},
		"in one of two":      {dir + "/two/" + log1, "log of two", false, verify.Ref{Key: filepath.Base(log1)}},
		"in the other":       {dir + "/two/one/" + log1, "log of one", true, verify.Ref{Bucket: "one", Key: log1}},
		"blanks":             {dir + "/odd/ a b", "odd  a b", false, verify.Ref{Key: " a b"}},
		"escaped":            {dir + "/odd/ü%41", "odd ü%41", false, verify.Ref{Key: "ü%41"}},
		"like an option":     {dir + "/odd/-x", "odd -x", false, verify.Ref{Key: "-x"}},
		"hidden":             {dir + "/odd/a\x01\x1b[2J\u202e", "odd a\x01\x1b[2J\u202e", false, verify.Ref{Key: "a\x01\x1b[2J\u202e"}},
		"dots":               {dir + "/odd/...", "odd ...", false, verify.Ref{Key: "..."}},
		"an instruction":     {dir + "/odd/k.instruction", "odd k.instruction", false, verify.Ref{Key: "k.instruction"}},
		"called as a folder": {dir + "/odd/AWSLogs", "odd AWSLogs", false, verify.Ref{Key: "AWSLogs"}},
		"by a detour":        {dir + "/odd/../alone.json.gz", "alone", false, verify.Ref{Key: "alone.json.gz"}},
	} {
		store, ref, inCopy, err := OpenFile(c.path)
		if err != nil || ref != c.ref || inCopy != c.inCopy {
			t.Errorf("%s: %+v, in a copy: %v, %v", name, ref, inCopy, err)
			continue
		}
		got, o, err := read(store, ref)
		if err != nil || got != c.want || o.Size != int64(len(got)) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		if beside := c.want == "alone" || c.want == "log"; beside != (o.Metadata["a"] == "b") {
			t.Errorf("%s: metadata %v", name, o.Metadata)
		}
		if c.want == "alone" {
			if got, _, err := read(store, verify.Ref{Key: ref.Key + ".instruction"}); err != nil || got != `{"x":"y"}` {
				t.Errorf("%s: its instruction file: %q, %v", name, got, err)
			}
		}
		for _, key := range []string{ref.Key + "x", "../secret", "two/x", "", ".", ".."} {
			if got, _, err := read(store, verify.Ref{Bucket: ref.Bucket, Key: key}); err == nil {
				t.Errorf("%s: %q gives %q", name, key, got)
			}
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestOpenFileMissing: what is no file is the user's mistake.
func TestOpenFileMissing(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{dir, dir + "/none", dir + "/none/none", "", dir + "/a\x00b"} {
		_, _, _, err := OpenFile(path)
		if _, ok := errors.AsType[*UsageError](err); !ok {
			t.Errorf("%q: %v", path, err)
		}
	}
}

// TestOpenFileLinks: a link is the file it leads to, wherever that is: the user
// named it.
func TestOpenFileLinks(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links want a privilege there")
	}
	dir := t.TempDir()
	writeFile(t, dir, "one/file", "data")
	for name, to := range map[string]string{"same": "file", "absolute": filepath.Join(dir, "one/file"), "outside": "../one/file"} {
		folder := filepath.Join(dir, map[bool]string{true: "one", false: "two"}[name == "same"])
		link := filepath.Join(folder, "link-"+name)
		if err := errors.Join(os.MkdirAll(folder, 0o755), os.Symlink(to, link)); err != nil {
			t.Fatal(err)
		}
		store, ref, inCopy, err := OpenFile(link)
		if err != nil || inCopy {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, _, err := read(store, ref); err != nil || got != "data" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		store.Close()
	}
}

// TestOpenFileBackslash: on most systems that is a letter like others.
func TestOpenFileBackslash(t *testing.T) {
	if filepath.Separator == '\\' {
		t.Skip("it parts folders here")
	}
	dir := t.TempDir()
	writeFile(t, dir, `a\b`, "data")
	store, ref, _, err := OpenFile(filepath.Join(dir, `a\b`))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if got, _, err := read(store, ref); err != nil || got != "data" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestRootOf(t *testing.T) {
	for key, c := range map[string]struct {
		root string
		in   bool
	}{
		log1: {"", true}, "pre/fix/" + log1: {"pre/fix/", true}, "x": {"", false}, "": {"", false}, "AWSLogs": {"", false},
		"AWSLogs/" + log1: {"AWSLogs/", true}, "myAWSLogs/x": {"", false},
	} {
		root, in := RootOf(verify.Ref{Bucket: "b", Key: key})
		if root != (verify.Ref{Bucket: "b", Key: c.root}) || in != c.in {
			t.Errorf("%q: %+v, %v", key, root, in)
		}
	}
}
