package kms

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"testing"
)

// A vector is an object that a library of others sealed, or made by hand and
// opened by one.
type vector struct {
	Name, Format, File string
	Metadata           map[string]string
	Instruction        string `json:"instruction_file"`
	Size               int64  `json:"plaintext_bytes"`
	Sum                string `json:"plaintext_sha256"`
}

func (v vector) sealed(t *testing.T) Sealed {
	body := vectorFile(t, v.File)
	in := Sealed{Metadata: maps.Clone(v.Metadata), Body: bytes.NewReader(body), Size: int64(len(body))}
	if v.Instruction != "" {
		in.Instruction = vectorFile(t, v.Instruction)
	}
	return in
}

func vectors(t *testing.T) map[string]vector {
	var file struct{ Vectors []vector }
	vectorJSON(t, "manifest.json", &file)
	byName := map[string]vector{}
	for _, v := range file.Vectors {
		byName[v.Name] = v
	}
	if len(byName) != 35 {
		t.Fatalf("%d vectors", len(byName))
	}
	return byName
}

// streamed is a body that is only a stream, of a size that nobody tells.
func streamed(in Sealed) Sealed {
	return Sealed{in.Metadata, struct{ io.Reader }{in.Body}, -1, in.Instruction}
}

func TestVectors(t *testing.T) {
	for name, v := range vectors(t) {
		for how, as := range map[string]func(Sealed) Sealed{"memory": func(in Sealed) Sealed { return in }, "stream": streamed} {
			k := vectorKMS(t)
			o := &Opener{KMS: k, Keys: []string{arn1, arn2}}
			opened, err := o.Open(context.Background(), as(v.sealed(t)))
			if err != nil {
				t.Errorf("%s, %s: %v", name, how, err)
				continue
			}
			content, err := io.ReadAll(opened.Body)
			sum := sha256.Sum256(content)
			if err != nil || hex.EncodeToString(sum[:]) != v.Sum || int64(len(content)) != v.Size || opened.Size >= 0 && opened.Size != v.Size {
				t.Errorf("%s, %s: %d bytes, %v", name, how, len(content), err)
			}
			if opened.Key != arn1 || len(k.calls) != 1 || k.calls[0].key != arn1 {
				t.Errorf("%s, %s: key %s, %d calls", name, how, opened.Key, len(k.calls))
			}
			if cbc := v.Metadata[fieldCipher] == cipherCBC; opened.Authenticated == cbc {
				t.Errorf("%s, %s: authenticated is %v", name, how, opened.Authenticated)
			}
		}
	}
}

// What each negative is refused as. A base that is named in its stead is opened:
// what a reader must then say is in TestNegatives.
var negatives = map[string]struct {
	reason Reason
	calls  int // of KMS
}{
	"gcm-ciphertext-bit":         {Altered, 1},
	"gcm-tag-bit":                {Altered, 1},
	"gcm-truncated":              {Altered, 1},
	"gcm-iv-changed":             {Altered, 1},
	"gcm-iv-short":               {Malformed, 0},
	"gcm-empty-object":           {Malformed, 0},
	"gcm-wrapped-key-bit":        {EnvelopeRefused, 2},
	"gcm-wrapped-key-arn":        {Denied, 2},
	"gcm-context-changed":        {EnvelopeRefused, 2},
	"gcm-downgraded-to-cbc":      {Malformed, 0},
	"gcm-wrap-downgraded-to-kms": {Malformed, 0},
	"gcm-no-unencrypted-length":  {same, 1},
	"both-format-keys":           {Malformed, 0},
	"v1-format":                  {MasterKeyNeeded, 0},
	"cbc-ciphertext-bit":         {different, 1},
	"cbc-iv-changed":             {different, 1},
	"cbc-iv-short":               {Malformed, 0},
	"cbc-empty-object":           {Malformed, 0},
	"cbc-last-block-gone":        {Altered, 1},
	"cbc-not-blocks":             {Malformed, 0},
	"commit-value-changed":       {Altered, 1},
	"commit-message-id-changed":  {Altered, 1},
	"commit-ciphertext-bit":      {Altered, 1},
	"commit-suite-changed":       {Malformed, 0}, // the context still names the other suite
	"instruction-missing":        {untouched, 0},
	"esdk-header-context":        {EnvelopeRefused, 1},
	"esdk-last-byte":             {Altered, 1},
	"esdk-truncated":             {Malformed, 1},
	"esdk-final-frame-gone":      {Malformed, 1},
	"esdk-trailing":              {Malformed, 1},
	"esdk-version":               {untouched, 0},
	"esdk-signature":             {Altered, 1},
}

// Ends that are no reasons.
const (
	same      Reason = "(same content)"
	different Reason = "(other content)"
	untouched Reason = "(body as it was)"
)

type mutation struct {
	Op, Key           string
	Value             any
	Hex               string
	Offset, Length, N int
}

func (m mutation) do(t *testing.T, in *Sealed, body []byte) []byte {
	at := func(i int) int { return (i + len(body)) % len(body) }
	text, _ := m.Value.(string)
	number, _ := m.Value.(float64)
	switch m.Op {
	case "xor":
		body[at(m.Offset)] ^= byte(number)
	case "truncate":
		body = body[:at(m.Length)]
	case "append":
		more, _ := hex.DecodeString(m.Hex)
		body = append(body, more...)
	case "meta":
		in.Metadata[m.Key] = text
	case "meta_del":
		delete(in.Metadata, m.Key)
	case "meta_b64_xor":
		b, _ := base64.StdEncoding.DecodeString(in.Metadata[m.Key])
		b[m.Offset] ^= byte(number)
		in.Metadata[m.Key] = base64.StdEncoding.EncodeToString(b)
	case "instruction_none":
		in.Instruction = nil
	default:
		t.Fatalf("%s?", m.Op)
	}
	return body
}

func TestNegatives(t *testing.T) {
	var file struct {
		Negatives []struct {
			Name, Base string
			Mutations  []mutation
		}
	}
	vectorJSON(t, "negatives.json", &file)
	bases := vectors(t)
	if len(file.Negatives) != len(negatives) {
		t.Errorf("%d negatives, %d are known", len(file.Negatives), len(negatives))
	}
	for _, n := range file.Negatives {
		in := bases[n.Base].sealed(t)
		body, _ := io.ReadAll(in.Body)
		for _, m := range n.Mutations {
			body = m.do(t, &in, body)
		}
		in.Body, in.Size = bytes.NewReader(body), int64(len(body))
		k := vectorKMS(t)
		opened, err := (&Opener{KMS: k, Keys: []string{arn1, arn2}}).Open(context.Background(), in)
		want := negatives[n.Name]
		if got := end(t, opened, err, body, bases[n.Base].Sum); got != want.reason || len(k.calls) != want.calls {
			t.Errorf("%s: %s after %d calls, want %s after %d (%v)", n.Name, got, len(k.calls), want.reason, want.calls, err)
		}
	}
}

// end says in one word how opening ended.
func end(t *testing.T, opened *Opened, err error, body []byte, sum string) Reason {
	t.Helper()
	if a, ok := errors.AsType[*AlteredError](err); ok {
		return a.Reason
	}
	if r, ok := errors.AsType[*RefusedError](err); ok {
		return r.Reason
	}
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(opened.Body)
	if err != nil {
		return end(t, nil, err, body, sum)
	}
	got := sha256.Sum256(content)
	switch {
	case opened.Scheme == Plain && bytes.Equal(content, body):
		return untouched
	case hex.EncodeToString(got[:]) == sum:
		return same
	}
	return different
}
