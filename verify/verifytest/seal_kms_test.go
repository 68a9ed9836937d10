package verifytest_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/trailseal/trailseal/kms"
	"github.com/trailseal/trailseal/verify/verifytest"
)

var _ kms.Decrypter = (*verifytest.KMS)(nil)

// TestSealsOpen lets the product's own opener open every kind of seal with the
// stand-in for KMS: they were written apart from each other.
func TestSealsOpen(t *testing.T) {
	const key = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000001"
	k := verifytest.NewKMS()
	opener := &kms.Opener{KMS: k, Keys: []string{key}}
	all := []verifytest.Seal{
		{Scheme: "s3ec-v2"}, {Scheme: "s3ec-v2", Cipher: "cbc"}, {Scheme: "s3ec-v2", Wrap: "kms", Instruction: true},
		{Scheme: "s3ec-v3"}, {Scheme: "s3ec-v3", Instruction: true},
		{Scheme: "esdk-v1", Frame: -1}, {Scheme: "esdk-v2", Frame: 16}, {Scheme: "esdk-v2", Frame: -1},
		{Scheme: "esdk-v2", Suite: 0x0578},
	}
	for _, suite := range []uint16{0x0014, 0x0046, 0x0078, 0x0114, 0x0146, 0x0178, 0x0214, 0x0346, 0x0378} {
		all = append(all, verifytest.Seal{Scheme: "esdk-v1", Suite: suite})
	}
	for i, s := range all {
		s.Key, s.Context = key, map[string]string{"Größe": `<&"`}
		for _, n := range []int{0, 16, 5000} {
			plain := bytes.Repeat([]byte{byte(n)}, n)
			name := fmt.Sprintf("%d bytes, %+v", n, s)
			sealed, metadata, instruction, err := k.SealBytes(s, plain, pattern{byte(i)})
			if err != nil {
				t.Fatal(name, err)
			}
			got, err := opener.Open(context.Background(), kms.Sealed{
				Metadata: metadata, Body: bytes.NewReader(sealed), Size: int64(len(sealed)), Instruction: instruction,
			})
			if err != nil {
				t.Error(name, err)
				continue
			}
			content, err := io.ReadAll(got.Body)
			if err != nil || !bytes.Equal(content, plain) || got.Key != key || string(got.Scheme) != s.Scheme || got.Authenticated == (s.Cipher == "cbc") {
				t.Errorf("%s: %d bytes, %+v, %v", name, len(content), got, err)
			}
		}
	}
}

// A pattern gives bytes that are not random at all.
type pattern struct{ b byte }

func (z pattern) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = z.b + byte(i)
	}
	return len(p), nil
}
