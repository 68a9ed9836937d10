package verifytest

import (
	"encoding/xml"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/trailseal/trailseal/verify"
)

const (
	testKey    = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000001"
	foreignKey = "arn:aws:kms:eu-west-1:999988887777:key/00000000-0000-4000-8000-000000000002"
)

// answer is an S3 answer in short.
type answer struct {
	status        int
	code, message string
	header        http.Header
}

// send asks for an object or a listing with a method and more headers.
func send(t *testing.T, s *Server, method, path string, header map[string]string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var e struct{ Code, Message string }
	if err := xml.NewDecoder(resp.Body).Decode(&e); err != nil && resp.StatusCode != 200 && method != "HEAD" {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, e.Code, e.Message, resp.Header}
}

// keyRows are what S3 answers to a GET by what is so of the key.
var keyRows = []struct {
	name          string
	key           string
	change        func(*KeySettings)
	status        int
	code, message string
}{
	{"enabled", testKey, func(*KeySettings) {}, 200, "", ""},
	{"disabled", testKey, func(s *KeySettings) { s.State = KeyDisabled }, 400, "KMS.DisabledException", testKey + " is disabled."},
	{"pending", testKey, func(s *KeySettings) { s.State = KeyPendingDeletion }, 400, "KMS.KMSInvalidStateException", testKey + " is pending deletion."},
	{"import", testKey, func(s *KeySettings) { s.State = KeyPendingImport }, 400, "KMS.KMSInvalidStateException", testKey + " is pending import."},
	{"unavailable", testKey, func(s *KeySettings) { s.State = KeyUnavailable }, 400, "KMS.KMSInvalidStateException", testKey + " is unavailable."},
	{"gone", testKey, func(s *KeySettings) { s.State = KeyGone }, 400, "KMS.NotFoundException", "Key '" + testKey + "' does not exist"},
	{"denied", testKey, func(s *KeySettings) { s.Denied = true }, 403, "AccessDenied", "User: arn:aws:iam::111122223333:user/auditor is not authorized to " +
		"perform: kms:Decrypt on resource: " + testKey + " because no identity-based policy allows the kms:Decrypt action"},
	{"denied abroad", foreignKey, func(s *KeySettings) { s.Denied = true }, 403, "AccessDenied", "Access Denied"},
}

// TestServerKMSRefuses changes a key while the server runs: GET says how the
// key is, HEAD always answers and names it.
func TestServerKMSRefuses(t *testing.T) {
	w := mint(t, func(s *Spec) { s.Hours = 4 })
	refs := w.Logs()
	is := func(want verify.Ref) func(verify.Ref) bool { return func(ref verify.Ref) bool { return ref == want } }
	w.EncryptSSE(testKey, "aws:kms", is(refs[0]))
	w.EncryptSSE(foreignKey, "aws:kms:dsse", is(refs[1]))
	s := serve(t, w, ServerOptions{})
	objects := map[string]verify.Ref{testKey: refs[0], foreignKey: refs[1]}
	ways := map[string]string{testKey: "aws:kms", foreignKey: "aws:kms:dsse"}
	for _, row := range keyRows {
		key := w.KMS().Key(row.key)
		before := key.Settings()
		key.Change(row.change)
		path := "/" + objects[row.key].Bucket + "/" + objects[row.key].Key
		if got := send(t, s, "GET", path, nil); got.status != row.status || got.code != row.code || got.message != row.message {
			t.Errorf("%s: %d %s %q", row.name, got.status, got.code, got.message)
		}
		got := send(t, s, "HEAD", path, nil)
		if h := got.header; got.status != 200 || h.Get("x-amz-server-side-encryption") != ways[row.key] ||
			h.Get("x-amz-server-side-encryption-aws-kms-key-id") != row.key {
			t.Errorf("%s: HEAD %d %v", row.name, got.status, h)
		}
		if other := send(t, s, "GET", "/"+refs[2].Bucket+"/"+refs[2].Key, nil); other.status != 200 {
			t.Errorf("%s: %d for an object that the key did not encrypt", row.name, other.status)
		}
		key.Change(func(s *KeySettings) { *s = before })
	}
}

