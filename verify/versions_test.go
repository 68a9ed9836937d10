package verify_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

var (
	theft = time.Date(2026, 3, 11, 3, 4, 5, 0, time.UTC)
	thief = strings.Repeat("e", 64)
)

// robbed is a world of one region whose bucket keeps versions and that somebody
// then changes.
func robbed(t *testing.T, harm func(w *verifytest.World, c *verifytest.Chain)) *verifytest.World {
	t.Helper()
	w := mint(t, oneRegion)
	w.Version(bucket)
	w.Hand(theft, thief)
	harm(w, w.Chains()[0])
	return w
}

// rescue runs a world with its versions.
func rescue(t *testing.T, w *verifytest.World, change func(*verify.Request)) *recorder {
	t.Helper()
	req := request(w, verifytest.NewStore(w))
	req.Versions = true
	if change != nil {
		change(&req)
	}
	r := judge(t, req)
	addUp(t, r)
	return r
}

// listedBy are the logs that a digest lists, before anybody harmed it.
func listedBy(t *testing.T, d *verifytest.Digest) []verify.Ref {
	return logsOf(mint(t, oneRegion), d.Ref)
}

func forged(w *verifytest.World, ref verify.Ref) verifytest.Object {
	o, _ := w.Get(ref)
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(`{"Records":[]}`))
	z.Close()
	o.Bytes = b.Bytes()
	return o
}

func TestRecoverLogs(t *testing.T) {
	var log verify.Ref
	for name, c := range map[string]struct {
		harm    func(w *verifytest.World)
		verdict verify.Verdict
		found   string // how the version's id begins; empty: none
		marker  bool
		command string // in it
		looked  int
	}{
		"deleted":      {func(w *verifytest.World) { w.Delete(log) }, verify.Deleted, "first-", true, "delete-object", 1},
		"overwritten":  {func(w *verifytest.World) { w.Put(log, forged(w, log)) }, verify.Modified, "first-", false, "copy-object", 1},
		"twice":        {func(w *verifytest.World) { o := forged(w, log); w.Put(log, o); w.Delete(log) }, verify.Deleted, "first-", true, "copy-object", 2},
		"marker, then": {func(w *verifytest.World) { o := forged(w, log); w.Delete(log); w.Put(log, o) }, verify.Modified, "first-", true, "copy-object", 1},
		"put back":     {func(w *verifytest.World) { o, _ := w.Get(log); w.Delete(log); w.Put(log, o) }, verify.Kept, "", false, "", 0},
		"for good": {func(w *verifytest.World) {
			id := w.Versions(log)[0].ID
			w.Delete(log)
			w.DeleteVersion(log, id)
		}, verify.Deleted, "", true, "", 0},
		"without a trace": {func(w *verifytest.World) { w.DeleteVersion(log, w.Versions(log)[0].ID) }, verify.Deleted, "", false, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := robbed(t, func(w *verifytest.World, _ *verifytest.Chain) {
				log = logIn(4)(w)
				c.harm(w)
			})
			r := rescue(t, w, nil)
			f := r.find(log.URI())
			if f.Verdict != c.verdict {
				t.Fatalf("%s\n%s", f.Verdict, r)
			}
			if c.verdict == verify.Kept {
				if f.Recover != nil || r.summary.Exit != 0 {
					t.Errorf("%+v", f.Recover)
				}
				return
			}
			if r.summary.Exit != 1 || f.Recover == nil {
				t.Fatalf("exit %d, recover %+v", r.summary.Exit, f.Recover)
			}
			got := *f.Recover
			if !strings.HasPrefix(got.Version, c.found) || (got.Version == "") != (c.found == "") || (got.Marker != "") != c.marker ||
				!strings.Contains(got.Command, c.command) || (got.Command == "") != (c.command == "") || got.Looked != c.looked {
				t.Errorf("%+v", got)
			}
			if c.found == "" && got.Problem == "" && got.Looked == 0 {
				t.Errorf("nothing is said: %+v", got)
			}
			if (c.marker || c.found != "") && (got.RemovedBy != thief || got.Removed == nil || !got.Removed.Equal(theft)) {
				t.Errorf("who and when: %+v", got)
			}
		})
	}
}

