package verify_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

func inspect(t *testing.T, w *verifytest.World, s *verifytest.Store, ref verify.Ref) (verify.Inspection, []verify.File) {
	t.Helper()
	var logs []verify.File
	in, err := verify.Inspect(t.Context(), request(w, s), ref, func(f verify.File) error { logs = append(logs, f); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return in, logs
}

func check(d *verify.DigestFacts, name string) verify.Outcome {
	i := slices.IndexFunc(d.Checks, func(c verify.Check) bool { return c.Name == name })
	return d.Checks[i].Outcome
}

// An honest digest holds in every check, with its neighbours and all its logs.
func TestInspectDigest(t *testing.T) {
	w := mint(t, func(s *verifytest.Spec) { s.QuietEvery = 0 })
	d := w.Chains()[0].Digests
	in, logs := inspect(t, w, verifytest.NewStore(w), d[5].Ref)
	if in.Exit != 0 || in.File == nil || in.File.Verdict != verify.Kept || in.Kind != "digest" {
		t.Fatalf("%+v", in)
	}
	for _, c := range in.Digest.Checks {
		if c.Outcome != verify.CheckHolds {
			t.Errorf("%+v", c)
		}
	}
	if p, n := in.Digest.Previous, in.Digest.Next; p.URI != d[4].URI() || p.Verdict != verify.Kept || n.URI != d[6].URI() || n.Verdict != verify.Kept {
		t.Errorf("neighbours %+v %+v", p, n)
	}
	if want := logsOf(w, d[5].Ref); len(logs) != len(want) || len(logs) != in.Digest.Lists || in.Logs[verify.Kept] != len(want) || logs[0].URI != want[0].URI() {
		t.Errorf("logs %+v", logs)
	}
	if !strings.HasPrefix(in.Digest.StringToSign, d[5].End.Format("2006-01-02T15:04:05Z")+"\n"+d[5].Bucket+"/"+d[5].Key+"\n"+d[5].Hash.String()+"\n") ||
		in.Digest.Signature != d[5].Signature || in.Digest.SignatureFrom != "metadata" {
		t.Errorf("%+v", in.Digest)
	}
	if first, _ := inspect(t, w, verifytest.NewStore(w), d[0].Ref); !first.Digest.Starting || first.Exit != 0 || check(first.Digest, "previous") != verify.CheckHolds {
		t.Errorf("starting: %+v", first.Digest)
	}
	s := verifytest.NewStore(w)
	s.Copy = true
	if copied, _ := inspect(t, w, s, verify.Ref{Bucket: "copy", Key: d[5].Key}); copied.Digest.SignatureFrom != "next-digest" || copied.Digest.Signature != d[5].Signature ||
		copied.Exit != 0 || check(copied.Digest, "signature") != verify.CheckUnknown {
		t.Errorf("a copy without metadata: %+v", copied.Digest)
	}
}

func TestInspectLog(t *testing.T) {
	w := mint(t, func(s *verifytest.Spec) { s.EventsPerLog = 200 })
	ref := logIn(4)(w)
	in, _ := inspect(t, w, verifytest.NewStore(w), ref)
	l := in.Log
	if in.Exit != 0 || l == nil || l.Events != 200 || len(l.ListedBy) != 1 || l.ListedBy[0].Verdict != verify.Kept || in.Object.SHA256 != l.Expected || in.Object.Form != "exact" {
		t.Fatalf("%+v %+v", in, l)
	}
	if l.First == nil || l.Last == nil || !l.First.Equal(*in.File.Start) || !l.Last.Equal(*in.File.End) {
		t.Errorf("events from %v to %v, the digest says %v to %v", l.First, l.Last, in.File.Start, in.File.End)
	}
	sum := l.Services.Others
	for i, c := range l.Services.Top {
		if sum += c.Events; i > 0 && c.Events > l.Services.Top[i-1].Events {
			t.Errorf("not in order: %+v", l.Services.Top)
		}
	}
	if sum != 200 || len(l.Principals.Top) != verify.TopCounts || !strings.HasPrefix(l.Principals.Top[0].Name, "arn:aws:sts::") || len(l.Errors.Top) != 0 {
		t.Errorf("%+v %+v %+v", l.Services, l.Principals, l.Errors)
	}
}

// What a log is that no digest vouches for is told all the same, and is no success.
func TestInspectWithoutVerdict(t *testing.T) {
	w := mint(t, nil)
	beside := notNamed(w)
	honest, _ := w.Get(beside)
	put := func(key string, o verifytest.Object) verify.Ref {
		ref := verify.Ref{Bucket: beside.Bucket, Key: key}
		w.Put(ref, o)
		return ref
	}
	d, _ := w.Get(digestIn(3)(w))
	for name, c := range map[string]struct {
		ref   verify.Ref
		says  string
		event bool
	}{
		"a log nobody names":      {beside, "no digest names it", true},
		"a log elsewhere":         {put("x/log.json.gz", honest), "as a log file does; its name", true},
		"a digest elsewhere":      {put("x/digest.json.gz", d), "its content is a digest's; its name", false},
		"no gzip":                 {put("x/text", verifytest.Object{Bytes: []byte("text")}), "it is not gzip, and does not begin like JSON", false},
		"JSON":                    {put("x/json", verifytest.Object{Bytes: []byte(" {\"Records\":[]}")}), "begins like JSON: CloudTrail's files are gzip", false},
		"nothing":                 {put("x/empty", verifytest.Object{}), "it is empty; its name", false},
		"half":                    {put("x/half", verifytest.Object{Bytes: honest.Bytes[:len(honest.Bytes)/2]}), "begins like gzip and is not whole (truncated)", false},
		"not there":               {verify.Ref{Bucket: beside.Bucket, Key: "x/none"}, "there is no such object", false},
		"a log that is not there": {otherAccount(w), "there is no such object, and no digest names it", false},
		"a digest that is not":    {noDigest(w), "there is no such object, and no digest that was read names it", false},
	} {
		in, _ := inspect(t, w, verifytest.NewStore(w), c.ref)
		if in.Exit != 3 || in.File != nil || !strings.Contains(in.Says, c.says) || c.event != (in.Log != nil && in.Log.Events > 0) {
			t.Errorf("%s: exit %d, says %q, log %+v", name, in.Exit, in.Says, in.Log)
		}
	}
}

// Inspect says of every file what a run says of it, whatever was done to it, and
// its checks agree with the verdict.
func TestInspectAgreesWithTheRun(t *testing.T) {
	for _, damage := range append(verifytest.Damages(), verifytest.Damage{}) {
		t.Run(damage.Name, func(t *testing.T) {
			w := mint(t, nil)
			if damage.Name != "" {
				if err := w.Damage(damage.Name); err != nil {
					t.Fatal(err)
				}
			}
			s := verifytest.NewStore(w)
			run := judge(t, request(w, s))
			for i, f := range run.files {
				if f.Verdict == verify.Unreferenced || f.Verdict == verify.Pending || f.Verdict == verify.Kept && len(f.Reasons) == 0 && (i%4 != 0 || raced && i%16 != 0) {
					continue
				}
				bucket, key, _ := strings.Cut(strings.TrimPrefix(f.URI, "s3://"), "/")
				in, logs := inspect(t, w, s, verify.Ref{Bucket: bucket, Key: key})
				if in.File == nil {
					t.Errorf("%s %s: nothing is said, doubt %q, %s", f.URI, f.Verdict, in.Doubt, in.Says)
					continue
				}
				if got, want := fmt.Sprint(in.File.Verdict, in.File.Reasons), fmt.Sprint(f.Verdict, f.Reasons); got != want && in.File.Verdict.Class() <= f.Verdict.Class() {
					t.Errorf("%s is %s, the run says %s", f.URI, got, want)
				}
				agree(t, in, logs)
			}
		})
	}
}

func agree(t *testing.T, in verify.Inspection, logs []verify.File) {
	t.Helper()
	worst := in.File.Class
	for _, l := range logs {
		worst = max(worst, l.Class)
	}
	if _, exit := worst.Outcome(); exit != in.Exit {
		t.Errorf("%s: exit %d, want %d", in.URI, in.Exit, exit)
	}
	if in.Digest == nil {
		return
	}
	var names, failed []string
	for _, c := range in.Digest.Checks {
		if names = append(names, c.Name); c.Outcome == verify.CheckFails {
			failed = append(failed, c.Name)
		}
	}
	if !slices.Equal(names, verify.CheckNames) {
		t.Errorf("%s: the checks %v", in.URI, names)
	}
	own := slices.DeleteFunc(failed, func(n string) bool { return n == "previous" })
	switch v := in.File.Verdict; {
	case v == verify.Kept && len(own) > 0 && !slices.Equal(own, []string{"signature"}):
		t.Errorf("%s is kept, and %v failed", in.URI, own)
	case v == verify.Kept && check(in.Digest, "signature") != verify.CheckHolds && in.Digest.SignatureFrom != "next-digest":
		t.Errorf("%s is kept, and no signature holds", in.URI)
	case (v == verify.Modified || v == verify.Deleted) && len(own) == 0 && !slices.Contains(in.File.Reasons, verify.LinkMismatch):
		t.Errorf("%s is %s %v, and no check failed", in.URI, v, in.File.Reasons)
	}
}

// A million principals take no more memory than some thousand.
func TestInspectHostileLog(t *testing.T) {
	w := mint(t, nil)
	var b strings.Builder
	b.WriteString(`{"Records":[`)
	for i := range 50_000 {
		fmt.Fprintf(&b, `{"eventSource":7,"eventTime":{},"userIdentity":[],"userIdentity":{"arn":"a%d"},"errorCode":"\u001b[2J%s"},`, i, strings.Repeat("x", i%3*1000))
	}
	b.WriteString(`{"userIdentity":{"arn":1,"userName":"u"}}]}`)
	ref := verify.Ref{Bucket: logIn(0)(w).Bucket, Key: "x"}
	w.Put(ref, verifytest.Object{Bytes: zip(b.String())})
	in, _ := inspect(t, w, verifytest.NewStore(w), ref)
	l := in.Log
	if l == nil || l.Events != 50_001 || !l.Principals.Full || l.Principals.Distinct != 10_000 || l.Principals.Others+len(l.Principals.Top) != 50_001 || l.Errors.Distinct != 2 {
		t.Errorf("%+v", l)
	}
}
