package report

import (
	"encoding/csv"
	"strings"
	"testing"

	"github.com/trailseal/trailseal/verify"
)

func TestCellsAreNotComputed(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "a=b": "a=b", "=1": "'=1", "+1": "'+1", "-1": "'-1", "@x": "'@x", "'x": "''x", "  =1": "'  =1", "＝1": "'＝1", " ": " ",
		"a;b": "a;b", "a;=1": `a\x3b=1`, "a; +1;b;'@x": `a\x3b +1;b\x3b'@x`, ";": ";", `a;"=1`: `a\x3b"=1`, "=1;=2": `'=1\x3b=2`,
	} {
		if got := cell(text); got != want {
			t.Errorf("cell(%q) = %q, want %q", text, got, want)
		}
	}
}

// TestCSVKeepsNamesApart: what was defused is told apart from what was named so.
func TestCSVKeepsNamesApart(t *testing.T) {
	seen := map[string]string{}
	for _, name := range append(append([]string{"'=1", "''=1", `a\x3b=1`, `\t=1`}, hostile...), hostileMore...) {
		got := cell(Clean(name))
		if other, ok := seen[got]; ok && other != name {
			t.Errorf("%q and %q are both %s", name, other, got)
		}
		seen[got] = name
	}
}

func TestCSVColumns(t *testing.T) {
	rows, err := csv.NewReader(strings.NewReader(play(t, "csv", trailRun()))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 1+6 {
		t.Fatalf("%d rows", len(rows))
	}
	get := func(row int, column string) string {
		for i, name := range rows[0] {
			if name == column {
				return rows[row][i]
			}
		}
		return "no such column"
	}
	for _, c := range []struct {
		row          int
		column, want string
	}{
		{1, "kind", "log"}, {1, "verdict", "deleted"}, {1, "class", "tampering"}, {1, "reasons", "not-found"}, {1, "uri", aLog}, {1, "digest", aDigest},
		{1, "account", "111122223333"}, {1, "region", "eu-west-1"}, {1, "trail", "main"}, {1, "backfill", "false"},
		{2, "trail", ""}, {2, "backfill", ""}, {2, "region", "eu-west-1"}, {3, "kind", "digest"}, {3, "trail", "main"},
		{4, "kind", "finding"}, {4, "verdict", "gap"}, {4, "class", "unproven"}, {4, "start", "2026-03-11T20:12:31Z"}, {4, "message", "no digest covers 28 hours"},
		{6, "verdict", "keys-in-copy"}, {6, "account", ""},
	} {
		if got := get(c.row, c.column); got != c.want {
			t.Errorf("row %d: %s is %q, want %q", c.row, c.column, got, c.want)
		}
	}
}

func TestPlaces(t *testing.T) {
	org := verify.ChainRef{Organization: "o-exampleorg1", Account: "111122223333", Region: "eu-west-1"}
	for uri, want := range map[string]place{
		"s3://b/p/AWSLogs/o-exampleorg1/111122223333/CloudTrail/eu-west-1/2026/03/10/x": {org, "2026-03-10"},
		"s3://b/AWSLogs/o-exampleorg1/111122223333/CloudTrail/eu-west-1/":               {org, ""},
		"s3://b/AWSLogs/o-exampleorg1/111122223333/CloudTrail/eu-west-1/2026/13/10/x":   {org, ""},
		"s3://b/AWSLogs/o-exampleorg1/111122223333/CloudTrail/<b>/2026/03/10/x":         {},
		"s3://b/AWSLogs/11112222333x/CloudTrail/eu-west-1/2026/03/10/x":                 {},
		"s3://b/AWSLogs/o-\x1b/111122223333/CloudTrail/eu-west-1/2026/03/10/x":          {},
		"s3://b/AWSLogs": {}, "": {}, "s3://": {}, "/AWSLogs/": {},
	} {
		if got := placeOfURI(uri); got != want {
			t.Errorf("%q: %+v", uri, got)
		}
	}
}
