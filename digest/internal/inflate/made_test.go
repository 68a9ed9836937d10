package inflate

import (
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
)

// A maker makes DEFLATE streams that no compressor would: any complete code,
// codes of 15 bits, every symbol, matches that reach exactly as far as they
// may. Now and then it breaks one rule.
type maker struct {
	rng   *rand.Rand
	out   []byte
	acc   uint64
	n     uint
	size  int                 // uncompressed, so far
	codes map[*uint8][]uint64 // by the first of their lengths
	odds  int                 // a rule is broken about once in so many symbols; 0: never
}

// newMaker makes a maker that breaks a rule about once in so many symbols.
func newMaker(a, b uint64, odds int) *maker {
	return &maker{rng: rand.New(rand.NewPCG(a, b)), codes: map[*uint8][]uint64{}, odds: odds}
}

func (m *maker) put(v uint64, n uint) {
	m.acc |= v << m.n
	for m.n += n; m.n >= 8; m.n -= 8 {
		m.out = append(m.out, byte(m.acc))
		m.acc >>= 8
	}
}

// rarely is true once in n times, and never for 0.
func (m *maker) rarely(n int) bool { return n > 0 && m.rng.IntN(n) == 0 }

// lengths gives n symbols, of which at least the wanted ones are used, the
// code lengths of a random complete code.
func (m *maker) lengths(n, longest int, want ...int) []uint8 {
	used := map[int]bool{}
	for _, s := range want {
		used[s] = true
	}
	for range m.rng.IntN(n) {
		used[m.rng.IntN(n)] = true
	}
	leaves, deep := []uint8{0}, m.rarely(2)
	for len(leaves) < len(used) {
		i := m.rng.IntN(len(leaves))
		if deep {
			i = len(leaves) - 1 - m.rng.IntN(min(3, len(leaves)))
		}
		if int(leaves[i]) < longest {
			leaves[i]++
			leaves = append(leaves, leaves[i])
		} else {
			deep = false
		}
	}
	lengths := make([]uint8, n)
	if slices.Sort(leaves); m.rarely(2) { // otherwise what has most extra bits gets the longest code
		m.rng.Shuffle(len(leaves), func(i, j int) { leaves[i], leaves[j] = leaves[j], leaves[i] })
	}
	i := 0
	for s := range n {
		if used[s] {
			lengths[s] = max(leaves[i], 1)
			i++
		}
	}
	if m.rarely(m.odds / 50) { // over-subscribed or incomplete
		lengths[m.rng.IntN(n)] = uint8(m.rng.IntN(longest + 1))
	}
	return lengths
}

// symbol writes a symbol in the canonical code of these lengths.
func (m *maker) symbol(s int, lengths []uint8) {
	codes := m.codes[&lengths[0]]
	if codes == nil {
		codes = canonical(lengths)
		m.codes[&lengths[0]] = codes
	}
	m.put(codes[s], uint(lengths[s]))
}

// canonical gives each symbol its code, first bit lowest.
func canonical(lengths []uint8) []uint64 {
	codes, code := make([]uint64, len(lengths)), uint32(0)
	for l := uint8(1); l <= maxCodeLen; l++ {
		code <<= 1
		for s, n := range lengths {
			if n == l {
				codes[s] = uint64(bits.Reverse32(code) >> (32 - l))
				code++
			}
		}
	}
	return codes
}

func (m *maker) stored(n int) {
	m.put(0, (8-m.n%8)%8)
	m.put(uint64(n), 16)
	if m.put(uint64(0xffff^n), 16); m.rarely(m.odds * 2) {
		m.out[len(m.out)-1] ^= 1
	}
	for range n {
		m.out = append(m.out, byte(m.rng.Uint32()))
	}
	m.size += n
}

// header writes the lengths of both codes in a code of their own.
func (m *maker) header(lit, dist []uint8) {
	all := append(append([]uint8{}, lit...), dist...)
	code := m.lengths(maxCode, 7, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18)
	m.put(uint64(len(lit)-257), 5)
	m.put(uint64(len(dist)-1), 5)
	m.put(maxCode-4, 4)
	for _, s := range codeOrder {
		m.put(uint64(code[s]), 3)
	}
	for i := 0; i < len(all); {
		run := 1
		for i+run < len(all) && all[i+run] == all[i] && run < 138 {
			run++
		}
		switch {
		case all[i] == 0 && run >= 11 && !m.rarely(4):
			m.symbol(18, code)
			m.put(uint64(run-11), 7)
		case all[i] == 0 && run >= 3 && !m.rarely(4):
			run = min(run, 10)
			m.symbol(17, code)
			m.put(uint64(run-3), 3)
		case i > 0 && all[i-1] == all[i] && run >= 3 && !m.rarely(4):
			run = min(run, 6)
			m.symbol(16, code)
			m.put(uint64(run-3), 2)
		default:
			run = 1
			m.symbol(int(all[i]), code)
		}
		i += run
	}
}

