package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/trailseal/trailseal/verify"
)

// A tally counts what is not good, by class, and the words seen.
type tally struct {
	chains   int
	counts   map[verify.Class]map[string]int // by "log verdict", "digest verdict" or a finding's kind
	accepted map[string]int                  // the same, of what is a remark by --accept alone
	words    map[string]bool                 // of what is unproven or worse, for Advice
}

func newTally() tally {
	return tally{counts: map[verify.Class]map[string]int{}, accepted: map[string]int{}, words: map[string]bool{}}
}

// count counts something that has a class after the policy and had one before.
func (t *tally) count(after, before verify.Class, what string) {
	if after < before {
		t.accepted[what]++
		return
	}
	if t.counts[after] == nil {
		t.counts[after] = map[string]int{}
	}
	t.counts[after][what]++
}

// ownClass is a file's class before the policy.
func ownClass(f verify.File) verify.Class { return verify.Policy{}.File(f.Verdict, f.Reasons) }

// ownFindingClass is a finding's class before the policy.
func ownFindingClass(f verify.Finding) verify.Class { return f.Kind.Class() }

func (t *tally) file(f verify.File) {
	t.count(f.Class, ownClass(f), f.Kind+" "+string(f.Verdict))
	if f.Class < verify.ClassUnproven {
		return
	}
	t.words[string(f.Verdict)] = true
	for _, r := range f.Reasons {
		t.words[string(r)] = true
	}
}

func (t *tally) finding(f verify.Finding) {
	t.count(f.Class, ownFindingClass(f), string(f.Kind))
	if f.Class >= verify.ClassUnproven {
		t.words[string(f.Kind)], t.words[string(f.Reason)] = true, true // no advice is for no reason
	}
}

// list names what was counted: "2 log files modified, 1 deleted, 1 gap".
func list(counts map[string]int) string {
	var parts []string
	for _, kind := range []string{"log", "digest"} {
		named := false
		for _, v := range slices.Backward(verify.Verdicts) {
			key := kind + " " + string(v)
			n := counts[key]
			switch {
			case n == 0:
				continue
			case v == verify.Kept: // and worse than good all the same
				parts = append(parts, files(n, kind)+" kept but named by --fail-on")
			case named:
				parts = append(parts, thousands(n)+" "+string(v))
			default:
				parts = append(parts, files(n, kind)+" "+string(v))
			}
			named = true
		}
	}
	for _, k := range verify.FindingKinds {
		if n := counts[string(k)]; n > 0 {
			parts = append(parts, findings(n, k))
		}
	}
	return strings.Join(parts, ", ")
}

// findings counts findings of a kind in words.
func findings(n int, k verify.FindingKind) string {
	many := func(one, more string) string { return thousands(n) + " " + plural(n, one, more) }
	switch k {
	case verify.Gap:
		return many("gap", "gaps")
	case verify.Stale:
		return many("chain that ends too early (stale)", "chains that end too early (stale)")
	case verify.NotStarted:
		return many("chain that begins inside the window (not-started)", "chains that begin inside the window (not-started)")
	case verify.LinkBroken:
		return many("broken link", "broken links")
	case verify.NoDigests:
		return many("place without digests", "places without digests")
	case verify.Junk:
		return many("junk name", "junk names")
	case verify.Unlisted:
		return many("failed listing", "failed listings")
	case verify.NotChecked:
		return many("part not checked", "parts not checked")
	case verify.Nothing:
		return "nothing found to check"
	case verify.NotSearched:
		return many("part not searched", "parts not searched")
	case verify.KeysInCopy:
		return "public keys from the copy itself"
	case verify.Undelivered:
		return many("delivery problem", "delivery problems")
	case verify.KeyDoomed:
		return many("KMS key that ends (key-doomed)", "KMS keys that end (key-doomed)")
	case verify.KeyForeign:
		return many("foreign KMS key (key-foreign)", "foreign KMS keys (key-foreign)")
	case verify.KeyDisabled:
		return many("KMS key that opens nothing (key-disabled)", "KMS keys that open nothing (key-disabled)")
	case verify.BundleAltered:
		return many("alteration of the bundle", "alterations of the bundle")
	case verify.Moved:
		return many("move of files", "moves of files")
	case verify.Overlap:
		return many("overlap of reports", "overlaps of reports")
	case verify.ClientSide:
		return "files that a client encrypted (client-side)"
	}
	return many("finding", "findings") + " " + Clean(string(k))
}

// closing is the report's last word: one sentence with the counts, then what
// to do next.
func (t *textWriter) closing(s verify.Summary) {
	sentence, class := t.tally.verdictLine(s)
	fmt.Fprintf(t.w, "\n%s\n", t.paint.class(class, sentence))
	fmt.Fprintf(t.w, "%s, %s read, %s hashed, %s.\n", thousands(s.Chains)+" "+plural(s.Chains, "chain", "chains"),
		size(s.Bytes.Fetched), size(s.Bytes.Hashed), length(time.Duration(s.Seconds*float64(time.Second))))
	t.next(s)
}

// next tells what to do about what was found.
func (t *textWriter) next(s verify.Summary) {
	t.tally.words["tampering"] = s.Exit == 1
	advice := Advice(t.tally.words)
	if len(advice) == 0 {
		return
	}
	fmt.Fprintf(t.w, "\n%s\n", t.paint.bold("What to do next"))
	for _, text := range advice {
		fmt.Fprintf(t.w, "  - %s\n", wrap(text, 4))
	}
}

func also(lead, text string) string {
	if text == "" {
		return ""
	}
	return lead + text
}
