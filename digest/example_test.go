package digest_test

import (
	"bytes"
	"compress/gzip"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/trailseal/trailseal/digest"
)

// Verify one digest file: its container, its content, its place, its key and
// its signature. What its logs hash to is asked of HashGzip, one by one.
func Example() {
	key, stored, signature, public := fromCloudTrail()

	raw, content, err := digest.ReadGzip(bytes.NewReader(stored), 256<<20)
	if err != nil || content.Form != digest.Exact {
		fmt.Println("the stored bytes:", content.Form, err)
		return
	}
	record, err := digest.Parse(raw)
	if err != nil {
		fmt.Println(err)
		return
	}
	name, err := digest.ParseName(key)
	if err != nil || record.Object != key || name.Stated(record) != nil {
		fmt.Println("it was written to another place")
		return
	}
	if public.Fingerprint != record.Fingerprint || !public.ValidAt(record.End) {
		fmt.Println("not the key it names, or not valid then")
		return
	}
	if err := public.Verify(record, signature); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s, trail %q: %d logs delivered by %s\n", name.Chain.Region, name.Chain.Trail, len(record.Logs), record.EndText)
	fmt.Println("starting digest:", record.Previous == nil)
	// Output:
	// us-east-2, trail "my_trail": 0 logs delivered by 2026-03-10T07:00:00Z
	// starting digest: true
}

// fromCloudTrail stands for S3 and ListPublicKeys.
func fromCloudTrail() (key string, stored []byte, signature string, public digest.PublicKey) {
	private, _ := rsa.GenerateKey(rand.Reader, 2048)
	end := time.Date(2026, 3, 10, 7, 0, 0, 0, time.UTC)
	public, _ = digest.NewPublicKey(x509.MarshalPKCS1PublicKey(&private.PublicKey), "", end.AddDate(0, 0, -10), end.AddDate(0, 0, 20))
	key = "AWSLogs/111122223333/CloudTrail-Digest/us-east-2/2026/03/10/" +
		"111122223333_CloudTrail-Digest_us-east-2_my_trail_us-east-2_20260310T070000Z.json.gz"
	text := `{"awsAccountId":"111122223333","digestStartTime":"2026-03-10T06:00:00Z","digestEndTime":"2026-03-10T07:00:00Z",` +
		`"digestS3Bucket":"example-bucket","digestS3Object":"` + key + `","digestPublicKeyFingerprint":"` + public.Fingerprint + `",` +
		`"digestSignatureAlgorithm":"SHA256withRSA","logFiles":[]}`
	record, _ := digest.Parse([]byte(text))
	sum := sha256.Sum256([]byte(record.StringToSign()))
	sig, _ := rsa.SignPKCS1v15(rand.Reader, private, crypto.SHA256, sum[:])
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte(text))
	w.Close()
	return key, b.Bytes(), hex.EncodeToString(sig), public
}