// match writes a length and a distance that reaches no further than it may,
// and often exactly so far.
func (m *maker) match(s int, lit, dist []uint8) {
	m.symbol(s, lit)
	extra := uint(litEntry[s] & 0xff)
	x := m.rng.Uint64N(1 << extra)
	m.put(x, extra)
	m.size += int(litEntry[s]>>16) + int(x)
	reach := min(m.size-int(litEntry[s]>>16)-int(x), history)
	var may []int
	for t, n := range dist {
		if n > 0 && (int(distEntry[t]>>16) <= reach && distEntry[t]&other == 0 || m.rarely(m.odds*2)) {
			may = append(may, t)
		}
	}
	if len(may) == 0 {
		return // and the stream is broken
	}
	t := may[m.rng.IntN(len(may))]
	if m.rarely(2) {
		t = may[len(may)-1]
	}
	m.symbol(t, dist)
	extra = uint(distEntry[t] & 0xff)
	room := max(0, reach-int(distEntry[t]>>16))
	x = min(uint64(room), 1<<extra-1)
	if m.rarely(2) {
		x = m.rng.Uint64N(x + 1)
	}
	if m.put(x, extra); m.rarely(m.odds) {
		m.out[len(m.out)-1]++ // perhaps one too far
	}
}

func (m *maker) symbols(lit, dist []uint8) {
	var literals, lengths []int
	for s, n := range lit {
		if n > 0 && s < 256 {
			literals = append(literals, s)
		} else if n > 0 && s > 256 && (s < maxLit || m.rarely(20)) {
			lengths = append(lengths, s)
		}
	}
	for range []int{0, 3, 300, 3000}[m.rng.IntN(4)] {
		switch {
		case len(lengths) > 0 && m.size > 0 && (len(literals) == 0 || m.rarely(2)):
			m.match(lengths[m.rng.IntN(len(lengths))], lit, dist)
		case len(literals) > 0:
			m.symbol(literals[m.rng.IntN(len(literals))], lit)
			m.size++
		}
	}
	if lit[256] > 0 {
		m.symbol(256, lit)
	}
}

// make makes a stream, and sometimes damages or cuts it.
func (m *maker) make() []byte {
	for blocks := 1 + m.rng.IntN(4); blocks > 0; blocks-- {
		m.put(uint64(1/blocks), 1) // 1 for the final one
		switch kind := m.rng.IntN(6); kind {
		case 0:
			m.put(0, 2)
			m.stored([]int{0, 1, 100, 40000, 65535}[m.rng.IntN(5)])
		case 1:
			m.put(1, 2)
			lit, dist := fixedLengths()
			m.symbols(lit[:], dist[:])
		default:
			m.put(2, 2)
			lits, dists := 257+m.rng.IntN(30), 1+m.rng.IntN(30)
			if m.rarely(m.odds / 50) {
				lits, dists = lits+m.rng.IntN(289-lits), dists+m.rng.IntN(33-dists) // more than there are
			}
			lit, dist := m.lengths(lits, 15, 256), m.lengths(dists, 15, 0)
			m.header(lit, dist)
			m.symbols(lit, dist)
		}
	}
	m.put(0, (8-m.n%8)%8)
	if m.rarely(5) && len(m.out) > 0 {
		m.out[m.rng.IntN(len(m.out))] ^= 1 << m.rng.IntN(8)
	}
	if m.rarely(5) {
		m.out = m.out[:m.rng.IntN(len(m.out))]
	}
	return m.out
}

func TestDecodeMade(t *testing.T) {
	rounds, sound := 2000, 0
	if testing.Short() {
		rounds = 60
	}
	d := new(Decoder)
	for seed := range rounds {
		m := newMaker(uint64(seed), 0, 2000)
		in := m.make()
		compare(t, d, in)
		if _, err := d.Decode(in, func([]byte) error { return nil }); err == nil {
			sound++
		}
	}
	t.Logf("%d of %d streams are sound", sound, rounds)
	if sound < rounds/4 || sound > rounds*9/10 {
		t.Errorf("%d of %d streams are sound: the maker tests little", sound, rounds)
	}
}

// TestDecodeLongest has matches of 48 bits after as many bits of literals as
// one turn of the loop takes, in every combination.
func TestDecodeLongest(t *testing.T) {
	m := newMaker(7, 8, 0)
	m.put(0, 3)
	m.stored(history)
	m.put(1|2<<1, 3)
	lit, dist := make([]uint8, 285), make([]uint8, 30)
	for i := range 14 {
		lit['a'+i], dist[14+i] = uint8(i+1), uint8(i+1)
	}
	lit[256], lit[284], dist[28], dist[29] = 15, 15, 15, 15
	m.header(lit, dist)
	for range 5000 {
		for range m.rng.IntN(4) {
			m.symbol('a'+m.rng.IntN(14), lit)
			m.size++
		}
		m.match(284, lit, dist)
	}
	m.symbol(256, lit)
	m.put(0, 7)
	d := new(Decoder)
	compare(t, d, m.out)
	if _, err := d.Decode(m.out, func([]byte) error { return nil }); err != nil {
		t.Error("the stream is not sound")
	}
}

// FuzzMade looks for streams by their seeds.
func FuzzMade(f *testing.F) {
	f.Add(uint64(1), uint64(1))
	d := new(Decoder)
	f.Fuzz(func(t *testing.T, a, b uint64) {
		m := newMaker(a, b, 2000)
		compare(t, d, m.make())
	})
}
