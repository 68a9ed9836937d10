package digest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"strings"
	"testing"
	"time"
)

// What FormatPublicKeys writes ParsePublicKeys reads, regions included.
func TestPublicKeysAreWrittenAsTheyAreRead(t *testing.T) {
	private, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 3, 1, 1, 2, 3, 500e6, time.UTC)
	var keys []PublicKey
	for _, region := range []string{"eu-west-1", "", "us-gov-east-1"} {
		k, err := NewPublicKey(x509.MarshalPKCS1PublicKey(&private.PublicKey), "", start, start.AddDate(0, 0, 30))
		if err != nil {
			t.Fatal(err)
		}
		k.Region = region
		keys = append(keys, k)
	}
	text := FormatPublicKeys(keys)
	read, rejected, err := ParsePublicKeys(text)
	if err != nil || len(rejected) > 0 || len(read) != len(keys) {
		t.Fatalf("%d keys, rejected %v, error %v", len(read), rejected, err)
	}
	for i, k := range read {
		if k.Region != keys[i].Region || k.Fingerprint != keys[i].Fingerprint || !k.Start.Equal(start) || !k.End.Equal(keys[i].End) {
			t.Errorf("key %d: %+v", i, k)
		}
	}
	bad := strings.Replace(string(text), "eu-west-1", "../../etc", 1)
	if read, rejected, err := ParsePublicKeys([]byte(bad)); err != nil || len(rejected) != 1 || len(read) != 2 {
		t.Errorf("a region that is none: %d keys, rejected %v, error %v", len(read), rejected, err)
	}
}
