// Package inflate reads DEFLATE (RFC 1951) from memory, as fast as safe Go
// without assembly allows. It serves one purpose: to inflate whole log files
// that are nearly always sound, and to hash each piece while it is in the
// cache.
//
// It says yes or no. Where it says no, the caller asks compress/flate, whose
// answer counts; so this package need not say what is wrong, and a fault in it
// can make a sound file slow to read but never call it damaged. What it accepts
// is a subset of what compress/flate accepts, to the same bytes: fuzzing holds
// it to that.
package inflate

import (
	"encoding/binary"
	"errors"
)

const (
	history = 32 << 10  // how far back a match may reach
	piece   = 128 << 10 // how much is handed on at a time: it must fit the second-level cache
	margin  = 512       // what one turn of the decoding loop may write past the end of a piece
)

// ErrInput says that the input is not a sound and complete DEFLATE stream.
var ErrInput = errors.New("inflate: not a DEFLATE stream")

// A Decoder holds the state for one stream at a time, about 200 KiB. The zero
// Decoder is ready, and may be used again and again.
type Decoder struct {
	in   []byte
	at   int    // the next byte of in
	bits uint64 // bits of in, the first one lowest; what lies above the first n is not counted yet
	n    uint   // how many bits are there
	over uint   // how many bytes of zeros were added after the end of in

	write   int // where the next byte goes in window
	flushed int // up to where window was handed on
	out     func(piece []byte) error

	lengths [maxLit + maxDist]uint8
	code    codeTable
	lit     litTable
	dist    distTable
	window  [history + piece + margin]byte
}

// Decode inflates the stream that in begins with, hands the content to out in
// pieces that are good only until out returns, and returns how many bytes of
// in the stream took. An error of out is returned as it is; any other is
// ErrInput.
func (d *Decoder) Decode(in []byte, out func(piece []byte) error) (int, error) {
	d.in, d.at, d.bits, d.n, d.over = in, 0, 0, 0, 0
	d.write, d.flushed, d.out = 0, 0, out
	defer func() { d.in, d.out = nil, nil }()
	for final := false; !final; {
		d.refill()
		final = d.take(1) == 1
		if err := d.block(d.take(2)); err != nil {
			return 0, err
		}
	}
	unread := d.n / 8
	if d.over > unread {
		return 0, ErrInput // it took bits that were not there
	}
	if err := d.out(d.window[d.flushed:d.write]); err != nil {
		return 0, err
	}
	return d.at - int(unread-d.over), nil
}

func (d *Decoder) block(kind uint) error {
	switch kind {
	case 0:
		return d.stored()
	case 1:
		fixed := fixedTables()
		return d.compressed(&fixed.lit, &fixed.dist)
	case 2:
		if !d.readTables() {
			return ErrInput
		}
		return d.compressed(&d.lit, &d.dist)
	default:
		return ErrInput
	}
}

// take removes the next bits, of which there must be enough.
func (d *Decoder) take(n uint) uint {
	v := uint(d.bits) & (1<<n - 1)
	d.bits >>= n
	d.n -= n
	return v
}

// refill brings the bits to 56 or more. After the end of the input it adds
// zeros; more of them than fit means that some were taken for input.
func (d *Decoder) refill() bool {
	if d.at+8 <= len(d.in) {
		d.bits |= binary.LittleEndian.Uint64(d.in[d.at:]) << (d.n & 63)
		d.at += int(63-d.n) / 8
		d.n |= 56
		return true
	}
	for d.n < 56 {
		if d.at < len(d.in) {
			d.bits |= uint64(d.in[d.at]) << (d.n & 63)
			d.at++
		} else {
			d.over++
		}
		d.n += 8
	}
	return d.over <= 8
}

// flush hands on what was written and keeps as much as a match may reach.
func (d *Decoder) flush() error {
	if err := d.out(d.window[d.flushed:d.write]); err != nil {
		return err
	}
	copy(d.window[:history], d.window[d.write-history:d.write])
	d.write, d.flushed = history, history
	return nil
}

// stored copies a block that is not compressed.
func (d *Decoder) stored() error {
	d.take(d.n % 8)
	unread := d.n / 8
	if d.over > unread {
		return ErrInput
	}
	d.at -= int(unread - d.over) // whole bytes go back
	d.bits, d.n, d.over = 0, 0, 0
	if len(d.in)-d.at < 4 {
		return ErrInput
	}
	head := d.in[d.at : d.at+4]
	size := binary.LittleEndian.Uint16(head)
	if binary.LittleEndian.Uint16(head[2:]) != ^size || len(d.in)-d.at-4 < int(size) {
		return ErrInput
	}
	d.at += 4
	from := d.in[d.at : d.at+int(size)]
	d.at += len(from)
	for len(from) > 0 {
		n := copy(d.window[d.write:history+piece], from)
		d.write, from = d.write+n, from[n:]
		if d.write == history+piece {
			if err := d.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}
