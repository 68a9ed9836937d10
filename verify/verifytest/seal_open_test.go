package verifytest

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash"
	"maps"
	"strings"
)

// unseal opens what Seal made, after the formats as published and with none
// of the sealers' code. It is no reader for anything but these tests: what
// cannot be opened panics somewhere, which is the error.
func unseal(k *KMS, body []byte, metadata map[string]string, instruction []byte) (plain []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("unseal: %v", p)
		}
	}()
	m := maps.Clone(metadata)
	if instruction != nil {
		inside := map[string]string{}
		must(0, json.Unmarshal(instruction, &inside))
		if m == nil {
			m = map[string]string{}
		}
		maps.Copy(m, inside)
	}
	switch {
	case m["x-amz-3"] != "":
		return unsealV3(k, body, m), nil
	case m["x-amz-key-v2"] != "":
		return unsealV2(k, body, m), nil
	}
	return unsealMessage(k, body), nil
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func bin(text string) []byte { return must(base64.StdEncoding.DecodeString(text)) }

// dataKey asks for the key of an S3 Encryption Client's envelope.
func dataKey(k *KMS, blob, pairs string) []byte {
	c := map[string]string{}
	must(0, json.Unmarshal([]byte(pairs), &c))
	key, _, err := k.Decrypt(context.Background(), bin(blob), c, "")
	return must(key, err)
}

func unsealV2(k *KMS, body []byte, m map[string]string) []byte {
	key := dataKey(k, m["x-amz-key-v2"], m["x-amz-matdesc"])
	if m["x-amz-cek-alg"] == "AES/GCM/NoPadding" {
		return openGCM(key, bin(m["x-amz-iv"]), body, nil)
	}
	out := bytes.Clone(body)
	cipher.NewCBCDecrypter(must(aes.NewCipher(key)), bin(m["x-amz-iv"])).CryptBlocks(out, out)
	return out[:len(out)-int(out[len(out)-1])]
}

func unsealV3(k *KMS, body []byte, m map[string]string) []byte {
	if m["x-amz-c"] != "115" || m["x-amz-w"] != "12" {
		panic("not the suite of format V3")
	}
	data, id := dataKey(k, m["x-amz-3"], m["x-amz-t"]), bin(m["x-amz-i"])
	if !bytes.Equal(must(hkdf.Key(sha512.New, data, id, "\x00\x73COMMITKEY", 28)), bin(m["x-amz-d"])) {
		panic("the commitment is another's")
	}
	key := must(hkdf.Key(sha512.New, data, id, "\x00\x73DERIVEKEY", 32))
	return openGCM(key, []byte(strings.Repeat("\x01", 12)), body, []byte{0, 0x73})
}

func openGCM(key, iv, sealed, additional []byte) []byte {
	return must(must(cipher.NewGCM(must(aes.NewCipher(key)))).Open(nil, iv, sealed, additional))
}

// A cursor takes a message apart.
type cursor struct {
	all []byte
	at  int
}

func (c *cursor) take(n int) []byte { c.at += n; return c.all[c.at-n : c.at] }
func (c *cursor) u16() int          { return int(binary.BigEndian.Uint16(c.take(2))) }
func (c *cursor) u32() int          { return int(binary.BigEndian.Uint32(c.take(4))) }
func (c *cursor) field() []byte     { return c.take(c.u16()) }

func unsealMessage(k *KMS, message []byte) []byte {
	c := &cursor{all: message}
	version := int(c.take(1)[0])
	if version == 1 {
		c.take(1)
	}
	suite := c.take(2)
	id := c.take(16 * version)
	pairs := c.pairs()
	var data []byte
	for n := c.u16(); n > 0; n-- {
		c.take(c.u16())
		arn := string(c.field())
		key, _, err := k.Decrypt(context.Background(), c.field(), pairs, arn)
		if data == nil {
			data = must(key, err)
		}
	}
	framed := c.take(1)[0] == 2
	if version == 1 {
		c.take(5)
	}
	frame := c.u32()
	key := messageKey(suite, data, id)
	if version == 2 && !bytes.Equal(c.take(32), must(hkdf.Key(sha512.New, data, id, "COMMITKEY", 32))) {
		panic("the commitment is another's")
	}
	header, iv := message[:c.at], make([]byte, 12)
	if version == 1 {
		iv = c.take(12)
	}
	openGCM(key, iv, c.take(16), header)
	plain := c.body(key, id, framed, frame)
	if text, ok := pairs["aws-crypto-public-key"]; ok {
		c.checkSignature(bin(text))
	}
	if c.at != len(message) {
		panic("something follows the message")
	}
	return plain
}

func messageKey(suite, data, id []byte) []byte {
	var h func() hash.Hash
	switch {
	case suite[0] == 0:
		return data
	case suite[0] >= 4:
		return must(hkdf.Key(sha512.New, data, id, string(suite)+"DERIVEKEY", 32))
	case suite[0] == 3:
		h = sha512.New384
	default:
		h = sha256.New
	}
	return must(hkdf.Key(h, data, nil, string(suite)+string(id), len(data)))
}

func (c *cursor) pairs() map[string]string {
	pairs := map[string]string{}
	if c.u16() == 0 {
		return pairs
	}
	for n := c.u16(); n > 0; n-- {
		name := string(c.field())
		pairs[name] = string(c.field())
	}
	return pairs
}

func (c *cursor) body(key, id []byte, framed bool, frame int) (plain []byte) {
	part := func(label string, sequence uint32, iv []byte, n int) []byte {
		additional := append(bytes.Clone(id), "AWSKMSEncryptionClient "+label...)
		additional = binary.BigEndian.AppendUint32(additional, sequence)
		additional = binary.BigEndian.AppendUint64(additional, uint64(n))
		return openGCM(key, iv, c.take(n+16), additional)
	}
	if !framed {
		iv := c.take(12)
		c.take(4) // the high half of the length
		return part("Single Block", 1, iv, c.u32())
	}
	for sequence := uint32(1); ; sequence++ {
		n := uint32(c.u32())
		if n == 0xffffffff {
			c.take(4)
			iv := c.take(12)
			return append(plain, part("Final Frame", sequence, iv, c.u32())...)
		}
		if n != sequence {
			panic("a frame is out of its place")
		}
		plain = append(plain, part("Frame", sequence, c.take(12), frame)...)
	}
}

func (c *cursor) checkSignature(point []byte) {
	signed := c.all[:c.at]
	curve, sum := elliptic.P384(), sha512.Sum384(signed)
	hashed := sum[:]
	if len(point) == 33 {
		short := sha256.Sum256(signed)
		curve, hashed = elliptic.P256(), short[:]
	}
	x, y := elliptic.UnmarshalCompressed(curve, point)
	n := len(point) - 1
	raw := append([]byte{4}, append(x.FillBytes(make([]byte, n)), y.FillBytes(make([]byte, n))...)...)
	if !ecdsa.VerifyASN1(must(ecdsa.ParseUncompressedPublicKey(curve, raw)), hashed, c.field()) {
		panic("the signature is wrong")
	}
}
