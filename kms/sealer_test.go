package kms

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A sealer seals what the tests open, by the same formats and by other code.
type sealer struct{ *tableKMS }

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

var b64 = base64.StdEncoding.EncodeToString

func object(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func inMemoryObject(meta map[string]string, body []byte) Sealed {
	return Sealed{Metadata: meta, Body: bytes.NewReader(body), Size: int64(len(body))}
}

// v2 seals format V2. The wrap is the legacy one where the context is nil.
func (s sealer) v2(contentCipher string, context map[string]string, plain []byte) (meta map[string]string, body []byte) {
	wrap := wrapContext
	if context == nil {
		wrap, context = wrapLegacy, map[string]string{hintedKey: arn1}
	} else {
		context = maps.Clone(context)
		context[boundCipher] = contentCipher
	}
	key := random(32)
	meta = map[string]string{fieldKeyV2: b64(s.wrap(arn1, key, context)), fieldContext: object(context), fieldWrap: wrap, fieldCipher: contentCipher, "other": "x"}
	if contentCipher == cipherCBC {
		iv := random(16)
		meta[fieldIV] = b64(iv)
		pad := 16 - len(plain)%16
		body = append(slices.Clone(plain), bytes.Repeat([]byte{byte(pad)}, pad)...)
		block, _ := aes.NewCipher(key)
		cipher.NewCBCEncrypter(block, iv).CryptBlocks(body, body)
		return meta, body
	}
	iv := random(12)
	meta[fieldIV], meta[fieldTag] = b64(iv), "128"
	aead, _ := newGCM(key)
	return meta, aead.Seal(nil, iv, plain, nil)
}

// v3 seals format V3.
func (s sealer) v3(context map[string]string, plain []byte) (meta map[string]string, body []byte) {
	context = maps.Clone(context)
	context[boundCipher] = "115"
	key, id := random(32), random(28)
	prk, _ := hkdf.Extract(sha512.New, key, id)
	commitment, _ := hkdf.Expand(sha512.New, prk, "\x00sCOMMITKEY", 28)
	content, _ := hkdf.Expand(sha512.New, prk, "\x00sDERIVEKEY", 32)
	meta = map[string]string{"x-amz-c": "115", "x-amz-d": b64(commitment), "x-amz-i": b64(id), "x-amz-3": b64(s.wrap(arn1, key, context)),
		"x-amz-w": "12", "x-amz-t": object(context), "x-amz-m": ""}
	aead, _ := newGCM(content)
	return meta, aead.Seal(nil, bytes.Repeat([]byte{1}, 12), plain, []byte{0, 0x73})
}

// A messageForm says what message is wanted.
type messageForm struct {
	suite   uint16
	frame   uint32 // 0: unframed
	context map[string]string
	keys    []string
	edks    []byte // instead of those that wrap the data key with keys; with their count
	damage  func(m *sealedMessage)
}

// A sealedMessage is one in the making.
type sealedMessage struct {
	aead    cipher.AEAD
	id      []byte
	body    []byte // header and pieces
	piece   uint32
	trailer []byte
}

func lengthed(b []byte, text string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(text))), text...)
}

// message seals a message of the AWS Encryption SDK.
func (s sealer) message(f messageForm, plain []byte) []byte {
	su := suites[f.suite]
	context := maps.Clone(f.context)
	var private *ecdsa.PrivateKey
	if su.curve != nil {
		private, _ = ecdsa.GenerateKey(su.curve, rand.Reader)
		point, _ := private.PublicKey.Bytes()
		half := 1 + len(point)/2
		context["aws-crypto-public-key"] = b64(append([]byte{2 + point[len(point)-1]&1}, point[1:half]...))
	}
	dataKey, idLength := random(su.key), 16
	head := []byte{1, 0x80}
	if su.version == 2 {
		head, idLength = []byte{2}, 32
	}
	m := &sealedMessage{id: random(idLength)}
	suiteID := binary.BigEndian.AppendUint16(nil, f.suite)
	head = slices.Concat(head, suiteID, m.id, aadSection(context), s.edkSection(f, dataKey, context))
	content, commitment := contentKeys(su, suiteID, m.id, dataKey)
	head = append(head, map[bool]byte{true: 1, false: 2}[f.frame == 0])
	iv := make([]byte, 12)
	if su.version == 1 {
		head = append(head, 0, 0, 0, 0, 12)
		iv = random(12)
	}
	head = append(binary.BigEndian.AppendUint32(head, f.frame), commitment...)
	m.aead, _ = newGCM(content)
	tag := m.aead.Seal(nil, iv, nil, head)
	m.body = head
	if su.version == 1 {
		m.body = append(m.body, iv...)
	}
	m.body = append(m.body, tag...)
	m.pieces(f.frame, plain)
	if f.damage != nil {
		f.damage(m)
	}
	if private != nil {
		sum := su.sign()
		sum.Write(m.body)
		der, _ := ecdsa.SignASN1(rand.Reader, private, sum.Sum(nil))
		m.body = lengthed(m.body, string(der))
	}
	return append(m.body, m.trailer...)
}

func aadSection(context map[string]string) []byte {
	if len(context) == 0 {
		return []byte{0, 0}
	}
	pairs := binary.BigEndian.AppendUint16(nil, uint16(len(context)))
	for _, name := range slices.Sorted(maps.Keys(context)) {
		pairs = lengthed(lengthed(pairs, name), context[name])
	}
	return lengthed(nil, string(pairs))
}

