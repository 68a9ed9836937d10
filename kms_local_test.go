package trailseal_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
)

// A key's state is its owner's to change, at any time: the files it opens are
// kept while it is enabled, unreadable with the right reason while it is not,
// and never called modified or deleted.
func TestLocalKMS(t *testing.T) {
	s := newSealedTrail(t)
	logs := s.sealLogs(t)
	t.Run("states", func(t *testing.T) { testKeyStates(t, s, logs) })
	t.Run("a change while a run is under way", func(t *testing.T) { testKeyChangesUnderWay(t, s, logs) })
	t.Run("whom is asked", func(t *testing.T) { testKeysAsked(t, s, logs) })
	t.Run("another KMS", func(t *testing.T) { testOtherKMS(t, s, logs) })
}

// logsOnly checks that all logs came to one outcome, that none names another
// key than these (all may be named where none is given), and that nothing else is
// said of anything.
func logsOnly(t *testing.T, s *sealedTrail, r keyReport, exit, logs int, outcome string, keys ...string) {
	t.Helper()
	if got := r.outcomes("log"); !maps.Equal(got, map[string]int{outcome: logs}) {
		t.Errorf("logs: %v, want %d of %q", got, logs, outcome)
	}
	for _, key := range r.keysOf("log") {
		if len(keys) > 0 && !slices.Contains(keys, key) {
			t.Errorf("a log names the key %s, want one of %v", key, keys)
		}
	}
	if got, want := r.outcomes("digest"), judged(s.World); !maps.Equal(got, map[string]int{"kept - -": want}) {
		t.Errorf("digests: %v, want %d kept", got, want)
	}
	if r.Exit != exit {
		t.Errorf("exit %d, want %d", r.Exit, exit)
	}
}

func testKeyStates(t *testing.T, s *sealedTrail, logs int) {
	ctx, keys, id := t.Context(), kmsClient(s.kms), keyID
	for _, step := range []struct {
		name          string
		do            func() error
		reason, state string
	}{
		{name: "enabled", state: "Enabled"},
		{name: "DisableKey", reason: "kms-key-disabled", state: "Disabled",
			do: func() error { _, err := keys.DisableKey(ctx, &kms.DisableKeyInput{KeyId: &id}); return err }},
		{name: "EnableKey", state: "Enabled",
			do: func() error { _, err := keys.EnableKey(ctx, &kms.EnableKeyInput{KeyId: &id}); return err }},
		{name: "ScheduleKeyDeletion", reason: "kms-key-pending-deletion", state: "PendingDeletion",
			do: func() error {
				_, err := keys.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: &id})
				return err
			}},
		{name: "CancelKeyDeletion and EnableKey", state: "Enabled",
			do: func() error {
				if _, err := keys.CancelKeyDeletion(ctx, &kms.CancelKeyDeletionInput{KeyId: &id}); err != nil {
					return err
				}
				_, err := keys.EnableKey(ctx, &kms.EnableKeyInput{KeyId: &id})
				return err
			}},
	} {
		t.Run(step.name, func(t *testing.T) {
			if step.do != nil {
				if err := step.do(); err != nil {
					t.Fatal(err)
				}
			}
			r := s.verify(t, "--kms-key", keyARN(keyID), "--kms-endpoint-url", s.kms)
			exit, refused, outcome := 0, 0, "kept - s3ec"
			if step.reason != "" {
				exit, refused, outcome = 3, logs, "unreadable "+step.reason+" s3ec"
			}
			logsOnly(t, s, r, exit, logs, outcome, keyID)
			if len(r.Keys) != 1 || r.Keys[0].ARN != keyARN(keyID) || r.Keys[0].State != step.state ||
				r.Keys[0].Files != logs || r.Keys[0].Unreadable != refused {
				t.Errorf("keys: %+v, want %d files of which %d refused, and %s", r.Keys, logs, refused, step.state)
			}
		})
	}
}

// A kmsGate stands in front of a KMS and counts what it is asked.
type kmsGate struct {
	*httptest.Server
	decrypts, others atomic.Int64
}

// gateKMS passes requests on. Before is called before each Decrypt, one at a
// time, with how many there were.
func gateKMS(t *testing.T, address string, before func(n int64)) *kmsGate {
	t.Helper()
	target, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	g, proxy := &kmsGate{}, httputil.NewSingleHostReverseProxy(target)
	var one sync.Mutex
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".Decrypt") {
			g.others.Add(1)
			proxy.ServeHTTP(w, r)
			return
		}
		one.Lock()
		defer one.Unlock()
		before(g.decrypts.Add(1))
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(g.Close)
	return g
}

