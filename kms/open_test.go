package kms

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// readers are the ways in which a body comes, and whether its size is told.
var readers = map[string]func(body []byte) (io.Reader, int64){
	"memory":      func(b []byte) (io.Reader, int64) { return bytes.NewReader(b), int64(len(b)) },
	"embedded":    func(b []byte) (io.Reader, int64) { return struct{ *bytes.Reader }{bytes.NewReader(b)}, -1 },
	"text":        func(b []byte) (io.Reader, int64) { return strings.NewReader(string(b)), -1 },
	"in pieces":   func(b []byte) (io.Reader, int64) { return &pieces{bytes.NewReader(b)}, -1 },
	"stream":      func(b []byte) (io.Reader, int64) { return struct{ io.Reader }{bytes.NewReader(b)}, -1 },
	"known size":  func(b []byte) (io.Reader, int64) { return struct{ io.Reader }{bytes.NewReader(b)}, int64(len(b)) },
	"single byte": func(b []byte) (io.Reader, int64) { return iotest.OneByteReader(bytes.NewReader(b)), -1 },
	"data at EOF": func(b []byte) (io.Reader, int64) { return iotest.DataErrReader(bytes.NewReader(b)), int64(len(b)) },
}

// pieces is a body that is in memory, but not in one piece.
type pieces struct{ *bytes.Reader }

func (p *pieces) WriteTo(w io.Writer) (n int64, err error) {
	for err == nil && p.Len() > 0 {
		var m int64
		m, err = io.CopyN(w, struct{ io.Reader }{p.Reader}, 7)
		n += m
	}
	return n, err
}

// contents are gzip heads, so that what is left as it was is seen.
func contents() map[string][]byte {
	return map[string][]byte{"none": {}, "one": {0x1f}, "block": bytes.Repeat([]byte("0123456789abcdef"), 4),
		"odd": append([]byte("\x1f\x8b\x08\x00"), random(999)...), "large": bytes.Repeat(random(5<<10), 20)}
}

func TestOpen(t *testing.T) {
	k := newTable()
	for size, plain := range contents() {
		for _, s := range specimens(sealer{k}, plain) {
			before := slices.Clone(s.body)
			for how, reader := range readers {
				s.in.Body, s.in.Size = reader(s.body)
				opened, err := (&Opener{KMS: k, Keys: []string{arn2, arn1}}).Open(context.Background(), s.in)
				if err != nil {
					t.Fatalf("%s, %s, %s: %v", s.name, size, how, err)
				}
				_, inOnePiece := opened.Body.(*bytes.Reader)
				got, err := io.ReadAll(opened.Body)
				if err != nil || !bytes.Equal(got, plain) || opened.Size >= 0 && opened.Size != int64(len(plain)) {
					t.Errorf("%s, %s, %s: %d bytes, %v", s.name, size, how, len(got), err)
				}
				if wants := !strings.Contains("stream single byte", how) || strings.Contains(s.name, "gcm"); wants && (!inOnePiece || opened.Size < 0) {
					t.Errorf("%s, %s, %s: %T", s.name, size, how, opened.Body)
				}
				if opened.Scheme != s.want || !sameKey(opened.Key, arn1) && !strings.Contains(s.name, "message") || opened.Authenticated == strings.Contains(s.name, "cbc") {
					t.Errorf("%s: %+v", s.name, opened)
				}
			}
			if !bytes.Equal(before, s.body) {
				t.Fatalf("%s: the caller's bytes were changed", s.name)
			}
		}
	}
}

// openAll opens and reads: any way in which something is not right is an error.
func openAll(o *Opener, in Sealed) ([]byte, *Opened, error) {
	opened, err := o.Open(context.Background(), in)
	if err != nil {
		return nil, nil, err
	}
	content, err := io.ReadAll(opened.Body)
	return content, opened, err
}

// blamed says that an error is an *AlteredError.
func blamed(err error) bool {
	_, ok := errors.AsType[*AlteredError](err)
	return ok
}

