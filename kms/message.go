package kms

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"slices"
	"strings"
)

// openMessage opens a message of the AWS Encryption SDK.
func (o *Opener) openMessage(ctx context.Context, src *source) (*Opened, error) {
	if src.memory == nil {
		src.r = bufio.NewReaderSize(src.r, cbcPiece)
	}
	opened, err := o.readMessage(ctx, src)
	if err != nil {
		return nil, judged(err, src.r, o.maxWhole())
	}
	return opened, nil
}

func (o *Opener) readMessage(ctx context.Context, src *source) (*Opened, error) {
	h, err := readHeader(src.r)
	if err != nil {
		return nil, err
	}
	key, used, err := o.unwrapMessage(ctx, h)
	if err != nil {
		return nil, err
	}
	m, err := h.open(key, src.r, o.maxWhole())
	if err != nil {
		return nil, err
	}
	first, err := m.next()
	if err != nil {
		return nil, err
	}
	opened := &Opened{Scheme: h.scheme, Key: used, Authenticated: true, Size: -1}
	if !m.done && o.piecemeal(src) {
		opened.Body = &messageReader{m: m, ready: first}
		return opened, nil
	}
	content, err := m.rest(first, src.size)
	opened.Body, opened.Size = bytes.NewReader(content), int64(len(content))
	return opened, err
}

// mostPerKey is how many data keys of one message are tried that name the same
// KMS key. Writers make one.
const mostPerKey = 4

// unwrapMessage asks KMS for one of the encrypted data keys, each with the key
// that it names, as far as that is allowed.
func (o *Opener) unwrapMessage(ctx context.Context, h *header) (key []byte, used string, err error) {
	if len(h.keys) == 0 {
		return nil, "", h.noKMS()
	}
	if !o.demanded(h.context) {
		return nil, "", o.otherContext(keyLike(h.keys[0].arn))
	}
	var worst *RefusedError
	asked := map[string]int{}
	for i, k := range h.keys {
		if asked[k.arn] >= mostPerKey || slices.Contains(h.keys[:i], k) {
			continue // the same once more, or one of many: each costs a request
		}
		asked[k.arn]++
		w := wrapped{blob: []byte(k.blob), contexts: []map[string]string{h.context}, named: k.arn}
		if keyLike(k.arn) != "" {
			w.keys = o.keysFor(k.arn)
		}
		key, used, err := o.unwrap(ctx, w)
		if err == nil && len(key) != h.suite.key {
			return nil, "", malformed("a data key of %d bytes", len(key))
		}
		r, refused := err.(*RefusedError)
		if !refused {
			return key, used, err
		}
		worst = moreTelling(worst, r)
	}
	return nil, "", worst
}

// noKMS says who wrapped the data key of a message that names no KMS key.
func (h *header) noKMS() error {
	for _, provider := range h.others {
		if strings.HasPrefix(provider, providerKMS) {
			return refuse(Unsupported, "its data key is wrapped by %.80q", provider)
		}
	}
	return masterKey("a message of %.80q", h.others[0])
}

// rest is the whole content, of which first was read. size is the message's, in
// bytes.
func (m *message) rest(first []byte, size int64) ([]byte, error) {
	if m.done {
		return first, nil
	}
	content := append(make([]byte, 0, size), first...)
	for {
		piece, err := m.next()
		if err == io.EOF {
			return content, nil
		}
		if err == nil && int64(len(content)+len(piece)) > size {
			err = malformed("the body has more than its %d bytes", size)
		}
		if err != nil {
			return nil, err
		}
		content = append(content, piece...)
	}
}

// A messageReader hands on the pieces of a message.
type messageReader struct {
	m     *message
	ready []byte
	err   error
}

func (r *messageReader) Read(p []byte) (int, error) {
	for len(r.ready) == 0 && r.err == nil && len(p) > 0 {
		if r.ready, r.err = r.m.next(); r.err != nil {
			r.err = judged(r.err, r.m.r, r.m.limit)
		}
	}
	if len(r.ready) == 0 && len(p) > 0 {
		return 0, r.err
	}
	n := copy(p, r.ready)
	r.ready = r.ready[n:]
	return n, nil
}