// The key is disabled between two requests of one run. What was opened before
// is kept, what comes after is unreadable, and the run goes on to its end.
func testKeyChangesUnderWay(t *testing.T, s *sealedTrail, logs int) {
	ctx, keys, id := t.Context(), kmsClient(s.kms), keyID
	before := int64(logs / 2)
	g := gateKMS(t, s.kms, func(n int64) {
		if n != before+1 {
			return
		}
		if _, err := keys.DisableKey(ctx, &kms.DisableKeyInput{KeyId: &id}); err != nil {
			t.Error(err)
		}
	})
	s.env = append(s.env, "AWS_ENDPOINT_URL_KMS="+g.URL) // as good as --kms-endpoint-url
	r := s.verify(t, "--kms-key", keyARN(keyID), "--concurrency", "4")
	s.env = s.env[:len(s.env)-1]
	if _, err := keys.EnableKey(ctx, &kms.EnableKeyInput{KeyId: &id}); err != nil {
		t.Error(err)
	}
	want := map[string]int{"kept - s3ec": int(before), "unreadable kms-key-disabled s3ec": logs - int(before)}
	if got := r.outcomes("log"); !maps.Equal(got, want) || r.Exit != 3 {
		t.Errorf("exit %d, logs: %v, want 3 and %v", r.Exit, got, want)
	}
	if got := r.outcomes("digest"); len(got) != 1 || got["kept - -"] != judged(s.World) {
		t.Errorf("digests: %v", got)
	}
	if len(r.Keys) != 1 || r.Keys[0].State != "Disabled" || r.Keys[0].Unreadable != logs-int(before) || r.Keys[0].Files != logs {
		t.Errorf("keys: %+v", r.Keys)
	}
}

// KMS is asked only with the keys that were allowed: a request tells the key's
// owner who is looking.
func testKeysAsked(t *testing.T, s *sealedTrail, logs int) {
	const kept, stranger = "kept - s3ec", "unreadable key-not-allowed s3ec"
	this, other := []string{"--kms-key", keyARN(keyID)}, []string{"--kms-key", keyARN(otherKeyID)}
	for _, c := range []struct {
		name            string
		flags           []string
		outcome         string
		exit            int
		decrypts, about bool // KMS is asked to, and asked about keys
	}{
		{"nothing is allowed", nil, stranger, 3, false, false},
		{"any key", []string{"--kms-key", "any"}, kept, 0, true, true},
		{"another key first", slices.Concat(other, this), kept, 0, true, true},
		{"only another key", other, stranger, 3, true, false},
		{"a context that they have", append(this, "--encryption-context", "case=42"), kept, 0, true, true},
		{"a context that they do not have", append(this, "--encryption-context", "case=43"), "unreadable envelope-refused s3ec", 3, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := gateKMS(t, s.kms, func(int64) {})
			r := s.verify(t, append(c.flags, "--kms-endpoint-url", g.URL)...)
			logsOnly(t, s, r, c.exit, logs, c.outcome, "-", keyID)
			if asked := g.decrypts.Load(); asked > 0 != c.decrypts {
				t.Errorf("KMS was asked to decrypt %d times", asked)
			}
			if asked := g.others.Load(); asked > 0 && !c.about {
				t.Errorf("KMS was asked %d times about keys that are not allowed", asked)
			}
		})
	}
}

// What a KMS says that never had the key, or has another by its name, or that
// does not answer at all.
func testOtherKMS(t *testing.T, s *sealedTrail, logs int) {
	for _, c := range []struct{ name, url, reason string }{
		{"without the key", localKMS(t, otherKeyID+"="+otherBytes), "kms-key-not-found"},
		{"with other bytes in the key", localKMS(t, keyID+"="+otherBytes), "envelope-refused"},
		{"that does not answer", fmt.Sprintf("http://127.0.0.1:%d", freePort(t)), "read-failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := s.verify(t, "--kms-key", keyARN(keyID), "--kms-endpoint-url", c.url)
			logsOnly(t, s, r, 3, logs, "unreadable "+c.reason+" s3ec", keyID)
		})
	}
}
