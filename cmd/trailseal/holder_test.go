package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"testing"
)

// fillHolder writes pieces of a length that fit no buffer evenly.
func fillHolder(t *testing.T, h *holder, n int) []byte {
	t.Helper()
	whole := make([]byte, n)
	for i := range whole {
		whole[i] = byte(i * 7 / 5)
	}
	for rest := whole; len(rest) > 0; {
		piece := rest[:min(len(rest), 1_000_003)]
		if m, err := h.Write(piece); err != nil || m != len(piece) {
			t.Fatalf("%d of %d bytes were taken: %v", m, len(piece), err)
		}
		rest = rest[len(piece):]
	}
	return whole
}

func checkHolder(t *testing.T, h *holder, want []byte, inFile bool) {
	t.Helper()
	for range 2 { // it can be copied more than once
		var got bytes.Buffer
		if err := h.copyTo(&got); err != nil || !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%d bytes come back of %d: %v", got.Len(), len(want), err)
		}
	}
	if (h.file != nil) != inFile {
		t.Errorf("%d bytes are in a file: %v, want %v", len(want), h.file != nil, inFile)
	}
}

// A holder keeps what is small in memory and what is large in a file that no
// name leads to, forgets all of it, and leaves nothing behind.
func TestHolder(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	h := &holder{}
	checkHolder(t, h, nil, false)
	for _, n := range []int{1, holdInMemory - 1, holdInMemory, holdInMemory + 1, 3*holdInMemory + 5, 10} {
		checkHolder(t, h, fillHolder(t, h, n), n > holdInMemory)
		if err := h.reset(); err != nil {
			t.Errorf("reset: %v", err)
		}
		checkHolder(t, h, nil, false)
	}
	fillHolder(t, h, 2*holdInMemory)
	for range 2 { // closing twice is nothing
		if err := h.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("%v is left behind: %v", left, err)
	}
}

// Nobody but the user could read the file while it had a name, and where there
// is no room for it, that is an error.
func TestHolderWithoutRoom(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir()+"/none")
	h := &holder{}
	defer h.Close()
	if _, err := h.Write(make([]byte, holdInMemory+1)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no error where no file can be made: %v", err)
	}
	h = &holder{}
	t.Setenv("TMPDIR", t.TempDir())
	fillHolder(t, h, holdInMemory+1)
	if info, err := h.file.Stat(); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v: %v", info.Mode(), err)
	}
	if err := h.copyTo(broken{}); !errors.Is(err, errBroken) {
		t.Errorf("what cannot be written: %v", err)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
}

var errBroken = errors.New("the pipe is broken")

// broken takes nothing.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errBroken }
