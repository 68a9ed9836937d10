package kms

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"mime"
	"slices"
	"strings"
	"testing"
)

// Each damage to the metadata, and what it is. KMS is not asked for any.
func TestMetadata(t *testing.T) {
	s := sealer{newTable()}
	gcm, body := s.v2(cipherGCM, someContext, []byte("x"))
	cbc, bodyCBC := s.v2(cipherCBC, someContext, []byte("x"))
	legacy, _ := s.v2(cipherGCM, nil, []byte("x"))
	v3, body3 := s.v3(someContext, []byte("x"))
	bound := func(name string) string {
		c := maps.Clone(someContext)
		c[boundCipher] = name
		return object(c)
	}
	const none = "(none)"
	for _, c := range []struct {
		meta         map[string]string
		field, value string
		want         Reason
	}{
		{gcm, fieldKeyV2, "!", Malformed},
		{gcm, fieldKeyV2, "====", Malformed},
		{gcm, fieldKeyV2, b64(random(mostWrapped + 1)), Malformed},
		{gcm, fieldIV, none, Malformed},
		{gcm, fieldIV, "", Malformed},
		{gcm, fieldIV, "AAAAAAAAAAAAAAA", Malformed},
		{gcm, fieldIV, cbc[fieldIV], Malformed},
		{cbc, fieldIV, gcm[fieldIV], Malformed},
		{gcm, fieldWrap, none, Malformed},
		{gcm, fieldWrap, "", Malformed},
		{gcm, fieldWrap, "AESWrap", MasterKeyNeeded},
		{gcm, fieldWrap, "AES/GCM", MasterKeyNeeded},
		{gcm, fieldWrap, "AES\x1b[31m\n", MasterKeyNeeded},
		{gcm, fieldWrap, "\x1b[31m\n", Unsupported},
		{gcm, fieldCipher, "\x1b[31m\n", Malformed},
		{gcm, fieldTag, "\x1b[31m\n", Malformed},
		{v3, fieldSuite, "\x1b[31m\n", Malformed},
		{gcm, fieldWrap, "RSA-OAEP-SHA1", MasterKeyNeeded},
		{gcm, fieldWrap, "RSA/ECB/OAEPWithSHA-256AndMGF1Padding", MasterKeyNeeded},
		{gcm, fieldWrap, "kms+kyber", Unsupported},
		{gcm, fieldCipher, none, Malformed},
		{gcm, fieldCipher, cipherCBC, Malformed},
		{gcm, fieldCipher, cipherCTR, Malformed},
		{gcm, fieldCipher, "AES/OCB/NoPadding", Malformed}, // the context still names the other
		{legacy, fieldCipher, "AES/OCB/NoPadding", Unsupported},
		{legacy, fieldCipher, cipherCTR, Malformed},
		{gcm, fieldTag, "96", Malformed},
		{gcm, fieldTag, "0", Malformed},
		{gcm, fieldContext, none, Malformed},
		{gcm, fieldContext, "x", Malformed},
		{gcm, fieldContext, "null", Malformed},
		{gcm, fieldContext, "[]", Malformed},
		{gcm, fieldContext, "\xff", Malformed},
		{gcm, fieldContext, object(someContext), Malformed}, // binds no cipher
		{gcm, fieldContext, bound(cipherCBC), Malformed},
		{gcm, fieldContext, bound(cipherGCM) + "x", Malformed},
		{gcm, fieldContext, strings.Replace(bound(cipherGCM), "{", `{"purpose":"other",`, 1), Malformed},
		{gcm, fieldContext, strings.Replace(bound(cipherGCM), "{", `{"n":1,`, 1), Malformed},
		{gcm, fieldContext, strings.Replace(bound(cipherGCM), "{", `{"n":{},`, 1), Malformed},
		{gcm, fieldContext, strings.Repeat(`{"a":`, 9000), Malformed},
		{gcm, "more", strings.Repeat("x", mostText), Malformed},
		{gcm, fieldKeyV1, "x", Malformed},
		{v3, fieldSuite, none, Malformed},
		{v3, fieldSuite, "114", Malformed},
		{v3, fieldSuite, "x", Malformed},
		{v3, fieldSuite, "115 ", Malformed},
		{v3, fieldCommit, none, Malformed},
		{v3, fieldCommit, b64(random(27)), Malformed},
		{v3, fieldCommit, b64(random(29)), Malformed},
		{v3, fieldMessage, b64(random(27)), Malformed},
		{v3, fieldMessage, "!", Malformed},
		{v3, fieldWrapV3, "02", MasterKeyNeeded},
		{v3, fieldWrapV3, "22", MasterKeyNeeded},
		{v3, fieldWrapV3, "13", Unsupported},
		{v3, fieldWrapV3, "kms+context", Malformed},
		{v3, fieldWrapV3, none, Malformed},
		{v3, fieldContextV3, none, Malformed},
		{v3, fieldContextV3, bound("116"), Malformed},
		{v3, fieldKeyV3, "!", Malformed},
	} {
		meta := maps.Clone(c.meta)
		meta[c.field] = c.value
		if c.value == none {
			delete(meta, c.field)
		}
		s.calls = nil
		sealed := map[bool][]byte{true: bodyCBC, false: body}[c.meta[fieldCipher] == cipherCBC]
		_, err := (&Opener{KMS: s, AnyKey: true}).Open(context.Background(), inMemoryObject(meta, sealed))
		if got := end(t, nil, err, nil, ""); got != c.want || len(s.calls) > 0 {
			t.Errorf("%s %.80q: %d calls, %v", c.field, c.value, len(s.calls), err)
		}
		if len(err.Error()) > 300 || strings.ContainsAny(err.Error(), "\x1b\n") {
			t.Errorf("%s: an error of %d bytes", c.field, len(err.Error()))
		}
	}
	laterV2 := maps.Clone(gcm)
	laterV2[fieldCipher], laterV2[fieldContext] = "AES/OCB/NoPadding", bound("AES/OCB/NoPadding")
	if _, err := (&Opener{KMS: s, AnyKey: true}).Open(context.Background(), inMemoryObject(laterV2, body)); !refusedFor(err, Unsupported) {
		t.Errorf("a cipher of later: %v", err)
	}
	later := maps.Clone(v3)
	later[fieldSuite], later[fieldContextV3] = "116", bound("116")
	if _, err := (&Opener{KMS: s, AnyKey: true}).Open(context.Background(), inMemoryObject(later, body3)); !refusedFor(err, Unsupported) {
		t.Errorf("a suite of later: %v", err)
	}
}

