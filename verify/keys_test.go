package verify_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

const (
	trailKey = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000001"
	oldKey   = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000002"
	stranger = "arn:aws:kms:eu-west-1:999988887777:key/00000000-0000-4000-8000-000000000003"
	unasked  = "arn:aws:kms:eu-west-1:999988887777:key/00000000-0000-4000-8000-000000000004"
)

// keyStates answers for keys and counts who is asked for.
type keyStates struct {
	mu    sync.Mutex
	asked map[string]int
	state map[string]verify.KeyState
}

func (k *keyStates) KeyState(_ context.Context, key string) verify.KeyState {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.asked == nil {
		k.asked = map[string]int{}
	}
	k.asked[key]++
	if s, ok := k.state[key]; ok {
		return s
	}
	return verify.KeyState{State: "Enabled", Account: strings.Split(key, ":")[4]}
}

// keyed is a world under the trail's key, with one log of a stranger's key, one
// that the old key keeps from being read, and one whose key may not be asked.
func keyed(t testing.TB) (w *verifytest.World, s *verifytest.Store, logs []verify.Ref) {
	t.Helper()
	w = mint(t, func(s *verifytest.Spec) { s.Regions, s.Backfill, s.KMSKey = []string{"eu-west-1"}, false, trailKey })
	for _, ref := range w.Logs() {
		if strings.Contains(ref.Key, "/CloudTrail/") {
			logs = append(logs, ref)
		}
	}
	n := len(logs)
	logs = []verify.Ref{logs[n/2], logs[n/2+1], logs[n/2+2]}
	w.EncryptSSE(stranger, "aws:kms", func(ref verify.Ref) bool { return ref == logs[0] })
	s = verifytest.NewStore(w)
	s.FailRead(logs[1], &verify.UnreadableError{What: "x", Reason: verify.KMSKeyDisabled, Key: oldKey, Err: errors.New("disabled")})
	s.FailRead(logs[2], &verify.UnreadableError{What: "x", Reason: verify.KeyNotAllowed, Key: unasked, Scheme: "esdk-v2", Err: errors.New("not asked")})
	return w, s, logs
}

func keyRequest(w *verifytest.World, s verify.Store, keys verify.Keys, states verify.KeyStates) verify.Request {
	return verify.Request{Source: "test", Store: s, Keys: keys, Window: w.Window(), Now: w.Now(), All: true,
		KeyStates: states, OwnKeys: []string{trailKey}, HasTrailKey: true}
}

func told(r *recorder) string {
	text := r.String()
	for _, k := range r.summary.Keys {
		text += fmt.Sprintf("key %+v %v to %v\n", k, *k.First, *k.Last)
	}
	return text
}

func findingsOf(r *recorder, kind verify.FindingKind) (keys []string) {
	for _, f := range r.findings {
		if f.Kind == kind {
			keys = append(keys, f.Key)
		}
	}
	return keys
}

func TestKeyReport(t *testing.T) {
	w, s, logs := keyed(t)
	states := &keyStates{state: map[string]verify.KeyState{oldKey: {State: "Disabled"}}}
	r := judge(t, keyRequest(w, s, s, states))
	addUp(t, r)
	if fmt.Sprint(states.asked) != fmt.Sprintf("map[%s:1 %s:1 %s:1]", trailKey, oldKey, stranger) {
		t.Errorf("asked for %v", states.asked)
	}
	byARN := map[string]verify.KeyUse{}
	var order []string
	for _, k := range r.summary.Keys {
		byARN[k.ARN] = k
		order = append(order, k.ARN)
	}
	if !slices.Equal(order, []string{trailKey, oldKey, stranger, unasked}) {
		t.Fatalf("keys %v\n%s", order, told(r))
	}
	own, old, odd, no := byARN[trailKey], byARN[oldKey], byARN[stranger], byARN[unasked]
	if own.Digests < 12 || own.Files-own.Digests < 10 || own.Bytes == 0 || own.Unreadable != 0 || !slices.Equal(own.Encryption, []string{"aws:kms"}) || own.State != "Enabled" {
		t.Errorf("the trail's: %+v", own)
	}
	if old.Files != 1 || old.Unreadable != 1 || old.State != "Disabled" || old.Bytes != 0 || len(old.Encryption) != 0 || old.Remedy == "" {
		t.Errorf("the old one: %+v", old)
	}
	if odd.Files != 1 || odd.Unreadable != 0 || odd.Account != "999988887777" || no.State != "unknown" || !strings.Contains(no.Detail, "--kms-key") {
		t.Errorf("strangers': %+v, %+v", odd, no)
	}
	if got := findingsOf(r, verify.KeyForeign); !slices.Equal(got, []string{stranger, unasked}) {
		t.Errorf("foreign: %v\n%s", got, told(r))
	}
	if got := findingsOf(r, verify.KeyDisabled); !slices.Equal(got, []string{oldKey}) || len(findingsOf(r, verify.ClientSide)) != 1 {
		t.Errorf("disabled: %v\n%s", got, told(r))
	}
	for i, want := range []string{"kept", "unreadable kms-key-disabled", "unreadable key-not-allowed"} {
		f := r.find(logs[i].URI())
		if got := strings.TrimSpace(fmt.Sprint(f.Verdict, " ", f.Reason)); got != want || f.Key != []string{stranger, oldKey, unasked}[i] {
			t.Errorf("%s: %+v", want, f)
		}
	}
	if r.summary.Exit != 3 {
		t.Errorf("exit %d", r.summary.Exit)
	}
	req := keyRequest(w, s, s, states)
	req.Policy.FailOn = []string{"key-foreign"}
	if r := judge(t, req); r.summary.Exit != 1 {
		t.Errorf("--fail-on key-foreign: exit %d", r.summary.Exit)
	}
}

