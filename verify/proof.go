package verify

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"github.com/trailseal/trailseal/digest"
)

// ProofSchema names the form of a proof.
const ProofSchema = "trailseal.proof/v1"

// A Proof shows that one event is in a log file that CloudTrail signed for. It
// needs nothing beside itself but the knowledge that its key is CloudTrail's. All
// of one that is read is hostile input: only what CheckProof recomputes is known.
type Proof struct {
	Schema    string      `json:"schema"`
	Tool      string      `json:"tool"`      // version of trailseal that made it
	Collected time.Time   `json:"collected"` // when it was made, UTC
	Event     ProofEvent  `json:"event"`
	Log       ProofLog    `json:"log"`
	Digest    ProofDigest `json:"digest"`
	Key       ProofKey    `json:"key"`
	Steps     []ProofStep `json:"steps"` // the proof in words, with commands that check it without trailseal
	Seal      string      `json:"seal"`  // SHA-256 of all before, hex: it finds accidents, for whoever changes a proof can make it anew
}

// A ProofEvent is the event.
type ProofEvent struct {
	ID     string `json:"id"`     // its eventID
	Offset int64  `json:"offset"` // bytes of the uncompressed log before it
	Length int64  `json:"length"` // of it
	JSON   string `json:"json"`   // the event, byte for byte as it stands in the log
}

// A ProofLog is the log file that holds the event.
type ProofLog struct {
	URI    string `json:"uri"`    // where CloudTrail wrote it
	SHA256 string `json:"sha256"` // of its uncompressed bytes, lower-case hex
	Size   int64  `json:"size"`   // of those
	Gzip   []byte `json:"gzip"`   // the file, base64 of what is stored (of what it opens to, where a client had encrypted it)
}

// A ProofDigest is the digest file that lists the log.
type ProofDigest struct {
	URI          string `json:"uri"`                 // where CloudTrail wrote it
	SHA256       string `json:"sha256"`              // of its uncompressed bytes
	End          string `json:"end"`                 // digestEndTime
	JSON         []byte `json:"json"`                // the uncompressed bytes, base64
	StringToSign string `json:"stringToSign"`        //
	Signature    string `json:"signature"`           // hex, over the string to sign. It proves itself, whoever carried it
	From         string `json:"signatureFrom"`       // "metadata", or "next-digest": the digest after it names it as previousDigestSignature
	Carrier      string `json:"carrier,omitempty"`   // URI of that digest
	Generated    string `json:"generated,omitempty"` // of a backfill digest: when its metadata says that it was made; the key must be valid then
}

// A ProofKey is CloudTrail's public key.
type ProofKey struct {
	Value       []byte    `json:"value"`       // DER as CloudTrail gives it, base64
	Fingerprint string    `json:"fingerprint"` // MD5 of it, hex
	Region      string    `json:"region"`      // whose digests it signs
	Start       time.Time `json:"validFrom"`   //
	End         time.Time `json:"validTo"`
	From        string    `json:"from"` // where whoever made the proof had it from
}

// A ProofStep is one step in words, with the shell commands that check it, where
// there are any.
type ProofStep struct {
	Says     string   `json:"says"`
	Commands []string `json:"commands,omitempty"`
}

// Bounds of what a proof holds.
const (
	MaxProofLog    = 64 << 20  // bytes of the log as it is stored
	MaxProofDigest = 32 << 20  // uncompressed bytes of the digest
	MaxProof       = 160 << 20 // bytes of the file
	maxProofParts  = 1000      // members and elements of its JSON: a proof of trailseal's has some 60
)

// Encode writes a proof down. The file is the same whenever the proof is.
func (p *Proof) Encode() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(p); err != nil {
		return nil, fmt.Errorf("encoding the proof: %w", err)
	}
	return b.Bytes(), nil
}

