package verify_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// A log may be named by a time after midnight and be stored before it.
func TestExpiredAtMidnight(t *testing.T) {
	for seed := range int64(12) {
		w := mint(t, func(s *verifytest.Spec) {
			s.Seed, s.Hours, s.LogsPerHour, s.QuietEvery = seed, 96, 4, 0
		})
		w.Lifecycle(w.Buckets()[0], verify.Expiration{ID: "old", Prefix: logFolder, Days: 1})
		w.Expire(w.Now())
		r := judge(t, request(w, verifytest.NewStore(w)))
		for _, f := range r.files {
			if f.Verdict == verify.Deleted && !isExpired(f) {
				t.Errorf("seed %d: %s %v %s", seed, f.URI, f.Reasons, f.Detail)
			}
		}
	}
}

// tenDays is a world of ten days in one region, whose bucket has these rules.
func tenDays(t testing.TB, rules ...verify.Expiration) *verifytest.World {
	w := mint(t, func(s *verifytest.Spec) {
		s.Hours, s.LogsPerHour, s.QuietEvery, s.Backfill, s.Markers, s.Regions = 240, 1, 0, false, false, []string{"eu-west-1"}
	})
	w.Lifecycle(w.Buckets()[0], rules...)
	return w
}

const (
	logFolder    = "AWSLogs/111122223333/CloudTrail/"
	digestFolder = "AWSLogs/111122223333/CloudTrail-Digest/"
)

func isExpired(f verify.File) bool {
	return f.Verdict == verify.Deleted && slices.Equal(f.Reasons, []verify.Reason{verify.NotFound, verify.Expired})
}

// accepted judges with --accept expired as well, and wants each file that is
// expired to be a remark then, and nothing else to change.
func accepted(t *testing.T, req verify.Request, plain *recorder) *recorder {
	t.Helper()
	req.Policy.Accept = []string{"expired"}
	r := judge(t, req)
	if r.String() != strings.Replace(plain.String(), "exit "+string(rune('0'+plain.summary.Exit)), "exit "+string(rune('0'+r.summary.Exit)), 1) {
		t.Errorf("what is found depends on what is accepted:\n%s\nwithout\n%s", r, plain)
	}
	for i, f := range r.files {
		if want := plain.files[i].Class; isExpired(f) && f.Class != verify.Remark || !isExpired(f) && f.Class != want {
			t.Errorf("%s %v is %s, was %s", f.URI, f.Reasons, f.Class, want)
		}
	}
	return r
}

// What a rule has deleted is deleted all the same, and told apart.
func TestExpired(t *testing.T) {
	for name, c := range map[string]struct {
		rules      []verify.Expiration
		start      int // day of the window
		exit, with int // exit status, and that with --accept expired
		files      int // at least so many are expired
	}{
		"all":            {[]verify.Expiration{{ID: "old", Prefix: "", Days: 4}}, 0, 1, 0, 1},
		"all, later":     {[]verify.Expiration{{ID: "old", Prefix: "AWSLogs/", Days: 4}}, 3, 1, 0, 1},
		"logs":           {[]verify.Expiration{{ID: "old", Prefix: logFolder, Days: 4}}, 0, 1, 0, 100},
		"logs, later":    {[]verify.Expiration{{ID: "old", Prefix: logFolder, Days: 4}}, 3, 1, 0, 30},
		"digests":        {[]verify.Expiration{{ID: "old", Prefix: digestFolder, Days: 4}}, 0, 1, 3, 1},
		"by date":        {[]verify.Expiration{{ID: "old", Prefix: logFolder, On: time.Date(2026, 3, 12, 0, 0, 0, 0, time.UTC)}}, 0, 1, 0, 200},
		"two rules":      {[]verify.Expiration{{Prefix: digestFolder, Days: 6}, {ID: "old", Prefix: logFolder, Days: 4}}, 0, 1, 0, 40},
		"nothing is due": {[]verify.Expiration{{ID: "old", Days: 400}}, 0, 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := tenDays(t, c.rules...)
			w.Expire(w.Now())
			s := verifytest.NewStore(w)
			req := request(w, s)
			req.Window.Start = req.Window.Start.AddDate(0, 0, c.start)
			r := judge(t, req)
			addUp(t, r)
			n := 0
			for _, f := range r.files {
				if isExpired(f) {
					n++
					if !strings.Contains(f.Detail, `lifecycle rule "`) || !strings.Contains(f.Detail, "deletes ") {
						t.Errorf("the rule is not named: %q", f.Detail)
					}
				} else if f.Verdict == verify.Deleted {
					t.Errorf("%s %v %s", f.URI, f.Reasons, f.Detail)
				}
			}
			if r.summary.Exit != c.exit || n < c.files || s.Requests()["lifecycle"] != int64(min(n, 1)) {
				t.Errorf("%d files are expired, after %v:\n%s", n, s.Requests(), r)
			}
			if with := accepted(t, req, r); with.summary.Exit != c.with {
				t.Errorf("with --accept expired:\n%s", with)
			}
		})
	}
}