// Keys are remarks: where everything is read the run passes.
func TestKeysAreRemarks(t *testing.T) {
	w := mint(t, func(s *verifytest.Spec) { s.KMSKey = trailKey })
	s := verifytest.NewStore(w)
	states := &keyStates{state: map[string]verify.KeyState{trailKey: {State: "PendingDeletion", Deletion: w.Now().AddDate(0, 0, 7)}}}
	r := judge(t, keyRequest(w, s, s, states))
	if got := findingsOf(r, verify.KeyDoomed); len(got) != 1 || r.summary.Exit != 0 || r.summary.Keys[0].EndsAt == nil {
		t.Errorf("exit %d, %v\n%s", r.summary.Exit, got, told(r))
	}
	for _, kept := range []bool{true, false} { // a copy has no SSE, so no keys; nor has a trail without
		s := verifytest.NewStore(mint(t, func(s *verifytest.Spec) {
			if kept {
				s.KMSKey = trailKey
			}
		}))
		s.Copy = kept
		if r := judge(t, keyRequest(w, s, s, states)); len(r.summary.Keys) != 0 {
			t.Errorf("keys of no SSE: %v", r.summary.Keys)
		}
	}
}

func TestKeyReportIsTheSame(t *testing.T) {
	w, s, _ := keyed(t)
	var want string
	for _, n := range []int{1, 3, 256} {
		req := keyRequest(w, s, s, &keyStates{state: map[string]verify.KeyState{oldKey: {State: "Disabled"}}})
		req.InFlight = n
		if got := told(judge(t, req)); want == "" {
			want = got
		} else if got != want {
			t.Errorf("with %d in flight:\n%s\nwant\n%s", n, got, want)
		}
	}
}

// An interrupted run names its keys and asks for none.
func TestInterruptedRunAsksForNoKey(t *testing.T) {
	w, s, _ := keyed(t)
	states := &keyStates{}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r := quitter{after: 7, quit: cancel}
	if _, err := verify.Run(ctx, keyRequest(w, s, s, states), &r); err != nil {
		t.Fatal(err)
	}
	if !r.summary.Interrupted || len(states.asked) > 0 || len(r.summary.Keys) == 0 || r.summary.Keys[0].State != "unknown" {
		t.Errorf("asked for %v, keys %+v", states.asked, r.summary.Keys)
	}
}

// A trail that changes its key at whatever minute leaves nothing to be found,
// though digests are delivered half an hour after their end and names are off by
// minutes. A file in the middle of another key's is found.
func TestRotationIsNoFinding(t *testing.T) {
	for _, phase := range []time.Duration{0, 20 * time.Minute, 40 * time.Minute, 59 * time.Minute} {
		for minute := 0; minute < 60; minute += 7 {
			w := mint(t, func(s *verifytest.Spec) {
				s.Regions, s.Phase, s.LogsPerHour, s.EventsPerLog, s.QuietEvery, s.KMSKey = []string{"eu-west-1"}, phase, 12, 1, 0, oldKey
			})
			change := w.Window().Start.Truncate(time.Hour).Add(6*time.Hour + time.Duration(minute)*time.Minute)
			w.EncryptSSE(trailKey, "aws:kms", func(ref verify.Ref) bool {
				o, _ := w.Get(ref)
				return !o.Modified.Before(change)
			})
			for _, own := range []string{trailKey, ""} {
				s := verifytest.NewStore(w)
				req := keyRequest(w, s, s, nil)
				req.HasTrailKey, req.OwnKeys = own != "", nil
				if own != "" {
					req.OwnKeys = []string{own}
				}
				if r := judge(t, req); len(findingsOf(r, verify.KeyForeign)) > 0 {
					t.Errorf("hours begin at %s, changed at %s, own %q:\n%s", phase, change, own, r)
				}
			}
		}
	}
}
