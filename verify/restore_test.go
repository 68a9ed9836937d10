package verify

import (
	"testing"
	"time"
)

// A command does what it says when it is pasted, or there is none.
func TestRestoreCommand(t *testing.T) {
	const key = "AWSLogs/1/x"
	for name, c := range map[string]struct {
		key, version, marker string
		hidden               bool
		want                 string
	}{
		"marker":          {key, "v1", "m1", true, "aws s3api delete-object --bucket b --key AWSLogs/1/x --version-id m1"},
		"copy":            {key, "v/1+", "", false, "aws s3api copy-object --bucket b --key AWSLogs/1/x --copy-source 'b/AWSLogs/1/x?versionId=v/1%2B' --metadata-directive COPY"},
		"like an option":  {"-x/" + key, "v", "-m", true, "aws s3api delete-object --bucket b --key=-x/AWSLogs/1/x --version-id=-m"},
		"shell":           {"a'$(x)`y`;!/" + key, "v", "m", true, `aws s3api delete-object --bucket b --key 'a'\''$(x)` + "`y`" + `;!/AWSLogs/1/x' --version-id m`},
		"a local file":    {"file://etc/" + key, "v", "m", true, ""},
		"a binary file":   {"fileb://etc/" + key, "v", "m", false, ""},
		"a page":          {"https://x/" + key, "v", "m", false, ""},
		"a page, unsafe":  {"http://x/" + key, "v", "m", false, ""},
		"marker's a file": {key, "v", "file://m", true, ""},
		"a line":          {"a\nb/" + key, "v", "m", true, ""},
		"turned around":   {"a\u202eb/" + key, "v", "m", true, ""},
		"not UTF-8":       {"a\xffb/" + key, "v", "m", true, ""},
	} {
		if got := restoreCommand(Ref{"b", c.key}, c.version, c.marker, c.hidden); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c.want)
		}
	}
}

func TestOnlyHidden(t *testing.T) {
	at := func(s int) time.Time { return time.Date(2026, 3, 10, 0, 0, s, 0, time.UTC) }
	marker := Version{ID: "m", Modified: at(9), Latest: true, Marker: true}
	for name, c := range map[string]struct {
		versions []Version
		i        int
		want     bool
	}{
		"right below":      {[]Version{marker, {ID: "v", Modified: at(1)}}, 1, true},
		"above others":     {[]Version{marker, {ID: "v", Modified: at(2)}, {ID: "u", Modified: at(1)}}, 1, true},
		"two markers":      {[]Version{marker, {ID: "n", Modified: at(3), Marker: true}, {ID: "v", Modified: at(1)}}, 2, false},
		"of the same time": {[]Version{marker, {ID: "v", Modified: at(3)}, {ID: "n", Modified: at(3), Marker: true}}, 1, false},
		"not hidden":       {[]Version{{ID: "w", Modified: at(9), Latest: true}, {ID: "v", Modified: at(1)}}, 1, false},
	} {
		if got := onlyHidden(c.versions, c.i); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
