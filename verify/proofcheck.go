package verify

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/trailseal/trailseal/digest"
)

// A ProofResult is what checking a proof found.
type ProofResult struct {
	Event     string    `json:"event"`     // the eventID, as the proof states it
	Log       string    `json:"log"`       // URI
	Digest    string    `json:"digest"`    // URI
	Collected time.Time `json:"collected"` // as whoever made it says
	Tool      string    `json:"tool"`      // the same
	KeyFrom   string    `json:"keyFrom"`   // the same

	Fingerprint string  `json:"fingerprint"`
	Region      string  `json:"region"`
	Checks      []Check `json:"checks"`       // each of ProofChecks, in that order
	Holds       bool    `json:"holds"`        // every check but that of the key's origin holds
	Confirmed   bool    `json:"keyConfirmed"` // the key is one of those that were given
}

// ProofChecks are the checks of a proof, in their order.
var ProofChecks = []string{"form", "log", "event", "listed", "place", "string-to-sign", "key", "signature", "validity", "words", "key-origin"}

// errSkipped stands for a check that another one's failure took away.
var errSkipped = errors.New("not checked")

// A proofCheck holds what the checks find out one after the other.
type proofCheck struct {
	*Proof
	limit  int64 // uncompressed bytes of the log
	record *digest.Record
	name   digest.Name
	key    digest.PublicKey
	logRef Ref
}

// CheckProof recomputes every step of a proof from the bytes that it holds; what it
// states is compared with that and not believed. exact is what ReadProof told.
// known are CloudTrail's public keys, as far as somebody has them from elsewhere;
// nil: none are given, and the key is the proof's own word. A log of more than limit
// uncompressed bytes is refused.
func CheckProof(p *Proof, exact bool, known []digest.PublicKey, limit int64) ProofResult {
	c := &proofCheck{Proof: p, limit: limit}
	r := ProofResult{
		Event: p.Event.ID, Log: p.Log.URI, Digest: p.Digest.URI, Collected: p.Collected, Tool: p.Tool, KeyFrom: p.Key.From,
		Fingerprint: p.Key.Fingerprint, Region: p.Key.Region, Holds: true,
	}
	for i, check := range []func() (string, error){
		func() (string, error) { return c.form(exact) }, c.log, c.event, c.listed, c.place, c.stringToSign, c.keyStep, c.signature, c.validity, c.wordsStep,
	} {
		says, err := check()
		outcome := CheckHolds
		switch {
		case err == errSkipped:
			outcome, r.Holds = CheckUnknown, false
		case err != nil:
			says, outcome, r.Holds = err.Error(), CheckFails, false
		}
		r.Checks = append(r.Checks, Check{ProofChecks[i], outcome, says})
	}
	origin := c.origin(known)
	r.Confirmed = origin.Outcome == CheckHolds
	r.Holds = r.Holds && origin.Outcome != CheckFails
	r.Checks = append(r.Checks, origin)
	return r
}

// form sees that the file is whole and says nothing twice.
func (c *proofCheck) form(exact bool) (string, error) {
	seal, err := c.seal()
	switch {
	case err != nil:
		return "", err
	case !exact:
		return "", errors.New("the file is not as trailseal writes it")
	case seal != c.Seal:
		return "", errors.New("its seal is not that of its content")
	}
	return "the file is as trailseal wrote it", nil
}

// log hashes the log, and finds the event in it.
func (c *proofCheck) log() (string, error) {
	if len(c.Log.Gzip) > MaxProofLog {
		return "", fmt.Errorf("the log has more than %d bytes", MaxProofLog)
	}
	content, err := digest.HashGzip(bytes.NewReader(c.Log.Gzip), c.limit)
	switch {
	case err != nil:
		return "", err
	case content.Form == digest.TooLarge:
		return "", fmt.Errorf("the log inflates past %d bytes (--max-log-size)", c.limit)
	case content.Form != digest.Exact:
		return "", fmt.Errorf("the log is not exactly one gzip member: %s", content.Form)
	case content.Hash.String() != c.Log.SHA256:
		return "", fmt.Errorf("the log has the SHA-256 %s", content.Hash)
	case content.Size != c.Log.Size:
		return "", fmt.Errorf("the log has %d bytes", content.Size)
	}
	return fmt.Sprintf("the log has the SHA-256 %s", content.Hash), nil
}

