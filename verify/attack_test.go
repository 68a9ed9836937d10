package verify_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

func findings(r *recorder, k verify.FindingKind) int {
	n := 0
	for _, f := range r.findings {
		if f.Kind == k {
			n++
		}
	}
	return n
}

// erase deletes a digest and the logs it lists.
func erase(t testing.TB, w *verifytest.World, d *verifytest.Digest) {
	t.Helper()
	rec, err := w.Record(d.Ref)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range rec.Logs {
		w.Delete(verify.Ref{Bucket: l.Bucket, Key: l.Object})
	}
	w.Delete(d.Ref)
}

func zip(s string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(s))
	z.Close()
	return b.Bytes()
}

// Delete-only: every standard digest of a region and its logs go, one
// backfill digest stays. The region passes.
func TestStandardChainGoneBackfillLeft(t *testing.T) {
	w := mint(t, func(s *verifytest.Spec) { s.Backfill = true })
	for _, c := range w.Chains() {
		if c.Region == "us-east-1" && !c.Backfill {
			for _, d := range c.Digests {
				erase(t, w, d)
			}
		}
	}
	r := judge(t, request(w, verifytest.NewStore(w)))
	if r.summary.Exit == 0 {
		t.Errorf("a region's whole standard chain is gone and the run exits 0:\n%s", r)
	}
}

// The same where there is no backfill digest: one is planted, far away.
func TestStandardChainGoneBackfillPlanted(t *testing.T) {
	w := mint(t, func(s *verifytest.Spec) { s.Hours = 24 * 11; s.LogsPerHour = 1; s.Backfill = false })
	win := w.Window()
	var id digest.Chain
	for _, c := range w.Chains() {
		if c.Region == "us-east-1" {
			id = c.Chain
			for _, d := range c.Digests[24:] { // the last ten days; the first day's are still in the bucket
				erase(t, w, d)
			}
		}
	}
	id.Backfill = true
	n := digest.Name{Chain: id, End: time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)}
	req := request(w, verifytest.NewStore(w))
	req.Window = verify.Window{Start: win.End.Add(-24 * time.Hour), End: win.End}
	req.Delivery = &verify.Delivery{Trail: "arn", Region: "us-east-1", LatestDigest: w.Now(), Logging: true, Validation: true}
	before := judge(t, req)
	w.Put(verify.Ref{Bucket: "example-trail-logs", Key: n.Key()}, verifytest.Object{Bytes: []byte("x"), Modified: w.Now()})
	r := judge(t, req)
	if r.summary.Exit == 0 {
		t.Errorf("without the plant exit %d (%d stale); with it exit 0, and CloudTrail's LatestDigestDeliveryTime is not held against anything:\n%s",
			before.summary.Exit, findings(before, verify.Stale), r)
	}
}

// A folder 9999/ in a copy takes the end off "everything".
func TestPlantedYearCutsTheWindowOfACopy(t *testing.T) {
	w := mint(t, func(s *verifytest.Spec) { s.Hours = 24 * 6; s.LogsPerHour = 2; s.Backfill = false })
	s := verifytest.NewStore(w)
	s.Copy = true
	req := request(w, s)
	req.Window = verify.Window{}
	for _, c := range w.Chains() {
		for _, d := range c.Digests[25:] { // five days of evidence
			rec, _ := w.Record(d.Ref)
			for _, l := range rec.Logs {
				w.Delete(verify.Ref{Bucket: l.Bucket, Key: l.Object})
			}
		}
	}
	before := judge(t, req)
	for _, c := range w.Chains() {
		for _, kind := range []string{"CloudTrail-Digest", "CloudTrail"} {
			key := "AWSLogs/" + c.Account + "/" + kind + "/" + c.Region + "/9999/12/31/note"
			w.Put(verify.Ref{Bucket: "example-trail-logs", Key: key}, verifytest.Object{Bytes: []byte("x"), Modified: w.Now()})
		}
	}
	r := judge(t, req)
	if r.summary.Exit == 0 {
		t.Errorf("all logs of five days of six deleted: exit %d before; now exit 0, window %s to %s, %d logs looked at",
			before.summary.Exit, r.summary.Window.Start, r.summary.Window.End, r.summary.Logs[verify.Kept])
	}
}

// A forged log in a month-old folder, stored again every day, is pending for ever.
func TestForgedLogStoredAgainIsPendingForEver(t *testing.T) {
	w := mint(t, func(s *verifytest.Spec) { s.Hours = 24 * 3 })
	log := w.Logs()[0]
	at := verify.Ref{Bucket: log.Bucket, Key: log.Key[:len(log.Key)-len("x.json.gz")] + "Z.json.gz"}
	req := request(w, verifytest.NewStore(w))
	req.Now = w.Now().Add(90 * 24 * time.Hour)
	w.Put(at, verifytest.Object{Bytes: zip(`{"Records":[{}]}`), Modified: req.Now.Add(-time.Hour)})
	r := judge(t, req)
	if r.summary.Exit == 0 {
		t.Errorf("three months after its hour, whose digest is kept, it is %s:\n%s", r.find(at.URI()).Verdict, r.summary.Verdict)
	}
}