func TestTruncated(t *testing.T) {
	k := newTable()
	plain := append([]byte("\x1f\x8b\x08\x00"), random(96)...)
	for i := 15; i < len(plain); i += 16 {
		plain[i] = 0 // no padding, where CBC is cut behind it
	}
	for _, s := range specimens(sealer{k}, plain) {
		for n := range s.body {
			for how, reader := range readers {
				if strings.HasPrefix(s.name, "message") && how != "memory" && how != "stream" {
					continue
				}
				s.in.Body, s.in.Size = reader(s.body[:n])
				content, opened, err := openAll(&Opener{KMS: k, AnyKey: true}, s.in)
				noise := n < HeadBytes && s.in.Metadata[fieldKeyV2]+s.in.Metadata[fieldSuite] == ""
				if plain := err == nil && opened.Scheme == Plain && bytes.Equal(content, s.body[:n]); !blamed(err) && !(noise && plain) {
					t.Errorf("%s, %s, %d of %d bytes: %v", s.name, how, n, len(s.body), err)
				}
			}
		}
		for _, more := range []string{"\x00", "x", string(random(16))} {
			s.in.Body, s.in.Size = bytes.NewReader(append(slices.Clone(s.body), more...)), -1
			if _, _, err := openAll(&Opener{KMS: k, AnyKey: true}, s.in); !blamed(err) && !strings.Contains(s.name, "cbc") {
				t.Errorf("%s, %d more: %v", s.name, len(more), err)
			}
		}
		for _, lie := range []int64{-1, +1} { // the body is not as long as it is said to be
			s.in.Body, s.in.Size = struct{ io.Reader }{bytes.NewReader(s.body)}, int64(len(s.body))+lie
			if _, _, err := openAll(&Opener{KMS: k, AnyKey: true}, s.in); !strings.HasPrefix(s.name, "message") && !blamed(err) {
				t.Errorf("%s, size off by %d: %v", s.name, lie, err)
			}
		}
	}
}

func TestEveryBit(t *testing.T) {
	k := newTable()
	plain := append([]byte("\x1f\x8b\x08\x00"), random(76)...)
	for _, s := range specimens(sealer{k}, plain) {
		if strings.Contains(s.name, "cbc") {
			continue
		}
		step := 7 // every bit of three, and one of each byte of the others
		if strings.Contains("message 0478, frames of 64 message 0178, frames of 64 v2 gcm", s.name) {
			step = 1
		}
		for bit := 0; bit < 8*len(s.body); bit += step {
			s.body[bit/8] ^= 1 << (bit % 8)
			reader := readers[[]string{"memory", "stream"}[bit%2]]
			s.in.Body, s.in.Size = reader(s.body)
			content, opened, err := openAll(&Opener{KMS: k, Keys: []string{arn1, arn2}}, s.in)
			_, refused := errors.AsType[*RefusedError](err)
			if err == nil && (opened.Scheme != Plain || !bytes.Equal(content, s.body)) || err != nil && !blamed(err) && !refused {
				t.Errorf("%s, bit %d: %v", s.name, bit, err)
			}
			s.body[bit/8] ^= 1 << (bit % 8)
		}
	}
}

// What fails in the body comes as it is, and no later than that.
func TestBodyErrors(t *testing.T) {
	k := newTable()
	plain := append([]byte("\x1f\x8b\x08\x00"), random(250)...)
	broken := errors.New("connection reset")
	for _, s := range specimens(sealer{k}, plain) {
		for n := 0; n <= len(s.body); n += 1 + n%13 {
			for _, want := range []error{broken, io.ErrUnexpectedEOF, context.Canceled} {
				for _, size := range []int64{-1, int64(len(s.body))} {
					s.in.Size = size
					s.in.Body = io.MultiReader(bytes.NewReader(s.body[:n]), iotest.ErrReader(fmt.Errorf("reading: %w", want)))
					if _, _, err := openAll(&Opener{KMS: k, AnyKey: true}, s.in); !errors.Is(err, want) || blamed(err) {
						t.Fatalf("%s, %v after %d of %d bytes: %v", s.name, want, n, len(s.body), err)
					}
				}
			}
		}
		// A transport that finds its own damage at the end is to blame, not the bytes.
		if strings.HasPrefix(s.name, "message") || strings.Contains(s.name, "gcm") {
			damaged := slices.Clone(s.body)
			damaged[len(damaged)/2] ^= 1
			s.in.Body, s.in.Size = io.MultiReader(bytes.NewReader(damaged), iotest.ErrReader(broken)), -1
			if _, _, err := openAll(&Opener{KMS: k, AnyKey: true}, s.in); !errors.Is(err, broken) && !refusedFor(err, EnvelopeRefused, KeyNotAllowed, Denied, MasterKeyNeeded) {
				t.Errorf("%s, damaged: %v", s.name, err)
			}
		}
	}
	s := Sealed{Metadata: specimens(sealer{k}, nil)[0].in.Metadata, Body: stuck{}, Size: 100}
	if _, _, err := openAll(&Opener{KMS: k, AnyKey: true}, s); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("no progress: %v", err)
	}
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

