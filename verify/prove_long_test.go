package verify_test

import (
	"strings"
	"testing"
	"time"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// An event that is too long to be read may be the one, and is told of.
func TestProveTellsOfLongEvents(t *testing.T) {
	const id = "11111111-2222-4333-8444-555555555555"
	w := mint(t, func(s *verifytest.Spec) {
		s.QuietEvery = 0
		s.Events = append(s.Events, verifytest.Call{At: s.Start.Add(2 * time.Hour), Region: s.Regions[0], Source: "s3.amazonaws.com", Name: "PutObject",
			Parameters: `{"x":"` + strings.Repeat("x", digest.MaxEventBytes) + `"}`}.Event())
	})
	found := prove(t, request(w, verifytest.NewStore(w)), id)
	if found.Proof != nil || found.Exit != 3 || !strings.Contains(strings.Join(found.Doubts, " "), "which are not read: 1") {
		t.Errorf("%+v", found)
	}
}
