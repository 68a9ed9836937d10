package verify_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

const (
	trailARN   = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/management-events"
	explainKey = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	bucket     = "example-trail-logs"
)

// A story is a world that came to harm, and the calls that did it, which its logs
// hold. The calls do not change the names of what is in it.
type story struct {
	spec  func(*verifytest.Spec)
	harm  []string
	after func(*verifytest.World)
	store func(*verifytest.World, *verifytest.Store)
	req   func(*verify.Request)
}

func (s story) run(t testing.TB, calls ...verifytest.Call) *recorder {
	t.Helper()
	w := mint(t, func(spec *verifytest.Spec) {
		spec.QuietEvery = 0
		if s.spec != nil {
			s.spec(spec)
		}
		for _, c := range calls {
			spec.Events = append(spec.Events, c.Event())
		}
	})
	if err := w.Damage(s.harm...); err != nil {
		t.Fatal(err)
	}
	if s.after != nil {
		s.after(w)
	}
	store := verifytest.NewStore(w)
	if s.store != nil {
		s.store(w, store)
	}
	req := request(w, store)
	req.Explain, req.All = true, false
	if s.req != nil {
		s.req(&req)
	}
	return judge(t, req)
}

// toldOf names an explanation and what it explains: "StopLogging: gap".
func toldOf(r *recorder) []string {
	words := map[int64]string{}
	for _, f := range r.files {
		words[f.Seq] = f.Kind + " " + string(f.Verdict)
	}
	for _, f := range r.findings {
		words[f.Seq] = string(f.Kind)
	}
	var all []string
	for _, e := range r.summary.Explained {
		var what []string
		for _, seq := range e.Explains {
			what = append(what, words[seq])
		}
		slices.Sort(what)
		line := e.Event
		if what = slices.Compact(what); len(what) > 0 {
			line += ": " + strings.Join(what, ", ")
		}
		all = append(all, line)
	}
	return all
}

func call(at time.Time, source, name, params string, args ...any) verifytest.Call {
	return verifytest.Call{At: at, Source: source + ".amazonaws.com", Name: name, Parameters: fmt.Sprintf(params, args...)}
}

// first is a file or finding of a kind in a plain run of the story.
func (s story) firstFile(t testing.TB, v verify.Verdict) verify.File {
	t.Helper()
	r := s.run(t)
	i := slices.IndexFunc(r.files, func(f verify.File) bool { return f.Verdict == v })
	if i < 0 {
		t.Fatalf("no file is %s:\n%s", v, r)
	}
	return r.files[i]
}

func (s story) firstFinding(t testing.TB, kind verify.FindingKind) verify.Finding {
	t.Helper()
	r := s.run(t)
	i := slices.IndexFunc(r.findings, func(f verify.Finding) bool { return f.Kind == kind })
	if i < 0 {
		t.Fatalf("there is no %s:\n%s", kind, r)
	}
	return r.findings[i]
}

func expect(t *testing.T, r *recorder, want ...string) {
	t.Helper()
	if got := toldOf(r); !slices.Equal(got, want) {
		t.Errorf("explained: %q, want %q\n%s", got, want, r)
	}
}

// keyOf is the key of a URI in the test's bucket.
func keyOf(uri string) string { return strings.TrimPrefix(uri, "s3://"+bucket+"/") }

func oneRegion(s *verifytest.Spec) { s.Regions, s.Backfill = s.Regions[:1], false }

func TestExplainGap(t *testing.T) {
	s := story{spec: oneRegion, harm: []string{"gap"}}
	gap := s.firstFinding(t, verify.Gap)
	stop := call(gap.Start.Add(-10*time.Minute), "cloudtrail", "StopLogging", `{"name":%q}`, trailARN)
	start := call(gap.End.Add(10*time.Minute), "cloudtrail", "StartLogging", `{"name":"management-events"}`)
	expect(t, s.run(t, stop, start), "StopLogging: gap", "StartLogging: gap")

	r := s.run(t, stop)
	got := r.summary.Explained[0]
	log := got.Log
	got.Log, got.ID, got.Explains = "", "", nil
	if want := (verify.Explanation{
		Event: "StopLogging", Service: "cloudtrail.amazonaws.com", Time: stop.At, Account: "111122223333", Region: "eu-west-1",
		Who: "arn:aws:iam::111122223333:user/mallory", AccessKey: "AKIAMALLORYEXAMPLE", From: "203.0.113.7", Agent: "aws-cli/2.27.0", Target: trailARN,
	}); fmt.Sprint(got) != fmt.Sprint(want) || !strings.HasPrefix(log, "s3://"+bucket+"/AWSLogs/111122223333/CloudTrail/eu-west-1/") {
		t.Errorf("got  %+v\nwant %+v, in %s", got, want, log)
	}

	refused, far, other, foreign := stop, stop, stop, stop
	refused.Error = "AccessDenied"
	far.At = gap.Start.Add(-3 * time.Hour)
	other.Parameters = `{"name":"another-trail"}`
	foreign.Account, foreign.Parameters = "", `{"name":"arn:aws:cloudtrail:eu-west-1:999988887777:trail/management-events"}`
	expect(t, s.run(t, refused), "StopLogging")
	expect(t, s.run(t, far), "StopLogging")
	expect(t, s.run(t, other))
	expect(t, s.run(t, foreign))
	expect(t, s.run(t, refused, start), "StartLogging: gap", "StopLogging")
	if r := (story{spec: oneRegion, harm: s.harm, req: func(r *verify.Request) { r.Explain = false }}).run(t, stop); len(r.summary.Explained) != 0 {
		t.Errorf("nobody asked: %v", toldOf(r))
	}
}