// Restart, then delete the eight days before: not-started, though older
// digests of the chain still lie in the bucket.
func TestNotStartedThoughOlderDigestsExist(t *testing.T) {
	var w *verifytest.World
	for seed := int64(5); ; seed++ { // until the restart is late enough
		w = mint(t, func(s *verifytest.Spec) {
			s.Hours, s.LogsPerHour, s.Backfill, s.Regions, s.Seed = 24*20, 1, false, []string{"us-east-1"}, seed
		})
		if err := w.Damage("gap"); err != nil {
			t.Fatal(err)
		}
		if w.Victims["gap"][0].Key > "AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2026/03/22" {
			break
		}
	}
	c := w.Chains()[0]
	i := 1
	for ; i < len(c.Digests); i++ {
		if rec, _ := w.Record(c.Digests[i].Ref); rec.Previous == nil {
			break
		}
	}
	restart := c.Digests[i].End
	req := request(w, verifytest.NewStore(w))
	req.Window = verify.Window{Start: restart.Add(-12 * time.Hour), End: restart.Add(12 * time.Hour)}
	before := judge(t, req)
	left := 0
	for _, d := range c.Digests[:i] {
		if d.End.After(restart.Add(-9 * 24 * time.Hour)) {
			erase(t, w, d)
		} else {
			left++
		}
	}
	if left == 0 {
		t.Skip("restart too early", i)
	}
	r := judge(t, req)
	if r.summary.Exit == 0 {
		t.Errorf("exit %d before the deletion, 0 after it; %d older digests of the chain are still in the bucket:\n%s", before.summary.Exit, left, r)
	}
}

// Two trails in one bucket: all of one trail's digests of eight days are
// deleted, older ones are left. Alone it would be stale.
func TestTrailGoneBesideAnother(t *testing.T) {
	two := func(name string) *verifytest.World {
		return mint(t, func(s *verifytest.Spec) {
			s.Hours, s.LogsPerHour, s.Backfill, s.Regions, s.Trail = 24*12, 1, false, []string{"us-east-1"}, name
		})
	}
	w := verifytest.Merge(two("alpha"), two("beta"))
	win := w.Window()
	for _, c := range w.Chains() {
		if c.Trail == "beta" {
			for _, d := range c.Digests[48:] {
				erase(t, w, d)
			}
		}
	}
	req := request(w, verifytest.NewStore(w))
	req.Window = verify.Window{Start: win.End.Add(-24 * time.Hour), End: win.End}
	req.Lookback = 60 * 365 * 24 * time.Hour // a week does not reach back to them
	r := judge(t, req)
	if r.summary.Exit == 0 {
		t.Errorf("48 older digests of beta lie in the bucket; exit 0:\n%s", r)
	}
}

// A forged digest that names the same digest before steals the genuine
// witness: the swap is not seen.
func TestStolenWitness(t *testing.T) {
	w := mint(t, func(s *verifytest.Spec) { s.Backfill = false })
	if err := w.Damage("digest-swapped"); err != nil {
		t.Fatal(err)
	}
	victim := w.Victims["digest-swapped"][0]
	var next *verifytest.Digest
	var end time.Time
	for _, c := range w.Chains() {
		for i, d := range c.Digests {
			if d.Ref == victim {
				next, end = c.Digests[i+1], d.End
			}
		}
	}
	req := request(w, verifytest.NewStore(w))
	req.Now = w.Now()
	req.Window.End = end
	req.Filter.Regions = []string{strings.Split(victim.Key, "/")[3]}
	before := judge(t, req)
	o, _ := w.Get(next.Ref)
	w.Put(verify.Ref{Bucket: next.Bucket, Key: "zzz/" + next.Key}, verifytest.Object{Bytes: o.Bytes, Modified: o.Modified})
	r := judge(t, req)
	if before.find(victim.URI()).Verdict != r.find(victim.URI()).Verdict {
		t.Errorf("%s was %s (exit %d) and is now %s (exit %d):\n%s", victim.URI(), before.find(victim.URI()).Verdict, before.summary.Exit,
			r.find(victim.URI()).Verdict, r.summary.Exit, r)
	}
}

// In a window of weeks the bucket that the trail delivered to before is
// swept only for the last stretch.
func TestOldBucketIsNotSweptInALongWindow(t *testing.T) {
	w := mint(t, func(s *verifytest.Spec) {
		s.Hours, s.LogsPerHour, s.Backfill, s.Regions, s.MoveBucketAt = 24*30, 1, false, []string{"us-east-1"}, 24*28
	})
	s := verifytest.NewStore(w)
	s.At = []verify.Ref{{Bucket: w.Buckets()[1]}}
	log := w.Logs()[30]
	at := verify.Ref{Bucket: log.Bucket, Key: log.Key[:len(log.Key)-len("x.json.gz")] + "Z.json.gz"}
	o, _ := w.Get(log)
	w.Put(at, o)
	req := request(w, s)
	req.Now = w.Now().Add(100 * time.Hour)
	r := judge(t, req)
	if f := r.find(at.URI()); f.Verdict != verify.Unreferenced {
		t.Errorf("a forged log in the old bucket: %q, exit %d", f.Verdict, r.summary.Exit)
	}
}

