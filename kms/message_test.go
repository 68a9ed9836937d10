package kms

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
)

// Bodies that a holder of the key could write, and no library does.
func TestDamagedMessages(t *testing.T) {
	s := sealer{newTable()}
	plain := []byte(strings.Repeat("0123456789", 13))
	form := messageForm{suite: 0x0578, frame: 64, context: someContext, keys: []string{arn1}}
	again := func(f func(m *sealedMessage)) func(m *sealedMessage) {
		return func(m *sealedMessage) {
			m.body = m.body[:len(m.body)-(2*(4+12+64+16)+4+4+12+4+2+16)] // two frames, and 2 bytes in the last
			m.piece = 0
			f(m)
		}
	}
	const frame, final = "AWSKMSEncryptionClient Frame", "AWSKMSEncryptionClient Final Frame"
	for name, c := range map[string]struct {
		damage func(m *sealedMessage)
		want   Reason
	}{
		"none":                {func(m *sealedMessage) {}, different},
		"anew":                {again(func(m *sealedMessage) { m.pieces(64, plain) }), different},
		"empty last frame":    {again(func(m *sealedMessage) { m.add(frame, plain[:64]); m.add(final, nil) }), different},
		"only an empty frame": {again(func(m *sealedMessage) { m.add(final, nil) }), different},
		"nothing":             {again(func(m *sealedMessage) {}), Altered}, // the signature is read as a frame
		"no last frame":       {again(func(m *sealedMessage) { m.add(frame, plain[:64]); m.add(frame, plain[:64]) }), Altered},
		"short frame":         {again(func(m *sealedMessage) { m.add(frame, plain[:63]); m.add(final, plain) }), Altered},
		"long last frame":     {again(func(m *sealedMessage) { m.add(final, plain[:65]) }), Altered},
		"frame left out":      {again(func(m *sealedMessage) { m.piece = 1; m.add(final, plain[:5]) }), Altered},
		"frame twice": {again(func(m *sealedMessage) {
			m.add(frame, plain[:64])
			m.piece = 0
			m.add(frame, plain[:64])
			m.add(final, nil)
		}), Altered},
		"two last frames": {again(func(m *sealedMessage) { m.add(final, plain[:5]); m.add(final, plain[:5]) }), Altered}, // its bytes are no signature
		"one piece":       {again(func(m *sealedMessage) { m.add("AWSKMSEncryptionClient Single Block", plain) }), Altered},
		"bytes follow":    {func(m *sealedMessage) { m.trailer = []byte{0} }, Malformed},
		"message follows": {func(m *sealedMessage) { m.trailer = s.message(form, plain) }, Malformed},
	} {
		form.damage = nil
		damaged := form
		damaged.damage = c.damage
		body := s.message(damaged, plain)
		for how, reader := range readers {
			in := Sealed{}
			in.Body, in.Size = reader(body)
			opened, err := (&Opener{KMS: s, AnyKey: true}).Open(context.Background(), in)
			got := Reason("")
			if err == nil {
				got = end(t, opened, nil, nil, "")
			} else {
				got = end(t, nil, err, nil, "")
			}
			if got != c.want && !(name == "two last frames" && got == Malformed) {
				t.Errorf("%s, %s: %s, %v", name, how, got, err)
			}
		}
	}
}

// No byte of the last frame is handed on before the signature was checked.
func TestSignatureComesFirst(t *testing.T) {
	s := sealer{newTable()}
	plain := bytes.Repeat([]byte("a"), 640)
	body := s.message(messageForm{suite: 0x0378, frame: 64, context: someContext, keys: []string{arn1}}, plain)
	body[len(body)-1] ^= 1
	opened, err := (&Opener{KMS: s, AnyKey: true}).Open(context.Background(), streamed(inMemoryObject(nil, body)))
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(opened.Body)
	if !blamed(err) || len(got) != 576 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if n, again := opened.Body.Read(make([]byte, 1)); n != 0 || again != err {
		t.Errorf("then %d, %v", n, again)
	}
}

