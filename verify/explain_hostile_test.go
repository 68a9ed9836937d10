package verify_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// noonAt is a time in the middle of the tests' world.
var noonAt = time.Date(2026, 3, 10, 6, 30, 0, 0, time.UTC)

// Events of logs that are not kept count for nothing.
func TestExplainOnlyKeptLogs(t *testing.T) {
	stop := call(noonAt, "cloudtrail", "StopLogging", `{"name":"management-events"}`)
	s := story{spec: oneRegion}
	r := s.run(t, stop)
	expect(t, r, "StopLogging")
	log := keyOf(r.summary.Explained[0].Log)
	ref := verify.Ref{Bucket: bucket, Key: log}
	s.after = func(w *verifytest.World) {
		o, _ := w.Get(ref)
		o.Bytes = append(slices.Clone(o.Bytes), 0)
		w.Put(ref, o)
	}
	r = s.run(t, stop)
	if f := r.find("s3://" + bucket + "/" + log); len(r.summary.Explained) != 0 || f.Verdict != verify.Modified {
		t.Errorf("%q\n%s", toldOf(r), r)
	}
	// Where no key can be had, no digest is kept, and no log.
	s.after = nil
	s.store = func(_ *verifytest.World, st *verifytest.Store) {
		st.FailKeys("eu-west-1", verifytest.Unreadable("keys", verify.KeysUnavailable))
	}
	expect(t, s.run(t, stop))
}

// What callers write into events is bounded, and what is of the wrong form is not there.
func TestExplainHostileEvents(t *testing.T) {
	huge := strings.Repeat("A", 200_000)
	quoted := func(s string) string { b, _ := json.Marshal(s); return string(b) }
	raw := func(format string, args ...any) verifytest.Event {
		return verifytest.Event{At: noonAt, JSON: fmt.Sprintf(format, args...)}
	}
	const base = `"eventTime":"2026-03-10T06:30:00Z","eventSource":"cloudtrail.amazonaws.com","eventName":"StopLogging","requestParameters":{"name":"management-events"}`
	for name, c := range map[string]struct {
		event verifytest.Event
		want  int
	}{
		"plain":         {raw(`{%s}`, base), 1},
		"huge agent":    {raw(`{"eventVersion":"1",%s,"userAgent":%s}`, base, quoted(huge)), 1},
		"escapes":       {raw(`{%s,"userAgent":%s,"sourceIPAddress":"\u001b[2J\u0000\ud800"}`, base, quoted("\x1b[31m\x00\u202eevil\xff")), 1},
		"wrong types":   {raw(`{%s,"userAgent":[1],"sourceIPAddress":{},"userIdentity":"x","awsRegion":"eu-west-1","recipientAccountId":"111122223333","resources":{"ARN":1},"eventID":7,"errorCode":null}`, base), 1},
		"identity list": {raw(`{%s,"userIdentity":[{"arn":"x"}]}`, base), 1},
		"deep":          {raw(`{%s,"responseElements":%s}`, base, strings.Repeat(`{"a":[`, 4000)+strings.Repeat(`]}`, 4000)), 1},
		"too deep":      {raw(`{%s,"responseElements":%s}`, base, strings.Repeat(`[`, 20000)+strings.Repeat(`]`, 20000)), 0},
		"no time":       {raw(`{%s}`, strings.Replace(base, "2026-03-10T06:30:00Z", "yesterday", 1)), 0},
		"name object":   {raw(`{%s}`, strings.Replace(base, `"management-events"`, `{"x":"management-events"}`, 1)), 0},
		"no parameters": {raw(`{%s}`, strings.Replace(base, `{"name":"management-events"}`, `null`, 1)), 0},
		"in an agent":   {raw(`{"eventName":"GetTrail","userAgent":%s}`, quoted(`{"eventVersion":"1",`+base+`}`)), 0},
		"nested":        {raw(`{"eventVersion":"1","eventName":"X","requestParameters":{"items":[{"a":1},{"eventVersion":"1",%s}]}}`, base), 0},
	} {
		t.Run(name, func(t *testing.T) {
			if c.want == 1 && !strings.Contains(c.event.JSON, "recipientAccountId") {
				c.event.JSON = strings.TrimSuffix(c.event.JSON, "}") + `,"awsRegion":"eu-west-1","recipientAccountId":"111122223333"}`
			}
			s := story{spec: func(s *verifytest.Spec) { oneRegion(s); s.Events = []verifytest.Event{c.event} }}
			r := s.run(t)
			if len(r.summary.Explained) != c.want || r.summary.Exit != 0 {
				t.Fatalf("%d explanations, want %d\n%s", len(r.summary.Explained), c.want, r)
			}
			for _, e := range r.summary.Explained {
				for _, field := range []string{e.Who, e.Agent, e.From, e.Detail, e.Target, e.ID, e.Error} {
					if len(field) > 1200 || field != strings.ToValidUTF8(field, "?") {
						t.Errorf("%d bytes: %.80q", len(field), field)
					}
				}
			}
		})
	}
}

// Two events with one id are two, and one event in two logs is one.
func TestExplainTellsEventsApart(t *testing.T) {
	one := call(noonAt, "cloudtrail", "StopLogging", `{"name":%q}`, trailARN)
	one.ID = "same"
	two := one
	two.Name = "DeleteTrail"
	elsewhere := one.Event()
	elsewhere.Region = "us-east-1"
	s := story{spec: func(s *verifytest.Spec) { s.Events = []verifytest.Event{elsewhere} }}
	expect(t, s.run(t, one, two), "DeleteTrail", "StopLogging")
}

