package verifytest

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trailseal/trailseal/digest"
)

// TestWriteDir holds the directory against the world, file by file.
func TestWriteDir(t *testing.T) {
	w := mint(t, func(s *Spec) { s.Hours = 8 })
	if err := w.Damage("hostile-name", "log-deleted", "signature-stripped"); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := w.WriteDir(dir, DirOptions{PublicKeys: true}); err != nil {
		t.Fatal(err)
	}
	sides := 0
	for key, o := range w.Scan("example-trail-logs", "") {
		if strings.HasSuffix(key, "/") {
			continue
		}
		got, err := os.ReadFile(filepath.Join(dir, key))
		if err != nil || !bytes.Equal(got, o.Bytes) {
			t.Errorf("%q: %v", key, err)
		}
		side, err := os.ReadFile(filepath.Join(dir, key+SideFile))
		if (err == nil) != (o.Metadata != nil) {
			t.Errorf("%q: metadata %v, side file %v", key, o.Metadata != nil, err)
		}
		if err == nil {
			sides++
			checkSide(t, side, o)
		}
	}
	if sides != 2*(9+1)-1 {
		t.Errorf("%d side files", sides)
	}
	checkKeyFile(t, w, filepath.Join(dir, "public-keys-us-east-1.json"))
}

func checkSide(t *testing.T, side []byte, o Object) {
	t.Helper()
	var m map[string]string
	if err := json.Unmarshal(side, &m); err != nil || m["signature"] != o.Metadata["signature"] {
		t.Errorf("%s: %v", side, err)
	}
}

func checkKeyFile(t *testing.T, w *World, file string) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	keys, rejected, err := digest.ParsePublicKeys(raw)
	if err != nil || rejected != nil || len(keys) != len(w.PublicKeys("us-east-1")) || keys[0].Region != "us-east-1" {
		t.Errorf("%v %v %v", keys, rejected, err)
	}
}

func TestWriteDirRefuses(t *testing.T) {
	moved := mint(t, func(s *Spec) { s.MoveBucketAt = 4 })
	if err := moved.WriteDir(t.TempDir(), DirOptions{}); err == nil {
		t.Error("two buckets went into one folder")
	}
	if err := moved.WriteDir(t.TempDir(), DirOptions{Buckets: true, Signatures: "newest"}); err != nil {
		t.Error(err)
	}
	w := mint(t, nil)
	if err := w.Damage("hostile-path"); err != nil {
		t.Fatal(err)
	}
	if err := w.WriteDir(t.TempDir(), DirOptions{}); err == nil || !strings.Contains(err.Error(), "cannot be a file") {
		t.Errorf("a key with ..: %v", err)
	}
	if err := w.WriteDir(t.TempDir(), DirOptions{Signatures: "some"}); err == nil {
		t.Error("signatures: some")
	}
}
