package verifytest

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
)

func entries(t *testing.T, s *Store, at verify.Ref, after, until string) (keys []string, failed error) {
	t.Helper()
	for e, err := range s.List(context.Background(), at, after, until) {
		if err != nil {
			return keys, err
		}
		keys = append(keys, e.Key)
	}
	return keys, nil
}

func TestStoreBounds(t *testing.T) {
	w := mint(t, nil)
	s := NewStore(w)
	at := verify.Ref{Bucket: "example-trail-logs", Key: "AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/"}
	all, _ := entries(t, s, at, "", "")
	part, _ := entries(t, s, at, all[3], all[9])
	if len(all) != 29 || len(part) != 5 || part[0] != all[4] || part[4] != all[8] {
		t.Errorf("of %d entries %d are between the 4th and the 10th", len(all), len(part))
	}
	if none, err := entries(t, s, verify.Ref{Bucket: "no-such-bucket"}, "", ""); none != nil || err != nil {
		t.Errorf("a missing prefix lists %v, %v", none, err)
	}
	if n := s.Requests()["list"]; n != 3 {
		t.Errorf("%d listings counted", n)
	}
}

func TestStoreFaults(t *testing.T) {
	w := mint(t, nil)
	s, ctx := NewStore(w), context.Background()
	digests := w.Chains()[0].Digests
	denied := Unreadable("it", verify.AccessDenied)
	s.FailRead(digests[0].Ref, nil)
	s.FailRead(digests[1].Ref, denied)
	s.Break(digests[2].Ref, 2)
	s.Break(digests[3].Ref, -1)
	at := verify.Ref{Bucket: "example-trail-logs", Key: "AWSLogs/111122223333/CloudTrail/us-east-1/"}
	s.FailList(at, 3, denied)
	s.FailKeys("us-east-1", denied)

	read := func(ref verify.Ref) error {
		return s.Read(ctx, ref, func(o verify.Object) error {
			_, err := io.Copy(io.Discard, o.Body)
			return err
		})
	}
	var missing *verify.NotFoundError
	if err := read(digests[0].Ref); !errors.As(err, &missing) || missing.Ref != digests[0].Ref {
		t.Error(err)
	}
	if err := read(digests[1].Ref); !errors.Is(err, denied) {
		t.Error(err)
	}
	if err := read(digests[2].Ref); err != nil {
		t.Error(err)
	}
	var unreadable *verify.UnreadableError
	if err := read(digests[3].Ref); !errors.As(err, &unreadable) || unreadable.Reason != verify.ReadFailed {
		t.Error(err)
	}
	if keys, err := entries(t, s, at, "", ""); len(keys) != 3 || !errors.Is(err, denied) {
		t.Errorf("%d entries and then %v", len(keys), err)
	}
	if _, err := s.Keys(ctx, "us-east-1", time.Time{}, w.Now()); !errors.Is(err, denied) {
		t.Error(err)
	}
	if n := s.Requests(); n["retry"] != 2+Tries-1 || n["get"] != 2+3+Tries {
		t.Errorf("counted %v", n)
	}
}

// TestStoreCopy: a plain copy knows neither metadata nor bucket.
func TestStoreCopy(t *testing.T) {
	w := mint(t, nil)
	s := NewStore(w)
	s.Copy = true
	d := w.Chains()[0].Digests[1]
	err := s.Read(context.Background(), d.Ref, func(o verify.Object) error {
		if o.Metadata != nil {
			t.Error("a copy with metadata")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if !s.Holds(d.Ref, verify.Ref{Bucket: "other", Key: "p/" + d.Key}) || s.Holds(d.Ref, w.Chains()[0].Digests[2].Ref) {
		t.Error("it does not know its own")
	}
}

// TestMerge puts two trails of one account and one of another into a bucket.
func TestMerge(t *testing.T) {
	other := func(trail, account string, contents int) *World {
		return mint(t, func(s *Spec) { s.Trail, s.Accounts, s.Contents = trail, []string{account}, contents })
	}
	w := Merge(other("first", "111122223333", 0), other("second_trail.us-east-1", "111122223333", 4), other("third", "444455556666", 0))
	if len(w.Chains()) != 12 || len(w.Trails()) != 3 {
		t.Fatalf("%d chains of %d trails", len(w.Chains()), len(w.Trails()))
	}
	checkHonest(t, w)
	if err := w.Damage("gap", "restart", "log-modified", "digest-deleted"); err != nil {
		t.Fatal(err)
	}
	compare(t, w, w.Now().Add(72*time.Hour))
}
