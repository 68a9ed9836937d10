package verify

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// What is to be found on a key, by its state, its owner and its time.
func TestKeyFindings(t *testing.T) {
	const stranger = "arn:aws:kms:eu-west-1:999988887777:key/x"
	deletion := time.Date(2026, 12, 4, 0, 0, 0, 0, time.UTC)
	use := keyUse{files: 10, digests: 2, bytes: 1000, first: noon, last: noon.Add(time.Hour), how: []string{"aws:kms"}}
	half, none, odd := use, use, use
	half.refused, none.refused = 4, 10
	odd.odd, odd.usual, odd.oddFirst, odd.oddLast = 3, keyB, noon, noon.Add(time.Hour)
	for name, c := range map[string]struct {
		key   string
		use   keyUse
		state KeyState
		own   []string
		want  string // kinds
		says  []string
	}{
		"enabled":                {keyA, use, KeyState{State: "Enabled"}, nil, "", nil},
		"unknown":                {keyA, none, KeyState{Problem: "denied"}, nil, "", nil},
		"gone":                   {keyA, none, KeyState{State: "NotFound"}, nil, "", nil},
		"creating":               {keyA, use, KeyState{State: "Creating"}, nil, "", nil},
		"disabled, all read":     {keyA, use, KeyState{State: "Disabled"}, nil, "key-disabled", []string{"is disabled: aws kms enable-key --key-id " + keyA + " --region eu-west-1"}},
		"disabled, none read":    {keyA, none, KeyState{State: "Disabled"}, nil, "key-disabled", []string{"is disabled: aws kms enable-key"}},
		"disabled, some read":    {keyA, half, KeyState{State: "Disabled"}, nil, "key-disabled", []string{"since 6 of its 10 files were read in this run"}},
		"pending import":         {keyA, none, KeyState{State: "PendingImport", Origin: "EXTERNAL"}, nil, "key-disabled", []string{"has no key material", "import-key-material"}},
		"unavailable":            {keyA, none, KeyState{State: "Unavailable"}, nil, "key-disabled", []string{"key store", "connect-custom-key-store"}},
		"pending deletion":       {keyA, none, KeyState{State: "PendingDeletion", Deletion: deletion}, nil, "key-doomed", []string{"is deleted on 2026-12-04T00:00:00Z", "10 files of 2026-03-10T12:00:00Z to 2026-03-10T13:00:00Z", "cancel-key-deletion", "enable-key"}},
		"pending, date unknown":  {keyA, none, KeyState{State: "PendingDeletion"}, nil, "key-doomed", []string{"waits for its deletion"}},
		"waits for its replicas": {keyA, none, KeyState{State: "PendingReplicaDeletion", Waits: 7, Replicas: []string{keyB}}, nil, "key-doomed", []string{"7 days after", "cancel-key-deletion"}},
		"expires":                {keyA, use, KeyState{State: "Enabled", Expires: deletion, Origin: "EXTERNAL"}, nil, "key-doomed", []string{"ends on 2026-12-04T00:00:00Z", "import-key-material"}},
		"disabled, and expires":  {keyA, none, KeyState{State: "Disabled", Expires: deletion}, nil, "key-doomed key-disabled", nil},
		"stranger":               {stranger, use, KeyState{State: "Enabled"}, nil, "key-foreign", []string{`account "999988887777"`, "10 files"}},
		"stranger, unknown":      {stranger, none, KeyState{Problem: "denied"}, nil, "key-foreign", nil},
		"stranger, own":          {stranger, use, KeyState{State: "Enabled"}, []string{keyA, stranger}, "", nil},
		"of an own one's owner":  {stranger, use, KeyState{State: "Enabled"}, []string{stranger + "2"}, "", nil},
		"owner is KMS's word":    {keyA, use, KeyState{State: "Enabled", Account: "999988887777"}, nil, "key-foreign", []string{"999988887777"}},
		"no ARN, no owner":       {"arn:aws:kms:ctlogs-key", use, KeyState{}, nil, "", nil},
		"odd":                    {keyA, odd, KeyState{State: "Enabled"}, nil, "key-foreign", []string{"3 of its files", "are encrypted with " + keyB}},
		"odd, and own":           {keyA, odd, KeyState{State: "Enabled"}, []string{keyA}, "", nil},
		"odd and a stranger":     {stranger, odd, KeyState{State: "Enabled"}, nil, "key-foreign", []string{"belongs to the account", "; it was not the trail's"}},
		"all at once":            {stranger, odd, KeyState{State: "PendingDeletion", Deletion: deletion}, nil, "key-doomed key-foreign", nil},
	} {
		r := &run{Request: Request{OwnKeys: c.own}}
		record := newKeyUse(c.key, &c.use, c.state)
		found := r.keyFindings(record, &c.use, c.state, map[string]bool{"111122223333": true})
		var kinds []string
		for _, f := range found {
			kinds = append(kinds, string(f.Kind))
			if f.Key != c.key || !strings.HasPrefix(f.Message, "key "+c.key+" ") || f.Kind.Class() != Remark {
				t.Errorf("%s: %+v", name, f)
			}
			if f.Kind == KeyForeign && c.use.odd > 0 && (f.Start == nil || !f.Start.Equal(noon) || !f.End.Equal(noon.Add(time.Hour))) {
				t.Errorf("%s: of %v to %v", name, f.Start, f.End)
			}
		}
		if got := strings.Join(kinds, " "); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		for _, text := range c.says {
			if !slices.ContainsFunc(found, func(f Finding) bool { return strings.Contains(f.Message, text) }) {
				t.Errorf("%s: no %q in %v", name, text, found)
			}
		}
	}
}

