package digest

import (
	"strings"
	"testing"
	"time"
)

const digestKey = "AWSLogs/111122223333/CloudTrail-Digest/us-east-2/2015/08/17/111122223333_CloudTrail-Digest_us-east-2_TRAIL_eu-west-1_20150817T150131Z.json.gz"

func TestParseName(t *testing.T) {
	end := time.Date(2015, 8, 17, 15, 1, 31, 0, time.UTC)
	plain := Chain{Account: "111122223333", Region: "us-east-2", HomeRegion: "eu-west-1"}
	for trail, want := range map[string]bool{
		"t": true, "my-trail": true, "my_trail": true, "my.trail": true, "a_us-east-1": true,
		"a_us-east-1_20150817T150131Z": true, "us-east-2_eu-west-1": true, "x_backfill": true,
		"a_CloudTrail-Digest_us-east-2_b": true, "x.json.gz": true, "_": true, "111122223333": true,
		strings.Repeat("t", 128): true, strings.Repeat("t", 129): false,
		"": false, "a b": false, "a\x1b[2J": false, "a\nb": false, "a\u202eb": false, "é": false, "a/b": false, "<b>": false,
	} {
		for _, backfill := range []bool{false, true} {
			key := strings.Replace(digestKey, "TRAIL", trail, 1)
			if backfill {
				key = strings.Replace(key, "31Z.", "31Z_backfill.", 1)
			}
			n, err := ParseName(key)
			if (err == nil) != want {
				t.Errorf("%q: %v", key, err)
				continue
			}
			c := plain
			c.Trail, c.Backfill = trail, backfill
			if want && (n != Name{Chain: c, End: end} || n.Key() != key) {
				t.Errorf("%q: %+v", key, n)
			}
		}
	}
}

func TestParseNamePrefix(t *testing.T) {
	for prefix, want := range map[string]string{
		"": "", "p/": "p/", "a/b/": "a/b/", "AWSLogs/": "AWSLogs/", "AWSLogs/AWSLogs/": "AWSLogs/AWSLogs/",
		"AWSLogs/o-exampleorgid/111122223333/": "AWSLogs/o-exampleorgid/111122223333/",
		"/":                                    "/", "../": "../", "xAWSLogs/": "xAWSLogs/", "x": "!", "p": "!",
	} {
		for _, organization := range []string{"", "o-exampleorgid"} {
			key := prefix + digestKey
			if organization != "" {
				key = prefix + strings.Replace(digestKey, "/", "/"+organization+"/", 1)
			}
			n, err := ParseName(key)
			if (err == nil) != (want != "!") {
				t.Errorf("%q: %v", key, err)
			} else if err == nil && (n.Prefix != want || n.Chain.Organization != organization || n.Key() != key) {
				t.Errorf("%q: %+v", key, n)
			}
		}
	}
}

func TestParseNameRefuses(t *testing.T) {
	if _, err := ParseName(digestKey); err != nil {
		t.Fatal(err)
	}
	for _, oldnew := range [][2]string{
		{"/2015/08/17/", "/2015/08/18/"}, {"/2015/08/17/", "/2015/8/17/"}, {"/2015/08/17/", "/"},
		{"150131Z", "150131.5Z"}, {"150131Z", "1501Z"}, {"150131Z", "150131"}, {"150131Z", "250131Z"},
		{"20150817T", "20150230T"}, {"20150817T", "20150817t"}, {"20150817T", "+0150817T"},
		{"AWSLogs", "awslogs"}, {"AWSLogs/", "AWSLogs"}, {"AWSLogs/", "AWSLogs//"}, {"AWSLogs/", "AWSLogs/o-short/"},
		{"AWSLogs/", "AWSLogs/o-EXAMPLEORGID/"}, {"AWSLogs/", "AWSLogs/x/"}, {"111122223333/", "11112222333/"},
		{"111122223333/", "１11122223333/"}, {"111122223333_", "111122223334_"}, {"111122223333_", "111122223333__"},
		{"Digest/us-east-2", "Digest/us-east-1"}, {"Digest_us-east-2", "Digest_us-east-1"}, {"us-east-2", "useast2"},
		{"us-east-2", "US-EAST-2"}, {"eu-west-1", "eu_west_1"}, {"eu-west-1", ""}, {"_eu-west-1", ""},
		{"CloudTrail-Digest/", "CloudTrail/"}, {"CloudTrail-Digest_", "CloudTrail_"},
		{".json.gz", ".json"}, {".json.gz", ".json.gz.bak"}, {".json.gz", ".JSON.GZ"}, {".json.gz", ".json.gz/"}, {".json.gz", ".json.gz\n"},
		{"31Z.", "31Z_Backfill."}, {"31Z.", "31Z_backfill_backfill."}, {"31Z.", "31Z_."},
	} {
		key := strings.Replace(digestKey, oldnew[0], oldnew[1], 1)
		if key == digestKey {
			t.Errorf("%q is not in the key", oldnew[0])
		} else if n, err := ParseName(key); err == nil {
			t.Errorf("%q: %+v", key, n)
		}
	}
	for _, key := range []string{"", "/", "AWSLogs/", "AWSLogs/111122223333/CloudTrail-Digest/", strings.Repeat("AWSLogs/", 1000), strings.Repeat("/", 1024)} {
		if n, err := ParseName(key); err == nil {
			t.Errorf("%q: %+v", key, n)
		}
	}
}

