package inflate

import "encoding/binary"

// compressed decodes one block's symbols. This loop is where the time goes:
// all state is in locals, nothing is called for the usual symbol, and each
// turn reads and writes so little that one check of each bound serves it.
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
			b |= binary.LittleEndian.Uint64(in[at:]) << (n & 63)
			at += int(63-n) >> 3
			n |= 56
		} else {
			d.at, d.bits, d.n = at, b, n
			if !d.refill() {
				return ErrInput
			}
			at, b, n = d.at, d.bits, d.n
		}

		// Up to two entries of literals, 22 bits, leave room for a length.
		e := lit[b&(1<<litBits-1)]
		if int32(e) < 0 {
			binary.LittleEndian.PutUint16(d.window[w:], uint16(e>>8))
			w += int(e >> 24 & 3)
			b >>= e & 63
			n -= uint(e & 63)
			e = lit[b&(1<<litBits-1)]
			if int32(e) < 0 {
				binary.LittleEndian.PutUint16(d.window[w:], uint16(e>>8))
				w += int(e >> 24 & 3)
				b >>= e & 63
				n -= uint(e & 63)
				e = lit[b&(1<<litBits-1)]
				if int32(e) < 0 {
					binary.LittleEndian.PutUint16(d.window[w:], uint16(e>>8))
					w += int(e >> 24 & 3)
					b >>= e & 63
					n -= uint(e & 63)
					continue
				}
			}
		}
		if e&other != 0 {
			if e&second != 0 {
				b >>= litBits
				n -= litBits
				e = lit[e>>16+uint32(b)&(1<<(e>>8&15)-1)]
			}
			if int32(e) < 0 {
				d.window[w] = byte(e >> 8)
				w++
				b >>= e & 63
				n -= uint(e & 63)
				continue
			}
			if e&other != 0 {
				d.at, d.bits, d.n, d.write = at, b>>(e&63), n-uint(e&63), w
				if e&endBlock == 0 {
					return ErrInput
				}
				return nil
			}
		}
		length := int(e>>16) + int(b&(1<<(e&63)-1)>>(e>>8&15))
		b >>= e & 63
		n -= uint(e & 63)

		if n < maxCodeLen+13 {
			if at+8 <= len(in) {
				b |= binary.LittleEndian.Uint64(in[at:]) << (n & 63)
				at += int(63-n) >> 3
				n |= 56
			} else {
				d.at, d.bits, d.n = at, b, n
				if !d.refill() {
					return ErrInput
				}
				at, b, n = d.at, d.bits, d.n
			}
		}
		e = dist[b&(1<<distBits-1)]
		if e&other != 0 {
			if e&second == 0 {
				return ErrInput
			}
			b >>= distBits
			n -= distBits
			if e = dist[e>>16+uint32(b)&(1<<(e>>8&15)-1)]; e&other != 0 {
				return ErrInput
			}
		}
		back := int(e>>16) + int(b&(1<<(e&63)-1)>>(e>>8&15))
		b >>= e & 63
		n -= uint(e & 63)
		if back > w {
			return ErrInput
		}
		end := w + length
		if back < 16 {
			d.repeat(w, back, length)
			w = end
			continue
		}
		for from := w - back; w < end; from, w = from+16, w+16 {
			x, y := binary.LittleEndian.Uint64(d.window[from:]), binary.LittleEndian.Uint64(d.window[from+8:])
			binary.LittleEndian.PutUint64(d.window[w:], x)
			binary.LittleEndian.PutUint64(d.window[w+8:], y)
		}
		w = end
	}
}

// repeat copies a match that overlaps itself closely: what is copied is a
// multiple of the distance, so it may grow with what is there.
func (d *Decoder) repeat(w, back, length int) {
	from, end := w-back, w+length
	for w < end {
		w += copy(d.window[w:end], d.window[from:w])
	}
}
