package verifytest

import (
	"slices"
	"time"

	"github.com/trailseal/trailseal/verify"
)

// Expected is what a verifier should say of one file.
type Expected struct {
	Kind     string           // "digest" or "log"
	Verdicts []verify.Verdict // one of these
	Reasons  []verify.Reason  // the first of those given is one of these; none: whatever
	Optional bool             // it may also not be spoken of at all, where the window does not reach it

	byAge  bool // unreferenced or, while it is young, pending
	silent bool // there is nothing left that speaks of it
}

func logExpected(v verify.Verdict, reasons ...verify.Reason) Expected {
	return Expected{Kind: "log", Verdicts: []verify.Verdict{v}, Reasons: reasons}
}

func digestExpected(v verify.Verdict, reasons ...verify.Reason) Expected {
	return Expected{Kind: "digest", Verdicts: []verify.Verdict{v}, Reasons: reasons}
}

// Expect says of every file what a run over all of the world at a given time
// should report: a run that sees the metadata, has the published keys and
// knows when files were stored.
func (w *World) Expect(now time.Time) map[verify.Ref]Expected {
	all := map[verify.Ref]Expected{}
	for _, c := range w.chains {
		for _, d := range c.Digests {
			all[d.Ref] = digestExpected(verify.Kept)
			r, err := w.Record(d.Ref)
			if err != nil {
				continue // then a damage says what becomes of it and its logs
			}
			for _, l := range r.Logs {
				all[verify.Ref{Bucket: l.Bucket, Key: l.Object}] = logExpected(verify.Kept)
			}
		}
	}
	for ref, e := range w.expected {
		switch {
		case e.silent:
			delete(all, ref)
		case e.byAge:
			w.expectOrphan(all, ref, now)
		default:
			all[ref] = e
		}
	}
	return all
}

func (w *World) expectOrphan(all map[verify.Ref]Expected, ref verify.Ref, now time.Time) {
	o, ok := w.Get(ref)
	if !ok {
		delete(all, ref)
		return
	}
	all[ref] = logExpected(verify.Pending, verify.NoDigest)
	if now.Sub(o.Modified) >= verify.PendingAge {
		all[ref] = logExpected(verify.Unreferenced, verify.NoDigest)
	}
}

// expectByAge notes a log that no digest names.
func (w *World) expectByAge(ref verify.Ref) { w.expected[ref] = Expected{byAge: true} }

// Meets reports whether a result is as expected.
func (e Expected) Meets(f verify.File) bool {
	reason := len(e.Reasons) == 0 || slices.Contains(e.Reasons, f.Reason)
	return f.Kind == e.Kind && slices.Contains(e.Verdicts, f.Verdict) && reason
}
