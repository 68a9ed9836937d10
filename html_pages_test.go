package trailseal_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
	reports "github.com/trailseal/trailseal/verify/report"
)

// A fleet makes the events of a run over many accounts and regions. Most is kept;
// here and there something is not.
type fleet struct {
	accounts, regions, days int
	keep, worst             bool // nothing is damaged, or every chain
	sink                    verify.Sink
	end                     verify.Summary
	start, until            time.Time
}

var fleetRegions = []string{"us-east-1", "us-east-2", "us-west-1", "us-west-2", "eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1", "eu-north-1",
	"ap-south-1", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "sa-east-1", "ca-central-1"}

// tell makes the events and gives the page.
func (f *fleet) tell(t testing.TB, name string) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := reports.New("html", &out, reports.Options{TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	f.sink = w
	f.until = time.Date(2026, 3, 31, 9, 30, 0, 0, time.UTC)
	f.start = f.until.Truncate(24*time.Hour).AddDate(0, 0, 1-f.days)
	window := verify.Window{Start: f.start, End: f.until}
	f.end = verify.Summary{Finished: f.until.Add(97 * time.Second), Window: window, Seconds: 97, Digests: map[verify.Verdict]int{}, Logs: map[verify.Verdict]int{},
		Bytes: verify.Bytes{Fetched: 181 << 30, Hashed: 2100 << 30}, Requests: map[string]int64{"list": 48210, "get": 9120455, "keys": 17}, Verdict: "kept"}
	must(t, w.Start(verify.Header{Version: "v0.1.0", Started: f.until, Source: name, Window: window}))
	for account := range f.accounts {
		for region := range f.regions {
			must(t, f.chain(account, region))
		}
	}
	if !f.keep {
		f.keys()
		must(t, w.Finding(verify.Finding{Kind: verify.KeyDoomed, Key: fleetKey, Message: fleetKey + " waits for its deletion on 2026-04-09T00:00:00Z", Class: verify.Remark}))
		must(t, w.Finding(verify.Finding{Kind: verify.Unlisted, URI: "s3://org-trail-logs/AWSLogs/o-exampleorg1/999900000000/", Message: "listing: access-denied", Class: verify.ClassUnproven}))
		f.end.Verdict, f.end.Exit = "tampered", 1
	}
	must(t, w.End(f.end))
	return out.Bytes()
}

const fleetKey = "arn:aws:kms:eu-west-1:100000000003:key/7c1e2f3a-4b5c-4d6e-8f90-a1b2c3d4e5f6"

func (f *fleet) keys() {
	first, last, doom := f.start, f.until, f.until.AddDate(0, 0, 9)
	f.end.Keys = []verify.KeyUse{
		{ARN: fleetKey, Account: "100000000003", Region: "eu-west-1", Encryption: []string{"aws:kms"}, Files: 91244, Digests: 2150, Unreadable: 12, Bytes: 4 << 30,
			First: &first, Last: &last, State: "PendingDeletion", Deletion: &doom, EndsAt: &doom, Remedy: "aws kms cancel-key-deletion --region eu-west-1 --key-id " + fleetKey},
		{ARN: "arn:aws:kms:us-east-1:100000000000:key/11111111-2222-4333-8444-555555555555", Account: "100000000000", Region: "us-east-1", Encryption: []string{"aws:kms"},
			Files: 8120, Digests: 2150, Bytes: 1 << 30, First: &first, Last: &last, State: "Enabled"},
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// chain makes one chain. Which damage it has is arithmetic, so that the same page
// comes out each time.
func (f *fleet) chain(account, region int) error {
	id := digest.Chain{Organization: "o-exampleorg1", Account: fmt.Sprintf("%012d", 100000000000+account), Region: fleetRegions[region%len(fleetRegions)],
		Trail: "org-trail", HomeRegion: "eu-west-1"}
	first, last := f.start.Add(-48*time.Minute), f.until.Add(-78*time.Minute)
	hours := int(last.Sub(first).Hours())
	c := verify.Chain{Organization: id.Organization, Account: id.Account, Region: id.Region, Trail: id.Trail, HomeRegion: id.HomeRegion, First: &first, Last: &last,
		Digests: map[verify.Verdict]int{verify.Kept: hours}, Logs: map[verify.Verdict]int{verify.Kept: hours * 3},
		Coverage: []verify.Share{{State: verify.Verified, Seconds: int64(last.Sub(f.start).Seconds())}, {State: verify.NotYetDue, Seconds: int64(f.until.Sub(last).Seconds())}}}
	var err error
	if n := account*17 + region; !f.keep && (f.worst || n%29 == 3 || n%101 == 40) {
		err = f.damage(&c, id, n)
	}
	for v, n := range c.Digests {
		f.end.Digests[v] += n
	}
	for v, n := range c.Logs {
		f.end.Logs[v] += n
	}
	f.end.Chains++
	if err != nil {
		return err
	}
	return f.sink.Chain(c)
}

// damage tells of what is wrong with a chain.
func (f *fleet) damage(c *verify.Chain, id digest.Chain, n int) error {
	ref := &verify.ChainRef{Organization: id.Organization, Account: id.Account, Region: id.Region, Trail: id.Trail}
	at := f.start.Add(time.Duration(n%max(f.days-1, 1))*24*time.Hour + time.Duration(n%19)*time.Hour)
	c.Class = verify.ClassUnproven
	switch kind := n / 29 % 6; {
	case f.worst || kind == 0: // a burst of deletions
		c.Class = verify.Tampering
		return f.files(c, id, at, 60, verify.Deleted, verify.NotFound)
	case kind == 1:
		c.Class = verify.Tampering
		return f.files(c, id, at, 2, verify.Modified, verify.HashMismatch)
	case kind == 2:
		until := at.Add(time.Duration(5+n%60) * time.Hour)
		if until.After(*c.Last) {
			until = *c.Last
		}
		c.Gaps = []verify.Hole{{Start: at, End: until, Reason: "no digest covers it"}}
		c.Coverage[0].Seconds -= int64(until.Sub(at).Seconds())
		c.Coverage = append(c.Coverage, verify.Share{State: verify.InGap, Seconds: int64(until.Sub(at).Seconds())})
		return f.sink.Finding(verify.Finding{Kind: verify.Gap, Chain: ref, Start: &at, End: &until, Message: "no digest covers it", Class: verify.ClassUnproven})
	case kind == 3: // a cut tail
		last := at
		c.Last = &last
		c.Gaps = []verify.Hole{{Start: last, End: f.until, Reason: "no digest, though one is due"}}
		c.Coverage = []verify.Share{{State: verify.Verified, Seconds: int64(last.Sub(f.start).Seconds())}, {State: verify.InGap, Seconds: int64(f.until.Sub(last).Seconds())}}
		return f.sink.Finding(verify.Finding{Kind: verify.Stale, Chain: ref, Start: &last, End: &f.until,
			Message: "the newest digest found ends at " + last.Format(time.RFC3339) + "; later ones are due and are not there", Class: verify.ClassUnproven})
	case kind == 4:
		return f.files(c, id, at, 12, verify.Unreadable, verify.KMSKeyPending)
	}
	c.Class = verify.Remark
	return f.files(c, id, f.until.Add(-4*time.Hour), 5, verify.Pending, verify.NoDigest)
}

func (f *fleet) files(c *verify.Chain, id digest.Chain, at time.Time, n int, v verify.Verdict, r verify.Reason) error {
	for i := range n {
		at := at.Add(time.Duration(i) * 35 * time.Minute)
		if at.After(f.until) {
			break
		}
		name := digest.LogName{Organization: id.Organization, Account: id.Account, Kind: "CloudTrail", Region: id.Region, Delivered: at.Truncate(5 * time.Minute), ID: fmt.Sprintf("%016d", i)}
		file := verify.File{Kind: "log", URI: "s3://org-trail-logs/" + name.Key(), Verdict: v, Reason: r, Reasons: []verify.Reason{r}, Class: v.Class(),
			Digest: "s3://org-trail-logs/" + digest.Name{Chain: id, End: at.Truncate(time.Hour).Add(72 * time.Minute)}.Key()}
		if v == verify.Unreadable {
			file.Key, file.Detail = fleetKey, "AccessDenied: the key is pending deletion"
		}
		if v == verify.Modified {
			file.Expected, file.Actual = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"
		}
		c.Logs[v]++
		if err := f.sink.File(file); err != nil {
			return err
		}
	}
	return nil
}

// TestHTMLPageOfAFleetIsSmall holds the page of the largest fleet to its size.
func TestHTMLPageOfAFleetIsSmall(t *testing.T) {
	for name, f := range map[string]*fleet{"fleet": {accounts: 100, regions: 17, days: 90}, "kept": {accounts: 100, regions: 17, days: 90, keep: true},
		"small": {accounts: 5, regions: 6, days: 30}, "hours": {accounts: 3, regions: 4, days: 3}, "worst": {accounts: 100, regions: 17, days: 90, worst: true}} {
		page := f.tell(t, "s3://org-trail-logs")
		t.Logf("%s: %d bytes", name, len(page))
		if len(page) > 10_000_000 {
			t.Errorf("the page of %s has %d bytes", name, len(page))
		}
		if dir := os.Getenv("TRAILSEAL_PAGES"); dir != "" {
			must(t, os.WriteFile(filepath.Join(dir, name+".html"), page, 0o666))
		}
	}
}
