package inflate

import (
	"math/bits"
	"sync"
)

// RFC 1951, 3.2.5 to 3.2.7.
const (
	maxCodeLen = 15
	maxLit     = 286 // literals, end of block, lengths
	maxDist    = 30
	maxCode    = 19 // the code that the other codes' lengths are written in
)

// The first look into a table takes this many bits. Longer codes go on in a
// second table, which takes all the bits that are left.
const (
	litBits  = 11
	distBits = 8
	codeBits = 7
)

// A second table serves at least two codes longer than the first look.
type (
	litTable  [1<<litBits + 288/2<<(maxCodeLen-litBits)]uint32
	distTable [1<<distBits + 32/2<<(maxCodeLen-distBits)]uint32
	codeTable [1 << codeBits]uint32
)

// An entry says what the bits stand for, in 32 bits:
//
//	literals  31: 1    24-25: how many, 1 or 2   16-23: second   8-15: first   0-7: bits to drop
//	a value   31: 0    16-30: base   15: 0   8-11: bits of the code   0-7: with the extra bits, to drop
//	other     31: 0    15: 1, and
//	  a second table   14: 1   16-30: where it begins   8-11: its bits   0-7: bits to drop first
//	  end of block     13: 1
//	  no code          neither
const (
	literal  = 1 << 31
	one      = 1 << 24
	other    = 1 << 15
	second   = 1 << 14
	endBlock = 1 << 13
	noCode   = other
)

// litEntry and distEntry are the entries of each symbol but for the bits of
// its code.
var litEntry, distEntry, codeEntry = entries()

func entries() (lit [288]uint32, dist [32]uint32, code [maxCode]uint32) {
	for i := range 256 {
		lit[i] = literal | one | uint32(i)<<8
	}
	lit[256] = other | endBlock
	base := uint32(3)
	for i := 257; i < 285; i++ {
		extra := uint32(max(0, (i-261)/4))
		lit[i] = base<<16 | extra
		base += 1 << extra
	}
	lit[285], lit[286], lit[287] = 258<<16, noCode, noCode
	base = 1
	for i := range maxDist {
		extra := uint32(max(0, (i-2)/2))
		dist[i] = base<<16 | extra
		base += 1 << extra
	}
	dist[30], dist[31] = noCode, noCode
	for i := range code {
		code[i] = uint32(i) << 16
	}
	return lit, dist, code
}

// withCode completes a symbol's entry with the length of its code, or with
// what of it is left for a second table.
func withCode(entry, n uint32) uint32 {
	if entry&literal != 0 {
		return entry + n
	}
	return entry + n<<8 + n
}

// build fills a table for codes of these lengths and reports whether they are
// a complete code: every run of bits has one meaning. As in compress/flate, a
// code of a single symbol with one bit need not be complete, and one of no
// symbol is allowed as long as it is not used.
func build(table []uint32, first uint, lengths []uint8, entry []uint32) bool {
	var count, next [maxCodeLen + 2]uint16
	for _, n := range lengths {
		count[n]++
	}
	used := len(lengths) - int(count[0])
	count[0] = 0
	longest, total := 0, 0 // total is how much of 2^15 runs of bits has a meaning
	for n := 1; n <= maxCodeLen; n++ {
		next[n+1] = next[n] + count[n]
		if count[n] > 0 {
			longest, total = n, total+int(count[n])<<(maxCodeLen-n)
		}
	}
	if total != 1<<maxCodeLen && used > 0 && (used > 1 || longest != 1) {
		return false
	}
	var sorted [288]uint16 // symbols by length, then by value
	for s, n := range lengths {
		if n > 0 {
			sorted[next[n]] = uint16(s)
			next[n]++
		}
	}
	table[0] = noCode
	rest, code := fillFirst(table, first, sorted[:used], count[:], entry)
	fillSecond(table, first, uint(longest), rest, code, lengths, entry)
	return true
}

// fillFirst sets the entries of codes that the first look decides. The table
// doubles as codes grow longer, so each symbol is written once.
func fillFirst(table []uint32, first uint, symbols, count []uint16, entry []uint32) (rest []uint16, code uint) {
	for n := uint(1); n <= first; n++ {
		copy(table[1<<(n-1):1<<n], table[:1<<(n-1)])
		code <<= 1
		for _, s := range symbols[:count[n]] {
			table[reverse(code, n)] = withCode(entry[s], uint32(n))
			code++
		}
		symbols = symbols[count[n]:]
	}
	return symbols, code
}

// fillSecond sets the entries of longer codes. Those that share their first
// bits follow one another, because codes count upwards.
func fillSecond(table []uint32, first, longest uint, symbols []uint16, code uint, lengths []uint8, entry []uint32) {
	last, from, n := -1, 1<<first, first
	for _, s := range symbols {
		length := uint(lengths[s])
		code <<= length - n
		n = length
		r := reverse(code, n)
		code++
		if head := r & (1<<first - 1); head != last {
			if last >= 0 {
				from += 1 << (longest - first)
			}
			table[head] = other | second | uint32(from)<<16 | uint32(longest-first)<<8 | uint32(first)
			last = head
		}
		for i := r >> first; i < 1<<(longest-first); i += 1 << (n - first) {
			table[from+i] = withCode(entry[s], uint32(n-first))
		}
	}
}

// reverse turns a code of n bits round: the stream has its first bit lowest.
func reverse(code, n uint) int { return int(bits.Reverse16(uint16(code)) >> (16 - n)) }

// pair joins two literals in one entry wherever both codes fit in one look.
// It pays only where a table is used for long.
func (t *litTable) pair() {
	for i := 1<<litBits - 1; i >= 0; i-- {
		e := t[i]
		if e&literal == 0 {
			continue
		}
		n := e & 0xff
		// This entry lies below i, where nothing is joined yet.
		if f := t[i>>n&(1<<litBits-1)]; f&literal != 0 && n+f&0xff <= litBits {
			t[i] = (e + f&0xff + one) | f<<8&0xff0000
		}
	}
}

type tables struct {
	lit  litTable
	dist distTable
}

// fixedLengths are those of RFC 1951, 3.2.6.
func fixedLengths() (lit [288]uint8, dist [32]uint8) {
	for i := range lit {
		switch {
		case i < 144, i >= 280:
			lit[i] = 8
		case i < 256:
			lit[i] = 9
		default:
			lit[i] = 7
		}
	}
	for i := range dist {
		dist[i] = 5
	}
	return lit, dist
}

var fixedTables = sync.OnceValue(func() *tables {
	lit, dist := fixedLengths()
	t := new(tables)
	build(t.lit[:], litBits, lit[:], litEntry[:])
	build(t.dist[:], distBits, dist[:], distEntry[:])
	t.lit.pair()
	return t
})