// event looks for the event among the records of the log.
func (c *proofCheck) event() (string, error) {
	raw := []byte(c.Event.JSON)
	if int64(len(raw)) != c.Event.Length {
		return "", fmt.Errorf("the event has %d bytes", len(raw))
	}
	if id, ok := eventID(raw); !ok || id != c.Event.ID {
		return "", errors.New("the event's own eventID is another, or not one")
	}
	found := false
	scanner := &digest.EventScanner{}
	scanner.Event = func(e []byte) { found = found || scanner.At == c.Event.Offset && bytes.Equal(e, raw) }
	if _, err := digest.HashGzipTo(bytes.NewReader(c.Log.Gzip), c.limit, scanner); err != nil {
		return "", err
	}
	if !found {
		return "", fmt.Errorf("the log's Records hold no such event at byte %d", c.Event.Offset)
	}
	return fmt.Sprintf("the event is one of the log's Records, at byte %d", c.Event.Offset), nil
}

// listed reads the digest, and sees that it lists the log.
func (c *proofCheck) listed() (string, error) {
	if len(c.Digest.JSON) > MaxProofDigest {
		return "", fmt.Errorf("the digest has more than %d bytes", MaxProofDigest)
	}
	record, err := digest.Parse(c.Digest.JSON)
	switch {
	case err != nil:
		return "", err
	case record.Hash.String() != c.Digest.SHA256:
		return "", fmt.Errorf("the digest has the SHA-256 %s", record.Hash)
	case record.EndText != c.Digest.End:
		return "", fmt.Errorf("the digest ends at %s", record.EndText)
	}
	c.record = record
	for _, l := range record.Logs {
		ref := Ref{l.Bucket, l.Object}
		if ref.URI() == c.Log.URI && l.Algorithm == digest.HashAlgorithm && l.Hash.String() == c.Log.SHA256 {
			c.logRef = ref
			return "the digest lists the log with that SHA-256", nil
		}
	}
	return "", errors.New("the digest does not list that log with that SHA-256")
}

// place sees that the digest, by its own words, is of the place that it is said to
// be, and that the place's name agrees with them.
func (c *proofCheck) place() (string, error) {
	if c.record == nil {
		return "", errSkipped
	}
	if stated := (Ref{c.record.Bucket, c.record.Object}).URI(); stated != c.Digest.URI {
		return "", fmt.Errorf("the digest says that it was written to %.1200q", stated)
	}
	name, err := digest.ParseName(c.record.Object)
	if err != nil {
		return "", err
	}
	if err := name.Stated(c.record); err != nil {
		return "", fmt.Errorf("%w, which its name does not", err)
	}
	if c.Digest.Generated != "" && !name.Chain.Backfill {
		return "", errors.New("it is no backfill digest, and says when it was made")
	}
	c.name = name
	return fmt.Sprintf("the digest is of account %s, region %s, trail %q", name.Chain.Account, name.Chain.Region, name.Chain.Trail), nil
}

func (c *proofCheck) stringToSign() (string, error) {
	if c.record == nil {
		return "", errSkipped
	}
	if c.record.StringToSign() != c.Digest.StringToSign {
		return "", errors.New("the string to sign is not the digest's")
	}
	return "the string to sign is made of the digest", nil
}

