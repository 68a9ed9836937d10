package trailseal_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/source"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// eventful is a trail whose logs say that it was stopped, a log deleted and one
// overwritten; the last two by their names in an honest trail.
func eventful(t *testing.T, deleted, modified string) *verifytest.World {
	t.Helper()
	w := mintWorld(t, func(s *verifytest.Spec) {
		s.Hours, s.QuietEvery = 30, 0
		at := s.Start.Add(20 * time.Hour)
		for _, c := range []verifytest.Call{
			{Source: "cloudtrail.amazonaws.com", Name: "StopLogging", Parameters: `{"name":"management-events"}`},
			{Source: "s3.amazonaws.com", Name: "DeleteObject", Parameters: fmt.Sprintf(`{"bucketName":%q,"key":%q}`, s.Bucket, deleted)},
			{Source: "s3.amazonaws.com", Name: "PutObject", Parameters: fmt.Sprintf(`{"bucketName":%q,"key":%q}`, s.Bucket, modified)},
			{Source: "s3.amazonaws.com", Name: "PutBucketPolicy", Parameters: `{"bucketName":"another"}`},
		} {
			c.At = at
			s.Events = append(s.Events, c.Event())
		}
	})
	logs := w.Logs()
	w.Delete(logs[0])
	o, _ := w.Get(logs[1])
	o.Bytes = append(slices.Clone(o.Bytes), 0)
	w.Put(logs[1], o)
	return w
}

func explained(j *judgement) string {
	var all []string
	for _, e := range j.summary.Explained {
		line := e.Event
		for _, seq := range e.Explains {
			i := slices.IndexFunc(j.files, func(f verify.File) bool { return f.Seq == seq })
			line += " " + outcome(j.files[i])
		}
		all = append(all, line)
	}
	return strings.Join(all, ", ")
}

const explainedWant = "PutObject modified trailing-data, DeleteObject deleted not-found, StopLogging"

// Explaining asks for nothing more, and changes nothing else.
func TestHTTPExplain(t *testing.T) {
	awsHere(t)
	plain := mintWorld(t, func(s *verifytest.Spec) { s.Hours, s.QuietEvery = 30, 0 })
	w := eventful(t, plain.Logs()[0].Key, plain.Logs()[1].Key)
	s := serveHTTP(t, w, verifytest.ServerOptions{})
	without := judgeOver(t, w, s.URL, nil)
	with := judgeOver(t, w, s.URL, func(a *asking) { a.Explain = true })
	if got := explained(with); !sameParts(got, explainedWant) || len(without.summary.Explained) != 0 {
		t.Errorf("explained %q, want %q", got, explainedWant)
	}
	if fmt.Sprint(with.files) == "" || with.String() != without.String() {
		t.Errorf("with:\n%s\nwithout:\n%s", with, without)
	}
	if a, b := with.summary.Requests, without.summary.Requests; fmt.Sprint(a) != fmt.Sprint(b) {
		t.Errorf("requests %v, without %v", a, b)
	}
	if with.summary.Bytes != without.summary.Bytes {
		t.Errorf("bytes %v, without %v", with.summary.Bytes, without.summary.Bytes)
	}
}

// sameParts compares lists whose parts come in an order of their own.
func sameParts(a, b string) bool {
	x, y := strings.Split(a, ", "), strings.Split(b, ", ")
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

// A copy on disk is explained as the bucket that it was taken from.
func TestExplainACopy(t *testing.T) {
	plain := mintWorld(t, func(s *verifytest.Spec) { s.Hours, s.QuietEvery = 30, 0 })
	w := eventful(t, plain.Logs()[0].Key, plain.Logs()[1].Key)
	dir := t.TempDir()
	if err := w.WriteDir(dir, verifytest.DirOptions{PublicKeys: true}); err != nil {
		t.Fatal(err)
	}
	store, err := source.OpenDirectory(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	keys, err := store.KeyFiles()
	if err != nil {
		t.Fatal(err)
	}
	var j judgement
	if _, err := verify.Run(t.Context(), verify.Request{Store: store, Keys: keys, Now: later(w), Explain: true}, &j); err != nil {
		t.Fatal(err)
	}
	if got := explained(&j); !sameParts(got, explainedWant) {
		t.Errorf("explained %q, want %q\n%s", got, explainedWant, &j)
	}
}