// Go's ciphers panic at an IV of a wrong length.
func TestLengthsNeverPanic(t *testing.T) {
	s := sealer{newTable()}
	for _, c := range []string{cipherGCM, cipherCBC} {
		for n := range 65 {
			meta, body := s.v2(c, nil, random(20))
			meta[fieldIV] = b64(random(n))
			if _, err := (&Opener{KMS: s, AnyKey: true}).Open(context.Background(), inMemoryObject(meta, body)); !blamed(err) && n != 16 {
				t.Errorf("%s, IV of %d bytes: %v", c, n, err)
			}
			meta, _ = s.v2(c, nil, nil)
			meta[fieldTag] = fmt.Sprint(n)
			for _, body := range [][]byte{random(n), nil} {
				if _, err := (&Opener{KMS: s, AnyKey: true}).Open(context.Background(), inMemoryObject(meta, body)); !blamed(err) && c == cipherGCM {
					t.Errorf("%s, tag and body of %d: %v", c, n, err)
				}
			}
		}
	}
	meta, body := s.v3(someContext, nil)
	for _, field := range []string{fieldMessage, fieldCommit} {
		for n := range 65 {
			damaged := maps.Clone(meta)
			damaged[field] = b64(random(n))
			if _, err := (&Opener{KMS: s, AnyKey: true}).Open(context.Background(), inMemoryObject(damaged, body)); !blamed(err) {
				t.Errorf("%s of %d bytes: %v", field, n, err)
			}
		}
	}
}

const accented = `{"aws:x-amz-cek-alg":"AES/GCM/NoPadding","équipe":"sécurité"}`

// misread is text as a server has it that takes its UTF-8 for Latin-1.
func misread(text string) string {
	var b strings.Builder
	for i := range len(text) {
		b.WriteRune(rune(text[i]))
	}
	return b.String()
}

