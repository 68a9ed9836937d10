package verifytest

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
)

const cekAlgorithm = "aws:x-amz-cek-alg" // in the context, binds the content's algorithm to the wrapped key

// s3ecV2 writes the S3 Encryption Client's object format V2.
func (e *sealer) s3ecV2(plain []byte) (ciphertext []byte, metadata map[string]string, instruction []byte) {
	data := e.draw(32)
	metadata = map[string]string{"x-amz-unencrypted-content-length": strconv.Itoa(len(plain))}
	var iv []byte
	switch e.Cipher {
	case "", "gcm":
		iv = e.draw(12)
		ciphertext = newGCM(data).Seal(nil, iv, plain, nil)
		metadata["x-amz-cek-alg"], metadata["x-amz-tag-len"] = "AES/GCM/NoPadding", "128"
	case "cbc":
		iv = e.draw(aes.BlockSize)
		ciphertext = sealCBC(data, iv, plain)
		metadata["x-amz-cek-alg"] = "AES/CBC/PKCS5Padding"
	default:
		e.fail(fmt.Errorf("there is no cipher %q", e.Cipher))
	}
	switch e.Wrap {
	case "", "kms+context":
		e.Wrap = "kms+context"
		e.Context[cekAlgorithm] = metadata["x-amz-cek-alg"]
	case "kms":
		e.Context["kms_cmk_id"] = e.Key
	default:
		e.fail(fmt.Errorf("there is no wrap %q", e.Wrap))
	}
	metadata["x-amz-wrap-alg"] = e.Wrap
	metadata["x-amz-matdesc"] = e.contextJSON()
	metadata["x-amz-iv"] = encode64(iv)
	metadata["x-amz-key-v2"] = encode64(e.wrap(e.Key, data))
	if e.Instruction {
		return ciphertext, nil, instructionFile(metadata)
	}
	return ciphertext, metadata, nil
}

// sealCBC pads as PKCS #7 says and encrypts without any tag.
func sealCBC(key, iv, plain []byte) []byte {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // the key was made here
	}
	n := aes.BlockSize - len(plain)%aes.BlockSize
	out := append(bytes.Clone(plain), bytes.Repeat([]byte{byte(n)}, n)...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(out, out)
	return out
}

// s3ecV3 writes the S3 Encryption Client's object format V3, in its only
// suite: AES-256-GCM under a derived key, with a commitment to it.
func (e *sealer) s3ecV3(plain []byte) (ciphertext []byte, metadata map[string]string, instruction []byte) {
	if e.Cipher != "" && e.Cipher != "gcm" || e.Wrap != "" && e.Wrap != "kms+context" {
		e.fail(fmt.Errorf("format V3 has no cipher %q with wrap %q", e.Cipher, e.Wrap))
	}
	const suite = "\x00\x73"
	data, id := e.draw(32), e.draw(28)
	commitment, key := e.derive(data, id, suite+"COMMITKEY", 28), e.derive(data, id, suite+"DERIVEKEY", 32)
	if e.err != nil {
		return nil, nil, nil
	}
	ciphertext = newGCM(key).Seal(nil, bytes.Repeat([]byte{1}, 12), plain, []byte(suite))
	e.Context[cekAlgorithm] = "115"
	metadata = map[string]string{"x-amz-c": "115", "x-amz-d": encode64(commitment), "x-amz-i": encode64(id)}
	wrapped := map[string]string{"x-amz-w": "12", "x-amz-t": e.contextJSON(), "x-amz-3": encode64(e.wrap(e.Key, data))}
	if e.Instruction {
		return ciphertext, metadata, instructionFile(wrapped)
	}
	maps.Copy(metadata, wrapped)
	metadata["x-amz-m"], metadata["x-amz-unencrypted-content-length"] = "", "" // as the Go client writes them
	return ciphertext, metadata, nil
}

// derive is HKDF with SHA-512.
func (e *sealer) derive(secret, salt []byte, info string, n int) []byte {
	key, err := hkdf.Key(sha512.New, secret, salt, info, n)
	if err != nil {
		e.fail(err)
	}
	return key
}

func (e *sealer) contextJSON() string { return string(instructionFile(e.Context)) }

// instructionFile is a map of strings as JSON.
func instructionFile(m map[string]string) []byte {
	b, err := json.Marshal(m)
	if err != nil {
		panic(err) // a map of strings always marshals
	}
	return b
}

func encode64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