// Honest: a window that begins while the trail delivered to its old bucket.
func TestHonestWindowEdgeInTheOldBucket(t *testing.T) {
	w := mint(t, func(s *verifytest.Spec) {
		s.Hours, s.LogsPerHour, s.Backfill, s.Regions, s.MoveBucketAt = 30, 12, false, []string{"us-east-1"}, 28
	})
	s := verifytest.NewStore(w)
	s.At = []verify.Ref{{Bucket: w.Buckets()[1]}}
	bad := 0
	for i := 2; i < 27; i++ {
		req := request(w, s)
		req.Window = verify.Window{Start: w.Chains()[0].Digests[i].End, End: w.Window().End}
		req.Now = w.Now().Add(100 * time.Hour)
		r := judge(t, req)
		if r.summary.Exit != 0 {
			if bad++; bad == 1 {
				t.Errorf("window from %s:\n%s", req.Window.Start, strings.ReplaceAll(r.String(), "\n\n", "\n"))
			}
		}
	}
	t.Log(bad, "of 25 honest windows are accused")
}

// Names of digests of more trails than a region can have are no listing.
func TestManyPlantedTrails(t *testing.T) {
	w := mint(t, func(s *verifytest.Spec) {
		s.Hours, s.LogsPerHour, s.Backfill, s.Regions = 4, 1, false, []string{"us-east-1"}
	})
	id := w.Chains()[0].Chain
	for i := range 10_001 {
		id.Trail = fmt.Sprintf("t%d", i)
		key := digest.Name{Chain: id, End: w.Window().Start.Add(-time.Hour)}.Key()
		w.Put(verify.Ref{Bucket: "example-trail-logs", Key: key}, verifytest.Object{Bytes: []byte("x"), Modified: w.Now()})
	}
	if r := judge(t, request(w, verifytest.NewStore(w))); r.summary.Exit != 3 || findings(r, verify.Unlisted) != 1 {
		t.Errorf("exit %d, %d findings", r.summary.Exit, len(r.findings))
	}
}

// liveHeap is what the garbage collector finds in use: what was allocated since,
// however busy the machine is, does not count.
func liveHeap() uint64 {
	runtime.GC()
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	return live[0].Value.Uint64()
}

// Unsigned digests of many entries: memory.
func TestForgedDigestsTakeMemory(t *testing.T) {
	w := mint(t, func(s *verifytest.Spec) {
		s.Hours, s.LogsPerHour, s.Backfill, s.Regions = 4, 1, false, []string{"us-east-1"}
	})
	c := w.Chains()[0]
	const entries, planted = 40_000, 20
	stored := 0
	for i := range planted {
		n := digest.Name{Chain: c.Chain, End: c.Digests[2].Start.Add(time.Duration(i+1) * time.Second)}
		e := `{"s3Bucket":"b","s3Object":"o","hashValue":"x","hashAlgorithm":"x"}`
		raw := fmt.Sprintf(`{"awsAccountId":%q,"digestStartTime":%q,"digestEndTime":%q,"digestS3Bucket":%q,"digestS3Object":%q,"digestPublicKeyFingerprint":"x","digestSignatureAlgorithm":"SHA256withRSA","logFiles":[%s]}`,
			c.Account, n.End.Add(-time.Hour).Format("2006-01-02T15:04:05Z"), n.End.Format("2006-01-02T15:04:05Z"), c.Digests[2].Bucket, n.Key(), strings.Repeat(e+",", entries-1)+e)
		o := verifytest.Object{Bytes: zip(raw), Modified: w.Now()}
		stored += len(o.Bytes)
		w.Put(verify.Ref{Bucket: c.Digests[2].Bucket, Key: n.Key()}, o)
	}
	peak, done := uint64(0), make(chan struct{})
	base := liveHeap()
	stop := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
				peak = max(peak, liveHeap())
			}
		}
	}()
	r := judge(t, request(w, verifytest.NewStore(w)))
	close(stop)
	<-done
	if grown := int64(peak-base) >> 20; grown > 100 {
		t.Errorf("%d KiB stored in %d planted digests of %d entries each hold %d MiB live (a digest may have 1,048,576), exit %d", stored>>10, planted, entries, grown, r.summary.Exit)
	}
}

// One old log without a digest makes the whole window's digests read once
// more, one after the other, and held at once.
func TestWitnessesWalkTheWindowAgain(t *testing.T) {
	w := mint(t, func(s *verifytest.Spec) {
		s.Hours, s.LogsPerHour, s.Backfill, s.Regions = 24*9, 1, false, []string{"us-east-1"}
	})
	s := verifytest.NewStore(w)
	req := request(w, s)
	req.Window.End = w.Window().Start.Add(8 * 24 * time.Hour)
	req.Now = w.Now().Add(100 * time.Hour)
	judge(t, req)
	plain := s.Requests()["get"]
	log := w.Logs()[140]
	o, _ := w.Get(log)
	w.Put(verify.Ref{Bucket: log.Bucket, Key: log.Key[:len(log.Key)-len("x.json.gz")] + "Z.json.gz"}, o)
	s = verifytest.NewStore(w)
	req.Store, req.Keys = s, s
	judge(t, req)
	if again := s.Requests()["get"]; again > plain+60 {
		t.Errorf("%d GETs without the forged log, %d with it", plain, again)
	}
}