// Headers that KMS is not asked for.
func TestHeaders(t *testing.T) {
	s := sealer{newTable()}
	blob := s.wrap(arn1, random(32), someContext)
	edks := func(count uint16, sections ...[]byte) []byte {
		return append(binary.BigEndian.AppendUint16(nil, count), bytes.Join(sections, nil)...)
	}
	other := edk(nil, "raw-rsa", "key", blob)
	context257 := map[string]string{}
	for i := range mostPairs + 1 {
		context257[fmt.Sprint(i)] = ""
	}
	for name, c := range map[string]struct {
		form messageForm
		want Reason
	}{
		"no keys":          {messageForm{edks: edks(0)}, Malformed},
		"another provider": {messageForm{edks: edks(1, other)}, MasterKeyNeeded},
		"KMS, otherwise":   {messageForm{edks: edks(2, other, edk(nil, "aws-kms-hierarchy", arn1, blob))}, Unsupported},
		"alias":            {messageForm{edks: edks(1, edk(nil, "aws-kms", strings.Replace(arn1, ":key/", ":alias/", 1), blob))}, KeyNotAllowed},
		"no ARN":           {messageForm{edks: edks(1, edk(nil, "aws-kms", "x\n\x1b[31m", blob))}, KeyNotAllowed},
		"no blob":          {messageForm{edks: edks(1, edk(nil, "aws-kms", arn1, nil))}, Malformed},
		"long blob":        {messageForm{edks: edks(1, edk(nil, "aws-kms", arn1, random(mostWrapped+1)))}, Malformed},
		"too long":         {messageForm{edks: edks(20, bytes.Repeat(edk(nil, "raw", "x", random(65000)), 20))}, TooLarge},
		"more than said":   {messageForm{edks: edks(1, other, other)}, Malformed},
		"public key":       {messageForm{keys: []string{arn1}, context: map[string]string{publicKey: "AAAA"}}, Malformed},
		"many pairs":       {messageForm{keys: []string{arn1}, context: context257}, Malformed},
		"no UTF-8":         {messageForm{keys: []string{arn1}, context: map[string]string{"a": "\xff"}}, Malformed},
	} {
		c.form.suite, c.form.frame = 0x0478, 64
		s.calls = nil
		_, err := (&Opener{KMS: s, AnyKey: true}).Open(context.Background(), inMemoryObject(nil, s.message(c.form, []byte("x"))))
		if got := end(t, nil, err, nil, ""); got != c.want || len(s.calls) > 0 || strings.ContainsAny(err.Error(), "\x1b\n") {
			t.Errorf("%s: %d calls, %v", name, len(s.calls), err)
		}
	}
	good := s.message(messageForm{suite: 0x0178, frame: 64, keys: []string{arn1}, context: map[string]string{"a": "1", "b": "2"}}, []byte("x"))
	rest := bytes.Index(good, []byte(arn1)) + len(arn1)
	rest += 2 + int(binary.BigEndian.Uint16(good[rest:])) // behind the encrypted data keys
	for name, c := range map[string]struct {
		at   int
		to   string
		want Reason
	}{
		"right":            {0, "\x01", different},
		"suite of format2": {2, "\x04\x78", Malformed},
		"not sorted":       {24, "\x00\x01b\x00\x012\x00\x01a\x00\x011", Malformed},
		"twice":            {24, "\x00\x01a\x00\x011\x00\x01a\x00\x011", Malformed},
		"context length":   {20, "\x00\x0f", Malformed},
		"context short":    {20, "\x00\x0d", Malformed},
		"no pairs":         {22, "\x00\x00", Malformed},
		"one pair":         {22, "\x00\x01", Malformed},
		"content type 0":   {rest, "\x00", Malformed},
		"content type 1":   {rest, "\x01", Malformed},
		"content type 3":   {rest, "\x03", Malformed},
		"reserved":         {rest + 1, "\x00\x00\x00\x01", Malformed},
		"IV length":        {rest + 5, "\x0d", Malformed},
		"frames of none":   {rest + 6, "\x00\x00\x00\x00", Malformed},
		"frames of more":   {rest + 6, "\x00\x01\x00\x00", Altered},
	} {
		body := append(append(bytes.Clone(good[:c.at]), c.to...), good[c.at+len(c.to):]...)
		opened, err := (&Opener{KMS: s, AnyKey: true}).Open(context.Background(), inMemoryObject(nil, body))
		if got := end(t, opened, err, nil, ""); got != c.want {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
	later := s.message(messageForm{suite: 0x0478, frame: 64, keys: []string{arn1}}, nil)
	later[1] = 6
	if _, err := (&Opener{KMS: s, AnyKey: true}).Open(context.Background(), inMemoryObject(nil, later)); !refusedFor(err, Unsupported) {
		t.Errorf("a suite of later: %v", err)
	}
	if _, err := (&Opener{KMS: s, AnyKey: true}).Open(context.Background(), inMemoryObject(nil, []byte("\x02\x06\x78noise"))); !blamed(err) {
		t.Errorf("noise like a suite of later: %v", err)
	}
}

// Of many encrypted data keys those of KMS count, and no more than 16 of them.
func TestManyDataKeys(t *testing.T) {
	s := sealer{newTable()}
	for _, c := range []struct {
		others, foreign int
		ok              bool
	}{{0, 15, true}, {0, 16, false}, {100, 15, true}} {
		f := messageForm{suite: 0x0014, frame: 64, context: someContext, keys: []string{arn1}}
		whole := s.message(f, []byte("x"))
		at := 2 + 2 + 16 + len(aadSection(someContext))
		section := binary.BigEndian.AppendUint16(nil, uint16(c.others+c.foreign+1))
		section = append(section, bytes.Repeat(edk(nil, "raw", "x", []byte("x")), c.others)...)
		section = append(section, bytes.Repeat(edk(nil, "aws-kms", elsewhere, []byte("x")), c.foreign)...)
		h, err := readHeader(bytes.NewReader(append(append(bytes.Clone(whole[:at]), section...), whole[at+2:]...)))
		if err != nil {
			t.Fatal(err)
		}
		_, used, err := (&Opener{KMS: s, Keys: []string{arn1}}).unwrapMessage(context.Background(), h)
		if c.ok != (err == nil && used == arn1) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// A length is hostile: memory grows with what comes, not with what is announced.
func TestAnnouncedLength(t *testing.T) {
	s := sealer{newTable()}
	one := s.message(messageForm{suite: 0x0478, context: someContext, keys: []string{arn1}}, make([]byte, 100))
	copy(one[len(one)-100-16-8:], "\x00\x00\x00\x00\x0f\x00\x00\x00")
	framed := s.message(messageForm{suite: 0x0478, frame: 1<<32 - 1, context: someContext, keys: []string{arn1},
		damage: func(m *sealedMessage) { m.body = append(m.body[:len(m.body)-(4+4+12+4+100+16)], 0, 0, 0, 1) }}, make([]byte, 100))
	for name, c := range map[string]struct {
		body []byte
		want Reason
	}{"one piece": {one, Malformed}, "frame": {framed, Malformed}} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := (&Opener{KMS: s, AnyKey: true}).Open(context.Background(), streamed(inMemoryObject(nil, c.body)))
		runtime.ReadMemStats(&after)
		if got := end(t, nil, err, nil, ""); got != c.want || after.TotalAlloc-before.TotalAlloc > 8<<20 {
			t.Errorf("%s: %d bytes, %v", name, after.TotalAlloc-before.TotalAlloc, err)
		}
	}
	copy(one[len(one)-100-16-8:], "\xff\xff\xff\xff\xff\xff\xff\xff")
	if _, err := (&Opener{KMS: s, AnyKey: true}).Open(context.Background(), inMemoryObject(nil, one)); !refusedFor(err, TooLarge) {
		t.Errorf("the largest: %v", err)
	}
	small := s.message(messageForm{suite: 0x0478, frame: 1<<32 - 1, context: someContext, keys: []string{arn1}}, []byte("x"))
	if content, _, err := openAll(&Opener{KMS: s, AnyKey: true}, inMemoryObject(nil, small)); err != nil || string(content) != "x" {
		t.Errorf("a small last frame among large ones: %v", err)
	}
}
