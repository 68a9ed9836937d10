package inflate

import "encoding/binary"

// compressed decodes one block's symbols. This loop is where the time goes:
// all state is in locals, nothing is called for the usual symbol, and a turn
// writes so little that the window's margin takes it without a look. A slice
// of known length (x[i:i+8]) costs one bounds check, one of unknown length two.
func (d *Decoder) compressed(lit *litTable, dist *distTable) error {
	in, at, b, n, w := d.in, d.at, d.bits, d.n, d.write
	for {
		if w >= history+piece {
			d.write = w
			if err := d.flush(); err != nil {
				return err
			}
			w = d.write
		}
		if at+8 <= len(in) {
			b |= binary.LittleEndian.Uint64(in[at:at+8]) << (n & 63)
			at += int(63-n) >> 3
			n |= 56
		} else if d.at, d.bits, d.n = at, b, n; d.refill() {
			at, b, n = d.at, d.bits, d.n
		} else {
			return ErrInput
		}
		// Two entries of literals take 22 bits and leave room for any length.
		e := lit[b&(1<<litBits-1)]
		if e&literal != 0 {
			binary.LittleEndian.PutUint16(d.window[w:w+2], uint16(e>>8))
			w += int(e >> 24 & 3)
			b, n = b>>(e&63), n-uint(e&63)
			e = lit[b&(1<<litBits-1)]
			if e&literal != 0 {
				binary.LittleEndian.PutUint16(d.window[w:w+2], uint16(e>>8))
				w += int(e >> 24 & 3)
				b, n = b>>(e&63), n-uint(e&63)
				e = lit[b&(1<<litBits-1)]
			}
		}
		if e&literal != 0 {
			binary.LittleEndian.PutUint16(d.window[w:w+2], uint16(e>>8))
			w += int(e >> 24 & 3)
			b, n = b>>(e&63), n-uint(e&63)
			continue
		}
		if e&other != 0 {
			if e&second != 0 {
				b, n = b>>litBits, n-litBits
				e = lit[e>>16+uint32(b)&(1<<(e>>8&15)-1)]
			}
			if e&literal != 0 {
				d.window[w] = byte(e >> 8)
				w, b, n = w+1, b>>(e&63), n-uint(e&63)
				continue
			}
			if e&other != 0 {
				d.at, d.bits, d.n, d.write = at, b>>(e&63), n-uint(e&63), w
				return endOf(e)
			}
		}
		length := int(e>>16) + int(b&(1<<(e&63)-1)>>(e>>8&15))
		b, n = b>>(e&63), n-uint(e&63)
		if n >= maxCodeLen+13 {
			// There is room for any distance.
		} else if at+8 <= len(in) {
			b |= binary.LittleEndian.Uint64(in[at:at+8]) << (n & 63)
			at += int(63-n) >> 3
			n |= 56
		} else if d.at, d.bits, d.n = at, b, n; d.refill() {
			at, b, n = d.at, d.bits, d.n
		} else {
			return ErrInput
		}
		e = dist[b&(1<<distBits-1)]
		if e&(literal|other|second) == other|second {
			b, n = b>>distBits, n-distBits
			e = dist[e>>16+uint32(b)&(1<<(e>>8&15)-1)]
		}
		back := int(e>>16) + int(b&(1<<(e&63)-1)>>(e>>8&15))
		b, n = b>>(e&63), n-uint(e&63)
		if e&other != 0 || uint(back-1) >= uint(w) {
			return ErrInput
		}
		w = d.match(w, back, length)
	}
}

// endOf is what an entry without a value means to its block.
func endOf(e uint32) error {
	if e&endBlock == 0 {
		return ErrInput
	}
	return nil
}

// match copies what stands back bytes before w, and returns its end. It may write up to 15 bytes
// too many, which the next symbols overwrite.
func (d *Decoder) match(w, back, length int) int {
	from, end := w-back, w+length
	switch {
	case back >= length && length >= 32:
		copy(d.window[w:end], d.window[from:end-back])
	case back >= 16:
		for ; w < end; from, w = from+16, w+16 {
			p, q := (*[16]byte)(d.window[from:from+16]), (*[16]byte)(d.window[w:w+16])
			x, y := binary.LittleEndian.Uint64(p[:8]), binary.LittleEndian.Uint64(p[8:])
			binary.LittleEndian.PutUint64(q[:8], x)
			binary.LittleEndian.PutUint64(q[8:], y)
		}
	default:
		// It overlaps itself closely. What is copied is a multiple of the
		// distance, so each copy may take all that is there.
		for w < end {
			w += copy(d.window[w:end], d.window[from:w])
		}
	}
	return end
}
