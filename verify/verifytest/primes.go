package verifytest

import (
	"crypto/rsa"
	"io"
	"math/big"
	"sync"
)

const publicExponent = 65537

// privateKey makes a 2,048-bit RSA key from a label, always the same one.
// crypto/rsa's own generator cannot do that. Keys are kept for the life of the
// process: making one takes some 50 ms.
func privateKey(label string) *rsa.PrivateKey {
	made, _ := privateKeys.LoadOrStore(label, sync.OnceValue(func() *rsa.PrivateKey { return newKey(label) }))
	return made.(func() *rsa.PrivateKey)()
}

var privateKeys sync.Map // label -> func() *rsa.PrivateKey

func newKey(label string) *rsa.PrivateKey {
	bits := source("rsa", label)
	p, q := prime(bits), prime(bits)
	one := big.NewInt(1)
	phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	key := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: publicExponent},
		D:         new(big.Int).ModInverse(big.NewInt(publicExponent), phi),
		Primes:    []*big.Int{p, q},
	}
	key.Precompute()
	return key
}

// prime is the first prime of 1,024 bits at or after a random odd number with
// its two highest bits set, so that two of them make exactly 2,048 bits.
func prime(bits io.Reader) *big.Int {
	raw := make([]byte, 128)
	bits.Read(raw)
	raw[0] |= 0xc0
	raw[len(raw)-1] |= 1
	start := new(big.Int).SetBytes(raw)
	rest := remainders(start)
	for delta := 0; ; delta += 2 {
		if divisible(rest, delta) {
			continue
		}
		p := new(big.Int).Add(start, big.NewInt(int64(delta)))
		if p.ProbablyPrime(0) && new(big.Int).Mod(p, big.NewInt(publicExponent)).Int64() != 1 {
			return p
		}
	}
}

// remainders are n's by each small prime. Dividing by them first leaves few
// numbers to try at length.
func remainders(n *big.Int) []int {
	rest := make([]int, len(smallPrimes()))
	var m big.Int
	for i, p := range smallPrimes() {
		rest[i] = int(m.Mod(n, big.NewInt(int64(p))).Int64())
	}
	return rest
}

func divisible(rest []int, delta int) bool {
	for i, p := range smallPrimes() {
		if (rest[i]+delta)%p == 0 {
			return true
		}
	}
	return false
}

var smallPrimes = sync.OnceValue(func() []int {
	var primes []int
	composite := make([]bool, 1<<14)
	for n := 3; n < len(composite); n += 2 {
		if composite[n] {
			continue
		}
		primes = append(primes, n)
		for m := n * n; m < len(composite); m += 2 * n {
			composite[m] = true
		}
	}
	return primes
})
