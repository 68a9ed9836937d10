package verify_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// logsRead counts the log files that a store is read for.
func logsRead(s *verifytest.Store, fail func(verify.Ref) error) (read func() []string) {
	var logs []string
	seen := make(chan string, 10_000)
	s.FailReads(func(ref verify.Ref) error {
		if !strings.Contains(ref.Key, "/CloudTrail-Digest/") {
			seen <- ref.Key
		}
		if fail != nil {
			return fail(ref)
		}
		return nil
	})
	return func() []string {
		for len(seen) > 0 {
			logs = append(logs, <-seen)
		}
		return logs
	}
}

func TestVouch(t *testing.T) {
	base := func(s *verifytest.Spec) { s.Hours, s.QuietEvery = 24, 0 }
	for name, c := range map[string]struct {
		spec   func(*verifytest.Spec)
		damage string
		choose func(w *verifytest.World) verify.Ref
		want   string // verdict and reason; empty: not found
		reads  int    // of logs
		fail   error
		doubt  bool // that nothing names it may be for want of a digest
	}{
		"a log":        {base, "", logIn(10), "kept", 1, nil, false},
		"the first":    {base, "", logIn(0), "kept", 1, nil, false},
		"the last":     {base, "", logIn(-1), "kept", 1, nil, false},
		"organization": {func(s *verifytest.Spec) { base(s); s.Organization = "o-abcdef1234" }, "", logIn(5), "kept", 1, nil, false},
		"prefix":       {func(s *verifytest.Spec) { base(s); s.Prefix = "a/b" }, "", logIn(5), "kept", 1, nil, false},
		"late, so that a backfill digest names it": {func(s *verifytest.Spec) { base(s); s.Backfill = true }, "", backfilled, "kept", 1, nil, false},
		"modified":               {base, "log-modified", victimOf("log-modified"), "modified hash-mismatch", 1, nil, false},
		"deleted":                {base, "log-deleted", victimOf("log-deleted"), "deleted not-found", 1, nil, false},
		"unreadable":             {base, "", logIn(10), "unreadable kms-denied", 1, verifytest.Unreadable("x", verify.KMSDenied), false},
		"a digest":               {base, "", digestIn(10), "kept", 0, nil, false},
		"the newest digest":      {base, "", digestIn(-1), "kept", 0, nil, false},
		"a modified digest":      {base, "digest-modified", victimOf("digest-modified"), "modified", 0, nil, false},
		"its digest is modified": {base, "digest-modified", logOfVictim("digest-modified"), "unattested digest-not-trusted", 0, nil, false},
		"named by nobody":        {base, "", notNamed, "", 0, nil, false},
		"named by nobody, and a digest is gone": {base, "digest-modified", func(w *verifytest.World) verify.Ref {
			return besideOf(w, logOfVictim("digest-modified")(w))
		}, "", 0, nil, true},
		"a digest that is not there": {base, "", noDigest, "", 0, nil, false},
		"of an account that is not":  {base, "", otherAccount, "", 0, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := mint(t, c.spec)
			if c.damage != "" {
				if err := w.Damage(c.damage); err != nil {
					t.Fatal(err)
				}
			}
			ref := c.choose(w)
			s := verifytest.NewStore(w)
			read := logsRead(s, func(r verify.Ref) error {
				if r == ref {
					return c.fail
				}
				return nil
			})
			req := request(w, s)
			req.Window = verify.Window{} // does not count, nor do filters
			req.All, req.Filter = false, verify.Filter{Accounts: []string{"nobody"}, Regions: []string{"nowhere"}}
			file, found, doubt, err := verify.Vouch(t.Context(), req, ref)
			got := strings.TrimSpace(fmt.Sprint(file.Verdict, " ", file.Reason))
			if err != nil || found != (c.want != "") || !strings.HasPrefix(got, c.want) || c.want == "kept" && got != "kept" {
				t.Errorf("%s, found %v, %v, want %q", got, found, err, c.want)
			}
			if (doubt != "") != c.doubt {
				t.Errorf("in doubt: %q", doubt)
			}
			if found && file.URI != ref.URI() {
				t.Errorf("vouches for %s, asked for %s", file.URI, ref.URI())
			}
			if logs := read(); len(logs) != c.reads || c.reads == 1 && logs[0] != ref.Key {
				t.Errorf("%d logs were read, want %d: %v", len(logs), c.reads, logs)
			}
		})
	}
}

