package inflate

// codeOrder is the order in which the lengths of the lengths' code come.
var codeOrder = [maxCode]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// pairFrom is how much input must be left for joining literals to pay.
const pairFrom = 4 << 10

// readTables reads the head of a block with codes of its own.
func (d *Decoder) readTables() bool {
	d.refill()
	lits, dists, codes := int(d.take(5))+257, int(d.take(5))+1, int(d.take(4))+4
	if lits > maxLit || dists > maxDist {
		return false
	}
	var lengths [maxCode]uint8
	for _, i := range codeOrder[:codes] {
		if d.n < 3 {
			d.refill()
		}
		lengths[i] = uint8(d.take(3))
	}
	if !build(d.code[:], codeBits, lengths[:], codeEntry[:]) || !d.readLengths(d.lengths[:lits+dists]) {
		return false
	}
	if !build(d.lit[:], litBits, d.lengths[:lits], litEntry[:]) ||
		!build(d.dist[:], distBits, d.lengths[lits:lits+dists], distEntry[:]) {
		return false
	}
	if len(d.in)-d.at >= pairFrom {
		d.lit.pair()
	}
	return true
}

// readLengths reads the lengths of both codes, which run into one another.
func (d *Decoder) readLengths(to []uint8) bool {
	for i := 0; i < len(to); {
		if d.n < codeBits+7 && !d.refill() {
			return false
		}
		e := d.code[d.bits&(1<<codeBits-1)]
		if e&other != 0 {
			return false
		}
		d.take(uint(e & 0xff))
		symbol := uint8(e >> 16)
		if symbol < 16 {
			to[i] = symbol
			i++
			continue
		}
		repeat, value := 0, uint8(0)
		switch symbol {
		case 16:
			if i == 0 {
				return false
			}
			repeat, value = 3+int(d.take(2)), to[i-1]
		case 17:
			repeat = 3 + int(d.take(3))
		default:
			repeat = 11 + int(d.take(7))
		}
		if repeat > len(to)-i {
			return false
		}
		for range repeat {
			to[i] = value
			i++
		}
	}
	return true
}
