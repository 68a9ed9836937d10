package digest

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
	"weak"
)

func TestParseSpecimens(t *testing.T) {
	for _, c := range []struct {
		name, text string
		previous   bool
		logs       int
		end        string
	}{
		{"normal", normal, true, 1, "2015-08-17T15:01:31Z"},
		{"starting", starting, false, 0, "2026-09-22T15:29:23Z"},
		{"empty", empty, true, 0, "2015-08-17T15:01:31Z"},
		{"backfill", backfill, true, 1, "2015-08-17T15:01:31Z"},
		{"org", org, true, 1, "2015-08-17T15:01:31Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := Parse([]byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			if (r.Previous != nil) != c.previous || len(r.Logs) != c.logs || r.EndText != c.end || r.Hash != Sum([]byte(c.text)) {
				t.Errorf("got %+v", r)
			}
			if r.Newest.IsZero() != (c.logs == 0) || r.Oldest.IsZero() != (c.logs == 0) {
				t.Errorf("events from %v to %v with %d logs", r.Oldest, r.Newest, c.logs)
			}
			n, err := ParseName(r.Object)
			if err != nil {
				t.Fatal(err)
			}
			if n.Chain.Backfill != (c.name == "backfill") || (n.Chain.Organization != "") != (c.name == "org") {
				t.Errorf("name %+v", n)
			}
			if err := n.Stated(r); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestParseEveryField(t *testing.T) {
	r, err := Parse([]byte(normal))
	if err != nil {
		t.Fatal(err)
	}
	object := "AWSLogs/111122223333/CloudTrail-Digest/us-east-2/2015/08/17/111122223333_CloudTrail-Digest_us-east-2_your-trail-name_us-east-2_20150817T1%d0131Z.json.gz"
	at := func(h, m, s int) time.Time { return time.Date(2015, 8, 17, h, m, s, 0, time.UTC) }
	want := Record{
		Account: "111122223333", Start: at(14, 1, 31), End: at(15, 1, 31), EndText: "2015-08-17T15:01:31Z",
		Bucket: "amzn-s3-demo-bucket", Object: fmt.Sprintf(object, 5),
		Newest: at(14, 52, 27), Oldest: at(14, 42, 27),
		Fingerprint: "31e8b5433410dfb61a9dc45cc65b22ff", SignatureAlgorithm: "SHA256withRSA", Hash: Sum([]byte(normal)),
	}
	previous := Previous{
		Bucket: "amzn-s3-demo-bucket", Object: fmt.Sprintf(object, 4), Algorithm: "SHA-256",
		Signature: "50887ccffad4c002b97caa37cc9dc626e3c680207d41d27fa5835458e066e0d3",
	}
	previous.Hash, _ = ParseHash("97fb791cf91ffc440d274f8190dbdd9aa09c34432aba82739df18b6d3c13df2d")
	log := Log{
		Bucket: "amzn-s3-demo-bucket", Algorithm: "SHA-256", Newest: at(14, 52, 27), Oldest: at(14, 42, 27),
		Object: "AWSLogs/111122223333/CloudTrail/us-east-2/2015/08/17/111122223333_CloudTrail_us-east-2_20150817T1445Z_9nYN7gp2eWAJHIfT.json.gz",
	}
	log.Hash, _ = ParseHash("9bb6196fc6b84d6f075a56548feca262bd99ba3c2de41b618e5b6e22c1fc71f6")
	if *r.Previous != previous {
		t.Errorf("previous %+v", *r.Previous)
	}
	if len(r.Logs) != 1 || r.Logs[0] != log {
		t.Errorf("logs %+v", r.Logs)
	}
	r.Previous, r.Logs = nil, nil
	if fmt.Sprint(*r) != fmt.Sprint(want) {
		t.Errorf("got  %+v\nwant %+v", *r, want)
	}
}

func TestParseAccepts(t *testing.T) {
	for name, text := range map[string]string{
		"escapes":             edit(normal, `your-trail-name`, `yo\u0075r-trail-n\u0061me`, `"awsAccountId"`, `"\u0061wsAccountId"`, `/`, `\/`),
		"pair of surrogates":  edit(normal, `{`, `{"x":"\ud83d\ude00",`),
		"unknown fields":      edit(normal, `"awsAccountId"`, `"x":[1,-0.5e+7,true,{"y":null,"z":[]}],"":{},"awsAccountId"`),
		"unknown twice":       edit(normal, `"awsAccountId"`, `"x":1,"x":2,"awsAccountId"`),
		"white space":         " \t\r\n" + normal + " \t\r\n",
		"other hash":          edit(normal, `"SHA-256"`, `"SHA-512"`),
		"algorithm first":     edit(normal, `"hashValue": "9bb6`, `"hashAlgorithm": "SHA-3", "x": "9bb6`, `"hashAlgorithm": "SHA-256"`, `"hashValue": "?"`),
		"previous missing":    edit(starting, `"previousDigestSignature":null,`, ``),
		"bucket after logs":   edit(normal, `"digestS3Bucket": "amzn-s3-demo-bucket",`, ``, "]", `],"digestS3Bucket":"amzn-s3-demo-bucket"`),
		"nested 60":           edit(normal, `"awsAccountId"`, `"x":`+strings.Repeat("[", 60)+strings.Repeat("]", 60)+`,"awsAccountId"`),
		"large unknown text":  edit(normal, `"awsAccountId"`, `"x":"`+strings.Repeat("é", 1<<20)+`","awsAccountId"`),
		"large unknown digit": edit(normal, `"awsAccountId"`, `"x":`+strings.Repeat("9", 1<<20)+`,"awsAccountId"`),
	} {
		if r, err := Parse([]byte(text)); err != nil {
			t.Errorf("%s: %v", name, err)
		} else if r.Account != "111122223333" || r.Bucket == "" || strings.Contains(r.Object, `\`) {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// A record must not hold on to the digest file it was read from.
func TestParseLetsGo(t *testing.T) {
	raw := manyLogs(100)
	p := weak.Make(&raw[0])
	r, err := Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		runtime.GC()
	}
	if p.Value() != nil {
		t.Error("the record holds on to raw")
	}
	if len(r.Logs) != 100 || r.Logs[99].Object != r.Logs[0].Object {
		t.Error("the record changed")
	}
}

func TestParseMemory(t *testing.T) {
	tiny := `{"s3Bucket":"b","s3Object":"o","hashValue":"","hashAlgorithm":""}`
	for name, text := range map[string]string{
		"tiny entries":  "[" + strings.Repeat(tiny+",", 1<<17) + tiny + "]",
		"named in vain": "[]}" + strings.Repeat(`"s3Object"`, 1<<20),
		"no entries":    "[" + strings.Repeat("{},", 1<<20) + "{}]",
	} {
		raw := []byte(starting[:len(starting)-3] + text + "}")
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Parse(raw)
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > 3*uint64(len(raw))+MaxLogs*136 {
			t.Errorf("%s: %d bytes for %d (%v)", name, got, len(raw), err)
		}
	}
	if testing.Short() {
		return
	}
	entry := `{"s3Bucket":"b","s3Object":"o","hashValue":"","hashAlgorithm":""},`
	raw := starting[:len(starting)-2] + strings.Repeat(entry, MaxLogs) + strings.TrimSuffix(entry, ",") + "]}"
	if _, err := Parse([]byte(raw)); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("too many entries: %v", err)
	}
}
