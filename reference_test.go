package trailseal_test

import (
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// differences names, for each damage, in what the two tools differ. The names
// are rows of docs/verdicts.md, "Differences from aws cloudtrail
// validate-logs", where each is explained. Damages without a name are those
// on which they agree file by file.
var differences = map[string]string{
	"":                         "",
	"log-modified":             "",
	"log-deleted":              "",
	"log-not-gzip":             "",
	"log-recompressed":         "",
	"log-appended":             "trailing-data",
	"log-truncated":            "truncated-trailer",
	"log-empty":                "",
	"forged-log":               "unreferenced-log",
	"digest-deleted":           "unreferenced-log",
	"digest-modified":          "unreferenced-log untrusted-digest-logs",
	"digest-appended":          "trailing-data untrusted-digest-logs",
	"digest-swapped":           "link-not-compared unreferenced-log untrusted-digest-logs",
	"digest-copied":            "unreferenced-log",
	"digest-redelivered":       "",
	"signature-stripped":       "metadata-lost passed-over",
	"signature-wrong":          "metadata-wrong passed-over",
	"md5-signature":            "untrusted-digest-logs weak-signature",
	"key-expired":              "key-validity untrusted-digest-logs",
	"key-missing":              "unknown-key untrusted-digest-logs",
	"gap":                      "logging-off",
	"tail-cut":                 "tail-cut",
	"logs-and-digests-deleted": "stretch-deleted",
	"all-digests-deleted":      "all-digests-gone unreferenced-log",
	"link-skipped":             "link-skipped passed-over",
}

// The reference implementation, run over the same trails: on every file the
// two say the same, or differ in a way that has a name.
func TestAgainstTheReference(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED in short mode: no comparison with aws cloudtrail validate-logs")
	}
	if _, err := exec.LookPath("aws"); err != nil {
		t.Skip("SKIPPED: aws is not on the PATH, so there is no comparison with aws cloudtrail validate-logs")
	}
	papers, err := os.ReadFile("docs/verdicts.md")
	if err != nil {
		t.Fatal(err)
	}
	for damage, want := range differences {
		t.Run(damage, func(t *testing.T) {
			t.Parallel()
			for _, name := range strings.Fields(want) {
				if !strings.Contains(string(papers), "| `"+name+"` |") {
					t.Errorf("docs/verdicts.md does not explain %s", name)
				}
			}
			got := compareWithReference(t, damage)
			if strings.Join(got, " ") != want {
				t.Errorf("they differ in %q, want %q", got, want)
			}
		})
	}
}

// compareWithReference runs both tools over a damaged trail and names their
// differences.
func compareWithReference(t *testing.T, damage string) []string {
	w := mintWorld(t, func(s *verifytest.Spec) { s.Hours, s.Regions, s.Backfill = 14, []string{"us-east-1"}, false })
	whole := w.Window()
	if damage != "" {
		if err := w.Damage(damage); err != nil {
			t.Fatal(err)
		}
	}
	server, err := verifytest.NewServer(w, verifytest.ServerOptions{AllKeys: true})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	trail := w.Trails()[0]
	ref, err := server.ValidateLogs(t.Context(), trail, trail.Account, "us-east-1", whole)
	if err != nil {
		t.Fatal(err)
	}
	const layout = "2006-01-02T15:04:05Z"
	env := append(server.Env(), "AWS_REGION=us-east-1")
	ours := verifyJSON(t, env, "s3://"+trail.Bucket, "--all", "--start", whole.Start.Format(layout), "--end", whole.End.Format(layout))

	names := map[string]bool{}
	seen := map[string]bool{}
	for _, f := range ours.Files {
		seen[f.URI] = true
		if name := difference(f.Verdict, f.Reason, ref.Files[f.URI]); name != "" {
			names[name] = true
			if name == "?" {
				t.Errorf("%s: %s %s, the reference says %q", f.URI, f.Verdict, f.Reason, ref.Files[f.URI])
			}
		}
	}
	for uri, says := range ref.Files {
		// The starting digest ends where the window begins: the reference
		// counts it in, we do not.
		if !seen[uri] && !strings.HasSuffix(says, "valid") {
			t.Errorf("%s: the reference says %q, we say nothing", uri, says)
		}
	}
	if found := chainDifference(w, damage, ours, ref); found != "" {
		names[found] = true
	}
	if names["metadata"] { // the reference has one text for both
		delete(names, "metadata")
		names[map[bool]string{true: "metadata-wrong", false: "metadata-lost"}[damage == "signature-wrong"]] = true
	}
	if len(names) == 0 && (ours.Exit == 0) != (ref.Exit == 0) {
		t.Errorf("exit %d, the reference's is %d: %s%s", ours.Exit, ref.Exit, ref.Stdout, ref.Stderr)
	}
	return slices.Sorted(maps.Keys(names))
}

// difference names what the two say of one file, "" where it is the same and
// "?" where it should be.
func difference(v, reason, reference string) string {
	valid, silent := reference == "valid", reference == ""
	if valid == (v == string(verify.Kept)) && !silent {
		if v == string(verify.Unverified) {
			return "unknown-key"
		}
		return ""
	}
	switch {
	case silent && v == string(verify.Kept):
		return "passed-over"
	case silent && v == string(verify.Unverified):
		return "unknown-key"
	case silent && v == string(verify.Unattested):
		return "untrusted-digest-logs"
	case silent && (v == string(verify.Unreferenced) || v == string(verify.Pending)):
		return "unreferenced-log"
	case valid:
		return map[verify.Reason]string{
			verify.TrailingData: "trailing-data", verify.Truncated: "truncated-trailer", verify.LinkMismatch: "link-not-compared",
			verify.SignatureInvalid: "weak-signature", verify.KeyNotValidThen: "key-validity", verify.DigestNotTrusted: "untrusted-digest-logs",
			verify.NoDigest: "untrusted-digest-logs",
		}[verify.Reason(reason)]
	case v == string(verify.Kept) && reason == string(verify.SignatureRecovered):
		return "metadata"
	default:
		return "?"
	}
}

// chainDifference names what only one of the two says of a chain as a whole.
func chainDifference(w *verifytest.World, damage string, ours report, ref *verifytest.Validation) string {
	found := func(kind verify.FindingKind) bool {
		return slices.ContainsFunc(ours.Findings, func(f struct{ Kind, Message string }) bool { return f.Kind == string(kind) })
	}
	switch {
	case found(verify.NoDigests) && ref.Exit == 0:
		return "all-digests-gone"
	case found(verify.Stale) && ref.Exit == 0:
		return "tail-cut"
	case found(verify.Gap) && ref.Exit == 0:
		return "logging-off"
	case found(verify.LinkBroken) && ref.Exit == 0:
		return "link-skipped"
	case damage == "logs-and-digests-deleted" && ours.Exit == 1 && !strings.Contains(ref.Stdout, w.Victims[damage][0].URI()):
		return "stretch-deleted"
	default:
		return ""
	}
}
