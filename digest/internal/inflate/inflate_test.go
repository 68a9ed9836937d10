package inflate

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// byTheBook inflates with compress/flate. A bytes.Reader is read byte by
// byte, so what is left of it is what follows the stream.
func byTheBook(in []byte) (content []byte, n int, err error) {
	r := bytes.NewReader(in)
	content, err = io.ReadAll(io.LimitReader(flate.NewReader(r), 1<<24))
	return content, len(in) - r.Len(), err
}

// compare decodes with both, and lets this package be right only where
// compress/flate says the same.
func compare(t *testing.T, d *Decoder, in []byte) {
	t.Helper()
	want, wantN, wantErr := byTheBook(in)
	var got []byte
	n, err := d.Decode(in, func(p []byte) error {
		if len(got)+len(p) > 1<<24 {
			return io.ErrShortBuffer
		}
		got = append(got, p...)
		return nil
	})
	if len(want) == 1<<24 {
		return
	}
	if (err == nil) != (wantErr == nil) {
		t.Fatalf("%d bytes: %v, compress/flate: %v", len(in), err, wantErr)
	}
	if err == nil && (n != wantN || !bytes.Equal(got, want)) {
		t.Fatalf("%d bytes: took %d for %d, compress/flate %d for %d", len(in), n, len(got), wantN, len(want))
	}
	if err != nil && err != ErrInput {
		t.Fatal(err)
	}
}

func deflate(t testing.TB, content []byte, level int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, level)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(content)
	w.Close()
	return b.Bytes()
}

// contents are of many kinds and sizes, some larger than the window.
func contents() map[string][]byte {
	rng := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 200<<10)
	for i := range noise {
		noise[i] = byte(rng.Uint32())
	}
	skewed := make([]byte, 300<<10)
	for i := range skewed {
		skewed[i] = byte(rng.ExpFloat64() * 20)
	}
	var text strings.Builder
	for text.Len() < 400<<10 {
		text.WriteString([]string{`{"eventName":"GetObject"`, `,"requestID":"`, `"awsRegion":"us-east-2",`, "\n", "0f3a", "é"}[min(rng.IntN(6), rng.IntN(6))])
		text.WriteByte("0123456789abcdef"[rng.IntN(16)])
	}
	m := map[string][]byte{
		"nothing": nil, "one byte": {'x'}, "zeros": make([]byte, 500<<10), "noise": noise, "skewed": skewed, "text": []byte(text.String()),
		"long repeats": bytes.Repeat(noise[:32768], 6), "longer repeats": bytes.Repeat(noise[:32769], 6),
	}
	for _, n := range []int{2, 3, 5, 7, 8, 15, 16, 17, 31, 257, 258, 259} {
		m["period "+string(rune('a'+n%26))+string(rune('0'+n/26))] = bytes.Repeat(noise[:n], 3000/n)
	}
	for _, n := range []int{history, history + piece - 1, history + piece, history + piece + 1, history + 2*piece} {
		m["size "+string(rune('a'+n%7))+string(rune('a'+n>>16))] = []byte(text.String())[:n]
	}
	return m
}

func TestDecode(t *testing.T) {
	d := new(Decoder)
	for name, content := range contents() {
		for _, level := range []int{flate.HuffmanOnly, 0, 1, 4, 6, 9} {
			t.Run(name, func(t *testing.T) {
				in := deflate(t, content, level)
				if level == 6 {
					compare(t, d, append(bytes.Clone(in), in...))
					compare(t, d, append(bytes.Clone(in), make([]byte, 9)...))
				}
				var got []byte
				n, err := d.Decode(in, func(p []byte) error { got = append(got, p...); return nil })
				if err != nil || n != len(in) || !bytes.Equal(got, content) {
					t.Errorf("level %d: %d of %d bytes, %v", level, n, len(in), err)
				}
			})
		}
	}
}

// A stream that ends anywhere but at its end is refused.
func TestDecodeCut(t *testing.T) {
	d := new(Decoder)
	content := contents()["text"][:1500]
	for level := flate.HuffmanOnly; level <= flate.BestCompression; level++ {
		in := deflate(t, content, level)
		for n := range in {
			compare(t, d, in[:n])
		}
	}
	for n := range 40 { // short ones have the fixed codes, whose end of block is all zeros
		in := deflate(t, content[:n], 9)
		for n := range in {
			compare(t, d, in[:n])
		}
		compare(t, d, append(in[:len(in)-5], 3)) // an end of block of which 2 bits are missing
		compare(t, d, append(in[:len(in)-5], 3, 0))
	}
}

