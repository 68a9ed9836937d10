package verify_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// A layer stands between the store and the engine, as what opens sealed files
// does, and says of objects what the test wants.
type layer struct {
	*verifytest.Store
	altered   map[verify.Ref]verify.Altered
	envelope  verify.Envelope // of all others
	companion map[verify.Ref]bool
	asked     []verify.Ref // for being a companion
}

func (l *layer) Read(ctx context.Context, ref verify.Ref, use func(verify.Object) error) error {
	return l.Store.Read(ctx, ref, func(o verify.Object) error {
		o.Envelope = l.envelope
		if a, ok := l.altered[ref]; ok {
			o.Body, o.Altered = strings.NewReader(""), &a
		}
		return use(o)
	})
}

func (l *layer) Companion(_ context.Context, ref verify.Ref) bool {
	l.asked = append(l.asked, ref)
	return l.companion[ref]
}

var _ verify.Companions = (*layer)(nil)

// What an envelope shows to be altered is modified, log or digest, and the
// digest takes its logs with it.
func TestAlteredEnvelopes(t *testing.T) {
	w := mint(t, func(s *verifytest.Spec) { s.Regions, s.Backfill = []string{"eu-west-1"}, false })
	d := w.Chains()[0].Digests
	victim := d[len(d)/2]
	record, err := w.Record(d[2].Ref)
	if err != nil || len(record.Logs) == 0 {
		t.Fatal(err)
	}
	log := verify.Ref{Bucket: record.Logs[0].Bucket, Key: record.Logs[0].Object}
	s := &layer{Store: verifytest.NewStore(w), envelope: verify.Envelope{Scheme: "s3ec-v2", Key: trailKey}, altered: map[verify.Ref]verify.Altered{
		victim.Ref: {Reason: verify.EnvelopeMalformed, Detail: "x-amz-iv has 3 bytes"},
		log:        {Reason: verify.CiphertextAltered, Detail: "the tag is wrong"},
	}}
	r := judge(t, keyRequest(w, s, s.Store, nil))
	addUp(t, r)
	for ref, want := range map[verify.Ref]verify.File{
		victim.Ref: {Verdict: verify.Modified, Reason: verify.EnvelopeMalformed, Detail: "x-amz-iv has 3 bytes"},
		log:        {Verdict: verify.Modified, Reason: verify.CiphertextAltered, Detail: "the tag is wrong"},
	} {
		if f := r.find(ref.URI()); f.Verdict != want.Verdict || f.Reason != want.Reason || f.Detail != want.Detail || f.Actual != "" || f.Envelope != "s3ec-v2" {
			t.Errorf("%s: %+v", ref.URI(), f)
		}
	}
	if got := findingsOf(r, verify.ClientSide); len(got) != 1 || r.summary.Exit != 1 || r.summary.Logs[verify.Modified] != 1 || r.summary.Digests[verify.Modified] != 1 {
		t.Errorf("exit %d, %v\n%s", r.summary.Exit, got, r)
	}
	for _, f := range r.files {
		if f.Verdict == verify.Kept && f.Key != trailKey {
			t.Fatalf("kept, and no key: %+v", f)
		}
	}
	s.Copy = true
	if r := judge(t, keyRequest(w, s, s.Store, nil)); len(findingsOf(r, verify.ClientSide)) != 0 {
		t.Error("in a copy somebody has sealed what he copied: no finding")
	}
}

// An instruction file beside a log that a digest names is accepted where it is
// one and nothing else.
func TestCompanions(t *testing.T) {
	for name, c := range map[string]struct {
		key       func(log, digest string) string
		companion bool
		layered   bool
		want      verify.Verdict
		finding   verify.FindingKind
		asked     int
	}{
		"beside a log":                     {func(log, _ string) string { return log + ".instruction" }, true, true, "", "", 1},
		"beside a log, and no envelope":    {func(log, _ string) string { return log + ".instruction" }, false, true, verify.Unreferenced, "", 1},
		"nothing opens":                    {func(log, _ string) string { return log + ".instruction" }, true, false, verify.Unreferenced, "", 0},
		"its owner is not named":           {func(log, _ string) string { return strings.Replace(log, ".json", "x.json", 1) + ".instruction" }, true, true, verify.Unreferenced, "", 0},
		"another ending":                   {func(log, _ string) string { return log + ".instruction2" }, true, true, verify.Unreferenced, "", 0},
		"its own companion":                {func(log, _ string) string { return log + ".instruction.instruction" }, true, true, verify.Unreferenced, "", 0},
		"beside a digest":                  {func(_, digest string) string { return digest + ".instruction" }, true, true, "", "", 1},
		"beside a digest, and no envelope": {func(_, digest string) string { return digest + ".instruction" }, false, true, "", verify.Junk, 1},
		"beside no digest":                 {func(_, digest string) string { return digest + "x.instruction" }, true, true, "", verify.Junk, 0},
		"beside a digest, nothing opens":   {func(_, digest string) string { return digest + ".instruction" }, true, false, "", verify.Junk, 0},
	} {
		w := mint(t, func(s *verifytest.Spec) { s.Regions, s.Backfill = []string{"eu-west-1"}, false })
		record, _ := w.Record(w.Chains()[0].Digests[4].Ref)
		ref := verify.Ref{Bucket: record.Bucket, Key: c.key(record.Logs[0].Object, record.Object)}
		w.Put(ref, verifytest.Object{Bytes: []byte("{}"), Modified: w.Window().Start})
		s := &layer{Store: verifytest.NewStore(w), companion: map[verify.Ref]bool{ref: c.companion}}
		var store verify.Store = s
		if !c.layered {
			store = s.Store
		}
		req := keyRequest(w, store, s.Store, nil)
		req.Now = w.Now().Add(100 * time.Hour) // nothing is pending any more
		req.Policy.Accept = []string{"stale"}
		r := judge(t, req)
		junk := slices.ContainsFunc(r.findings, func(f verify.Finding) bool { return f.Kind == verify.Junk && f.URI == ref.URI() })
		if f := r.find(ref.URI()); f.Verdict != c.want || junk != (c.finding == verify.Junk) || len(s.asked) != c.asked {
			t.Errorf("%s: %q, asked %v\n%s", name, f.Verdict, s.asked, r)
		}
	}
}