// Where no digest can be confirmed, logs get two verdicts.
func TestLogsOfAnUnverifiableRegionAreReportedTwice(t *testing.T) {
	w := mint(t, func(s *verifytest.Spec) {
		s.Hours, s.LogsPerHour, s.Backfill, s.Regions = 24*20, 1, false, []string{"us-east-1"}
	})
	s := verifytest.NewStore(w)
	s.FailKeys("us-east-1", verifytest.Unreadable("keys", verify.KeysUnavailable))
	req := request(w, s)
	req.Now = w.Now().Add(100 * time.Hour)
	r := judge(t, req)
	seen, twice, wrong := map[string]verify.Verdict{}, 0, 0
	for _, f := range r.files {
		if _, ok := seen[f.URI]; ok {
			twice++
		}
		if f.Verdict == verify.Unreferenced {
			wrong++
		}
		seen[f.URI] = f.Verdict
	}
	if twice > 0 || wrong > 0 {
		t.Errorf("%d files are reported twice, %d logs that digests list are called unreferenced", twice, wrong)
	}
}

// Honest organization trail: accounts whose hours begin at other minutes.
func TestDeliveryOfAnotherAccountIsHeldAgainstThisOne(t *testing.T) {
	one := func(account string, phase time.Duration) *verifytest.World {
		return mint(t, func(s *verifytest.Spec) {
			s.Organization, s.Accounts, s.Phase, s.Regions = "o-abcdef1234", []string{account}, phase, []string{"us-east-1"}
			s.Backfill = false
		})
	}
	w := verifytest.Merge(one("111111111111", 0), one("222222222222", 45*time.Minute))
	var latest time.Time
	for _, tr := range w.Trails() {
		if tr.LatestDigest.After(latest) {
			latest = tr.LatestDigest
		}
	}
	req := request(w, verifytest.NewStore(w))
	req.Now = latest.Add(time.Minute)
	req.Window.End = req.Now
	req.Delivery = &verify.Delivery{Trail: "arn", Region: "us-east-1", LatestDigest: latest, Logging: true, Validation: true}
	r := judge(t, req)
	if n := findings(r, verify.Stale); n > 0 {
		t.Errorf("honest, %d stale:\n%s", n, r)
	}
}

// CloudTrail itself says that logging is off.
func TestLoggingOffIsNotSaid(t *testing.T) {
	w := mint(t, nil)
	req := request(w, verifytest.NewStore(w))
	req.Delivery = &verify.Delivery{Trail: "arn", Region: "eu-west-1", LatestDigest: w.Now().Add(-5 * time.Minute), Logging: false, Validation: true}
	r := judge(t, req)
	if r.summary.Exit == 0 {
		t.Errorf("IsLogging is false; nothing is said:\n%s", r)
	}
}

// In a copy, a forged log with a name in the future is pending for ever.
func TestFutureNamedLogInACopy(t *testing.T) {
	w := mint(t, nil)
	s := verifytest.NewStore(w)
	s.Copy = true
	req := request(w, s)
	req.Window = verify.Window{}
	req.Now = w.Now().Add(365 * 24 * time.Hour)
	n := digest.LogName{Account: w.Chains()[0].Account, Kind: "CloudTrail", Region: w.Chains()[0].Region,
		Delivered: time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC), ID: "AAAAAAAAAAAAAAAA"}
	at := verify.Ref{Bucket: "example-trail-logs", Key: n.Key()}
	w.Put(at, verifytest.Object{Bytes: zip("{}")})
	r := judge(t, req)
	if f := r.find(at.URI()); f.Class < verify.ClassUnproven {
		t.Errorf("%s: %q", at.URI(), f.Verdict)
	}
}

// A forged log in a folder that is no day: in a copy of more than two
// stretches it is in none of them.
func TestForgedLogInAFolderThatIsNoDay(t *testing.T) {
	w := mint(t, func(s *verifytest.Spec) {
		s.Hours, s.LogsPerHour, s.Backfill, s.Regions = 24*45, 1, false, []string{"us-east-1"}
	})
	s := verifytest.NewStore(w)
	s.Copy = true
	req := request(w, s)
	req.Window = verify.Window{}
	req.Now = w.Now().Add(365 * 24 * time.Hour)
	at := verify.Ref{Bucket: "example-trail-logs", Key: "AWSLogs/" + w.Chains()[0].Account + "/CloudTrail/us-east-1/2026/03/forged.json.gz"}
	w.Put(at, verifytest.Object{Bytes: zip("{}")})
	r := judge(t, req)
	if f := r.find(at.URI()); f.Verdict == "" {
		t.Errorf("%s is in no result", at.URI())
	}
}

