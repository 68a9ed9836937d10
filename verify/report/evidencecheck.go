package report

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/trailseal/trailseal/verify"
)

// Bounds of what a saved report may have of events: more than a run writes, as
// reports may be merged.
const (
	maxExplanations = 10_000
	maxPlaces       = 1_000_000 // that all of them together name
	maxExplanation  = 1 << 20   // of the JSON of one
	maxLine         = 64 << 20  // of all, and of a line of NDJSON: the last one has them
)

// explanations are read one by one: each is small, and all of them may be much.
func (s *Saved) explanations(d *json.Decoder, bound *gauge) error {
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return orError(err, "it is no array")
	}
	s.Summary.Explained = []verify.Explanation{}
	for begin, places := d.InputOffset(), 0; d.More(); {
		if len(s.Summary.Explained) >= maxExplanations || d.InputOffset()-begin > maxLine {
			return fmt.Errorf("there are more than %d, or of more than %d bytes", maxExplanations, maxLine)
		}
		var e verify.Explanation
		bound.left = maxExplanation
		err := errors.Join(d.Decode(&e), checkExplanation(&e))
		places += len(e.Explains)
		if err = errors.Join(err, checkPlaceCount(places)); err != nil {
			return err
		}
		s.Summary.Explained = append(s.Summary.Explained, e)
	}
	_, err := d.Token()
	return err
}

func checkExplanations(all []verify.Explanation) error {
	if len(all) > maxExplanations {
		return fmt.Errorf("there are more than %d explanations", maxExplanations)
	}
	places := 0
	for i := range all {
		if err := checkExplanation(&all[i]); err != nil {
			return err
		}
		places += len(all[i].Explains)
	}
	return checkPlaceCount(places)
}

// checkExplanation refuses what no run writes.
func checkExplanation(e *verify.Explanation) error {
	if e.Event == "" || seconds(e.Time).IsZero() || e.Explains == nil {
		return errors.New("an explanation without its event, its time or what it explains")
	}
	for _, seq := range e.Explains {
		if seq < 1 {
			return fmt.Errorf("an explanation of the place %d", seq)
		}
	}
	return nil
}

func checkPlaceCount(n int) error {
	if n > maxPlaces {
		return fmt.Errorf("the explanations name more than %d places", maxPlaces)
	}
	return nil
}

func checkUnlisted(n int64) error {
	if n < 0 {
		return fmt.Errorf("a count of %d events", n)
	}
	return nil
}

func checkBundle(b *verify.Bundle) error {
	if b == nil {
		return nil
	}
	raw, err := hex.DecodeString(b.Seal)
	if err != nil || len(raw) != 32 || strings.ToLower(b.Seal) != b.Seal || seconds(b.Collected).IsZero() {
		return fmt.Errorf("a bundle without its time, or whose seal is %.70q and no SHA-256", b.Seal)
	}
	return nil
}

func checkRecover(r *verify.Recover) error {
	if r != nil && (r.Looked < 0 || r.Size < 0) {
		return fmt.Errorf("%d versions were looked at, of %d bytes", r.Looked, r.Size)
	}
	return nil
}

// addEvents adds counts up, and stays at the most where a forged report says more.
func addEvents(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