// headerForms are one text as servers return it.
func headerForms(text string) map[string]string {
	var folded []string
	for part := range slices.Chunk([]byte(text), 25) { // inside a character, too
		folded = append(folded, "=?UTF-8?B?"+base64.StdEncoding.EncodeToString(part)+"?=")
	}
	return map[string]string{
		"raw":            text,
		"AWS":            mime.QEncoding.Encode("UTF-8", misread(text)),
		"AWS, base64":    mime.BEncoding.Encode("UTF-8", misread(text)),
		"MinIO":          mime.BEncoding.Encode("UTF-8", text),
		"MinIO, folded":  strings.Join(folded, "\r\n "),
		"misread":        misread(text),
		"Latin-1 words":  mime.QEncoding.Encode("ISO-8859-1", text),
		"correct, Q":     mime.QEncoding.Encode("utf-8", text),
		"correct, lower": strings.Replace(mime.BEncoding.Encode("utf-8", text), "?b?", "?B?", 1),
	}
}

func TestHeaderTexts(t *testing.T) {
	s := sealer{newTable()}
	meta, body := s.v2(cipherGCM, map[string]string{"équipe": "sécurité"}, []byte("x"))
	for how, text := range headerForms(accented) {
		got := headerTexts(text)
		if !slices.Contains(got, accented) || len(got) > 3 {
			t.Errorf("%s: %q", how, got)
		}
		meta[fieldContext] = text
		s.calls = nil
		if _, err := (&Opener{KMS: s, AnyKey: true}).Open(context.Background(), inMemoryObject(meta, body)); err != nil || len(s.calls) > 3 {
			t.Errorf("%s: %d calls, %v", how, len(s.calls), err)
		}
	}
	// A context that does look misread costs one call more, and no other key is asked less.
	twice := map[string]string{"team": "sÃ©curitÃ©"}
	meta, body = s.v2(cipherGCM, twice, []byte("x"))
	s.calls = nil
	if _, err := (&Opener{KMS: s, Keys: []string{arn2, arn1}}).Open(context.Background(), inMemoryObject(meta, body)); err != nil || len(s.calls) != 3 {
		t.Errorf("looks misread: %d calls, %v", len(s.calls), err)
	}
	for _, ascii := range []string{"", "{}", `{"a":"b?="}`, `{"a":"=?x"}`} {
		if got := headerTexts(ascii); len(got) != 1 || got[0] != ascii {
			t.Errorf("%q: %q", ascii, got)
		}
	}
}

func TestReadFlat(t *testing.T) {
	for text, want := range map[string]map[string]string{
		`{}`: {}, ` {"a":"b"} `: {"a": "b"}, `{"a":"\u00e9\ud83d\ude00"}`: {"a": "é😀"},
	} {
		if got, err := readFlat(text, false); err != nil || !maps.Equal(got, want) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	if got, err := readFlat(`{"a":128,"b":null,"c":"x"}`, true); err != nil || !maps.Equal(got, map[string]string{"a": "128", "b": "", "c": "x"}) {
		t.Errorf("loose: %v, %v", got, err)
	}
	many := "{"
	for i := range mostPairs + 1 {
		many += fmt.Sprintf(`"%d":"",`, i)
	}
	for _, bad := range []string{``, `x`, `null`, `"a"`, `[]`, `{"a":"b"`, `{"a":"b",}`, `{"a":"b"}{}`, `{"a":"b"}x`, `{"a" "b"}`, `{a:"b"}`, `{"a":"b" "c":"d"}`,
		`{"a":true}`, `{"a":{}}`, `{"a":[]}`, `{"a":"b","a":"b"}`, `{"a":"b","\u0061":"c"}`, "{\"a\":\"\xff\"}", strings.TrimSuffix(many, ",") + "}", strings.Repeat(" ", mostText) + "{}"} {
		for _, loose := range []bool{false, true} {
			if got, err := readFlat(bad, loose); err == nil {
				t.Errorf("%.80s: %v", bad, got)
			}
		}
	}
	if _, err := readFlat(`{"a":1}`, false); err == nil {
		t.Error("a number where a string is wanted")
	}
}