// What only looks as if a rule had deleted it is deleted and nothing else.
func TestNotExpired(t *testing.T) {
	everything := verify.Expiration{ID: "old", Days: 4}
	remove := func(match string) func(w *verifytest.World) {
		return func(w *verifytest.World) {
			n := 0
			for key := range w.Scan(w.Buckets()[0], "") {
				if strings.Contains(key, match) {
					defer w.Delete(verify.Ref{Bucket: w.Buckets()[0], Key: key})
					n++
				}
			}
			if n == 0 {
				panic("nothing like " + match)
			}
		}
	}
	expire := func(w *verifytest.World) { w.Expire(w.Now()) }
	plant := func(key string) func(w *verifytest.World) {
		return func(w *verifytest.World) {
			w.Put(verify.Ref{Bucket: w.Buckets()[0], Key: key}, verifytest.Object{Bytes: []byte("x"), Modified: w.Now()})
		}
	}
	for name, c := range map[string]struct {
		rule  verify.Expiration
		start int // day of the window
		do    []func(*verifytest.World)
	}{
		"a log among older ones":             {everything, 0, []func(*verifytest.World){remove("_CloudTrail_eu-west-1_20260313T05")}},
		"a digest among older ones":          {everything, 0, []func(*verifytest.World){remove("_20260313T05")}},
		"all logs of a window, older before": {everything, 2, []func(*verifytest.World){remove("_CloudTrail_eu-west-1_20260313")}},
		"a digest, older before the window":  {everything, 3, []func(*verifytest.World){remove("_20260313T05")}},
		"not yet due":                        {everything, 0, []func(*verifytest.World){expire, remove("_CloudTrail_eu-west-1_20260319T05")}},
		"another prefix":                     {verify.Expiration{ID: "old", Prefix: "other/", Days: 1}, 0, []func(*verifytest.World){remove("_CloudTrail_eu-west-1_20260310T0")}},
		"a tag":                              {verify.Expiration{ID: "old", Days: 1, Narrow: true}, 0, []func(*verifytest.World){remove("_CloudTrail_eu-west-1_20260310T0")}},
		"a size":                             {verify.Expiration{ID: "old", Days: 1, MinSize: 1 << 30}, 0, []func(*verifytest.World){remove("_CloudTrail_eu-west-1_20260310T0")}},
		"a date to come":                     {verify.Expiration{ID: "old", On: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)}, 0, []func(*verifytest.World){remove("_CloudTrail_eu-west-1_20260310T0")}},
		"young names planted before older ones": {everything, 0, []func(*verifytest.World){remove("_CloudTrail_eu-west-1_20260313T05"),
			plant(logFolder + "eu-west-1/2016/01/01/111122223333_CloudTrail_eu-west-1_20260313T0505Z_aaaaaaaaaaaaaaaa.json.gz"),
			plant(logFolder + "eu-west-1/2016/01/01/x"), plant(logFolder + "eu-west-1/0")}},
	} {
		t.Run(name, func(t *testing.T) {
			w := tenDays(t, c.rule)
			for _, do := range c.do {
				do(w)
			}
			req := request(w, verifytest.NewStore(w))
			req.Window.Start = req.Window.Start.AddDate(0, 0, c.start)
			r := judge(t, req)
			deleted := r.summary.Logs[verify.Deleted] + r.summary.Digests[verify.Deleted]
			young := slices.ContainsFunc(r.files, func(f verify.File) bool {
				return isExpired(f) && !(name == "not yet due" && !strings.Contains(f.URI, "20260319"))
			})
			if young || deleted == 0 {
				t.Errorf("%d deleted:\n%s", deleted, r)
			}
			if with := accepted(t, req, r); with.summary.Exit != 1 {
				t.Errorf("accepted:\n%s", with)
			}
		})
	}
}

// Where the rules cannot be asked, deleted is deleted, and it is said once.
func TestExpiryDenied(t *testing.T) {
	w := tenDays(t, verify.Expiration{ID: "old", Prefix: logFolder, Days: 4})
	w.Expire(w.Now())
	s := verifytest.NewStore(w)
	s.FailLifecycle(verifytest.Unreadable("lifecycle rules", verify.AccessDenied))
	r := judge(t, request(w, s))
	said := 0
	for i, f := range r.files {
		if isExpired(f) {
			t.Errorf("%+v", f)
		}
		if strings.Contains(f.Detail, "lifecycle rule") {
			said++
			first := slices.IndexFunc(r.files, func(f verify.File) bool { return f.Verdict == verify.Deleted })
			if i != first || !strings.HasPrefix(f.Detail, "whether a lifecycle rule of the bucket deleted it could not be asked: ") {
				t.Errorf("%d: %+v", i, f)
			}
		}
	}
	if said != 1 || r.summary.Exit != 1 || s.Requests()["lifecycle"] != 1 {
		t.Errorf("said %d times, after %v:\n%s", said, s.Requests(), r)
	}
	if with := accepted(t, request(w, s), r); with.summary.Exit != 1 {
		t.Errorf("accepted:\n%s", with)
	}
}