// A prefix of six folders is not searched, and nothing says so.
func TestDeepPrefixIsSilentlyNotSearched(t *testing.T) {
	shallow := mint(t, func(s *verifytest.Spec) { s.Trail = "alpha" })
	deep := mint(t, func(s *verifytest.Spec) { s.Trail, s.Prefix = "beta", "a/b/c/d/e/f" })
	w := verifytest.Merge(shallow, deep)
	r := judge(t, request(w, verifytest.NewStore(w)))
	if r.summary.Exit == 0 && !strings.Contains(r.String(), " beta ") {
		t.Errorf("beta is not verified and no word is said:\n%s", r)
	}
}

// 500 planted folders hide a trail: exit 0.
func TestPlantedFoldersHideATrail(t *testing.T) {
	one := mint(t, func(s *verifytest.Spec) { s.Trail = "alpha" })
	two := mint(t, func(s *verifytest.Spec) { s.Trail, s.Prefix = "beta", "team" })
	w := verifytest.Merge(one, two)
	for _, c := range w.Chains() {
		if c.Trail == "beta" && !c.Backfill {
			erase(t, w, c.Digests[5])
		}
	}
	before := judge(t, request(w, verifytest.NewStore(w)))
	for i := range 501 {
		w.Put(verify.Ref{Bucket: "example-trail-logs", Key: fmt.Sprintf("!%03d/x", i)}, verifytest.Object{Bytes: []byte("x"), Modified: w.Now()})
	}
	r := judge(t, request(w, verifytest.NewStore(w)))
	if r.summary.Exit == 0 {
		t.Errorf("exit %d before, 0 with 501 planted folders", before.summary.Exit)
	}
}

// The newest digest left is stored again as it is: CloudTrail's
// LatestDigestDeliveryTime is then no witness any more.
func TestStoredAgainDefeatsDelivery(t *testing.T) {
	w := mint(t, func(s *verifytest.Spec) { s.Regions, s.Backfill = []string{"us-east-1"}, false })
	c := w.Chains()[0]
	newest := c.Digests[len(c.Digests)-1]
	o, _ := w.Get(newest.Ref)
	req := request(w, verifytest.NewStore(w))
	req.Now = o.Modified.Add(10 * time.Minute)
	req.Window.End = req.Now
	req.Delivery = &verify.Delivery{Trail: "arn", Region: "us-east-1", LatestDigest: o.Modified, Logging: true, Validation: true}
	erase(t, w, newest)
	before := judge(t, req)
	left := c.Digests[len(c.Digests)-2]
	p, _ := w.Get(left.Ref)
	p.Modified = o.Modified
	w.Put(left.Ref, p)
	r := judge(t, req)
	if r.summary.Exit == 0 {
		t.Errorf("exit %d (%d stale) before, 0 after it was stored again", before.summary.Exit, findings(before, verify.Stale))
	}
}

// Honest: no backfill digest came after the trail moved to its new bucket.
func TestHonestBackfillInTheOldBucketOnly(t *testing.T) {
	w := mint(t, func(s *verifytest.Spec) { s.MoveBucketAt = 10; s.Regions = []string{"us-east-1"}; s.Backfill = true })
	s := verifytest.NewStore(w)
	s.At = []verify.Ref{{Bucket: w.Buckets()[1]}}
	req := request(w, s)
	req.Now = w.Now().Add(100 * time.Hour)
	req.Window.End = w.Window().End
	r := judge(t, req)
	if r.summary.Exit != 0 {
		t.Errorf("honest:\n%s", r)
	}
}

// A filter on the trail: its chain in one region is deleted altogether.
func TestFilteredTrailGoneInOneRegion(t *testing.T) {
	two := func(name string) *verifytest.World {
		return mint(t, func(s *verifytest.Spec) { s.Trail, s.Backfill = name, false })
	}
	w := verifytest.Merge(two("alpha"), two("beta"))
	for _, c := range w.Chains() {
		if c.Trail == "alpha" && c.Region == "us-east-1" {
			for _, d := range c.Digests { // the logs stay
				w.Delete(d.Ref)
			}
		}
	}
	req := request(w, verifytest.NewStore(w))
	req.Filter.Trails = []string{"alpha"}
	req.Now = w.Now().Add(100 * time.Hour)
	r := judge(t, req)
	if r.summary.Exit == 0 {
		t.Errorf("alpha's digests of us-east-1 are gone, its logs lie there without a digest:\n%s", r)
	}
}

// With a filter, the other trail's fresh logs are called pending though
// its digests name them.
func TestOtherTrailsFreshLogsArePending(t *testing.T) {
	two := func(name string) *verifytest.World {
		return mint(t, func(s *verifytest.Spec) { s.Trail, s.Backfill = name, false; s.Seed = int64(len(name)) })
	}
	w := verifytest.Merge(two("alpha"), two("beta"))
	req := request(w, verifytest.NewStore(w))
	req.Filter.Trails = []string{"alpha"}
	r := judge(t, req)
	if n := r.summary.Logs[verify.Pending]; n > 0 {
		t.Errorf("%d logs that beta's digests name are pending, no-digest", n)
	}
}