// seal is what Seal must be: the SHA-256 of the proof's JSON without one. The log, the
// most of it, goes past in pieces.
func (p Proof) seal() (string, error) {
	stored := p.Log.Gzip
	p.Seal, p.Log.Gzip = "", nil
	var rest bytes.Buffer
	e := json.NewEncoder(&rest)
	e.SetEscapeHTML(false)
	if err := e.Encode(p); err != nil {
		return "", fmt.Errorf("encoding the proof: %w", err)
	}
	sha := sha256.New()
	text := rest.Bytes()
	if stored != nil {
		const member = `"gzip":` // in no string: a quote in one follows a backslash
		before, after, _ := bytes.Cut(text, []byte(member+"null"))
		sha.Write(before)
		io.WriteString(sha, member+`"`)
		to := base64.NewEncoder(base64.StdEncoding, sha)
		to.Write(stored) // a hash takes all
		to.Close()
		sha.Write([]byte{'"'})
		text = after
	}
	sha.Write(text)
	return hex.EncodeToString(sha.Sum(nil)), nil
}

// ErrNoProof says that a file is no proof at all.
var ErrNoProof = errors.New("it is no proof of trailseal's")

// ReadProof reads a proof. It must be exactly what Encode writes, but for white
// space between its parts, so that no two readers can take it for different
// things; exact is false where it is not. The error is ErrNoProof, wrapped, where
// the file is no proof or one of another version, or the reader's own.
func ReadProof(r io.Reader) (p *Proof, exact bool, err error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxProof+1))
	switch {
	case err != nil:
		return nil, false, err
	case len(data) > MaxProof:
		return nil, false, fmt.Errorf("%w: it has more than %d bytes", ErrNoProof, MaxProof)
	case parts(data) > maxProofParts:
		// Three bytes make an empty step, which takes forty in memory and more when it
		// is written anew.
		return nil, false, fmt.Errorf("%w: it has more than %d parts", ErrNoProof, maxProofParts)
	}
	p = &Proof{}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(p); err != nil {
		return nil, false, fmt.Errorf("%w: %.200v", ErrNoProof, err)
	}
	if p.Schema != ProofSchema {
		return nil, false, fmt.Errorf("%w: its schema is %.40q, want %q", ErrNoProof, p.Schema, ProofSchema)
	}
	again, err := p.Encode()
	if err != nil {
		return nil, false, fmt.Errorf("%w: %.200v", ErrNoProof, err)
	}
	return p, sameJSON(data, again), nil
}

// parts counts the commas of a JSON text that are not in its strings.
func parts(data []byte) (n int) {
	text := false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case c == '"':
			text = !text
		case c == '\\' && text:
			i++
		case c == ',' && !text:
			n++
		}
	}
	return n
}

// sameJSON compares two texts of JSON without the white space between their parts.
func sameJSON(a, b []byte) bool {
	next := func(p []byte, at int, text bool) int {
		for !text && at < len(p) && bytes.IndexByte([]byte(" \t\r\n"), p[at]) >= 0 {
			at++
		}
		return at
	}
	text, escaped := false, false
	i, j := 0, 0
	for {
		i, j = next(a, i, text), next(b, j, text)
		if i == len(a) || j == len(b) {
			return i == len(a) && j == len(b)
		}
		c := a[i]
		if c != b[j] {
			return false
		}
		switch {
		case escaped:
			escaped = false
		case c == '\\':
			escaped = text
		case c == '"':
			text = !text
		}
		i, j = i+1, j+1
	}
}

// finish puts the proof into words and seals it.
func (p *Proof) finish() (err error) {
	for _, text := range []string{p.Event.JSON, p.Log.URI, p.Digest.URI, p.Digest.StringToSign, p.Digest.Signature, p.Digest.Carrier, p.Digest.Generated} {
		if !utf8.ValidString(text) {
			return errors.New("a text in it is not UTF-8, which JSON cannot hold")
		}
	}
	p.Steps = p.words()
	p.Seal, err = p.seal()
	return err
}

// eventID is an event's own id: the one member "eventID" of its object, where that
// is a string and comes once.
func eventID(raw []byte) (string, bool) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return "", false
	}
	id, found := "", false
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return "", false
		}
		if name != "eventID" {
			var skip json.RawMessage
			if d.Decode(&skip) != nil {
				return "", false
			}
			continue
		}
		if found || d.Decode(&id) != nil {
			return "", false
		}
		found = true
	}
	if _, err := d.Token(); err != nil {
		return "", false
	}
	return id, found
}

// keyOf is the proof's key, ready for use. Its fingerprint is recomputed.
func (k ProofKey) key() (digest.PublicKey, error) {
	key, err := digest.NewPublicKey(k.Value, k.Fingerprint, k.Start, k.End)
	key.Region = k.Region
	return key, err
}
