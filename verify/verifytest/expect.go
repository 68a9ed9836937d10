package verifytest

import (
	"github.com/trailseal/trailseal/verify"
)

// Expected is what a verifier should say of one file.
type Expected struct {
	Kind     string           // "digest" or "log"
	Verdicts []verify.Verdict // one of these
	Reasons  []verify.Reason  // one of these is among the reasons given; none: whatever
}
