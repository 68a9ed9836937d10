package main

import (
	"bytes"
	"io"
	"os"
)

// holdInMemory is how much a holder keeps in memory.
const holdInMemory = 8 << 20

// A holder keeps a plaintext until it is known that it may be written. What is
// large waits in a file that no name leads to.
type holder struct {
	mem  bytes.Buffer
	file *os.File
}

func (h *holder) Write(p []byte) (int, error) {
	if h.file == nil && h.mem.Len()+len(p) <= holdInMemory {
		return h.mem.Write(p)
	}
	if h.file == nil {
		f, err := os.CreateTemp("", "trailseal-decrypt-*")
		if err != nil {
			return 0, err
		}
		_ = os.Remove(f.Name()) // where the system does not allow that, Close does it
		h.file = f
		if _, err := h.mem.WriteTo(f); err != nil {
			return 0, err
		}
	}
	return h.file.Write(p)
}

// reset forgets what was written.
func (h *holder) reset() error {
	h.mem.Reset()
	return h.Close()
}

// reader gives all that was written, from its start. One at a time may be used.
func (h *holder) reader() (io.Reader, error) {
	if h.file == nil {
		return bytes.NewReader(h.mem.Bytes()), nil
	}
	_, err := h.file.Seek(0, io.SeekStart)
	return h.file, err
}

func (h *holder) copyTo(w io.Writer) error {
	r, err := h.reader()
	if err == nil {
		_, err = io.Copy(w, r)
	}
	return err
}

func (h *holder) Close() error {
	if h.file == nil {
		return nil
	}
	err := h.file.Close()
	_ = os.Remove(h.file.Name())
	h.file = nil
	return err
}