func refusedFor(err error, reasons ...Reason) bool {
	r, ok := errors.AsType[*RefusedError](err)
	return ok && slices.Contains(reasons, r.Reason)
}

func TestNotSealed(t *testing.T) {
	k := newTable()
	o := &Opener{KMS: k, AnyKey: true}
	for _, body := range []string{"", "\x1f", "\x1f\x8b\x08\x00zip", `{"Records":[]}`, "\x03\x04\x78\x00", "noise", "\x02"} {
		for name, reader := range readers {
			for _, instruction := range []string{"", "x", "{}", `{"a":"b"}`, `{"a":{}}`, `{"x-amz-iv":"AAAA"}`, strings.Repeat(" ", mostText) + `{"x-amz-key-v2":"AAAA"}`} {
				in := Sealed{Metadata: map[string]string{"signature": "x"}, Instruction: []byte(instruction)}
				in.Body, in.Size = reader([]byte(body))
				content, opened, err := openAll(o, in)
				if err != nil || string(content) != body || opened.Scheme != Plain || !opened.Authenticated || opened.Key != "" {
					t.Errorf("%q, %s, %q: %q, %v", body, name, instruction, content, err)
				}
			}
		}
	}
	if _, opened, err := openAll(o, Sealed{}); err != nil || opened.Size != 0 {
		t.Errorf("no body: %v", err)
	}
	if len(k.calls) > 0 {
		t.Errorf("%d calls", len(k.calls))
	}
}

func TestTooLarge(t *testing.T) {
	k := newTable()
	plain := random(5000)
	for _, s := range specimens(sealer{k}, plain) {
		one := strings.Contains(s.name, "gcm") || strings.Contains(s.name, "v3") || strings.Contains(s.name, "of 0")
		for how, reader := range readers {
			s.in.Body, s.in.Size = reader(s.body)
			calls := len(k.calls)
			content, _, err := openAll(&Opener{KMS: k, AnyKey: true, MaxWhole: 4500}, s.in)
			if one != refusedFor(err, TooLarge) || !one && !bytes.Equal(content, plain) {
				t.Errorf("%s, %s: %v", s.name, how, err)
			}
			if asked := len(k.calls) > calls; one && !strings.Contains(s.name, "of 0") && asked != (s.in.Size < 0 && !strings.Contains("embedded text in pieces", how)) {
				t.Errorf("%s, %s: asked KMS: %v", s.name, how, asked)
			}
		}
	}
	for _, s := range specimens(sealer{k}, plain) {
		s.in.Body, s.in.Size = readers["stream"](s.body)
		if content, _, err := openAll(&Opener{KMS: k, AnyKey: true, MaxWhole: 1<<63 - 1}, s.in); err != nil || !bytes.Equal(content, plain) {
			t.Errorf("%s, no bound: %v", s.name, err)
		}
	}
}

// Large objects that can be are opened as they come, in memory that does not
// depend on their size.
func TestStreamed(t *testing.T) {
	k := newTable()
	plain := bytes.Repeat(random(1<<10), 5<<10)
	s := sealer{k}
	meta, cbc := s.v2(cipherCBC, someContext, plain)
	for name, in := range map[string]Sealed{"cbc": {Metadata: maps.Clone(meta), Size: int64(len(cbc)), Body: struct{ io.Reader }{bytes.NewReader(cbc)}},
		"message": streamed(inMemoryObject(nil, s.message(messageForm{suite: 0x0578, frame: 4096, context: someContext, keys: []string{arn1}}, plain)))} {
		opened, err := (&Opener{KMS: k, AnyKey: true}).Open(context.Background(), in)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(opened.Body)
		if _, whole := opened.Body.(*bytes.Reader); whole || opened.Size != -1 || err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%s: %T, %d bytes, %v", name, opened.Body, len(got), err)
		}
		if n, err := opened.Body.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("%s: after the end %d, %v", name, n, err)
		}
	}
}