// Where versions are not asked for, or cannot be, nothing changes but for what is said.
func TestRecoverChangesNoVerdict(t *testing.T) {
	for _, damage := range verifytest.Damages() {
		w := mint(t, nil)
		if w.Damage(damage.Name) != nil {
			continue
		}
		without := judge(t, request(w, verifytest.NewStore(w)))
		store := verifytest.NewStore(w)
		store.FailVersions(verifytest.Unreadable("versions", verify.AccessDenied))
		req := request(w, store)
		req.Versions = true
		with := judge(t, req)
		const unseen = "; whether versions of deleted ones are there could not be looked at: as the test asked"
		said := strings.Contains(with.String(), unseen)
		if missing := slices.ContainsFunc(with.findings, func(f verify.Finding) bool {
			return f.Kind == verify.Stale || f.Kind == verify.NoDigests && f.Chain.Trail == ""
		}); said != missing {
			t.Errorf("%s: digests are missing: %v; that versions were not seen is said: %v\n%s", damage.Name, missing, said, with)
		}
		if strings.ReplaceAll(with.String(), unseen, "") != without.String() {
			t.Errorf("%s:\n%s\nwithout:\n%s", damage.Name, with, without)
		}
		for _, f := range with.files {
			if f.Recover != nil && (f.Recover.Version != "" || !strings.Contains(f.Recover.Problem, "could not be listed")) {
				t.Errorf("%s: %+v", damage.Name, f.Recover)
			}
		}
	}
}

// Five digests in a row are each named and recovered, and speak for their logs.
func TestRecoverDigestsInARow(t *testing.T) {
	var gone verify.Ref
	var first, last int = 3, 7
	w := robbed(t, func(w *verifytest.World, c *verifytest.Chain) {
		gone = listedBy(t, c.Digests[4])[1]
		w.Delete(gone)
		for _, d := range c.Digests[first : last+1] {
			w.Delete(d.Ref)
		}
	})
	var reports []string
	for _, n := range []int{1, 64} {
		r := rescue(t, w, func(r *verify.Request) { r.InFlight = n })
		for _, d := range w.Chains()[0].Digests[first : last+1] {
			f := r.find(d.URI())
			if f.Verdict != verify.Deleted || f.Recover == nil || f.Recover.Version == "" || f.Recover.RemovedBy != thief {
				t.Errorf("%s: %s %+v", d.URI(), f.Verdict, f.Recover)
			}
			for _, log := range listedBy(t, d) {
				f := r.find(log.URI())
				want := verify.Kept
				if log == gone {
					want = verify.Deleted
				}
				if f.Verdict != want || !strings.Contains(f.Detail, "recovered from its version") || f.Digest != d.URI() {
					t.Errorf("%s: %s %q", log.Key, f.Verdict, f.Detail)
				}
			}
		}
		if f := r.find(gone.URI()); f.Recover == nil || f.Recover.Version == "" {
			t.Errorf("%+v", f.Recover)
		}
		if r.summary.Exit != 1 || r.chains[0].Digests[verify.Deleted] != 5 {
			t.Errorf("exit %d\n%s", r.summary.Exit, r)
		}
		reports = append(reports, fmt.Sprint(r.files, r.findings, r.chains))
	}
	if len(reports[0]) != len(reports[1]) {
		t.Error("the report depends on how much is in flight")
	}
}

// A digest that was overwritten is recovered, and never another in its place.
func TestRecoverOverwrittenDigest(t *testing.T) {
	for name, put := range map[string]func(w *verifytest.World, c *verifytest.Chain, d *verifytest.Digest) verifytest.Object{
		"junk": func(w *verifytest.World, _ *verifytest.Chain, d *verifytest.Digest) verifytest.Object {
			return forged(w, d.Ref)
		},
		"another digest": func(w *verifytest.World, c *verifytest.Chain, d *verifytest.Digest) verifytest.Object {
			o, _ := w.Get(c.Digests[2].Ref)
			return o
		},
		"unsigned": func(w *verifytest.World, _ *verifytest.Chain, d *verifytest.Digest) verifytest.Object {
			o := forged(w, d.Ref)
			o.Metadata = nil
			return o
		},
	} {
		t.Run(name, func(t *testing.T) {
			var d *verifytest.Digest
			w := robbed(t, func(w *verifytest.World, c *verifytest.Chain) {
				d = c.Digests[6]
				o := put(w, c, d)
				w.Put(d.Ref, o)
				w.Put(d.Ref, o)
			})
			r := rescue(t, w, nil)
			f := r.find(d.URI())
			if f.Verdict != verify.Modified || f.Recover == nil || !strings.HasPrefix(f.Recover.Version, "first-") {
				t.Fatalf("%s %+v\n%s", f.Verdict, f.Recover, r)
			}
			for _, log := range listedBy(t, d) {
				if f := r.find(log.URI()); f.Verdict != verify.Kept {
					t.Errorf("%s %s", f.Verdict, f.Detail)
				}
			}
			if slices.ContainsFunc(r.files, func(f verify.File) bool { return f.Verdict == verify.Unattested || f.Verdict == verify.Unreferenced }) {
				t.Errorf("%s", r)
			}
		})
	}
}

