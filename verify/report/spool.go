package report

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
)

// spoolMemory is how much a spool holds before it moves to a file. A writer has
// a few of them.
const spoolMemory = 4 << 20

// A spool keeps bytes for later, in order: in memory while they are few, then
// in a temporary file.
type spool struct {
	dir  string
	mem  bytes.Buffer
	file *os.File
	w    *bufio.Writer
}

// Write never fails while the spool is in memory.
func (s *spool) Write(p []byte) (int, error) {
	if s.file == nil && s.mem.Len()+len(p) <= spoolMemory {
		return s.mem.Write(p)
	}
	if err := s.spill(); err != nil {
		return 0, err
	}
	return s.w.Write(p)
}

// spill moves the spool to a file, once. The file is unlinked while it is
// open, so that nothing is left behind however the process ends; where the
// system does not allow that, Close removes it.
func (s *spool) spill() error {
	if s.file != nil {
		return nil
	}
	f, err := os.CreateTemp(s.dir, "trailseal-report-*")
	if err != nil {
		return fmt.Errorf("spooling the report: %w", err)
	}
	_ = os.Remove(f.Name())
	s.file, s.w = f, bufio.NewWriterSize(f, 64<<10)
	if _, err := s.mem.WriteTo(s.w); err != nil {
		return fmt.Errorf("spooling the report: %w", err)
	}
	s.mem = bytes.Buffer{}
	return nil
}

// reader gives what was written from its start. Nothing may be written after.
func (s *spool) reader() (io.Reader, error) {
	if s.file == nil {
		return bytes.NewReader(s.mem.Bytes()), nil
	}
	if err := s.w.Flush(); err != nil {
		return nil, fmt.Errorf("spooling the report: %w", err)
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("spooling the report: %w", err)
	}
	return s.file, nil
}

// copyTo writes the whole spool to w.
func (s *spool) copyTo(w io.Writer) error {
	r, err := s.reader()
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return err
}

// Close lets go of the temporary file, if there is one.
func (s *spool) Close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	_ = os.Remove(s.file.Name())
	s.file = nil
	return err
}

func (s *spool) empty() bool { return s.file == nil && s.mem.Len() == 0 }
