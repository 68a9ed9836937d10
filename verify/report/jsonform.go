package report

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/trailseal/trailseal/verify"
)

// A lineEncoder encodes one value at a time as one line of JSON.
type lineEncoder struct {
	encoder *json.Encoder // into encoded
	encoded bytes.Buffer
	line    []byte
}

// encode gives the value as one line of JSON with nothing hidden in it. The
// line is valid until the next call.
func (e *lineEncoder) encode(v any) ([]byte, error) {
	if e.encoder == nil {
		e.encoder = json.NewEncoder(&e.encoded)
		e.encoder.SetEscapeHTML(false)
	}
	e.encoded.Reset()
	if err := e.encoder.Encode(v); err != nil {
		return nil, fmt.Errorf("encoding the report: %w", err)
	}
	e.line = appendEscaped(e.line[:0], bytes.TrimRight(e.encoded.Bytes(), "\n"))
	return e.line, nil
}

// The forms below are the records as JSON has them. A name that is not UTF-8
// has %NN for its bytes, and its own bytes beside it, so that nothing is lost
// in a saved report.

type fileForm struct {
	verify.File
	URIBytes    string `json:"uriBase64,omitempty"`
	DigestBytes string `json:"digestBase64,omitempty"`
}

func jsonFile(f verify.File) fileForm {
	form := fileForm{File: f, URIBytes: bytesOf(f.URI), DigestBytes: bytesOf(f.Digest)}
	form.Recover = jsonRecover(f.Recover)
	for _, text := range []*string{&form.URI, &form.Digest, &form.Detail, &form.Version, &form.Key, &form.Envelope} {
		*text = validUTF8(*text)
	}
	return form
}

type findingForm struct {
	verify.Finding
	URIBytes string `json:"uriBase64,omitempty"`
}

func jsonFinding(f verify.Finding) findingForm {
	form := findingForm{Finding: f, URIBytes: bytesOf(f.URI)}
	form.URI, form.Message, form.Key = validUTF8(f.URI), validUTF8(f.Message), validUTF8(f.Key)
	if f.Chain != nil {
		ref := *f.Chain
		for _, text := range []*string{&ref.Organization, &ref.Account, &ref.Region, &ref.Trail} {
			*text = validUTF8(*text)
		}
		form.Chain = &ref
	}
	return form
}

func jsonChain(c verify.Chain) verify.Chain {
	for _, text := range []*string{&c.Organization, &c.Account, &c.Region, &c.HomeRegion, &c.Trail} {
		*text = validUTF8(*text)
	}
	if c.Coverage == nil {
		c.Coverage = []verify.Share{}
	}
	gaps := make([]verify.Hole, len(c.Gaps))
	for i, g := range c.Gaps {
		gaps[i] = verify.Hole{Start: g.Start, End: g.End, Reason: validUTF8(g.Reason)}
	}
	c.Gaps = gaps
	if c.Edge != nil {
		edge := *c.Edge
		edge.URI = validUTF8(edge.URI)
		c.Edge = &edge
	}
	return c
}

func jsonKey(k verify.KeyUse) verify.KeyUse {
	for _, text := range []*string{&k.ARN, &k.Account, &k.Region, &k.State, &k.Detail, &k.Remedy, &k.Manager, &k.Origin} {
		*text = validUTF8(*text)
	}
	k.Encryption, k.Replicas = cleanAll(k.Encryption), cleanAll(k.Replicas)
	return k
}

// cleanAll is never null in JSON.
func cleanAll(texts []string) []string {
	clean := make([]string, len(texts))
	for i, text := range texts {
		clean[i] = validUTF8(text)
	}
	return clean
}

func jsonSummary(s verify.Summary) verify.Summary {
	if s.Requests == nil {
		s.Requests = map[string]int64{}
	}
	return s
}

type toolForm struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

func toolOf(h verify.Header) toolForm { return toolForm{"trailseal", validUTF8(h.Version)} }

type windowForm struct {
	Start *time.Time `json:"start"`
	End   *time.Time `json:"end"`
}

func jsonWindow(w verify.Window) *windowForm {
	if w.IsZero() {
		return nil
	}
	return &windowForm{second(w.Start), second(w.End)}
}

// bytesOf is a name's own bytes in base64, where it is not UTF-8.
func bytesOf(name string) string {
	if utf8.ValidString(name) {
		return ""
	}
	return base64.StdEncoding.EncodeToString([]byte(name))
}