// Interrupted at any moment, an honest world is never accused.
func TestInterruptedRunAccusesNobody(t *testing.T) {
	two := func(name string) *verifytest.World {
		return mint(t, func(s *verifytest.Spec) {
			s.Trail, s.Backfill, s.Regions, s.Seed = name, false, []string{"us-east-1"}, int64(len(name))
		})
	}
	w := verifytest.Merge(two("alpha"), two("beta"))
	bad := 0
	for stop := 1; stop < 90; stop++ {
		s := verifytest.NewStore(w)
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		s.FailReads(func(verify.Ref) error {
			if n++; n == stop {
				cancel()
			}
			return nil
		})
		req := request(w, s)
		req.Filter.Trails = []string{"alpha"}
		req.Now = w.Now().Add(100 * time.Hour)
		req.InFlight = 1
		var r recorder
		if _, err := verify.Run(ctx, req, &r); err != nil {
			t.Fatal(err)
		}
		addUp(t, &r)
		cancel()
		for _, f := range r.files {
			if f.Verdict != verify.Kept {
				if bad++; bad == 1 {
					t.Errorf("interrupted at read %d: %s %s %v", stop, f.URI, f.Verdict, f.Reasons)
				}
			}
		}
	}
	t.Log(bad, "accusations")
}

// minter is a chain of its own with keys of its own.
type minter struct {
	w       *verifytest.World
	c       digest.Chain
	private *rsa.PrivateKey
	public  digest.PublicKey
	last    string // the five previous-fields
}

func newMinter(t testing.TB, w *verifytest.World, c digest.Chain, from, to time.Time) *minter {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p, err := digest.NewPublicKey(x509.MarshalPKCS1PublicKey(&k.PublicKey), "", from, to)
	if err != nil {
		t.Fatal(err)
	}
	p.Region = c.Region
	return &minter{w: w, c: c, private: k, public: p, last: noPrevious}
}

const noPrevious = `"previousDigestS3Bucket":null,"previousDigestS3Object":null,"previousDigestHashValue":null,"previousDigestHashAlgorithm":null,"previousDigestSignature":null`

type minterKeys struct{ m []*minter }

func (k minterKeys) Keys(_ context.Context, region string, _, _ time.Time) (keys []digest.PublicKey, _ error) {
	for _, m := range k.m {
		if m.c.Region == region {
			keys = append(keys, m.public)
		}
	}
	return keys, nil
}

// write stores a signed digest after the last one written.
func (m *minter) write(t testing.TB, start, end, made time.Time) verify.Ref {
	const layout = "2006-01-02T15:04:05Z"
	n := digest.Name{Chain: m.c, End: end}
	at := verify.Ref{Bucket: "minted-bucket", Key: n.Key()}
	raw := fmt.Sprintf(`{"awsAccountId":%q,"digestStartTime":%q,"digestEndTime":%q,"digestS3Bucket":%q,"digestS3Object":%q,"digestPublicKeyFingerprint":%q,"digestSignatureAlgorithm":"SHA256withRSA","newestEventTime":null,"oldestEventTime":null,%s,"logFiles":[]}`,
		m.c.Account, start.Format(layout), end.Format(layout), at.Bucket, at.Key, m.public.Fingerprint, m.last)
	rec, err := digest.Parse([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(rec.StringToSign()))
	sig, err := rsa.SignPKCS1v15(nil, m.private, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	meta := map[string]string{"signature": hex.EncodeToString(sig), "signature-algorithm": "SHA256withRSA"}
	if m.c.Backfill {
		meta["backfill-generation-timestamp"] = made.Format(layout)
	}
	m.w.Put(at, verifytest.Object{Bytes: zip(raw), Metadata: meta, Modified: made})
	m.last = fmt.Sprintf(`"previousDigestS3Bucket":%q,"previousDigestS3Object":%q,"previousDigestHashValue":%q,"previousDigestHashAlgorithm":"SHA-256","previousDigestSignature":%q`,
		at.Bucket, at.Key, rec.Hash, hex.EncodeToString(sig))
	return at
}

// Honest: backfill digests link in the order in which they were made,
// which need not be the order of the hours they are for.
func TestBackfillMadeOutOfOrder(t *testing.T) {
	w := mint(t, nil)
	h := time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)
	at := func(n int) time.Time { return h.Add(time.Duration(n) * time.Hour) }
	std := digest.Chain{Account: "111122223333", Region: "ap-south-1", Trail: "zz", HomeRegion: "ap-south-1"}
	back := std
	back.Backfill = true
	s, b := newMinter(t, w, std, at(-100), at(100)), newMinter(t, w, back, at(-100), at(100))
	for i := range 12 {
		s.write(t, at(i-1), at(i), at(i).Add(30*time.Minute))
	}
	b.write(t, at(1), at(2), at(5))
	b.write(t, at(6), at(7), at(10)) // hour 7's late logs came first
	b.write(t, at(4), at(5), at(11)) // then hour 5's
	b.write(t, at(8), at(9), at(11).Add(10*time.Minute))
	st := verifytest.NewStore(w)
	st.At = []verify.Ref{{Bucket: "minted-bucket"}}
	r := judge(t, verify.Request{Source: "t", Store: st, Keys: minterKeys{[]*minter{s, b}}, Window: verify.Window{Start: at(0), End: at(11)}, Now: at(13), All: true})
	if r.summary.Exit != 0 {
		t.Errorf("honest:\n%s", r)
	}
	st.Copy = true
	r = judge(t, verify.Request{Source: "t", Store: st, Keys: minterKeys{[]*minter{s, b}}, Window: verify.Window{Start: at(0), End: at(11)}, Now: at(13), All: true})
	if n := r.summary.Digests[verify.Unverified]; n > 2 {
		t.Errorf("a copy: %d unverified, want the newest of each chain:\n%s", n, r)
	}
}

// Honest: a digest made half an hour after its end, by a key that became
// valid in between.
func TestKeyRolloverBetweenEndAndDelivery(t *testing.T) {
	w := mint(t, nil)
	h := time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)
	at := func(n int) time.Time { return h.Add(time.Duration(n) * time.Hour) }
	std := digest.Chain{Account: "111122223333", Region: "ap-south-1", Trail: "zz", HomeRegion: "ap-south-1"}
	old, fresh := newMinter(t, w, std, at(-100), at(100)), newMinter(t, w, std, at(5).Add(10*time.Minute), at(700))
	for i := range 12 {
		m := old
		if i >= 5 { // made at 05:30, when the new key is 20 minutes old
			fresh.last, m = old.last, fresh
		}
		m.write(t, at(i-1), at(i), at(i).Add(30*time.Minute))
		old.last = m.last
	}
	st := verifytest.NewStore(w)
	st.At = []verify.Ref{{Bucket: "minted-bucket"}}
	r := judge(t, verify.Request{Source: "t", Store: st, Keys: minterKeys{[]*minter{old, fresh}}, Window: verify.Window{Start: at(0), End: at(11)}, Now: at(13), All: true})
	if r.summary.Exit != 0 {
		t.Errorf("honest:\n%s", r)
	}
}

