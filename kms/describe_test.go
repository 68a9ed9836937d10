package kms_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trailseal/trailseal/kms"
	"github.com/trailseal/trailseal/verify/verifytest"
)

func TestDescribe(t *testing.T) {
	when := time.Date(2026, 12, 4, 0, 0, 0, 0, time.UTC)
	settings := func(change func(*verifytest.KeySettings)) func(*verifytest.KMS) {
		return func(k *verifytest.KMS) { k.Add(key1, change) }
	}
	for name, c := range map[string]struct {
		key    string
		change func(*verifytest.KMS)
		is     func(s kms.State) bool
		asked  int64
	}{
		"enabled": {key1, nil, func(s kms.State) bool {
			return s.Name == "Enabled" && s.Manager == "CUSTOMER" && s.Origin == "AWS_KMS" && s.Account == "111122223333" && s.Deletion.IsZero() && s.Expires.IsZero() && s.Err == nil
		}, 1},
		"another region": {tokyo, nil, func(s kms.State) bool { return s.Name == "Enabled" && s.ARN == tokyo }, 1},
		"disabled":       {key1, state(key1, verifytest.KeyDisabled), func(s kms.State) bool { return s.Name == "Disabled" }, 1},
		"pending": {key1, settings(func(s *verifytest.KeySettings) { s.State, s.DeletionDate = verifytest.KeyPendingDeletion, when }),
			func(s kms.State) bool { return s.Name == "PendingDeletion" && s.Deletion.Equal(when) }, 1},
		"waits for its replicas": {key1, settings(func(s *verifytest.KeySettings) {
			s.State, s.DeletionWindow = verifytest.KeyPendingReplicaDeletion, 7
		}),
			func(s kms.State) bool {
				return s.Name == "PendingReplicaDeletion" && s.Waits == 7 && s.Deletion.IsZero()
			}, 1},
		"expires": {key1, settings(func(s *verifytest.KeySettings) {
			s.Origin, s.ExpirationModel, s.ValidTo = "EXTERNAL", "KEY_MATERIAL_EXPIRES", when
		}),
			func(s kms.State) bool { return s.Name == "Enabled" && s.Expires.Equal(when) && s.Origin == "EXTERNAL" }, 1},
		"imported for good": {key1, settings(func(s *verifytest.KeySettings) {
			s.Origin, s.ExpirationModel, s.ValidTo = "EXTERNAL", "KEY_MATERIAL_DOES_NOT_EXPIRE", when
		}),
			func(s kms.State) bool { return s.Expires.IsZero() }, 1},
		"of AWS":  {key1, settings(func(s *verifytest.KeySettings) { s.Manager = "AWS" }), func(s kms.State) bool { return s.Manager == "AWS" }, 1},
		"primary": {mrkUS, nil, func(s kms.State) bool { return s.MultiRegion && slices.Equal(s.Replicas, []string{mrkEU}) }, 1},
		"replica": {mrkEU, nil, func(s kms.State) bool { return s.MultiRegion && slices.Equal(s.Replicas, []string{mrkUS}) }, 1},
		"denied": {key1, settings(func(s *verifytest.KeySettings) { s.DescribeDenied = true }), func(s kms.State) bool {
			return s.Name == "" && code(s.Err) == "AccessDeniedException" && s.ARN == key1 && s.Account == "111122223333"
		}, 1},
		"gone":        {absent, nil, func(s kms.State) bool { return s.Name == kms.Gone && s.Err == nil && s.ARN == absent }, 1},
		"MinIO's":     {"arn:aws:kms:ctlogs-key", nil, unknown, 0},
		"an alias":    {"arn:aws:kms:eu-west-1:111122223333:alias/x", nil, unknown, 0},
		"hostile":     {"arn:aws:kms:evil.example/:111122223333:key/x", nil, unknown, 0},
		"no key":      {"", nil, unknown, 0},
		"escape code": {key1 + "\x1b[2J", nil, unknown, 0},
	} {
		s := newService(t, 1)
		if c.change != nil {
			c.change(s.kms)
		}
		got := s.client.Describe(t.Context(), c.key)
		if !c.is(got) || s.Requests()["DescribeKey"] != c.asked || s.client.Requests()["describe"] != c.asked {
			t.Errorf("%s: %+v after %v", name, got, s.Requests())
		}
	}
}

func unknown(s kms.State) bool { return s.Name == "" && s.Err != nil }

// Each key is asked for once, whoever asks and whatever comes of it.
func TestDescribeOnce(t *testing.T) {
	s := newService(t, 1)
	var wg sync.WaitGroup
	for range 8 {
		for key, want := range map[string]string{key1: "Enabled", tokyo: "Enabled", absent: kms.Gone} {
			wg.Go(func() {
				if got := s.client.Describe(t.Context(), key); got.Name != want {
					t.Errorf("%s: %+v", key, got)
				}
			})
		}
	}
	wg.Wait()
	s.kms.Key(key1).SetState(verifytest.KeyDisabled)
	if got := s.client.Describe(t.Context(), key1); got.Name != "Enabled" || s.Requests()["DescribeKey"] != 3 {
		t.Errorf("asked again: %+v, %v", got, s.Requests())
	}
}

// Whoever can write to a bucket can name any number of keys.
func TestDescribeBounded(t *testing.T) {
	s := newService(t, 1)
	if got := s.client.Describe(t.Context(), key1); got.Name != "Enabled" {
		t.Fatalf("%+v", got)
	}
	for i := range 1999 {
		s.client.Describe(t.Context(), fmt.Sprint("no ARN ", i)) // is not asked for, and is remembered
	}
	got := s.client.Describe(t.Context(), tokyo)
	if got.Name != "" || got.Err == nil || !strings.Contains(got.Err.Error(), "2000") || s.Requests()["DescribeKey"] != 1 {
		t.Errorf("the key past the bound: %+v", got)
	}
	if got := s.client.Describe(t.Context(), key1); got.Name != "Enabled" {
		t.Errorf("a known key: %+v", got)
	}
}

// Nor do names of regions that somebody made up fill the memory.
func TestRegionsBounded(t *testing.T) {
	s := newService(t, 1)
	for i := range 200 {
		s.client.Describe(t.Context(), fmt.Sprintf("arn:aws:kms:made-up-%d:111122223333:key/x", i))
	}
	if n := s.Requests()["DescribeKey"]; n != 64 {
		t.Errorf("%d regions were asked", n)
	}
	got := s.client.Describe(t.Context(), strings.Replace(key1, "eu-west-1", "made-up-999", 1))
	if _, _, err := s.client.Decrypt(t.Context(), s.wrap(t, tokyo), pairs, tokyo); err == nil || got.Name != "" || got.Err == nil {
		t.Errorf("a region past the bound: %+v, %v", got, err)
	}
}
