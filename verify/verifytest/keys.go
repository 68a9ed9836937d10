package verifytest

import (
	"bytes"
	"crypto"
	"crypto/md5"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/trailseal/trailseal/digest"
)

// CloudTrail's keys, as measured: each is valid for 30 days and a new one
// comes every 20.
const (
	keyEvery = 20 * 24 * time.Hour
	keyValid = 30 * 24 * time.Hour
)

// A signer is one private key of a region and its public half as published.
type signer struct {
	private *rsa.PrivateKey
	public  digest.PublicKey
}

// signerAt is the region's newest key at a time: the one that signs then.
// earlier counts back from it.
func signerAt(region string, at time.Time, earlier int) *signer {
	n, start := keyNumber(region, at, earlier)
	return newSigner(fmt.Sprint(region, " ", n), region, start, start.Add(keyValid))
}

func keyNumber(region string, at time.Time, earlier int) (n int, start time.Time) {
	first := firstKey(region)
	n = int(at.Sub(first)/keyEvery) - earlier
	return n, first.Add(time.Duration(n) * keyEvery)
}

// firstKey is when a region's first key became valid: on a day, at a time of
// day, that no other region shares.
func firstKey(region string) time.Time {
	r := stream("first key", region)
	return time.Date(2014, 1, 1, 0, 0, 0, 0, time.UTC).Add(between(r, 0, keyEvery))
}

// KeyRollover is the first moment after a time at which the region's digests
// are signed with a new key.
func KeyRollover(region string, after time.Time) time.Time {
	_, start := keyNumber(region, after, -1)
	return start
}

// attacker is a key that CloudTrail never published.
func attacker(region string, at time.Time) *signer {
	return newSigner("attacker", region, at.Add(-keyEvery/2), at.Add(keyEvery/2))
}

func newSigner(label, region string, start, end time.Time) *signer {
	s := &signer{private: privateKey(label)}
	public, err := digest.NewPublicKey(x509.MarshalPKCS1PublicKey(&s.private.PublicKey), "", start, end)
	if err != nil {
		panic(err) // a key just made is one that can be read
	}
	public.Region = region
	s.public = public
	return s
}

// sign makes a digest's signature, in hex.
func (s *signer) sign(r *digest.Record) string {
	sum := sha256.Sum256([]byte(r.StringToSign()))
	return s.signSum(crypto.SHA256, sum[:])
}

// signMD5 makes the weak signature that nobody should accept.
func (s *signer) signMD5(r *digest.Record) string {
	sum := md5.Sum([]byte(r.StringToSign()))
	return s.signSum(crypto.MD5, sum[:])
}

func (s *signer) signSum(hash crypto.Hash, sum []byte) string {
	raw, err := rsa.SignPKCS1v15(nil, s.private, hash, sum)
	if err != nil {
		panic(err) // 2,048 bits hold any of these hashes
	}
	return hex.EncodeToString(raw)
}

// publish puts the keys that ListPublicKeys would give for a span into the
// world, a day wider on either side.
func (w *World) publish(region string, from, to time.Time) {
	from, to = from.Add(-24*time.Hour), to.Add(24*time.Hour)
	for n := 0; ; n++ {
		if _, start := keyNumber(region, from.Add(-keyValid), -n); start.After(to) {
			break
		}
		k := signerAt(region, from.Add(-keyValid), -n).public
		if !k.End.Before(from) {
			w.addKey(k)
		}
	}
}

func (w *World) addKey(k digest.PublicKey) {
	keys := w.keys[k.Region]
	if slices.ContainsFunc(keys, func(o digest.PublicKey) bool { return o.Fingerprint == k.Fingerprint }) {
		return
	}
	keys = append(keys, k)
	slices.SortFunc(keys, func(a, b digest.PublicKey) int { return a.Start.Compare(b.Start) })
	w.keys[k.Region] = keys
}

// PublicKeys are the keys published for a region, oldest first.
func (w *World) PublicKeys(region string) []digest.PublicKey { return slices.Clone(w.keys[region]) }

// ListPublicKeysJSON is what `aws cloudtrail list-public-keys` prints for a
// region, with the region beside it so that the file can be used offline.
func (w *World) ListPublicKeysJSON(region string) []byte {
	type entry struct{ Value, ValidityStartTime, ValidityEndTime, Fingerprint any }
	list := struct {
		Region        string
		PublicKeyList []entry
	}{region, []entry{}}
	for _, k := range w.keys[region] {
		list.PublicKeyList = append(list.PublicKeyList, entry{k.Value, cliTime(k.Start), cliTime(k.End), k.Fingerprint})
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "    ")
	if err := e.Encode(list); err != nil {
		panic(err) // strings and bytes only
	}
	return b.Bytes()
}

func cliTime(t time.Time) string { return t.Format("2006-01-02T15:04:05-07:00") }