func TestExplainStale(t *testing.T) {
	s := story{spec: oneRegion, req: func(r *verify.Request) {
		r.Window.End = r.Window.End.Add(8 * time.Hour)
		r.Now = r.Window.End
	}}
	stale := s.firstFinding(t, verify.Stale)
	at := stale.Start.Add(-5 * time.Minute)
	expect(t, s.run(t, call(at, "cloudtrail", "DeleteTrail", `{"name":"management-events"}`)), "DeleteTrail: stale")
	expect(t, s.run(t, call(at, "cloudtrail", "UpdateTrail", `{"name":"management-events","enableLogFileValidation":false}`)), "UpdateTrail: stale")
	r := s.run(t, call(at, "s3", "PutBucketPolicy", `{"bucketName":%q,"bucketPolicy":{"Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:PutObject"}]}}`, bucket))
	expect(t, r, "PutBucketPolicy: stale")
	if d := r.summary.Explained[0].Detail; d != "deny s3:PutObject to *" {
		t.Errorf("detail %q", d)
	}
	expect(t, s.run(t, call(at, "s3", "PutBucketPolicy", `{"bucketName":"another"}`)))
	expect(t, s.run(t, call(at, "s3", "DeleteBucketLifecycle", `{"bucketName":%q}`, bucket)), "DeleteBucketLifecycle")
	expect(t, s.run(t, call(at, "cloudtrail", "RegisterOrganizationDelegatedAdmin", `{"memberAccountId":"1"}`)))
}

func TestExplainDeletedLog(t *testing.T) {
	s := story{spec: oneRegion, harm: []string{"log-deleted"}}
	f := s.firstFile(t, verify.Deleted)
	n, err := digest.ParseLogName(keyOf(f.URI))
	if err != nil {
		t.Fatal(err)
	}
	at := n.Delivered.Add(90 * time.Minute)
	for name, c := range map[string]struct {
		call verifytest.Call
		want []string
	}{
		"the log":        {call(at, "s3", "DeleteObject", `{"bucketName":%q,"key":%q}`, bucket, keyOf(f.URI)), []string{"DeleteObject: log deleted"}},
		"before":         {call(n.Delivered.Add(-90*time.Minute), "s3", "DeleteObject", `{"bucketName":%q,"key":%q}`, bucket, keyOf(f.URI)), []string{"DeleteObject"}},
		"another":        {call(at, "s3", "DeleteObject", `{"bucketName":%q,"key":%q}`, bucket, keyOf(f.URI)+"x"), []string{"DeleteObject"}},
		"not a log":      {call(at, "s3", "DeleteObject", `{"bucketName":%q,"key":"AWSLogs/111122223333/vpcflowlogs/x"}`, bucket), nil},
		"another bucket": {call(at, "s3", "DeleteObject", `{"bucketName":"b","key":%q}`, keyOf(f.URI)), nil},
		"many, unnamed":  {call(at, "s3", "DeleteObjects", `{"bucketName":%q,"delete":"","x-id":"DeleteObjects"}`, bucket), []string{"DeleteObjects: log deleted"}},
		"many, named":    {call(at, "s3", "DeleteObjects", `{"bucketName":%q,"delete":{"objects":[{"key":"x"},{"key":%q}]}}`, bucket, keyOf(f.URI)), []string{"DeleteObjects: log deleted"}},
		"many others":    {call(at, "s3", "DeleteObjects", `{"bucketName":%q,"Delete":{"Object":{"Key":"x"}}}`, bucket), nil},
		"lifecycle": {call(at.Add(-3*time.Hour), "s3", "PutBucketLifecycle",
			`{"bucketName":%q,"LifecycleConfiguration":{"Rule":{"ID":"x","Status":"Enabled","Expiration":{"Days":1}}}}`, bucket), []string{"PutBucketLifecycle: log deleted"}},
		"policy":       {call(at, "s3", "PutBucketPolicy", `{"bucketName":%q}`, bucket), []string{"PutBucketPolicy: log deleted"}},
		"put":          {call(at, "s3", "PutObject", `{"bucketName":%q,"key":%q}`, bucket, keyOf(f.URI)), []string{"PutObject"}},
		"tags":         {call(at, "s3", "PutObjectTagging", `{"bucketName":%q,"key":%q}`, bucket, keyOf(f.URI)), []string{"PutObjectTagging: log deleted"}},
		"renamed away": {call(at, "s3", "RenameObject", `{"bucketName":%q,"key":"x","x-amz-rename-source":%q}`, bucket, keyOf(f.URI)), []string{"RenameObject: log deleted"}},
	} {
		t.Run(name, func(t *testing.T) { expect(t, s.run(t, c.call), c.want...) })
	}
}