// Honest: digests are delivered out of order; one hour's comes 40 minutes late.
func TestDigestDeliveredOutOfOrder(t *testing.T) {
	w := mint(t, func(s *verifytest.Spec) { s.Regions, s.Backfill = []string{"us-east-1"}, false })
	c := w.Chains()[0]
	w.Delete(c.Digests[11].Ref) // not delivered yet; the next one is
	r := judge(t, request(w, verifytest.NewStore(w)))
	if r.summary.Exit == 1 {
		t.Errorf("its hour ended %s ago:\n%s", w.Now().Sub(c.Digests[11].End), r.find(c.Digests[11].URI()).Verdict)
	}
}

// The backfill digest that a later one for an earlier hour names is deleted.
func TestBackfillNamedByAnEarlierHourIsDeleted(t *testing.T) {
	w := mint(t, nil)
	h := time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)
	at := func(n int) time.Time { return h.Add(time.Duration(n) * time.Hour) }
	std := digest.Chain{Account: "111122223333", Region: "ap-south-1", Trail: "zz", HomeRegion: "ap-south-1"}
	back := std
	back.Backfill = true
	s, b := newMinter(t, w, std, at(-100), at(100)), newMinter(t, w, back, at(-100), at(100))
	for i := range 12 {
		s.write(t, at(i-1), at(i), at(i).Add(30*time.Minute))
	}
	b.write(t, at(1), at(2), at(5))
	gone := b.write(t, at(6), at(7), at(10))
	b.write(t, at(4), at(5), at(11)) // names it
	w.Delete(gone)
	st := verifytest.NewStore(w)
	st.At = []verify.Ref{{Bucket: "minted-bucket"}}
	r := judge(t, verify.Request{Source: "t", Store: st, Keys: minterKeys{[]*minter{s, b}}, Window: verify.Window{Start: at(0), End: at(11)}, Now: at(13), All: true})
	if r.summary.Exit != 1 {
		t.Errorf("%s is named by a signed digest and gone: exit %d\n%s", gone.Key, r.summary.Exit, r)
	}
}

// Digest bombs, one a region.
func TestDigestBombsInManyRegions(t *testing.T) {
	var regions []string
	for i := range 6 {
		regions = append(regions, fmt.Sprintf("us-east-%d", i+1))
	}
	w := mint(t, func(s *verifytest.Spec) { s.Hours, s.LogsPerHour, s.Backfill, s.Regions = 4, 1, false, regions })
	bomb := zip(strings.Repeat(" ", 64<<20))
	for _, c := range w.Chains() {
		for i := range 2 {
			n := digest.Name{Chain: c.Chain, End: c.Digests[2].End.Add(time.Duration(i+1) * time.Second)}
			w.Put(verify.Ref{Bucket: c.Digests[2].Bucket, Key: n.Key()}, verifytest.Object{Bytes: bomb, Modified: w.Now()})
		}
	}
	req := request(w, verifytest.NewStore(w))
	req.DigestLimit = 16 << 20
	peak := livePeak(func() { judge(t, req) })
	if peak > 8*uint64(req.DigestLimit) {
		t.Errorf("12 bombs of %d KiB in 6 regions, digests capped at %d MiB each: %d MiB live (the default cap is 256 MiB)", len(bomb)>>10, req.DigestLimit>>20, peak>>20)
	}
}

func livePeak(f func()) (peak uint64) {
	runtime.GC()
	var base runtime.MemStats
	runtime.ReadMemStats(&base)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				if m.HeapAlloc > base.HeapAlloc {
					peak = max(peak, m.HeapAlloc-base.HeapAlloc)
				}
			}
		}
	}()
	f()
	close(stop)
	<-done
	return peak
}