// The record of a key: when its files become unreadable, and what undoes that.
func TestNewKeyUse(t *testing.T) {
	early, late := noon.AddDate(0, 1, 0), noon.AddDate(0, 2, 0)
	hostile := "arn:aws:kms:eu-west-1:111122223333:key/a; rm -rf $HOME\n"
	for name, c := range map[string]struct {
		key    string
		state  KeyState
		ends   time.Time
		remedy string
	}{
		"enabled":               {keyA, KeyState{State: "Enabled"}, time.Time{}, ""},
		"pending":               {keyA, KeyState{State: "PendingDeletion", Deletion: late}, late, "aws kms cancel-key-deletion --key-id " + keyA + " --region eu-west-1 && aws kms enable-key --key-id " + keyA + " --region eu-west-1"},
		"expires":               {keyA, KeyState{State: "Enabled", Expires: early}, early, ""},
		"expires before":        {keyA, KeyState{State: "PendingDeletion", Deletion: late, Expires: early}, early, "aws kms cancel-key-deletion --key-id " + keyA + " --region eu-west-1 && aws kms enable-key --key-id " + keyA + " --region eu-west-1"},
		"deleted before":        {keyA, KeyState{State: "PendingDeletion", Deletion: early, Expires: late}, early, "aws kms cancel-key-deletion --key-id " + keyA + " --region eu-west-1 && aws kms enable-key --key-id " + keyA + " --region eu-west-1"},
		"gone":                  {keyA, KeyState{State: "NotFound"}, time.Time{}, ""},
		"hostile, not pasted":   {hostile, KeyState{State: "Disabled"}, time.Time{}, "aws kms enable-key --key-id KEY"},
		"no ARN, not pasted":    {"arn:aws:kms:ctlogs-key", KeyState{State: "Disabled"}, time.Time{}, "aws kms enable-key --key-id KEY"},
		"an option, not pasted": {"--endpoint-url=http:::eu-west-1:1:x y", KeyState{State: "Disabled"}, time.Time{}, "aws kms enable-key --key-id KEY"},
	} {
		got := newKeyUse(c.key, &keyUse{files: 1, first: noon, last: noon}, c.state)
		ends := time.Time{}
		if got.EndsAt != nil {
			ends = *got.EndsAt
		}
		if !ends.Equal(c.ends) || got.Remedy != c.remedy {
			t.Errorf("%s: until %v, %q", name, got.EndsAt, got.Remedy)
		}
	}
	got := newKeyUse("x", &keyUse{files: 1}, KeyState{})
	if got.State != "unknown" || got.Encryption == nil || got.First != nil || got.Account+got.Region != "" {
		t.Errorf("of nothing known: %+v", got)
	}
}

// stateTable answers for keys, and remembers who was asked for.
type stateTable struct {
	states map[string]KeyState
	asked  chan string
}

func (s stateTable) KeyState(_ context.Context, key string) KeyState {
	s.asked <- key
	return s.states[key]
}

func TestStates(t *testing.T) {
	uses := map[string]*keyUse{keyA: {asked: true}, keyB: {asked: false}, keyC: {asked: true}}
	for i := range 40 {
		uses[fmt.Sprintf("key %02d", i)] = &keyUse{asked: i%2 == 0}
	}
	for name, c := range map[string]struct {
		ended, nobody bool
		asked         int
		problem       string // of keyA
	}{
		"":            {false, false, 22, ""},
		"interrupted": {true, false, 0, "interrupted"},
		"nobody":      {false, true, 0, "not asked"},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		if c.ended {
			cancel()
		}
		table := stateTable{map[string]KeyState{keyA: {State: "Enabled"}}, make(chan string, 100)}
		r := &run{ctx: ctx}
		if !c.nobody {
			r.KeyStates = table
		}
		var order []string
		for key, s := range r.states(uses) {
			order = append(order, key)
			if key == keyA && !strings.Contains(s.Problem, c.problem) || key == keyA && c.asked > 0 && s.State != "Enabled" {
				t.Errorf("%s: %+v", name, s)
			}
			if key == keyB && (s.State != "" || s.Problem == "") {
				t.Errorf("%s: a key that may not be asked: %+v", name, s)
			}
		}
		close(table.asked)
		asked := map[string]int{}
		for key := range table.asked {
			if asked[key]++; asked[key] > 1 || !uses[key].asked {
				t.Errorf("%s: %s was asked for %d times", name, key, asked[key])
			}
		}
		if len(order) != len(uses) || !slices.IsSorted(order) || len(asked) != c.asked {
			t.Errorf("%s: %d keys, %d asked for: %v", name, len(order), len(asked), order)
		}
		cancel()
	}
}
