package verifytest

import (
	"bytes"
	"context"
	"testing"
	"time"
	"unsafe"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
)

func mint(t testing.TB, change func(*Spec)) *World {
	t.Helper()
	spec := DefaultSpec()
	if change != nil {
		change(&spec)
	}
	w, err := Mint(spec)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// fingerprint is a hash over every byte of a world.
func fingerprint(w *World) digest.Hash {
	var b bytes.Buffer
	for _, bucket := range w.Buckets() {
		for key, o := range w.Scan(bucket, "") {
			b.WriteString(bucket + key + o.Modified.Format(time.RFC3339) + o.Metadata["signature"])
			b.Write(o.Bytes)
		}
	}
	return digest.Sum(b.Bytes())
}

func TestMintIsDeterministic(t *testing.T) {
	first, again := mint(t, nil), mint(t, nil)
	if fingerprint(first) != fingerprint(again) {
		t.Error("the same spec made other bytes")
	}
	if other := mint(t, func(s *Spec) { s.Seed = 2 }); fingerprint(other) == fingerprint(first) {
		t.Error("another seed made the same bytes")
	}
}

// TestHonest checks a variety of worlds digest by digest, with package digest.
func TestHonest(t *testing.T) {
	for name, change := range map[string]func(*Spec){
		"default":      nil,
		"organization": func(s *Spec) { s.Organization = "o-exampleorgid"; s.Accounts = append(s.Accounts, "444455556666") },
		"prefix":       func(s *Spec) { s.Prefix = "audit/logs"; s.Trail = "my_trail.us-east-1-x" },
		"moved":        func(s *Spec) { s.MoveBucketAt = 12 },
		"rollover": func(s *Spec) {
			s.Phase = 0
			s.Start = KeyRollover("us-east-1", s.Start).Truncate(time.Hour).Add(-12 * time.Hour)
		},
		"quiet":   func(s *Spec) { s.LogsPerHour = 0 },
		"insight": func(s *Spec) { s.Insight = true; s.Pending = 3; s.Stagger = 7 * time.Second },
	} {
		t.Run(name, func(t *testing.T) { checkHonest(t, mint(t, change)) })
	}
}

func checkHonest(t *testing.T, w *World) {
	t.Helper()
	logs := 0
	for _, c := range w.Chains() {
		var last *digest.Previous
		for i, d := range c.Digests {
			r, err := w.Record(d.Ref)
			if err != nil {
				t.Fatal(err)
			}
			checkDigest(t, w, c, d, r)
			if (r.Previous == nil) != (i == 0) || i > 0 && *r.Previous != *last {
				t.Errorf("%s: it names %v, want %v", d.URI(), r.Previous, last)
			}
			last = d.asPrevious()
			logs += len(r.Logs)
			checkLogs(t, w, r)
		}
	}
	if logs == 0 && w.chains[0].m.spec.LogsPerHour > 0 {
		t.Error("no logs at all")
	}
}

func checkDigest(t *testing.T, w *World, c *Chain, d *Digest, r *digest.Record) {
	t.Helper()
	name, err := digest.ParseName(d.Key)
	if err != nil || name.Chain != c.Chain || !name.End.Equal(r.End) || r.Bucket != d.Bucket || r.Object != d.Key {
		t.Errorf("%s: its name says %v (%v), its record %s/%s until %s", d.URI(), name, err, r.Bucket, r.Object, r.EndText)
	}
	o, _ := w.Get(d.Ref)
	signed := false
	for _, k := range w.PublicKeys(c.Region) {
		if k.Fingerprint == r.Fingerprint {
			signed = k.ValidAt(d.Generated) && k.Verify(r, o.Metadata["signature"]) == nil
		}
	}
	if !signed || o.Metadata["signature-algorithm"] != "SHA256withRSA" {
		t.Errorf("%s: not signed by a valid published key", d.URI())
	}
	if lag := o.Modified.Sub(d.Generated); lag <= 0 || lag > 31*time.Minute {
		t.Errorf("%s: delivered %v after it was made", d.URI(), lag)
	}
}

func checkLogs(t *testing.T, w *World, r *digest.Record) {
	t.Helper()
	for _, l := range r.Logs {
		ref := verify.Ref{Bucket: l.Bucket, Key: l.Object}
		o, ok := w.Get(ref)
		if _, err := digest.ParseLogName(l.Object); err != nil || !ok {
			t.Fatalf("%s: there: %v, name: %v", ref.URI(), ok, err)
		}
		c, err := digest.HashGzip(bytes.NewReader(o.Bytes), verify.DefaultLogLimit)
		if err != nil || c.Form != digest.Exact || c.Hash != l.Hash {
			t.Errorf("%s: %v %v, want %v (%v)", ref.URI(), c.Form, c.Hash, l.Hash, err)
		}
		if l.Oldest.Before(r.Start) || l.Newest.After(r.End) || l.Newest.Before(l.Oldest) {
			t.Errorf("%s: events from %v to %v", ref.URI(), l.Oldest, l.Newest)
		}
	}
}

func TestRollover(t *testing.T) {
	w := mint(t, func(s *Spec) {
		s.Start = KeyRollover("us-east-1", s.Start).Add(-5 * time.Hour)
		s.Regions = []string{"us-east-1"}
	})
	signers := map[string]bool{}
	for _, d := range w.Chains()[0].Digests {
		signers[w.mustRecord(d).Fingerprint] = true
	}
	if len(signers) != 2 {
		t.Errorf("%d keys signed, want 2", len(signers))
	}
}

// TestCompresses keeps benchmarks over minted logs honest.
func TestCompresses(t *testing.T) {
	for _, events := range []int{20, 30, 200} {
		b := batch{"111122223333", "eu-west-1", time.Unix(1773100800, 0).UTC(), time.Unix(1773101400, 0).UTC(), events}
		raw := b.appendLog(nil, stream("test"))
		ratio := float64(len(raw)) / float64(len(zip(raw)))
		t.Logf("%d events: %d bytes, ratio %.1f", events, len(raw), ratio)
		if ratio < 7 || ratio > 12 {
			t.Errorf("%d events compress %.1f-fold, want 8 to 11", events, ratio)
		}
	}
}

// TestPressForgets: what a press made before must not show in what it makes.
func TestPressForgets(t *testing.T) {
	used := newPress()
	for i := range 300 {
		b := batch{"111122223333", "eu-west-1", time.Unix(1773100800, 0).UTC(), time.Unix(1773101400, 0).UTC(), 1 + i%40}
		raw := b.appendLog(nil, stream("press", i))
		if !bytes.Equal(used.gzip(raw), newPress().gzip(raw)) {
			t.Fatalf("after %d files the bytes differ", i)
		}
	}
}

// TestLargeWorldIsSmall: a benchmark's world must not weigh on its memory.
func TestLargeWorldIsSmall(t *testing.T) {
	w := mint(t, func(s *Spec) { s.Hours, s.LogsPerHour, s.Contents, s.QuietEvery = 50, 200, 16, 0 })
	objects, _ := w.Size()
	memory := 0
	for _, s := range w.shelves {
		for _, o := range s.loose {
			memory += len(o.Bytes) + 1000
		}
		for _, p := range s.packs {
			memory += cap(p.logs) * int(unsafe.Sizeof(packed{}))
		}
	}
	for _, gz := range w.pool.gz {
		memory += len(gz)
	}
	t.Logf("%d objects in about %d bytes", objects, memory)
	if objects < 20000 || memory > 200*objects {
		t.Errorf("%d objects in %d bytes", objects, memory)
	}
	refs := w.Logs()
	for _, ref := range []verify.Ref{refs[0], refs[len(refs)/2], refs[len(refs)-1]} {
		if _, ok := w.Get(ref); !ok {
			t.Errorf("%s is listed and not there", ref.URI())
		}
	}
}

func TestStoreLists(t *testing.T) {
	w := mint(t, nil)
	s, ctx := NewStore(w), context.Background()
	at := verify.Ref{Bucket: "example-trail-logs", Key: "AWSLogs/111122223333/CloudTrail/"}
	dirs, err := s.Dirs(ctx, at)
	if err != nil || len(dirs) != 2 || dirs[0] != "eu-west-1/" || dirs[1] != "us-east-1/" {
		t.Errorf("directories %q, %v", dirs, err)
	}
	last, n := "", 0
	for e, err := range s.List(ctx, at, "", "") {
		if err != nil || e.Key <= last {
			t.Fatalf("%q after %q, %v", e.Key, last, err)
		}
		last = e.Key
		n++
	}
	if want := len(w.Logs()) + 1; n != want { // and a marker
		t.Errorf("%d entries, want %d", n, want)
	}
}

func BenchmarkMint(b *testing.B) {
	for b.Loop() {
		mint(b, nil)
	}
}

func BenchmarkKey(b *testing.B) {
	n := 0
	for b.Loop() {
		newKey(string(rune(n)))
		n++
	}
}