const logKey = "AWSLogs/111122223333/KIND/us-east-2/2015/08/17/111122223333_KIND_us-east-2_20150817T1445Z_9nYN7gp2eWAJHIfT.json.gz"

func TestParseLogName(t *testing.T) {
	for kind, want := range map[string]bool{
		"CloudTrail": true, "CloudTrail-Insight": true, "CloudTrail-NetworkActivity": true, "CloudTrail-Aggregated": true, "CloudTrail-New": true,
		"CloudTrail-Digest": false, "CloudTrail-": false, "CloudTrails": false, "CloudTrail-a_b": false, "Config": false, "": false, "cloudtrail": false,
	} {
		key := strings.ReplaceAll("p/"+logKey, "KIND", kind)
		n, err := ParseLogName(key)
		if (err == nil) != want {
			t.Errorf("%q: %v", key, err)
		} else if err == nil && (n != LogName{"p/", "", "111122223333", kind, "us-east-2",
			time.Date(2015, 8, 17, 14, 45, 0, 0, time.UTC), "9nYN7gp2eWAJHIfT"} || n.Key() != key) {
			t.Errorf("%q: %+v", key, n)
		}
	}
	good := strings.ReplaceAll(logKey, "KIND", "CloudTrail")
	for _, oldnew := range [][2]string{
		{"9nYN7gp2eWAJHIfT", "9nYN7gp2eWAJHIf"}, {"9nYN7gp2eWAJHIfT", "9nYN7gp2eWAJHIf_"}, {"_9nYN7gp2eWAJHIfT", ""},
		{"_9nYN", "_x_9nYN"}, {"1445Z", "144500Z"}, {"1445Z", "1445.5Z"}, {"/17/", "/16/"}, {"CloudTrail_", "CloudTrail-Insight_"},
		{".json.gz", "_backfill.json.gz"}, {"AWSLogs/", "AWSLogs/o-/"}, {"3333/", "333/"},
	} {
		if n, err := ParseLogName(strings.Replace(good, oldnew[0], oldnew[1], 1)); err == nil {
			t.Errorf("%v: %+v", oldnew, n)
		}
	}
}

func TestStated(t *testing.T) {
	r, _ := Parse([]byte(normal))
	n, _ := ParseName(r.Object)
	other := n
	other.Chain.Account = "000000000000"
	later := n
	later.End = later.End.Add(time.Second)
	if n.Stated(r) != nil || other.Stated(r) == nil || later.Stated(r) == nil {
		t.Error(n.Stated(r), other.Stated(r), later.Stated(r))
	}
}

func TestFromAWSLogs(t *testing.T) {
	for key, want := range map[string]string{
		"AWSLogs/x": "AWSLogs/x", "p/AWSLogs/x": "AWSLogs/x", "AWSLogs/p/AWSLogs/": "AWSLogs/", "/AWSLogs/": "AWSLogs/",
		"pAWSLogs/x": "", "AWSLogs": "", "": "", "AWSLogs/xAWSLogs/y": "AWSLogs/xAWSLogs/y",
	} {
		if got, ok := FromAWSLogs(key); got != want || ok != (want != "") {
			t.Errorf("%q: %q", key, got)
		}
	}
}
