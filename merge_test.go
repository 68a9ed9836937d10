package trailseal_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
	reports "github.com/trailseal/trailseal/verify/report"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// savedRun verifies a window of a world and saves the report.
func savedRun(t testing.TB, w *verifytest.World, win verify.Window, change func(*verify.Request)) *reports.Saved {
	t.Helper()
	store := verifytest.NewStore(w)
	req := verify.Request{Source: "test", Store: store, Keys: store, Window: win, Now: later(w)}
	if change != nil {
		change(&req)
	}
	var out bytes.Buffer
	sink, err := reports.New("json", &out, reports.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	if _, err := verify.Run(t.Context(), req, sink); err != nil {
		t.Fatal(err)
	}
	return open(t, out.Bytes())
}

func open(t testing.TB, raw []byte) *reports.Saved {
	t.Helper()
	s, err := reports.OpenSaved(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatalf("%v\n%.3000s", err, raw)
	}
	return s
}

func merged(t testing.TB, all ...*reports.Saved) *judgement {
	t.Helper()
	var j judgement
	s, err := reports.Merge("test", all, &j)
	if err != nil {
		t.Fatal(err)
	}
	if s.Exit != j.summary.Exit {
		t.Errorf("exit %d and %d", s.Exit, j.summary.Exit)
	}
	return &j
}

func told(t testing.TB, s *reports.Saved) *judgement {
	t.Helper()
	var j judgement
	if err := s.Play(&j); err != nil {
		t.Fatal(err)
	}
	return &j
}

// same holds a merged report against one of the whole: files, totals and time.
func (j *judgement) same(t testing.TB, whole *judgement, what string) {
	t.Helper()
	files := func(j *judgement) (all []string) {
		for _, f := range j.files {
			all = append(all, fmt.Sprint(f.Kind, f.URI, f.Verdict, f.Reasons))
		}
		slices.Sort(all)
		return all
	}
	if !slices.Equal(files(j), files(whole)) {
		t.Errorf("%s: files\n%v\nwant\n%v", what, files(j), files(whole))
	}
	positive := func(m map[verify.Verdict]int) map[verify.Verdict]int {
		m = maps.Clone(m)
		maps.DeleteFunc(m, func(_ verify.Verdict, n int) bool { return n == 0 })
		return m
	}
	if !maps.Equal(positive(j.summary.Digests), positive(whole.summary.Digests)) || !maps.Equal(positive(j.summary.Logs), positive(whole.summary.Logs)) {
		t.Errorf("%s: totals %v %v, want %v %v", what, j.summary.Digests, j.summary.Logs, whole.summary.Digests, whole.summary.Logs)
	}
	if j.summary.Exit != whole.summary.Exit || j.summary.Window != whole.summary.Window {
		t.Errorf("%s: exit %d of %v, want %d of %v", what, j.summary.Exit, j.summary.Window, whole.summary.Exit, whole.summary.Window)
	}
	for i, c := range j.chains {
		if i >= len(whole.chains) || c.Region != whole.chains[i].Region || !slices.Equal(c.Coverage, whole.chains[i].Coverage) ||
			!maps.Equal(positive(c.Digests), positive(whole.chains[i].Digests)) || !maps.Equal(positive(c.Logs), positive(whole.chains[i].Logs)) {
			t.Errorf("%s: chain %d\n%+v\nwant\n%+v", what, i, c, whole.chains[min(i, len(whole.chains)-1)])
		}
	}
	j.addsUp2(t)
}

// addsUp2: each second of each chain's window is in one state.
func (j *judgement) addsUp2(t testing.TB) {
	t.Helper()
	want := int64(j.summary.Window.End.Sub(j.summary.Window.Start) / time.Second)
	for _, c := range j.chains {
		got := int64(0)
		for _, s := range c.Coverage {
			got += s.Seconds
		}
		if got != want {
			t.Errorf("%s %s: %d of %d seconds are accounted for", c.Account, c.Region, got, want)
		}
	}
}

// Reports of two windows that meet, merged, say what one of both says: wherever
// they meet, and whatever was damaged on either side.
func TestMergeOfWindows(t *testing.T) {
	for _, damage := range []string{"", "log-modified", "log-deleted", "forged-log", "digest-modified", "digest-deleted", "gap", "log-listed-twice", "logs-and-digests-deleted", "hostile-name", "log-bomb"} {
		w := mintWorld(t, func(s *verifytest.Spec) { s.Hours, s.Backfill = 9, false })
		if damage != "" {
			if err := w.Damage(damage); err != nil {
				t.Fatal(err)
			}
		}
		all := w.Window()
		whole := told(t, savedRun(t, w, all, nil))
		for _, at := range []time.Duration{time.Hour, 2*time.Hour + 17*time.Minute, 4 * time.Hour, 5*time.Hour + 59*time.Minute + 59*time.Second} {
			middle := all.Start.Add(at)
			one := savedRun(t, w, verify.Window{Start: all.Start, End: middle}, nil)
			two := savedRun(t, w, verify.Window{Start: middle, End: all.End}, nil)
			merged(t, two, one).same(t, whole, fmt.Sprint(damage, " met at ", at))
		}
	}
}

// Reports of disjoint accounts or regions become one of all.
func TestMergeOfAccountsAndRegions(t *testing.T) {
	w := mintWorld(t, func(s *verifytest.Spec) { s.Accounts = []string{"111122223333", "444455556666"} })
	if err := w.Damage("log-modified"); err != nil {
		t.Fatal(err)
	}
	whole := told(t, savedRun(t, w, w.Window(), nil))
	part := func(account, region string) *reports.Saved {
		return savedRun(t, w, w.Window(), func(r *verify.Request) {
			r.Filter = verify.Filter{Accounts: []string{account}, Regions: []string{region}}
		})
	}
	merged(t, part("4*", "*"), part("1*", "us-*"), part("1*", "eu-*")).same(t, whole, "three parts")
}

// Time that no report covers is not proven; time that two cover is named.
func TestMergeFindsHolesAndOverlaps(t *testing.T) {
	w := mintWorld(t, func(s *verifytest.Spec) { s.Hours, s.Backfill = 9, false })
	all := w.Window()
	run := func(from, to int) *reports.Saved {
		return savedRun(t, w, verify.Window{Start: all.Start.Add(time.Duration(from) * time.Hour), End: all.Start.Add(time.Duration(to) * time.Hour)}, nil)
	}
	hole := merged(t, run(0, 3), run(5, 9))
	if hole.summary.Exit != 3 || hole.finding(verify.NotChecked).Start == nil {
		t.Errorf("a hole of two hours:\n%s", hole)
	}
	hole.addsUp2(t)
	twice := merged(t, run(0, 6), run(4, 9))
	if twice.summary.Exit != 0 || twice.finding(verify.Overlap).Start == nil {
		t.Errorf("an overlap of two hours:\n%s", twice)
	}
	twice.addsUp2(t)
	same := run(0, 9)
	if j := merged(t, same, same); j.finding(verify.Overlap).Kind == "" || j.summary.Exit != 0 {
		t.Errorf("the same report twice:\n%s", j)
	}
	alone := merged(t, same)
	alone.same(t, told(t, same), "one alone")
}

// What a later run found of the digest that both windows share is not lost
// because the earlier one found it kept, nor the other way round.
func TestMergeKeepsWhatOneRunFound(t *testing.T) {
	w := mintWorld(t, func(s *verifytest.Spec) { s.Hours, s.Backfill, s.QuietEvery = 9, false, 0 })
	all := w.Window()
	middle := all.Start.Add(4*time.Hour + 30*time.Minute)
	before := savedRun(t, w, verify.Window{Start: all.Start, End: middle}, nil)
	after := savedRun(t, w, verify.Window{Start: middle, End: all.End}, nil)
	var edge *verifytest.Digest
	for _, c := range w.Chains() {
		for _, d := range c.Digests {
			if d.Start.Before(middle) && d.End.After(middle) && d.Logs > 0 {
				edge = d
			}
		}
	}
	log := logsOf(t, w, edge)[0]
	o, _ := w.Get(log)
	o.Bytes = []byte("nonsense")
	w.Put(log, o)
	for name, reports := range map[string][]*reports.Saved{
		"found later":   {before, savedRun(t, w, verify.Window{Start: middle, End: all.End}, nil)},
		"found earlier": {savedRun(t, w, verify.Window{Start: all.Start, End: middle}, nil), after},
		"found by both": {savedRun(t, w, verify.Window{Start: all.Start, End: middle}, nil), savedRun(t, w, verify.Window{Start: middle, End: all.End}, nil)},
	} {
		j := merged(t, reports...)
		if j.summary.Exit != 1 || j.summary.Logs[verify.Modified] != 1 || len(j.files) != 1 || j.files[0].URI != log.URI() {
			t.Errorf("%s:\n%s", name, j)
		}
		j.addsUp2(t)
	}
}
