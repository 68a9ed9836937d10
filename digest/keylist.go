package digest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"
)

// ParsePublicKeys reads what `aws cloudtrail list-public-keys` prints: an
// object with "PublicKeyList". A top-level "Region" beside it binds the keys
// to that region, and so does one in an entry, which counts before the other.
// Keys that cannot be used are left out and named in rejected;
// the error says that the file is no such list at all.
func ParsePublicKeys(data []byte) (keys []PublicKey, rejected []error, err error) {
	var list struct {
		Region        string
		PublicKeyList []json.RawMessage
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) // some shells write one when they redirect
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, nil, fmt.Errorf("public key list: %w", err)
	}
	if list.PublicKeyList == nil {
		return nil, nil, errors.New(`public key list: no "PublicKeyList" in it`)
	}
	if list.Region != "" && !isRegion(list.Region) {
		return nil, nil, fmt.Errorf("public key list: %.80q is not the name of a region", list.Region)
	}
	for i, raw := range list.PublicKeyList {
		k, err := parseListed(raw)
		if err != nil {
			rejected = append(rejected, fmt.Errorf("entry %d: %w", i+1, err))
			continue
		}
		if k.Region == "" {
			k.Region = list.Region
		}
		keys = append(keys, k)
	}
	return keys, rejected, nil
}

// parseListed reads one entry. One that is no entry at all must not take the
// others with it.
func parseListed(raw json.RawMessage) (PublicKey, error) {
	var e struct {
		Value             []byte
		ValidityStartTime cliTime
		ValidityEndTime   cliTime
		Fingerprint       string
		Region            string
	}
	if err := json.Unmarshal(raw, &e); err != nil {
		return PublicKey{}, fmt.Errorf("public key: %w", err)
	}
	start, end := e.ValidityStartTime.Time, e.ValidityEndTime.Time
	if start.IsZero() || !end.After(start) {
		return PublicKey{}, fmt.Errorf("public key %.80q: no validity window", e.Fingerprint)
	}
	if e.Region != "" && !isRegion(e.Region) {
		return PublicKey{}, fmt.Errorf("public key %.80q: %.80q is not the name of a region", e.Fingerprint, e.Region)
	}
	k, err := NewPublicKey(e.Value, e.Fingerprint, start, end)
	k.Region = e.Region
	return k, err
}

// FormatPublicKeys is the inverse of ParsePublicKeys: what `aws cloudtrail
// list-public-keys` prints, with the Region of each key that has one.
func FormatPublicKeys(keys []PublicKey) []byte {
	type entry struct {
		Value             []byte
		ValidityStartTime string
		ValidityEndTime   string
		Fingerprint       string
		Region            string `json:",omitempty"`
	}
	list := struct{ PublicKeyList []entry }{[]entry{}}
	for _, k := range keys {
		list.PublicKeyList = append(list.PublicKeyList, entry{k.Value, k.Start.Format(time.RFC3339Nano), k.End.Format(time.RFC3339Nano), k.Fingerprint, k.Region})
	}
	text, _ := json.MarshalIndent(list, "", "    ") // texts and times always have a form
	return append(text, '\n')
}

// cliTime is a time as the AWS CLI prints it: ISO 8601 with a zone, or
// seconds since 1970.
type cliTime struct{ time.Time }

const maxSeconds = 253402300799 // the end of the year 9999

func (t *cliTime) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	var seconds float64
	if json.Unmarshal(b, &seconds) == nil {
		if math.Abs(seconds) > maxSeconds {
			return fmt.Errorf("time %.40s: too far away", b)
		}
		whole, part := math.Modf(seconds)
		t.Time = time.Unix(int64(whole), int64(part*1e9)).UTC()
		return nil
	}
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return fmt.Errorf("time %.40s: %w", b, err)
	}
	parsed, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return fmt.Errorf("time %.40q: want RFC 3339, such as 2026-03-10T00:00:00Z", text)
	}
	t.Time = parsed.UTC()
	return nil
}