func (s sealer) edkSection(f messageForm, dataKey []byte, context map[string]string) []byte {
	if f.edks != nil {
		return f.edks
	}
	section := binary.BigEndian.AppendUint16(nil, uint16(len(f.keys)))
	for _, key := range f.keys {
		section = edk(section, "aws-kms", key, s.wrap(key, dataKey, context))
	}
	return section
}

func edk(section []byte, provider, info string, blob []byte) []byte {
	return lengthed(lengthed(lengthed(section, provider), info), string(blob))
}

func contentKeys(su suite, suiteID, id, dataKey []byte) (content, commitment []byte) {
	if su.derive == nil {
		return dataKey, nil
	}
	if !su.commits {
		content, _ = hkdf.Key(su.derive, dataKey, make([]byte, su.derive().Size()), string(suiteID)+string(id), su.key)
		return content, nil
	}
	commitment, _ = hkdf.Key(su.derive, dataKey, id, "COMMITKEY", 32)
	content, _ = hkdf.Key(su.derive, dataKey, id, string(suiteID)+"DERIVEKEY", su.key)
	return content, commitment
}

func (m *sealedMessage) pieces(frame uint32, plain []byte) {
	if frame == 0 {
		m.add("AWSKMSEncryptionClient Single Block", plain)
		return
	}
	for len(plain) > int(frame) {
		m.add("AWSKMSEncryptionClient Frame", plain[:frame])
		plain = plain[frame:]
	}
	m.add("AWSKMSEncryptionClient Final Frame", plain)
}

func (m *sealedMessage) add(label string, content []byte) {
	m.piece++
	iv := binary.BigEndian.AppendUint32(make([]byte, 8), m.piece)
	switch {
	case strings.HasSuffix(label, "Block"):
		m.body = append(m.body, iv...)
		m.body = binary.BigEndian.AppendUint64(m.body, uint64(len(content)))
	case strings.HasSuffix(label, "Final Frame"):
		m.body = append(m.body, 0xff, 0xff, 0xff, 0xff)
		m.body = append(binary.BigEndian.AppendUint32(m.body, m.piece), iv...)
		m.body = binary.BigEndian.AppendUint32(m.body, uint32(len(content)))
	default:
		m.body = append(binary.BigEndian.AppendUint32(m.body, m.piece), iv...)
	}
	aad := binary.BigEndian.AppendUint32(append(slices.Clone(m.id), label...), m.piece)
	aad = binary.BigEndian.AppendUint64(aad, uint64(len(content)))
	m.body = m.aead.Seal(m.body, iv, content, aad)
}

var someContext = map[string]string{"aws:cloudtrail:arn": "arn:aws:cloudtrail:us-east-1:111122223333:trail/t", "purpose": "archive"}

// A specimen is one sealed object.
type specimen struct {
	name string
	in   Sealed
	body []byte
	want Scheme
}

// specimens seals one content in every way there is.
func specimens(s sealer, plain []byte) (all []specimen) {
	add := func(name string, want Scheme, meta map[string]string, body []byte, instruction string) {
		in := inMemoryObject(meta, body)
		if instruction != "" {
			in.Instruction = []byte(instruction)
		}
		all = append(all, specimen{name, in, body, want})
	}
	meta, body := s.v2(cipherGCM, someContext, plain)
	add("v2 gcm", S3ECv2, meta, body, "")
	for scheme := Plain; scheme != Unknown; { // a ciphertext may begin like text by chance
		meta, body = s.v2(cipherGCM, someContext, plain)
		scheme, _ = Look(nil, body[:HeadBytes])
	}
	add("v2 gcm, instruction file", S3ECv2, map[string]string{"other": "x"}, body, object(meta))
	add("v2 gcm, instruction file with a number", S3ECv2, nil, body, strings.Replace(object(meta), `"128"`, `128`, 1))
	meta, body = s.v2(cipherGCM, nil, plain)
	add("v2 gcm, legacy wrap", S3ECv2, meta, body, "")
	meta, body = s.v2(cipherCBC, nil, plain)
	add("v2 cbc, legacy wrap", S3ECv2, meta, body, "")
	meta, body = s.v2(cipherCBC, someContext, plain)
	add("v2 cbc", S3ECv2, meta, body, "")
	meta, body = s.v3(someContext, plain)
	add("v3", S3ECv3, meta, body, "")
	half := map[string]string{"x-amz-c": meta["x-amz-c"], "x-amz-d": meta["x-amz-d"], "x-amz-i": meta["x-amz-i"]}
	add("v3, instruction file", S3ECv3, half, body, object(map[string]string{"x-amz-3": meta["x-amz-3"], "x-amz-w": "12", "x-amz-t": meta["x-amz-t"]}))
	for id, su := range suites {
		for _, frame := range []uint32{0, 64, 4096} {
			f := messageForm{suite: id, frame: frame, context: someContext, keys: []string{arn1, arn2}}
			scheme := map[byte]Scheme{1: ESDKv1, 2: ESDKv2}[su.version]
			add(fmt.Sprintf("message %04x, frames of %d", id, frame), scheme, nil, s.message(f, plain), "")
		}
	}
	return all
}
