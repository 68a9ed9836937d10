package kms

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// Keys of the table KMS. Nothing is protected by them.
const (
	arn1  = "arn:aws:kms:us-east-1:111122223333:key/00000000-0000-4000-8000-000000000001"
	arn2  = "arn:aws:kms:us-east-1:111122223333:key/00000000-0000-4000-8000-000000000002"
	mrkUS = "arn:aws:kms:us-east-1:111122223333:key/mrk-00000000000040008000000000000003"
	mrkEU = "arn:aws:kms:eu-west-1:111122223333:key/mrk-00000000000040008000000000000003"
)

// A tableKMS is KMS as the vectors have it: a wrapped key is the length of the
// ARN, the ARN, a version of 4 bytes, the nonce, and the data key under AES-GCM
// with the encryption context as additional data.
type tableKMS struct {
	keys   map[string][]byte
	refuse map[string]string // code, by the key that is asked; with a blank: the message as well
	errs   map[string]error  // likewise, as they are
	calls  []call
}

type call struct {
	key     string
	context map[string]string
}

// An apiError is as the SDK's are.
type apiError struct{ code, message string }

func (e *apiError) Error() string        { return "api error " + e.code + ": " + e.message }
func (e *apiError) ErrorCode() string    { return e.code }
func (e *apiError) ErrorMessage() string { return e.message }

func newTable() *tableKMS {
	k := &tableKMS{keys: map[string][]byte{}, refuse: map[string]string{}, errs: map[string]error{}}
	for i, arn := range []string{arn1, arn2, mrkUS, mrkEU} {
		k.keys[arn] = make([]byte, 32)
		for j := range k.keys[arn] {
			k.keys[arn][j] = byte(min(i, 2)*32 + j)
		}
	}
	return k
}

func contextAAD(c map[string]string) (aad []byte) {
	for _, name := range slices.Sorted(maps.Keys(c)) {
		aad = append(aad, name+c[name]...)
	}
	return aad
}

func (k *tableKMS) Decrypt(ctx context.Context, blob []byte, c map[string]string, key string) ([]byte, string, error) {
	k.calls = append(k.calls, call{key, c})
	if err := cmp.Or(ctx.Err(), k.errs[key]); err != nil {
		return nil, "", err
	}
	if code := k.refuse[key]; code != "" {
		code, message, _ := strings.Cut(code, " ")
		return nil, "", &apiError{code, message}
	}
	n := int(blob[0])
	if len(blob) < 1+n+4+ivGCM+tagLength {
		return nil, "", &apiError{"InvalidCiphertextException", ""}
	}
	arn, rest := string(blob[1:1+n]), blob[1+n+4:]
	if k.keys[arn] == nil {
		return nil, "", &apiError{"AccessDeniedException", "User: x is not authorized to perform: kms:Decrypt"}
	}
	used := cmp.Or(key, arn)
	if !sameKey(used, arn) {
		return nil, "", &apiError{"IncorrectKeyException", "The key ID in the request does not identify a CMK that can perform this operation."}
	}
	aead, _ := newGCM(k.keys[arn])
	plain, err := aead.Open(nil, rest[:ivGCM], rest[ivGCM:], contextAAD(c))
	if err != nil {
		return nil, "", &apiError{"InvalidCiphertextException", ""}
	}
	return plain, used, nil
}

// wrap makes a wrapped key.
func (k *tableKMS) wrap(arn string, dataKey []byte, c map[string]string) []byte {
	nonce := make([]byte, ivGCM)
	rand.Read(nonce)
	aead, _ := newGCM(k.keys[arn])
	blob := append([]byte{byte(len(arn))}, arn...)
	blob = append(append(blob, 0, 0, 0, 0), nonce...)
	return aead.Seal(blob, nonce, dataKey, contextAAD(c))
}

const vectorFolder = "../../shared/vectors/kms/"

func vectorFile(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(vectorFolder + name)
	if err != nil {
		t.Skipf("SKIPPED: what other libraries sealed is not opened: %v", err)
	}
	return data
}

func vectorJSON(t *testing.T, name string, v any) {
	t.Helper()
	if err := json.Unmarshal(vectorFile(t, name), v); err != nil {
		t.Fatal(err)
	}
}

// vectorKMS is the table with the vectors' own keys.
func vectorKMS(t *testing.T) *tableKMS {
	t.Helper()
	var file struct {
		Keys []struct {
			ARN string
			Key string `json:"key_hex"`
		}
	}
	vectorJSON(t, "kms_keys.json", &file)
	k := newTable()
	clear(k.keys)
	for _, key := range file.Keys {
		k.keys[key.ARN], _ = hex.DecodeString(key.Key)
	}
	if len(k.keys) != 2 {
		t.Fatalf("%d keys", len(k.keys))
	}
	return k
}