// The events beside the window are found too, and their logs are not judged.
func TestExplainAtTheEdges(t *testing.T) {
	before := call(noonAt, "cloudtrail", "StopLogging", `{"name":%q}`, trailARN)
	after := call(noonAt.Add(3*time.Hour), "cloudtrail", "StartLogging", `{"name":%q}`, trailARN)
	far := call(noonAt.Add(-3*time.Hour), "cloudtrail", "UpdateTrail", `{"name":%q}`, trailARN)
	window := func(r *verify.Request) {
		r.Window = verify.Window{Start: time.Date(2026, 3, 10, 7, 12, 31, 0, time.UTC), End: time.Date(2026, 3, 10, 9, 12, 31, 0, time.UTC)}
	}
	s := story{spec: oneRegion, req: window}
	r := s.run(t, before, after, far)
	expect(t, r, "StopLogging", "StartLogging")
	if n := r.summary.Logs[verify.Kept]; n != 6 || r.summary.Exit != 0 {
		t.Errorf("%d logs kept, want those of the window's two hours alone\n%s", n, r)
	}
	// One that is not what its digest vouches for says nothing, and is not told of.
	log := verify.Ref{Bucket: bucket, Key: keyOf(r.summary.Explained[0].Log)}
	for _, harm := range []func(*verifytest.World){
		func(w *verifytest.World) { w.Delete(log) },
		func(w *verifytest.World) { w.Put(log, verifytest.Object{Bytes: []byte("x")}) },
	} {
		s.after = harm
		r = s.run(t, before, after)
		expect(t, r, "StartLogging")
		if len(r.files) != 0 || r.summary.Exit != 0 {
			t.Errorf("%s", r)
		}
	}
}

// The report does not depend on how much is in flight at once.
func TestExplainConcurrency(t *testing.T) {
	var calls []verifytest.Call
	for i := range 120 {
		at := noonAt.Add(time.Duration(i%7-3) * time.Hour)
		calls = append(calls, call(at, "s3", "DeleteObjects", `{"bucketName":%q,"i":%d}`, bucket, i),
			call(at, "s3", "PutObject", `{"bucketName":%q,"key":"AWSLogs/111122223333/CloudTrail/x%d"}`, bucket, i))
		calls[len(calls)-1].Region = []string{"eu-west-1", "us-east-1"}[i%2]
	}
	var want string
	for _, n := range []int{1, 3, 256} {
		r := story{harm: []string{"log-deleted", "gap"}, req: func(r *verify.Request) { r.InFlight = n }}.run(t, calls...)
		got := fmt.Sprint(r.summary.Explained)
		if want == "" {
			want = got
		}
		if got != want || len(r.summary.Explained) < 150 {
			t.Errorf("with %d in flight: %d explanations\n%s\nwant\n%s", n, len(r.summary.Explained), got, want)
		}
	}
}

// A flood is cut off, and counted.
func TestExplainBounds(t *testing.T) {
	var calls []verifytest.Call
	for i := range 3000 {
		calls = append(calls, call(noonAt.Add(time.Duration(i%5)*time.Hour), "s3", "DeleteObjects", `{"bucketName":%q,"i":%d}`, bucket, i))
	}
	s := story{spec: oneRegion, harm: []string{"log-deleted"}}
	f := s.firstFile(t, verify.Deleted)
	calls = append([]verifytest.Call{call(f.End.Add(90*time.Minute), "s3", "DeleteObject", `{"bucketName":%q,"key":%q}`, bucket, keyOf(f.URI))}, calls...)
	r := s.run(t, calls...)
	if n := len(r.summary.Explained); n != 1000 || r.summary.UnlistedEvents != 3001-1000 {
		t.Errorf("%d listed, %d not", n, r.summary.UnlistedEvents)
	}
	if i := slices.IndexFunc(r.summary.Explained, func(e verify.Explanation) bool { return len(e.Explains) == 0 }); i >= 0 &&
		slices.ContainsFunc(r.summary.Explained[i:], func(e verify.Explanation) bool { return len(e.Explains) > 0 }) {
		t.Errorf("those that explain something come first: %q", toldOf(r))
	}
}

// A log in which an event looks like the begin of another is read once more.
func TestExplainReadsOddLogsAgain(t *testing.T) {
	filler := strings.Repeat("x", 40_000)
	nested := `{"eventVersion":"1","eventName":"X","requestParameters":{"n":[{"a":"` + filler + `"},{"eventVersion":"no","b":"` + filler + filler + `"}]}}`
	events := []verifytest.Event{{At: noonAt, JSON: nested}, {At: noonAt, JSON: nested}, call(noonAt, "cloudtrail", "StopLogging", `{"name":%q}`, trailARN).Event(), {At: noonAt, JSON: nested}}
	s := story{spec: func(s *verifytest.Spec) { oneRegion(s); s.Events = events }}
	expect(t, s.run(t), "StopLogging")
}

// Vouch does not explain.
func TestVouchDoesNotExplain(t *testing.T) {
	w := mint(t, func(s *verifytest.Spec) {
		s.Events = []verifytest.Event{call(noonAt, "cloudtrail", "StopLogging", `{"name":%q}`, trailARN).Event()}
	})
	req := request(w, verifytest.NewStore(w))
	req.Explain = true
	if f, found, _, err := verify.Vouch(t.Context(), req, w.Logs()[3]); err != nil || !found || f.Verdict != verify.Kept {
		t.Errorf("%v %v %v", f, found, err)
	}
}
