package kms

import (
	"encoding/binary"
	"io"
	"unicode/utf8"
)

// A headerReader reads the parts of a header. After an error it gives zeros.
type headerReader struct {
	r   io.Reader
	raw []byte
	err error
}

func (r *headerReader) take(n int) []byte {
	if r.err == nil && len(r.raw)+n > mostHeader {
		r.err = refuse(TooLarge, "a message header of more than %d bytes", mostHeader)
	}
	if r.err != nil {
		return make([]byte, n)
	}
	at := len(r.raw)
	r.raw = append(r.raw, make([]byte, n)...)
	if _, err := readFull(r.r, r.raw[at:]); err == io.EOF {
		r.err = malformed("the message ends inside its header")
	} else if err != nil {
		r.err = err
	}
	return r.raw[at:len(r.raw):len(r.raw)]
}

func (r *headerReader) uint8() byte    { return r.take(1)[0] }
func (r *headerReader) uint16() int    { return int(binary.BigEndian.Uint16(r.take(2))) }
func (r *headerReader) uint32() uint32 { return binary.BigEndian.Uint32(r.take(4)) }
func (r *headerReader) text() string   { return string(r.take(r.uint16())) }

// check notes what is wrong, unless something was before.
func (r *headerReader) check(ok bool, format string, args ...any) {
	if r.err == nil && !ok {
		r.err = malformed("message header: "+format, args...)
	}
}

// context reads the encryption context: pairs in the order of their keys' bytes,
// which the specification demands and which leaves no key to come twice.
func (r *headerReader) context() map[string]string {
	length := r.uint16()
	end := len(r.raw) + length
	pairs := map[string]string{}
	if length == 0 || r.err != nil {
		return pairs
	}
	count, last := r.uint16(), ""
	r.check(count > 0 && count <= mostPairs, "a context of %d pairs", count)
	for i := 0; i < count && r.err == nil; i++ {
		key, value := r.text(), r.text()
		r.check(i == 0 || key > last, "the context is not sorted, or a key comes twice")
		r.check(utf8.ValidString(key) && utf8.ValidString(value), "the context is no UTF-8")
		r.check(len(r.raw) <= end, "the context is longer than it says")
		pairs[key], last = value, key
	}
	r.check(len(r.raw) == end, "the context is shorter than it says")
	return pairs
}

func (r *headerReader) dataKeys(h *header) {
	count := r.uint16()
	r.check(count > 0, "no encrypted data key")
	for i := 0; i < count && r.err == nil; i++ {
		provider, info, blob := r.text(), r.text(), r.text()
		switch {
		case provider != providerKMS && len(h.others) < mostKeys16:
			h.others = append(h.others, provider)
		case provider == providerKMS && len(h.keys) < mostKeys16:
			r.check(len(blob) > 0 && len(blob) <= mostWrapped, "an encrypted data key of %d bytes", len(blob))
			h.keys = append(h.keys, dataKey{info, blob})
		}
	}
}