// logIn is a log of the first chain's digests, counted over all of them.
func logIn(n int) func(w *verifytest.World) verify.Ref {
	return func(w *verifytest.World) verify.Ref {
		var all []verify.Ref
		for _, d := range w.Chains()[0].Digests {
			all = append(all, logsOf(w, d.Ref)...)
		}
		return all[(n+len(all))%len(all)]
	}
}

func logsOf(w *verifytest.World, of verify.Ref) (refs []verify.Ref) {
	record, err := w.Record(of)
	if err != nil {
		panic(err)
	}
	for _, l := range record.Logs {
		refs = append(refs, verify.Ref{Bucket: l.Bucket, Key: l.Object})
	}
	return refs
}

func digestIn(n int) func(w *verifytest.World) verify.Ref {
	return func(w *verifytest.World) verify.Ref {
		d := w.Chains()[0].Digests
		return d[(n+len(d))%len(d)].Ref
	}
}

// noDigest is a digest of an hour in which none was delivered.
func noDigest(w *verifytest.World) verify.Ref {
	ref := digestIn(10)(w)
	n, err := digest.ParseName(ref.Key)
	if err != nil {
		panic(err)
	}
	n.End = n.End.Add(7 * time.Minute)
	return verify.Ref{Bucket: ref.Bucket, Key: n.Key()}
}

func backfilled(w *verifytest.World) verify.Ref {
	i := slices.IndexFunc(w.Chains(), func(c *verifytest.Chain) bool { return c.Backfill })
	return logsOf(w, w.Chains()[i].Digests[1].Ref)[0]
}

func victimOf(damage string) func(w *verifytest.World) verify.Ref {
	return func(w *verifytest.World) verify.Ref { return w.Victims[damage][0] }
}

func logOfVictim(damage string) func(w *verifytest.World) verify.Ref {
	return func(w *verifytest.World) verify.Ref { return logsOf(w, w.Victims[damage][0])[0] }
}

func notNamed(w *verifytest.World) verify.Ref { return besideOf(w, logIn(10)(w)) }

// besideOf stores a log once more, under another id.
func besideOf(w *verifytest.World, ref verify.Ref) verify.Ref {
	o, _ := w.Get(ref)
	name := strings.TrimSuffix(ref.Key, ".json.gz")
	if ref.Key = name[:len(name)-1] + "0.json.gz"; name[len(name)-1] == '0' {
		ref.Key = name[:len(name)-1] + "1.json.gz"
	}
	w.Put(ref, o)
	return ref
}

func otherAccount(w *verifytest.World) verify.Ref {
	ref := logIn(10)(w)
	ref.Key = strings.ReplaceAll(ref.Key, "111122223333", "999988887777")
	return ref
}

// A copy is asked like a bucket, and a run that ends says why.
func TestVouchElsewhere(t *testing.T) {
	w := mint(t, nil)
	ref := logIn(10)(w)
	s := verifytest.NewStore(w)
	s.Copy = true
	if f, found, _, err := verify.Vouch(t.Context(), request(w, s), verify.Ref{Bucket: "copy", Key: "moved/" + ref.Key}); err != nil || !found || f.Verdict != verify.Kept {
		t.Errorf("in a copy: %+v, %v, %v", f, found, err)
	}
	for _, key := range []string{"", "x", "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/03/10/x.json.gz", ref.Key + ".instruction", ref.Key + "\x00"} {
		if _, found, _, err := verify.Vouch(t.Context(), request(w, s), verify.Ref{Bucket: ref.Bucket, Key: key}); err == nil || found {
			t.Errorf("%q: %v, %v", key, found, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, found, _, err := verify.Vouch(ctx, request(w, s), ref); !errors.Is(err, context.Canceled) || found {
		t.Errorf("ended: %v, %v", found, err)
	}
}