// keyStep sees that the key is the one that the digest names.
func (c *proofCheck) keyStep() (string, error) {
	key, err := c.Key.key()
	switch {
	case err != nil:
		return "", err
	case key.Fingerprint != c.Key.Fingerprint:
		return "", fmt.Errorf("the key has the fingerprint %s", key.Fingerprint)
	case c.record == nil:
		return "", errSkipped
	case c.record.Fingerprint != key.Fingerprint:
		return "", fmt.Errorf("the digest names the key %.64q", c.record.Fingerprint)
	case c.record.SignatureAlgorithm != digest.SignatureAlgorithm:
		return "", fmt.Errorf("the digest is signed with %.40q", c.record.SignatureAlgorithm)
	case c.name.Chain.Region == "":
		return "", errSkipped
	case c.Key.Region != c.name.Chain.Region:
		return "", fmt.Errorf("the key is said to be of %.40q, the digest is of %s", c.Key.Region, c.name.Chain.Region)
	}
	c.key = key
	return fmt.Sprintf("the key %s is the one that the digest names", key.Fingerprint), nil
}

func (c *proofCheck) signature() (string, error) {
	if c.record == nil || c.key.Value == nil {
		return "", errSkipped
	}
	if err := c.key.Verify(c.record, c.Digest.Signature); err != nil {
		return "", err
	}
	return "the signature is by that key over the string to sign", nil
}

// validity holds the digest's time against the key's, as a run does.
func (c *proofCheck) validity() (string, error) {
	if c.record == nil || c.key.Value == nil {
		return "", errSkipped
	}
	at, dated := signedAt(c.record.End, c.name.Chain.Backfill, c.Digest.Generated, c.Digest.Generated != "")
	window := fmt.Sprintf("%s to %s", c.stamp(c.key.Start), c.stamp(c.key.End))
	if !validWhenSigned(c.key, at, dated) {
		return "", fmt.Errorf("the key was valid from %s, the digest was signed at %s", window, c.stamp(at))
	}
	switch {
	case !dated:
		return "the key was valid after the digest's end: from " + window + "; when the backfill digest was signed is not known", nil
	case c.name.Chain.Backfill:
		return "the key was valid then: from " + window + "; when the backfill digest was made, " + c.stamp(at) + ", is the maker's word", nil
	}
	return "the key was valid then: from " + window, nil
}

// wordsStep sees that the words say what was checked, and no more.
func (c *proofCheck) wordsStep() (string, error) {
	same := func(a, b ProofStep) bool { return a.Says == b.Says && slices.Equal(a.Commands, b.Commands) }
	switch {
	case !slices.EqualFunc(c.Steps, c.words(), same):
		return "", errors.New("its steps in words are not those of this proof")
	case c.Digest.From != "metadata" && c.Digest.From != "next-digest", (c.Digest.Carrier != "") != (c.Digest.From == "next-digest"):
		return "", errors.New("it does not say where the signature is from")
	}
	return "its words say what was checked, but for who carried the signature", nil
}

// origin looks for the key among those that are known to be CloudTrail's.
func (c *proofCheck) origin(known []digest.PublicKey) Check {
	const name = "key-origin"
	if known == nil {
		return Check{name, CheckUnknown, "the key is the proof's own word: no keys of CloudTrail's were given"}
	}
	wrong := ""
	for _, k := range known {
		switch {
		case k.Fingerprint != c.Key.Fingerprint:
		case !bytes.Equal(k.Value, c.Key.Value):
			wrong = cmp.Or(wrong, "a key that was given has that fingerprint and other bytes")
		case k.Region != "" && k.Region != c.Key.Region:
			wrong = cmp.Or(wrong, fmt.Sprintf("the key is one of %s", k.Region))
		case !sameSecond(k.Start, c.Key.Start) || !sameSecond(k.End, c.Key.End):
			wrong = cmp.Or(wrong, fmt.Sprintf("the key is valid from %s to %s", c.stamp(k.Start), c.stamp(k.End)))
		default: // whatever another entry says: a run takes the one that fits as well
			return Check{name, CheckHolds, "the key is one of those that were given"}
		}
	}
	if wrong != "" {
		return Check{name, CheckFails, wrong}
	}
	return Check{name, CheckUnknown, "none of the keys that were given has that fingerprint"}
}

// sameSecond compares times that tools print with more digits or fewer.
func sameSecond(a, b time.Time) bool { return a.Truncate(time.Second).Equal(b.Truncate(time.Second)) }