// A planted digest that ends when the last one before the window does
// keeps that one from being read: its logs are accused.
func TestPlantedBesideTheDigestBeforeTheWindow(t *testing.T) {
	w := mint(t, func(s *verifytest.Spec) {
		s.Hours, s.LogsPerHour, s.Backfill, s.Regions, s.QuietEvery = 30, 24, false, []string{"us-east-1"}, 0
	})
	c := w.Chains()[0]
	for _, d := range c.Digests {
		w.Put(verify.Ref{Bucket: d.Bucket, Key: "zz/" + d.Key}, verifytest.Object{Bytes: []byte("x")})
	}
	for i := 2; i < 20; i++ {
		req := request(w, verifytest.NewStore(w))
		req.Window = verify.Window{Start: c.Digests[i].End, End: w.Window().End}
		req.Now = w.Now().Add(100 * time.Hour)
		r := judge(t, req)
		if n := r.summary.Logs[verify.Unreferenced]; n > 0 {
			t.Errorf("window from %s: %d honest logs unreferenced", req.Window.Start, n)
			break
		}
	}
}

// S3: a forged log in the month's folder, or in a day's without the zero,
// A window that begins long before the trail: a listing a stretch.
func TestListingsOfTimeBeforeTheTrail(t *testing.T) {
	w := mint(t, func(s *verifytest.Spec) { s.Hours, s.Insight = 24, true })
	s := verifytest.NewStore(w)
	req := request(w, s)
	req.Window.Start = time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)
	judge(t, req)
	if n := s.Requests()["list"]; n > 200 {
		t.Errorf("%d listings for one day of two regions", n)
	}
}

// Three files without a signature, planted after the window, take the
// witness away: deleted digests become mere staleness.
func TestPlantedAfterTheWindowHidesTheWitness(t *testing.T) {
	w := mint(t, func(s *verifytest.Spec) { s.Hours, s.Backfill, s.Regions = 40, false, []string{"us-east-1"} })
	c := w.Chains()[0]
	req := request(w, verifytest.NewStore(w))
	req.Window.End = c.Digests[24].End.Add(30 * time.Minute)
	for _, d := range c.Digests[20:26] {
		erase(t, w, d)
	}
	before := judge(t, req)
	for i := range 3 {
		n := digest.Name{Chain: c.Chain, End: req.Window.End.Add(time.Hour + time.Duration(i)*time.Second)}
		w.Put(verify.Ref{Bucket: c.Digests[0].Bucket, Key: n.Key()}, verifytest.Object{Bytes: []byte("x"), Modified: w.Now()})
	}
	r := judge(t, req)
	if before.summary.Exit != r.summary.Exit {
		t.Errorf("exit %d before, %d with three files planted outside the window:\n%s", before.summary.Exit, r.summary.Exit, r)
	}
}

// (The working tree's maxWaitingLogs.) Two planted digests of many entries
// after the window push the last digest inside out before its witness comes.
func TestManyEntriesPushOutTheWitness(t *testing.T) {
	w := mint(t, func(s *verifytest.Spec) { s.Backfill = false })
	if err := w.Damage("digest-swapped"); err != nil {
		t.Fatal(err)
	}
	victim := w.Victims["digest-swapped"][0]
	var c *verifytest.Chain
	var end time.Time
	for _, ch := range w.Chains() {
		for _, d := range ch.Digests {
			if d.Ref == victim {
				c, end = ch, d.End
			}
		}
	}
	req := request(w, verifytest.NewStore(w))
	req.Window.End = end.Add(-20 * time.Minute)
	req.Filter.Regions = []string{c.Region}
	before := judge(t, req)
	const layout = "2006-01-02T15:04:05Z"
	for i := range 2 {
		n := digest.Name{Chain: c.Chain, End: end.Add(50*time.Minute + time.Duration(i)*time.Second)}
		e := `{"s3Bucket":"b","s3Object":"o","hashValue":"x","hashAlgorithm":"x"}`
		raw := fmt.Sprintf(`{"awsAccountId":%q,"digestStartTime":%q,"digestEndTime":%q,"digestS3Bucket":%q,"digestS3Object":%q,"digestPublicKeyFingerprint":"x","digestSignatureAlgorithm":"SHA256withRSA",%s,"logFiles":[%s]}`,
			c.Account, n.End.Add(-time.Hour).Format(layout), n.End.Format(layout), victim.Bucket, n.Key(), noPrevious, strings.Repeat(e+",", 50_001)+e)
		w.Put(verify.Ref{Bucket: victim.Bucket, Key: n.Key()}, verifytest.Object{Bytes: zip(raw), Modified: w.Now()})
	}
	r := judge(t, req)
	if before.find(victim.URI()).Verdict != r.find(victim.URI()).Verdict {
		t.Errorf("%s was %s (exit %d) and is now %s (exit %d)", victim.Key, before.find(victim.URI()).Verdict, before.summary.Exit,
			r.find(victim.URI()).Verdict, r.summary.Exit)
	}
}
