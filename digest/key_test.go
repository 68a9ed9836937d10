package digest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"
)

// vectors are real public keys and signatures, published on the open web.
type vectors struct {
	Keys []struct {
		Region, Encoding, Fingerprint      string
		ValidityStartTime, ValidityEndTime time.Time
		Value                              []byte
	}
	RSA struct {
		Vectors []struct {
			ID, Fingerprint, Signature string
			Sum                        string `json:"recovered_sha256_of_signed_string"`
		}
	} `json:"rsa_layer_vectors"`
}

func readVectors(t *testing.T) (v vectors) {
	t.Helper()
	data, err := os.ReadFile("../../shared/vectors/cloudtrail_public_keys.json")
	if err != nil {
		t.Skipf("NOT CHECKED against CloudTrail's real keys and signatures: %v", err)
	}
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestRealKeys(t *testing.T) {
	v := readVectors(t)
	encodings := map[string]int{}
	for _, k := range v.Keys {
		got, err := NewPublicKey(k.Value, k.Fingerprint, k.ValidityStartTime, k.ValidityEndTime)
		if err != nil {
			t.Error(err)
		}
		if !got.ValidAt(k.ValidityStartTime) || !got.ValidAt(k.ValidityEndTime) || got.ValidAt(k.ValidityEndTime.Add(1)) || got.ValidAt(k.ValidityStartTime.Add(-1)) {
			t.Errorf("%s: validity", k.Fingerprint)
		}
		encodings[k.Encoding]++
	}
	if encodings["pkcs1"] != 1598 || encodings["spki"] != 1 {
		t.Errorf("encodings %v", encodings)
	}
}

func TestRealSignatures(t *testing.T) {
	v := readVectors(t)
	keys := map[string]PublicKey{}
	for _, k := range v.Keys {
		keys[k.Fingerprint], _ = NewPublicKey(k.Value, k.Fingerprint, k.ValidityStartTime, k.ValidityEndTime)
	}
	for _, s := range v.RSA.Vectors {
		h, err := ParseHash(s.Sum)
		if err != nil {
			t.Fatal(err)
		}
		if err := keys[s.Fingerprint].VerifySum(h, s.Signature); err != nil {
			t.Errorf("%s: %v", s.ID, err)
		}
		h[0] ^= 1
		if err := keys[s.Fingerprint].VerifySum(h, s.Signature); !errors.Is(err, ErrSignature) {
			t.Errorf("%s, damaged: %v", s.ID, err)
		}
	}
	if len(v.RSA.Vectors) != 4 {
		t.Errorf("%d signatures", len(v.RSA.Vectors))
	}
}

func TestVerify(t *testing.T) {
	k := newTestKey(t)
	for name, text := range map[string]string{"normal": normal, "starting": starting, "empty": empty, "backfill": backfill, "org": org} {
		r, err := Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		words := r.StringToSign()
		if strings.Count(words, "\n") != 3 || (name == "starting") != strings.HasSuffix(words, "\nnull") {
			t.Errorf("%s: string to sign %q", name, words)
		}
		good := sign(t, crypto.SHA256, words)
		if err := k.Verify(r, good); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for what, sig := range map[string]string{
			"MD5withRSA": sign(t, crypto.MD5, words), "SHA1withRSA": sign(t, crypto.SHA1, words), "SHA512withRSA": sign(t, crypto.SHA512, words),
			"other words": sign(t, crypto.SHA256, words+"\n"), "none": "", "short": good[2:], "odd": good[1:], "long": "00" + good,
			"not hex": "x" + good[1:], "space": good + "\n", "huge": strings.Repeat("00", 1<<20), "zeros": strings.Repeat("00", 256),
		} {
			if err := k.Verify(r, sig); !errors.Is(err, ErrSignature) || len(err.Error()) > 200 {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
	}
	if err := (PublicKey{}).VerifySum(Hash{}, "00"); err == nil || errors.Is(err, ErrSignature) {
		t.Errorf("no key: %v", err)
	}
}

func TestStringToSign(t *testing.T) {
	r, _ := Parse([]byte(normal))
	want := "2015-08-17T15:01:31Z\n" + "amzn-s3-demo-bucket/" + r.Object + "\n" + Sum([]byte(normal)).String() + "\n" + r.Previous.Signature
	if got := r.StringToSign(); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestNewPublicKeyRefuses(t *testing.T) {
	pkcs1 := func(n *big.Int, e int) []byte { return x509.MarshalPKCS1PublicKey(&rsa.PublicKey{N: n, E: e}) }
	n := testKey().N
	ec, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ecDER, _ := x509.MarshalPKIXPublicKey(&ec.PublicKey)
	for name, der := range map[string][]byte{
		"nothing": nil, "garbage": []byte("garbage"), "trailing": append(pkcs1(n, 65537), 0), "elliptic": ecDER,
		"small": pkcs1(new(big.Int).Rsh(n, 1536), 65537), "even": pkcs1(new(big.Int).Lsh(n, 1), 65537),
		"exponent 1": pkcs1(n, 1), "even exponent": pkcs1(n, 4), "huge": pkcs1(new(big.Int).Lsh(n, MaxKeyBits), 65537),
	} {
		if _, err := NewPublicKey(der, "", time.Time{}, time.Time{}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	good := newTestKey(t)
	for stated, want := range map[string]bool{"": true, good.Fingerprint: true, strings.ToUpper(good.Fingerprint): false, "00": false} {
		if _, err := NewPublicKey(good.Value, stated, good.Start, good.End); (err == nil) != want {
			t.Errorf("%q: %v", stated, err)
		}
	}
	spki, _ := x509.MarshalPKIXPublicKey(&testKey().PublicKey)
	if k, err := NewPublicKey(spki, "", good.Start, good.End); err != nil || k.Fingerprint == good.Fingerprint {
		t.Errorf("SubjectPublicKeyInfo: %v", err)
	}
}

func TestParsePublicKeys(t *testing.T) {
	good := newTestKey(t)
	value := base64.StdEncoding.EncodeToString(good.Value)
	entry := func(start, end string) string {
		return fmt.Sprintf(`{"Value":%q,"ValidityStartTime":%s,"ValidityEndTime":%s,"Fingerprint":%q}`, value, start, end, good.Fingerprint)
	}
	list := func(entries ...string) string { return `{"PublicKeyList":[` + strings.Join(entries, ",") + `]}` }
	for _, times := range [][2]string{
		{`"2015-08-01T00:00:00Z"`, `"2015-08-31T00:00:00+00:00"`},
		{`"2015-08-01T02:00:00+02:00"`, `"2015-08-30T20:00:00.000-04:00"`},
		{`1438387200.0`, `1440979200`}, {`1.4383872e9`, `1440979200.000`},
	} {
		keys, rejected, err := ParsePublicKeys([]byte(list(entry(times[0], times[1]))))
		if err != nil || len(rejected) > 0 || len(keys) != 1 {
			t.Errorf("%v: %v %v", times, rejected, err)
			continue
		}
		if k := keys[0]; k.Start != good.Start || k.End != good.End || !bytes.Equal(k.Value, good.Value) || k.Region != "" {
			t.Errorf("%v: %+v", times, k)
		}
	}
	ok := entry(`1`, `2`)
	for name, bad := range map[string]string{
		"null": `null`, "text": `"x"`, "list": `[]`, "empty": `{}`, "no times": edit(ok, `"ValidityStartTime":1,`, ``),
		"null time": entry(`null`, `2`), "far": entry(`1`, `1e300`), "words": entry(`"soon"`, `2`), "backwards": entry(`2`, `1`),
		"date only": entry(`"2015-08-01"`, `2`), "boolean": entry(`true`, `2`), "value": edit(ok, value, "!"), "fingerprint": edit(ok, good.Fingerprint, "00"),
	} {
		keys, rejected, err := ParsePublicKeys([]byte(list(bad, ok)))
		if err != nil || len(keys) != 1 || len(rejected) != 1 || !strings.Contains(rejected[0].Error(), "entry 1") {
			t.Errorf("%s: %d keys, %v, %v", name, len(keys), rejected, err)
		}
	}
	for _, bad := range []string{``, `null`, `[]`, `{}`, `{"PublicKeyList":null}`, `{"PublicKeyList":{}}`, `{"PublicKeyList":[]}x`, `{"Region":"x y","PublicKeyList":[]}`, `{"Region":1,"PublicKeyList":[]}`} {
		if _, _, err := ParsePublicKeys([]byte(bad)); err == nil {
			t.Errorf("%s: accepted", bad)
		}
	}
	keys, _, err := ParsePublicKeys([]byte("\xef\xbb\xbf" + edit(list(ok), `{"PublicKeyList"`, `{"NextToken":null,"Region":"eu-west-1","PublicKeyList"`)))
	if err != nil || len(keys) != 1 || keys[0].Region != "eu-west-1" {
		t.Errorf("with a region: %v %v", keys, err)
	}
}

func TestParseHash(t *testing.T) {
	text := strings.Repeat("0a", 32)
	h, err := ParseHash(text)
	if err != nil || h.String() != text || hex.EncodeToString(h[:]) != text {
		t.Errorf("%v %v", h, err)
	}
	for _, bad := range []string{"", text[1:], text + "0", text + "00", "0g" + text[2:], strings.Repeat("x", 1<<20)} {
		if _, err := ParseHash(bad); err == nil || len(err.Error()) > 200 {
			t.Errorf("%.80q: %v", bad, err)
		}
	}
}