// What is not signed by CloudTrail for that place is not taken, however it lies
// among the versions.
func TestForgedVersionsOfADigestAreNotTaken(t *testing.T) {
	var d *verifytest.Digest
	w := robbed(t, func(w *verifytest.World, c *verifytest.Chain) {
		d = c.Digests[6]
		other, _ := w.Get(c.Digests[5].Ref)
		junk := forged(w, d.Ref)
		id := w.Versions(d.Ref)[0].ID
		w.Put(d.Ref, other)
		w.Put(d.Ref, junk)
		w.Delete(d.Ref)
		w.DeleteVersion(d.Ref, id)
	})
	r := rescue(t, w, nil)
	f := r.find(d.URI())
	if f.Verdict != verify.Deleted || f.Recover == nil || f.Recover.Version != "" || f.Recover.Looked != 2 || f.Recover.Command != "" {
		t.Errorf("%s %+v", f.Verdict, f.Recover)
	}
}

// No text of a bucket becomes a command of its own.
func TestRestoreCommands(t *testing.T) {
	w := robbed(t, func(w *verifytest.World, c *verifytest.Chain) { w.Delete(c.Digests[6].Ref) })
	d := w.Chains()[0].Digests[6]
	got := rescue(t, w, nil).find(d.URI()).Recover.Command
	want := "aws s3api delete-object --bucket " + bucket + " --key " + d.Key + " --version-id version-000001"
	if got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// The newest digests, which nothing names any more, are found where delete markers
// hide them, with their logs; and so is a chain of which all are deleted.
func TestRecoverWhatNothingNames(t *testing.T) {
	for name, first := range map[string]int{"the newest": 8, "all": 0} {
		t.Run(name, func(t *testing.T) {
			var gone []*verifytest.Digest
			w := robbed(t, func(w *verifytest.World, c *verifytest.Chain) {
				gone = c.Digests[first:]
				for _, d := range gone {
					for i, log := range listedBy(t, d) {
						if i > 0 || first > 0 { // a region of which nothing is left is not found
							w.Delete(log)
						}
					}
					w.Delete(d.Ref)
				}
				// Somebody made and deleted what is only named like a digest.
				o, _ := w.Get(c.Digests[0].Ref)
				junk := c.Digests[len(c.Digests)-1].Ref
				junk.Key = strings.Replace(junk.Key, "management-events", "no-such-trail", 1)
				w.Put(junk, o)
				w.Delete(junk)
			})
			plain := judge(t, request(w, verifytest.NewStore(w)))
			if plain.summary.Exit == 0 {
				t.Fatalf("%s", plain)
			}
			for _, n := range []int{1, 64} {
				r := rescue(t, w, func(r *verify.Request) { r.InFlight = n })
				for _, d := range gone {
					f := r.find(d.URI())
					if window := w.Window(); !d.End.After(window.Start) || !d.Start.Before(window.End) {
						continue
					}
					if f.Verdict != verify.Deleted || f.Recover == nil || f.Recover.Version == "" {
						t.Errorf("%s: %s %+v", d.Key, f.Verdict, f.Recover)
					}
					for i, log := range listedBy(t, d) {
						f := r.find(log.URI())
						if i == 0 && first == 0 {
							if f.Verdict != verify.Kept {
								t.Errorf("%s: %s %s", log.Key, f.Verdict, f.Detail)
							}
							continue
						}
						if f.Verdict != verify.Deleted || f.Recover == nil || f.Recover.Version == "" {
							t.Errorf("%s: %s %+v", log.Key, f.Verdict, f.Recover)
						}
					}
				}
				if r.summary.Exit != 1 || strings.Contains(r.String(), "no-such-trail") {
					t.Errorf("exit %d\n%s", r.summary.Exit, r)
				}
			}
		})
	}
}
