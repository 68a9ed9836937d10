package digest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// The specimens have the shape of AWS's documentation, one of each kind.
const (
	normal = `{
    "awsAccountId": "111122223333",
    "digestStartTime": "2015-08-17T14:01:31Z",
    "digestEndTime": "2015-08-17T15:01:31Z",
    "digestS3Bucket": "amzn-s3-demo-bucket",
    "digestS3Object": "AWSLogs/111122223333/CloudTrail-Digest/us-east-2/2015/08/17/111122223333_CloudTrail-Digest_us-east-2_your-trail-name_us-east-2_20150817T150131Z.json.gz",
    "digestPublicKeyFingerprint": "31e8b5433410dfb61a9dc45cc65b22ff",
    "digestSignatureAlgorithm": "SHA256withRSA",
    "newestEventTime": "2015-08-17T14:52:27Z",
    "oldestEventTime": "2015-08-17T14:42:27Z",
    "previousDigestS3Bucket": "amzn-s3-demo-bucket",
    "previousDigestS3Object": "AWSLogs/111122223333/CloudTrail-Digest/us-east-2/2015/08/17/111122223333_CloudTrail-Digest_us-east-2_your-trail-name_us-east-2_20150817T140131Z.json.gz",
    "previousDigestHashValue": "97fb791cf91ffc440d274f8190dbdd9aa09c34432aba82739df18b6d3c13df2d",
    "previousDigestHashAlgorithm": "SHA-256",
    "previousDigestSignature": "50887ccffad4c002b97caa37cc9dc626e3c680207d41d27fa5835458e066e0d3",
    "logFiles": [
      {
        "s3Bucket": "amzn-s3-demo-bucket",
        "s3Object": "AWSLogs/111122223333/CloudTrail/us-east-2/2015/08/17/111122223333_CloudTrail_us-east-2_20150817T1445Z_9nYN7gp2eWAJHIfT.json.gz",
        "hashValue": "9bb6196fc6b84d6f075a56548feca262bd99ba3c2de41b618e5b6e22c1fc71f6",
        "hashAlgorithm": "SHA-256",
        "newestEventTime": "2015-08-17T14:52:27Z",
        "oldestEventTime": "2015-08-17T14:42:27Z"
      }
    ]
  }`
	starting = `{"awsAccountId":"111122223333","digestStartTime":"2026-09-22T14:29:23Z","digestEndTime":"2026-09-22T15:29:23Z",` +
		`"digestS3Bucket":"trail-bucket","digestS3Object":"AWSLogs\/111122223333\/CloudTrail-Digest\/us-east-1\/2026\/09\/22\/111122223333_CloudTrail-Digest_us-east-1_t_us-east-1_20260922T152923Z.json.gz",` +
		`"newestEventTime":null,"oldestEventTime":null,"previousDigestS3Bucket":null,"previousDigestS3Object":null,` +
		`"previousDigestHashValue":null,"previousDigestHashAlgorithm":null,"previousDigestSignature":null,` +
		`"digestPublicKeyFingerprint":"28f6b7a258b62ece75008b18eaffc92b","digestSignatureAlgorithm":"SHA256withRSA","logFiles":[]}`
)

// The others are the normal one with a few words changed.
var (
	empty = edit(normal, `"2015-08-17T14:52:27Z",
    "oldestEventTime": "2015-08-17T14:42:27Z"`, `null, "oldestEventTime": null`,
		normal[strings.Index(normal, "[\n"):strings.Index(normal, "]")], "[")
	backfill = edit(normal, `150131Z.json`, `150131Z_backfill.json`, `140131Z.json`, `140131Z_backfill.json`)
	org      = edit(normal, `AWSLogs/`, `audit/AWSLogs/o-exampleorgid/`)
)

func edit(text string, oldnew ...string) string {
	return strings.NewReplacer(oldnew...).Replace(text)
}

var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// newTestKey makes the public half of testKey what CloudTrail would return.
func newTestKey(t testing.TB) PublicKey {
	t.Helper()
	from := time.Date(2015, 8, 1, 0, 0, 0, 0, time.UTC)
	k, err := NewPublicKey(x509.MarshalPKCS1PublicKey(&testKey().PublicKey), "", from, from.AddDate(0, 0, 30))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func sign(t testing.TB, h crypto.Hash, text string) string {
	t.Helper()
	w := h.New()
	w.Write([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, testKey(), h, w.Sum(nil))
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", sig)
}

// manyLogs is a digest of n log files, of the size that real ones have.
func manyLogs(n int) []byte {
	entry := normal[strings.Index(normal, "[\n")+1 : strings.Index(normal, "]")]
	entry = edit(entry, "\n", "", "  ", "")
	return []byte(edit(normal, normal[strings.Index(normal, "[\n"):strings.Index(normal, "]")],
		"["+strings.TrimSuffix(strings.Repeat(entry+",", n), ",")))
}