// TestServerOtherRefusals: what keeps an object from being read though no KMS
// key is in the way.
func TestServerOtherRefusals(t *testing.T) {
	w := mint(t, func(s *Spec) { s.Hours = 4 })
	s := serve(t, w, ServerOptions{})
	ref := w.Logs()[0]
	o, _ := w.Get(ref)
	for _, row := range []struct {
		sse, class string
		get        answer
		head       int
	}{
		{"sse-c", "", answer{status: 400, code: "InvalidRequest"}, 400},
		{"", "GLACIER", answer{status: 403, code: "InvalidObjectState"}, 200},
		{"", "DEEP_ARCHIVE", answer{status: 403, code: "InvalidObjectState"}, 200},
		{"", "GLACIER_IR", answer{status: 200}, 200},
	} {
		o.SSE, o.StorageClass = row.sse, row.class
		w.Put(ref, o)
		get, head := send(t, s, "GET", "/"+ref.Bucket+"/"+ref.Key, nil), send(t, s, "HEAD", "/"+ref.Bucket+"/"+ref.Key, nil)
		if get.status != row.get.status || get.code != row.get.code || head.status != row.head || head.header.Get("x-amz-storage-class") != row.class {
			t.Errorf("%v: GET %+v, HEAD %d %v", row, get, head.status, head.header)
		}
	}
}

func TestServerRequesterPays(t *testing.T) {
	w := mint(t, func(s *Spec) { s.Hours = 4 })
	ref := w.Logs()[0]
	s := serve(t, w, ServerOptions{RequesterPays: map[string]bool{ref.Bucket: true}})
	pays := map[string]string{"x-amz-request-payer": "requester"}
	for _, ask := range [][2]string{{"GET", "/" + ref.Bucket + "/" + ref.Key}, {"HEAD", "/" + ref.Bucket + "/" + ref.Key},
		{"GET", "/" + ref.Bucket}, {"GET", "/" + ref.Bucket + "?list-type=2"}} {
		if got := send(t, s, ask[0], ask[1], nil); got.status != 403 || ask[0] == "GET" && got.message != "Access Denied" {
			t.Errorf("%v: %+v", ask, got)
		}
		if got := send(t, s, ask[0], ask[1], pays); got.status != 200 {
			t.Errorf("%v: %d for who pays", ask, got.status)
		}
	}
	if _, body := get(t, s, "/"+ref.Bucket+"?requestPayment", "eu-west-1"); !strings.Contains(string(body), "<Payer>Requester</Payer>") {
		t.Errorf("%s", body)
	}
}

// TestMintWithKey: logs, digests and what damages write are under the trail's
// key, in both buckets of a trail that moved and after a merge.
func TestMintWithKey(t *testing.T) {
	w := mint(t, func(s *Spec) { s.Hours, s.MoveBucketAt, s.KMSKey = 8, 4, testKey })
	if err := w.Damage("log-modified", "digest-modified"); err != nil {
		t.Fatal(err)
	}
	plain := mint(t, func(s *Spec) { s.Hours, s.MoveBucketAt = 8, 4 })
	if err := plain.Damage("log-modified", "digest-modified"); err != nil || fingerprint(plain) != fingerprint(w) {
		t.Errorf("under a key the bytes are others (%v)", err)
	}
	all := Merge(mint(t, func(s *Spec) { s.Hours, s.Trail, s.Bucket = 4, "other", "elsewhere" }), w)
	for _, bucket := range all.Buckets() {
		for key, o := range all.Scan(bucket, "") {
			if want := (sse{"aws:kms", testKey}); bucket != "elsewhere" && (sse{o.SSE, o.Key}) != want || bucket == "elsewhere" && o.SSE != "" {
				t.Fatalf("%s/%s: %s %s", bucket, key, o.SSE, o.Key)
			}
		}
	}
	keyed := slices.ContainsFunc(all.Trails(), func(t Trail) bool { return t.KMSKey == testKey && t.wire()["KmsKeyId"] == testKey })
	if all.KMS().Key(testKey) == nil || !keyed {
		t.Error("the trail's key is not there")
	}
	if _, err := Mint(Spec{Hours: 1, EventsPerLog: 1, Accounts: []string{"111122223333"}, Regions: []string{"eu-west-1"},
		Trail: "t", Bucket: "b", Start: w.Now(), KMSKey: "alias/mine"}); err == nil {
		t.Error("an alias is no ARN")
	}
}

// TestEncryptSSE: with nil all objects, and each again in another way.
func TestEncryptSSE(t *testing.T) {
	w := mint(t, func(s *Spec) { s.Hours, s.Contents = 4, 2 })
	w.EncryptSSE(testKey, "aws:kms", nil)
	digests := func(ref verify.Ref) bool { return strings.Contains(ref.Key, "CloudTrail-Digest") }
	w.EncryptSSE("", "", digests)
	for key, o := range w.Scan("example-trail-logs", "") {
		want := sse{"aws:kms", testKey}
		if digests(verify.Ref{Key: key}) {
			want = sse{SSE: "AES256"}
		}
		if (sse{o.SSE, o.Key}) != want {
			t.Errorf("%s: %s %s", key, o.SSE, o.Key)
		}
	}
}
