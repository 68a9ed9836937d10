package verify

import (
	"testing"
	"time"
)

// No name of a bucket becomes more than one word of a command, and none is read by
// the AWS CLI as something else than a name.
func TestRestoreCommand(t *testing.T) {
	const del, cp = "aws s3api delete-object --bucket b --key ", "aws s3api copy-object --bucket b --key "
	for _, c := range []struct {
		key, version, marker string
		hidden               bool
		want                 string
	}{
		{"AWSLogs/a.json.gz", "v", "m", true, del + "AWSLogs/a.json.gz --version-id m"},
		{"AWSLogs/a.json.gz", "v", "m", false, cp + "AWSLogs/a.json.gz --copy-source 'b/AWSLogs/a.json.gz?versionId=v' --metadata-directive COPY"},
		{"it's $(x) `y` +ü", "v", "", false, cp + `'it'"'"'s $(x) ` + "`y`" + ` +ü' --copy-source 'b/it'"'"'s $(x) ` + "`y`" + ` +ü?versionId=v' --metadata-directive COPY`},
		{"a;b", "v", "", false, cp + "'a;b' --copy-source 'b/a;b?versionId=v' --metadata-directive COPY"},
		{"a", "v w", "", false, ""},
		{"a?versionId=other", "v", "", false, ""},
		{"'; rm -rf ~ #", "v", "m", true, del + `''"'"'; rm -rf ~ #' --version-id m`},
		{`a\b`, "v", "m", true, ""},
		{"a\nb", "v", "m", true, ""},
		{"a\x1b[2Jb", "v", "", false, ""},
		{"a\u202eb", "v", "", false, ""},
		{"a\xffb", "v", "", false, ""},
		{"a", "v\n", "", false, ""},
		{"-a", "v", "", false, ""},
		{"file:///etc/passwd", "v", "m", true, ""},
		{"fileb://x", "v", "m", true, ""},
		{"https://example.com/", "v", "m", true, ""},
	} {
		if got := restoreCommand(Ref{"b", c.key}, c.version, c.marker, c.hidden); got != c.want {
			t.Errorf("%q: %s\nwant %s", c.key, got, c.want)
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