// A window all of which has expired is never kept, with or without --accept.
func TestExpiredWindow(t *testing.T) {
	w := tenDays(t, verify.Expiration{ID: "old", Days: 4})
	w.Expire(w.Now())
	req := request(w, verifytest.NewStore(w))
	req.Window.End = req.Window.Start.AddDate(0, 0, 2)
	r := judge(t, req)
	addUp(t, r)
	if r.summary.Exit == 0 {
		t.Errorf("want no success:\n%s", r)
	}
	if with := accepted(t, req, r); with.summary.Exit == 0 {
		t.Errorf("want no success:\n%s", with)
	}
}

// A chain of which all digests of the window and some after it are gone has a gap,
// though none of those that are named lies in the window; where a rule deleted
// them, it says so.
func TestDeletedPastWindow(t *testing.T) {
	for name, c := range map[string]struct {
		rules      []verify.Expiration
		exit, with int
	}{
		"deleted":  {nil, 3, 3},
		"expired":  {[]verify.Expiration{{ID: "old", Prefix: "AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/", Days: 2}}, 3, 0},
		"not due":  {[]verify.Expiration{{ID: "old", Days: 12}}, 3, 3},
		"narrower": {[]verify.Expiration{{ID: "old", Days: 1, Narrow: true}}, 3, 3},
	} {
		t.Run(name, func(t *testing.T) {
			w := mint(t, func(s *verifytest.Spec) { s.Hours, s.LogsPerHour, s.QuietEvery, s.Backfill = 240, 1, 0, false })
			bucket := w.Buckets()[0]
			w.Lifecycle(bucket, c.rules...)
			for _, ref := range append(w.Logs(), digests(w, "eu-west-1")...) {
				if strings.Contains(ref.Key, "/eu-west-1/2026/03/1") && ref.Key < folderOfDay(ref.Key, "18") {
					w.Delete(ref)
				}
			}
			req := request(w, verifytest.NewStore(w))
			req.Window.End = req.Window.Start.AddDate(0, 0, 2)
			r := judge(t, req)
			addUp(t, r)
			gap := slices.IndexFunc(r.findings, func(f verify.Finding) bool { return f.Kind == verify.Gap })
			if r.summary.Exit != c.exit || gap < 0 {
				t.Fatalf("want a gap:\n%s", r)
			}
			f := r.findings[gap]
			if !f.Start.Equal(req.Window.Start) || !f.End.Equal(req.Window.End) || (f.Reason == verify.Expired) != (name == "expired") ||
				strings.Contains(f.Message, "lifecycle rule") != (name == "expired") {
				t.Errorf("%+v", f)
			}
			req.Policy.Accept = []string{"expired"}
			if with := judge(t, req); with.summary.Exit != c.with {
				t.Errorf("accepted:\n%s", with)
			}
		})
	}
}

func digests(w *verifytest.World, region string) (refs []verify.Ref) {
	for _, c := range w.Chains() {
		for _, d := range c.Digests {
			if c.Region == region {
				refs = append(refs, d.Ref)
			}
		}
	}
	return refs
}

// folderOfDay is the folder of another day of the same month.
func folderOfDay(key, day string) string {
	i := strings.Index(key, "/2026/03/") + len("/2026/03/")
	return key[:i] + day + "/"
}

// What has expired does not depend on how much is in flight.
func TestExpiryInOrder(t *testing.T) {
	w := mint(t, func(s *verifytest.Spec) { s.Hours, s.LogsPerHour = 96, 2 })
	w.Lifecycle(w.Buckets()[0], verify.Expiration{ID: "old", Prefix: logFolder, Days: 1})
	w.Expire(w.Now())
	for _, denied := range []error{nil, verifytest.Unreadable("x", verify.AccessDenied)} {
		var want string
		for _, n := range []int{1, 3, 256} {
			s := verifytest.NewStore(w)
			s.FailLifecycle(denied)
			req := request(w, s)
			req.InFlight = n
			got := judge(t, req).String()
			if want != "" && got != want || s.Requests()["lifecycle"] != 1 {
				t.Errorf("with %d in flight, after %v:\n%s\nwant\n%s", n, s.Requests(), got, want)
			}
			want = got
		}
	}
}
