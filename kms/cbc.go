package kms

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"io"
)

// mostInOnePiece is how large a body may be, in bytes, that is decrypted whole
// though it could be decrypted as it comes.
const mostInOnePiece = 4 << 20

// piecemeal says whether a body is better decrypted as it comes.
func (o *Opener) piecemeal(src *source) bool {
	limit := min(mostInOnePiece, o.maxWhole())
	if src.memory != nil {
		limit = o.maxWhole()
	}
	return src.size < 0 || src.size > limit
}

// openCBC decrypts AES-CBC with its padding. Nothing says whether the content is
// the right one, but a digest.
func (o *Opener) openCBC(key, iv []byte, used string, src *source) (*Opened, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	mode := cipher.NewCBCDecrypter(block, iv)
	opened := &Opened{Scheme: S3ECv2, Key: used, Size: -1}
	if o.piecemeal(src) {
		opened.Body = &cbcReader{src: src.r, size: src.size, mode: mode, buf: make([]byte, cbcPiece)}
		return opened, nil
	}
	err = src.whole(o.maxWhole(), func(z []byte, caller bool) error {
		if err := wholeBlocks(int64(len(z))); err != nil {
			return err
		}
		dst := z
		if caller {
			dst = make([]byte, len(z))
		}
		mode.CryptBlocks(dst, z)
		content, err := unpad(dst)
		opened.Body, opened.Size = bytes.NewReader(content), int64(len(content))
		return err
	})
	if err != nil {
		return nil, err
	}
	return opened, nil
}

func wholeBlocks(size int64) error {
	if size == 0 || size%aes.BlockSize != 0 {
		return malformed("a body of %d bytes, which are not whole blocks", size)
	}
	return nil
}

// unpad takes the padding off: 1 to 16 bytes that each tell how many they are
// (RFC 5652, 6.3).
func unpad(content []byte) ([]byte, error) {
	n := int(content[len(content)-1])
	if n == 0 || n > aes.BlockSize {
		return nil, altered("the content does not end in padding")
	}
	content, padding := content[:len(content)-n], content[len(content)-n:]
	for _, p := range padding {
		if int(p) != n {
			return nil, altered("the content does not end in padding")
		}
	}
	return content, nil
}

// cbcPiece is how much is decrypted at a time, in bytes: whole blocks.
const cbcPiece = 32 << 10

// A cbcReader decrypts a body as it comes. The last block is held back until the
// body has ended, for it may be the padding.
type cbcReader struct {
	src   io.Reader
	size  int64 // of src in bytes; negative where not known
	mode  cipher.BlockMode
	buf   []byte
	held  [aes.BlockSize]byte
	holds int    // bytes in held: none or all
	ready []byte // of buf, decrypted
	total int64
	err   error
}

func (r *cbcReader) Read(p []byte) (int, error) {
	for len(r.ready) == 0 && r.err == nil && len(p) > 0 {
		r.err = r.fill()
	}
	if len(r.ready) == 0 && len(p) > 0 {
		return 0, r.err
	}
	n := copy(p, r.ready)
	r.ready = r.ready[n:]
	return n, nil
}

// fill decrypts the next piece. At the end its error is io.EOF.
func (r *cbcReader) fill() error {
	have := copy(r.buf, r.held[:r.holds])
	n, err := readFull(r.src, r.buf[have:])
	r.total += int64(n)
	have += n
	switch {
	case err == nil:
		have -= copy(r.held[:], r.buf[have-aes.BlockSize:])
		r.holds = aes.BlockSize
		r.mode.CryptBlocks(r.buf[:have], r.buf[:have])
		r.ready = r.buf[:have]
		return nil
	case err != io.EOF:
		return err
	}
	if r.size >= 0 && r.total != r.size {
		return malformed("the body has %d bytes, not %d", r.total, r.size)
	}
	if err := wholeBlocks(r.total); err != nil {
		return err
	}
	r.mode.CryptBlocks(r.buf[:have], r.buf[:have])
	content, wrong := unpad(r.buf[:have])
	if wrong != nil {
		return wrong
	}
	r.ready = content
	return io.EOF
}