func TestExplainAlteredLog(t *testing.T) {
	for harm, want := range map[string]string{"log-modified": "log modified", "forged-log": "log pending"} {
		s := story{spec: oneRegion, harm: []string{harm}}
		f := s.firstFile(t, cmp.Or(map[string]verify.Verdict{"forged-log": verify.Pending}[harm], verify.Modified))
		n, err := digest.ParseLogName(keyOf(f.URI))
		if err != nil {
			t.Fatal(err)
		}
		put := call(n.Delivered.Add(70*time.Minute), "s3", "PutObject", `{"bucketName":%q,"key":%q}`, bucket, keyOf(f.URI))
		delivery := put
		delivery.Identity = `{"type":"AWSService","invokedBy":"cloudtrail.amazonaws.com"}`
		forged := put
		forged.Identity = `{"type":"AssumedRole","invokedBy":"cloudtrail.amazonaws.com"}`
		expect(t, s.run(t, put), "PutObject: "+want)
		expect(t, s.run(t, delivery))
		expect(t, s.run(t, forged), "PutObject: "+want)
	}
}

func TestExplainDeletedDigest(t *testing.T) {
	s := story{spec: oneRegion, harm: []string{"tail-cut"}, req: func(r *verify.Request) { r.Window.End = r.Window.End.Add(time.Hour) }}
	plain := mint(t, func(spec *verifytest.Spec) { oneRegion(spec); spec.QuietEvery = 0 })
	stale := s.firstFinding(t, verify.Stale)
	for _, d := range plain.Chains()[0].Digests {
		if n, _ := digest.ParseName(d.Key); n.End.After(*stale.Start) {
			expect(t, s.run(t, call(stale.Start.Add(-10*time.Minute), "s3", "DeleteObject", `{"bucketName":%q,"key":%q}`, bucket, d.Key)), "DeleteObject: stale")
			return
		}
	}
	t.Fatal("no digest was cut off")
}

func TestExplainKeys(t *testing.T) {
	denied := func(reason verify.Reason) func(*verifytest.World, *verifytest.Store) {
		return func(w *verifytest.World, s *verifytest.Store) {
			ref := w.Logs()[20]
			s.FailRead(ref, &verify.UnreadableError{What: "x", Reason: reason, Key: explainKey, Err: fmt.Errorf("x")})
		}
	}
	s := story{spec: func(s *verifytest.Spec) { oneRegion(s); s.KMSKey = explainKey }, store: denied(verify.KMSKeyDisabled)}
	f := s.firstFile(t, verify.Unreadable)
	at := f.End.Truncate(time.Hour).Add(2 * time.Hour) // in another log
	state := func(state string) func(*verify.Request) {
		return func(r *verify.Request) { r.KeyStates = keyState(state) }
	}
	for name, c := range map[string]struct {
		call  verifytest.Call
		state string
		want  []string
	}{
		"by id":         {call(at, "kms", "DisableKey", `{"keyId":"1234abcd-12ab-34cd-56ef-1234567890ab"}`), "", []string{"DisableKey: log unreadable"}},
		"by ARN":        {call(at, "kms", "DisableKey", `{"keyId":%q}`, explainKey), "Disabled", []string{"DisableKey: key-disabled, log unreadable"}},
		"another":       {call(at, "kms", "DisableKey", `{"keyId":"1234abcd-12ab-34cd-56ef-1234567890ac"}`), "", nil},
		"deletion":      {call(at, "kms", "ScheduleKeyDeletion", `{"keyId":%q,"pendingWindowInDays":7}`, explainKey), "PendingDeletion", []string{"ScheduleKeyDeletion: key-doomed, log unreadable"}},
		"enabled again": {call(at, "kms", "EnableKey", `{"keyId":%q}`, explainKey), "Disabled", []string{"EnableKey"}},
		"policy":        {call(at, "kms", "PutKeyPolicy", `{"keyId":%q,"policyName":"default","policy":"{}"}`, explainKey), "Disabled", []string{"PutKeyPolicy: log unreadable"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := s
			s.req = state(c.state)
			r := s.run(t, c.call)
			expect(t, r, c.want...)
			if name == "deletion" && r.summary.Explained[0].Detail != "pendingWindowInDays=7" {
				t.Errorf("detail %q", r.summary.Explained[0].Detail)
			}
		})
	}
	elsewhere := call(at, "kms", "DisableKey", `{"keyId":"1234abcd-12ab-34cd-56ef-1234567890ab"}`)
	elsewhere.Resources = `[{"accountId":"111122223333","type":"AWS::KMS::Key","ARN":"` + explainKey + `"}]`
	elsewhere.Parameters = `{"keyId":"alias/logs"}`
	expect(t, s.run(t, elsewhere), "DisableKey: log unreadable")
}

// keyState is what KMS says of every key.
type keyState string

func (s keyState) KeyState(_ context.Context, key string) verify.KeyState {
	return verify.KeyState{State: string(s), Account: "111122223333"}
}
