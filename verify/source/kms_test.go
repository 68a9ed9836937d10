package source

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/trailseal/trailseal/kms"
	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// TestReasonsAreWords: whatever kms says is a word of the report.
func TestReasonsAreWords(t *testing.T) {
	known := map[verify.Reason]bool{}
	for _, r := range verify.Reasons {
		known[r] = true
	}
	all := []kms.Reason{
		kms.Denied, kms.KeyDisabled, kms.KeyPending, kms.KeyNotFound, kms.KeyUnusable, kms.KeyChanged, kms.Throttled, kms.Unreachable,
		kms.KeyNotAllowed, kms.EnvelopeRefused, kms.Unsupported, kms.MasterKeyNeeded, kms.TooLarge, kms.Altered, kms.Malformed,
	}
	text, err := os.ReadFile("../../kms/refusal.go")
	if n := len(regexp.MustCompile(`(?m)^\t[A-Z]\w+ +Reason = "`).FindAll(text, -1)); err != nil || n != len(all) {
		t.Errorf("kms has %d reasons, %d are looked at here (%v)", n, len(all), err)
	}
	for _, r := range all {
		if !known[verify.Reason(r)] {
			t.Errorf("%s is no word of a report", r)
		}
	}
}

// noCredentials leaves nowhere to get credentials from but a metadata service,
// which has none, and counts what it is asked.
func noCredentials(t *testing.T) *atomic.Int64 {
	t.Helper()
	newFake(t)
	var asked atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { asked.Add(1); w.WriteHeader(404) }))
	t.Cleanup(s.Close)
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_EC2_METADATA_DISABLED": "false",
		"AWS_EC2_METADATA_SERVICE_ENDPOINT": s.URL, "AWS_EC2_METADATA_V1_DISABLED": "false"} {
		t.Setenv(name, value)
	}
	return &asked
}

// TestKMSWithoutCredentials: a copy that is not sealed needs none, and nobody is
// asked for them; one that is needs them, which is said once and for all files.
func TestKMSWithoutCredentials(t *testing.T) {
	asked := noCredentials(t)
	k := NewKMS(t.Context(), AWSOptions{}, "")
	dir := t.TempDir()
	table := verifytest.NewKMS()
	sealed, meta, _, err := table.SealBytes(verifytest.Seal{Scheme: "esdk-v2", Key: ownKey}, []byte("x"), newRandom())
	if err != nil || meta != nil {
		t.Fatal(err, meta)
	}
	writeFile(t, dir, log1, zip("plain"))
	writeFile(t, dir, log1+"2", string(sealed))
	store := NewOpening(openDir(t, dir), k, &kms.Opener{KMS: k, AnyKey: true})
	if got, _, err := read(store, verify.Ref{Bucket: "b", Key: log1}); err != nil || got != zip("plain") {
		t.Errorf("%q, %v", got, err)
	}
	if store.Requests()["get"] == 0 || len(store.Requests()) != 1 || asked.Load() != 0 {
		t.Errorf("%v, asked %d times for credentials", store.Requests(), asked.Load())
	}
	for range 3 {
		_, _, err := read(store, verify.Ref{Bucket: "b", Key: log1 + "2"})
		u := unreadable(err)
		if u == nil || u.Reason != verify.KMSDenied || u.Key != ownKey || u.Scheme != "esdk-v2" || !strings.Contains(u.Hint, "AWS_PROFILE") {
			t.Fatalf("%+v", u)
		}
	}
	first := asked.Load()
	if s := k.KeyState(t.Context(), ownKey); s.State != "" || s.Problem == "" || s.Account != "111122223333" || asked.Load() != first {
		t.Errorf("%+v, asked again: %d, %d before", s, asked.Load(), first)
	}
	if n := k.Requests(); len(n) != 0 {
		t.Errorf("%v", n)
	}
}

func TestKeyState(t *testing.T) {
	s := serve(t, verifytest.ServerOptions{}, func(w *verifytest.World, _ []verify.Ref) {
		w.KMS().Add(foreignKey, func(k *verifytest.KeySettings) { k.DescribeDenied = true })
	})
	_, k := s.store(t)
	if got := k.KeyState(t.Context(), ownKey); got.State != "Enabled" || got.Problem != "" || got.Account != "111122223333" || got.Manager != "CUSTOMER" || got.Origin != "AWS_KMS" {
		t.Errorf("%+v", got)
	}
	got := k.KeyState(t.Context(), foreignKey)
	if got.State != "" || !strings.HasPrefix(got.Problem, "kms:DescribeKey: AccessDeniedException: ") || strings.Contains(got.Problem, "operation error") {
		t.Errorf("%+v", got)
	}
	if got := k.KeyState(t.Context(), ownKey+"0"); got.State != "NotFound" || got.Problem != "" {
		t.Errorf("%+v", got)
	}
	if got := k.KeyState(t.Context(), "arn:aws:kms:ctlogs-key"); got.State != "" || got.Problem == "" {
		t.Errorf("%+v", got)
	}
	if n := k.Requests(); n["describe"] != 3 {
		t.Errorf("%v", n)
	}
}

// TestKMSEndpoint: its own endpoint beats that of all services, and one that
// cannot be is a refusal.
func TestKMSEndpoint(t *testing.T) {
	s := serve(t, verifytest.ServerOptions{}, nil)
	blob, err := s.w.KMS().Wrap(ownKey, make([]byte, 32), nil, newRandom())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		all, own string
		ok       bool
	}{{s.URL, "", true}, {"http://127.0.0.1:1", s.URL, true}, {s.URL, "ftp://x", false}, {"nonsense", "", false}} {
		k := NewKMS(t.Context(), AWSOptions{EndpointURL: c.all}, c.own)
		_, used, err := k.Decrypt(t.Context(), blob, nil, ownKey)
		var refused *kms.RefusedError
		if (err == nil && used == ownKey) != c.ok || !c.ok && (!errors.As(err, &refused) || refused.Key != ownKey) {
			t.Errorf("%q, %q: %v", c.all, c.own, err)
		}
	}
}