// A stored block must lie where the bits before it say, and be whole.
func TestDecodeStored(t *testing.T) {
	d := new(Decoder)
	for _, in := range []string{
		"\x01\x00\x00\xff\xff", "\x01\x00\x00\xff", "\x01\x00\x00", "\x01", "\x00", "", "\x01\x01\x00\xfe\xffx", "\x01\x02\x00\xfd\xffx",
		"\x01\x01\x00\xfe\xfex", "\xf9\x01\x00\xfe\xffx", "\x00\x00\x00\xff\xff\x01\x01\x00\xfe\xffx", "\x02\x00\x00\x01\x00\xfe\xffx",
		"\x06", "\x07", "\x07\x00\x00\x00\x00", "\x03", "\x03\x00", "\x02", "\x02\x03\x00",
	} {
		compare(t, d, []byte(in))
	}
}

// A match may reach to the first byte and no further; 32,768 back and no further.
func TestDecodeReach(tt *testing.T) {
	d := new(Decoder)
	lit, dist := fixedLengths()
	for _, size := range []int{0, 1, 2, 15, 16, 17, 255, 4096, 32767, 32768, 32769, history + piece - 1, history + piece, history + piece + 5} {
		for _, back := range []int{1, 2, 15, 16, 17, size - 1, size, size + 1, 24577, 32767, 32768} {
			for _, length := range []int{257, 264, 285} {
				m := newMaker(5, 6, 0)
				for left := size; left > 0; left -= min(left, 65535) {
					m.put(0, 3)
					m.stored(min(left, 65535))
				}
				m.put(3, 3)
				m.symbol(length, lit[:])
				t := maxDist - 1
				for t > 0 && int(distEntry[t]>>16) > back {
					t--
				}
				m.symbol(t, dist[:])
				m.put(uint64(max(0, back-int(distEntry[t]>>16)))&(1<<(distEntry[t]&0xff)-1), uint(distEntry[t]&0xff))
				m.symbol(256, lit[:])
				m.put(0, 7)
				compare(tt, d, m.out)
			}
		}
	}
}

func TestDecodeDamaged(t *testing.T) {
	d, rng := new(Decoder), rand.New(rand.NewPCG(3, 4))
	rounds := 300
	if testing.Short() {
		rounds = 30
	}
	for _, name := range []string{"text", "skewed", "zeros"} {
		for _, level := range []int{flate.HuffmanOnly, 0, 1, 6, 9} {
			in := deflate(t, contents()[name][:4000], level)
			for range rounds {
				bad := bytes.Clone(in)
				for range 1 + rng.IntN(3) {
					bad[min(rng.IntN(len(bad)), rng.IntN(len(bad)))] ^= 1 << rng.IntN(8)
				}
				compare(t, d, bad)
			}
		}
	}
}

func TestDecodeOutError(t *testing.T) {
	full := errors.New("full")
	for _, size := range []int{10, 1 << 20} {
		if _, err := new(Decoder).Decode(deflate(t, make([]byte, size), 6), func([]byte) error { return full }); err != full {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

func FuzzInflate(f *testing.F) {
	for name, content := range contents() {
		if len(content) > 2000 {
			content = content[:2000]
		}
		for _, level := range []int{flate.HuffmanOnly, 0, 1, 6, 9} {
			f.Add(deflate(f, content, level))
		}
		_ = name
	}
	d := new(Decoder)
	f.Fuzz(func(t *testing.T, in []byte) { compare(t, d, in) })
}

func TestBuild(t *testing.T) {
	for _, c := range []struct {
		lengths []uint8
		want    bool
	}{
		{[]uint8{}, true}, {[]uint8{0, 0}, true}, {[]uint8{1}, true}, {[]uint8{0, 1}, true}, {[]uint8{1, 1}, true},
		{[]uint8{2}, false}, {[]uint8{15}, false}, {[]uint8{1, 2}, false}, {[]uint8{2, 2, 2}, false}, {[]uint8{2, 2, 2, 2}, true},
		{[]uint8{1, 1, 1}, false}, {[]uint8{1, 1, 15}, false}, {[]uint8{1, 2, 3, 3}, true}, {[]uint8{1, 2, 3, 4}, false},
		{[]uint8{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 15}, true}, {[]uint8{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, false},
	} {
		var table distTable
		if got := build(table[:], distBits, c.lengths, distEntry[:]); got != c.want {
			t.Errorf("%v: %v", c.lengths, got)
		}
	}
}
