package report

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/trailseal/trailseal/verify"
)

// The forms of a bundle, a recovery and an explanation as reports have them: UTF-8,
// whole seconds, and none of the engine's own values changed.

func jsonBundle(b *verify.Bundle) *verify.Bundle {
	if b == nil {
		return nil
	}
	return &verify.Bundle{Seal: validUTF8(b.Seal), Collected: seconds(b.Collected), Tool: validUTF8(b.Tool)}
}

func jsonRecover(r *verify.Recover) *verify.Recover {
	if r == nil {
		return nil
	}
	form := *r
	form.Modified, form.Removed = second(deref(r.Modified)), second(deref(r.Removed))
	for _, text := range []*string{&form.Version, &form.Command, &form.RemovedBy, &form.Marker, &form.Saved, &form.Problem} {
		*text = validUTF8(*text)
	}
	return &form
}

func jsonExplanation(e verify.Explanation) verify.Explanation {
	for _, text := range []*string{&e.Event, &e.Service, &e.ID, &e.Account, &e.Region, &e.Who, &e.AccessKey,
		&e.From, &e.Agent, &e.Error, &e.Target, &e.Detail, &e.Log} {
		*text = validUTF8(*text)
	}
	e.Time = seconds(e.Time)
	e.Explains = append([]int64{}, e.Explains...) // never null in JSON
	return e
}

// jsonExplanations is never null in JSON.
func jsonExplanations(all []verify.Explanation) []verify.Explanation {
	forms := make([]verify.Explanation, len(all))
	for i, e := range all {
		forms[i] = jsonExplanation(e)
	}
	return forms
}

// maxExplanations bounds how many a saved report may have: what a run gives at
// most, and as many runs merged.
const (
	maxExplanations = 10_000
	maxPlaces       = 1_000_000 // that all of them together name
)

// maxExplanation bounds the JSON of one: a dozen texts of at most a few kilobytes,
// and a thousand numbers.
const maxExplanation = 1 << 20

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

// checkExplanation refuses what no run writes.
func checkExplanation(e *verify.Explanation) error {
	if e.Event == "" || seconds(e.Time).IsZero() || e.Explains == nil {
		return errors.New("an explanation without its event, its time or what it explains")
	}
	return checkPlaces(e.Explains)
}

func checkPlaces(places []int64) error {
	for _, seq := range places {
		if seq < 1 {
			return fmt.Errorf("an explanation of the place %d", seq)
		}
	}
	return nil
}

func checkBundle(b *verify.Bundle) error {
	if b == nil {
		return nil
	}
	if raw, err := hex.DecodeString(b.Seal); err != nil || len(raw) != 32 || strings.ToLower(b.Seal) != b.Seal || seconds(b.Collected).IsZero() {
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

// timeOf is a time of evidence in words; a zero one is not known.
func timeOf(t *time.Time) string {
	if t == nil || t.IsZero() {
		return "a time that is not known"
	}
	return moment(*t)
}
