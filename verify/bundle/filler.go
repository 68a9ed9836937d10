package bundle

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
)

// What was dropped of a file is written over with what everyone's tar or zstd passes
// over: in a .tar a global header that holds a comment, in a .tar.zst a skippable
// frame. Each of its bytes is known, so that nothing hides there.
const fillerBytes = 256 << 10

// filling is the next piece of what fills so many bytes.
func filling(form form, left int64) ([]byte, error) {
	n := min(left, fillerBytes)
	if rest := left - n; rest > 0 && rest < block {
		n -= block
	}
	switch {
	case form == formZstd && n >= 8:
		piece := make([]byte, n)
		binary.LittleEndian.PutUint32(piece, 0x184d2a50)
		binary.LittleEndian.PutUint32(piece[4:], uint32(n-8))
		return piece, nil
	case form == formTar && n >= block && n%block == 0:
		piece := ustar('g', "void", n-block)
		if n > block {
			comment := fmt.Sprintf("%d comment=", n-block)
			piece = append(piece, comment+strings.Repeat(" ", int(n-block)-len(comment)-1)+"\n"...)
		}
		return piece, nil
	}
	return nil, fmt.Errorf("%d bytes cannot be passed over", left)
}

// fill makes an extent one that is passed over.
func fill(file io.WriterAt, form form, e Extent) error {
	for at, end := e.Offset, e.Offset+e.Length; at < end; {
		piece, err := filling(form, end-at)
		if err == nil {
			_, err = file.WriteAt(piece, at)
		}
		if err != nil {
			return err
		}
		at += int64(len(piece))
	}
	return nil
}

// checkFilled reports whether an extent holds nothing but what fill writes.
func checkFilled(file io.ReaderAt, form form, e Extent) error {
	got := make([]byte, fillerBytes)
	for at, end := e.Offset, e.Offset+e.Length; at < end; {
		piece, err := filling(form, end-at)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrAltered, err)
		}
		if _, err := file.ReadAt(got[:len(piece)], at); err != nil && err != io.EOF {
			return err
		}
		if !bytes.Equal(got[:len(piece)], piece) {
			return fmt.Errorf("%w: there is something where nothing is", ErrAltered)
		}
		at += int64(len(piece))
	}
	return nil
}
