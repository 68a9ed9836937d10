package source

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// A bucket's lifecycle rules as S3 answers them, and what is left of them: those
// in force that delete current objects.
func TestExpirations(t *testing.T) {
	on := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	const days, enabled = "<Expiration><Days>90</Days></Expiration>", "<Status>Enabled</Status>"
	for name, c := range map[string]struct {
		rule string
		want []verify.Expiration
	}{
		"days":            {"<ID>a</ID><Filter><Prefix>AWSLogs/</Prefix></Filter>" + enabled + days, []verify.Expiration{{ID: "a", Prefix: "AWSLogs/", Days: 90}}},
		"the old form":    {"<ID>a</ID><Prefix>p/</Prefix>" + enabled + days, []verify.Expiration{{ID: "a", Prefix: "p/", Days: 90}}},
		"all":             {"<ID>a</ID><Filter></Filter>" + enabled + days, []verify.Expiration{{ID: "a", Days: 90}}},
		"the empty, old":  {"<Prefix></Prefix>" + enabled + days, []verify.Expiration{{Days: 90}}},
		"a date":          {"<Filter/>" + enabled + "<Expiration><Date>2026-05-01T00:00:00.000Z</Date></Expiration>", []verify.Expiration{{On: on}}},
		"and":             {"<Filter><And><Prefix>p/</Prefix><Tag><Key>k</Key><Value>v</Value></Tag></And></Filter>" + enabled + days, []verify.Expiration{{Prefix: "p/", Days: 90, Narrow: true}}},
		"a tag":           {"<Filter><Tag><Key>k</Key><Value>v</Value></Tag></Filter>" + enabled + days, []verify.Expiration{{Days: 90, Narrow: true}}},
		"larger":          {"<Filter><ObjectSizeGreaterThan>500</ObjectSizeGreaterThan></Filter>" + enabled + days, []verify.Expiration{{Days: 90, MinSize: 500}}},
		"between":         {"<Filter><And><ObjectSizeGreaterThan>5</ObjectSizeGreaterThan><ObjectSizeLessThan>9</ObjectSizeLessThan></And></Filter>" + enabled + days, []verify.Expiration{{Days: 90, MinSize: 5, MaxSize: 9}}},
		"disabled":        {"<Filter/><Status>Disabled</Status>" + days, nil},
		"old versions":    {"<Filter/>" + enabled + "<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>", nil},
		"delete markers":  {"<Filter/>" + enabled + "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>", nil},
		"a move":          {"<Filter/>" + enabled + "<Transition><Days>1</Days><StorageClass>GLACIER</StorageClass></Transition>", nil},
		"uploads":         {"<Filter/>" + enabled + "<AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload>", nil},
		"fewer than none": {"<Filter/>" + enabled + "<Expiration><Days>-1</Days></Expiration>", nil},
	} {
		f := newFake(t)
		f.before = func(w http.ResponseWriter, r *http.Request, _ int) bool {
			if r.Method != http.MethodGet || r.URL.Path != "/bucket" || !r.URL.Query().Has("lifecycle") {
				t.Errorf("asked %s %s", r.Method, r.URL)
			}
			fmt.Fprint(w, `<LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Rule>`+c.rule+`</Rule></LifecycleConfiguration>`)
			return true
		}
		s := f.open(t)
		got, err := s.Expirations(t.Context(), "bucket")
		if err != nil || !reflect.DeepEqual(got, c.want) || s.Requests()["lifecycle"] != 1 {
			t.Errorf("%s: %+v, %v, want %+v after %v", name, got, err, c.want, s.Requests())
		}
	}
}

// What is no answer is never taken for a bucket without rules.
func TestExpirationsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		status     int
		code, body string
		want       verify.Reason // empty: there are none
		hint       string
		asked      int64
	}{
		"none":          {404, "NoSuchLifecycleConfiguration", "", "", "", 1},
		"denied":        {403, "AccessDenied", "", verify.AccessDenied, "s3:GetLifecycleConfiguration", 1},
		"expired":       {403, "ExpiredToken", "", verify.AccessDenied, "credentials", 1},
		"no such":       {404, "NoSuchBucket", "", verify.BucketNotFound, "", 1},
		"not known":     {501, "NotImplemented", "", verify.ReadFailed, "", 1},
		"no key":        {404, "NoSuchKey", "", verify.ReadFailed, "", 1},
		"trouble":       {500, "InternalError", "", verify.ReadFailed, "", 3},
		"another thing": {200, "", "<ListBucketResult></ListBucketResult>", verify.ReadFailed, "does the endpoint speak S3?", 1},
		"no XML":        {200, "", "hello", verify.ReadFailed, "", 1},
		"nothing":       {200, "", "", verify.ReadFailed, "", 1},
		"too many":      {200, "", "<LifecycleConfiguration>" + strings.Repeat("<Rule><Status>Enabled</Status></Rule>", 1001) + "</LifecycleConfiguration>", verify.ReadFailed, "", 1},
	} {
		f := newFake(t)
		f.before = func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			if c.status == 200 {
				fmt.Fprint(w, c.body)
			} else {
				refuse(w, c.status, c.code, "no")
			}
			return true
		}
		s := f.open(t, func(o *S3Options) { o.MaxAttempts = 3 })
		got, err := s.Expirations(t.Context(), "bucket")
		u := unreadable(err)
		switch {
		case len(got) > 0 || (err == nil) != (c.want == ""):
			t.Errorf("%s: %v, %v", name, got, err)
		case err != nil && (u == nil || u.Reason != c.want || !strings.Contains(u.Hint, c.hint)):
			t.Errorf("%s: %+v (%v)", name, u, err)
		case s.Requests()["lifecycle"] != c.asked:
			t.Errorf("%s: asked %v", name, s.Requests())
		}
	}
}

// The rules of a world over HTTP, through the layers above the store.
func TestExpirationsServed(t *testing.T) {
	rules := []verify.Expiration{
		{ID: "a", Prefix: "AWSLogs/<&>", Days: 90},
		{ID: "b", On: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC), MinSize: 3, MaxSize: 9},
		{ID: "c", Prefix: "other/", Days: 7, Narrow: true},
	}
	s := serve(t, verifytest.ServerOptions{}, func(w *verifytest.World, _ []verify.Ref) { w.Lifecycle(w.Buckets()[0], rules...) })
	store, k := s.store(t)
	bucket := s.w.Buckets()[0]
	got, err := NewOpening(store, k, nil).Expirations(t.Context(), bucket)
	if err != nil || !reflect.DeepEqual(got, rules) {
		t.Errorf("%+v, %v", got, err)
	}
	copied, err := NewCopyOf(store, "s3://first/p")
	if err != nil {
		t.Fatal(err)
	}
	copied.at.Key = "AWSLogs/"
	got, err = copied.Expirations(t.Context(), "first")
	want := []verify.Expiration{{ID: "a", Prefix: "p/<&>", Days: 90}, {ID: "b", Prefix: "p/", On: rules[1].On, MinSize: 3, MaxSize: 9}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("of a copy: %+v, %v", got, err)
	}
	if got, err := copied.Expirations(t.Context(), bucket); len(got) > 0 || err != nil {
		t.Errorf("of another bucket than the copy's: %+v, %v", got, err)
	}
	if none, err := NewOpening(&Directory{}, k, nil).Expirations(t.Context(), bucket); len(none) > 0 || err != nil {
		t.Errorf("of a directory: %v, %v", none, err)
	}
}
