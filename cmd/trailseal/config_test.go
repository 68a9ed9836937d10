package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

func freshVerify() *cobra.Command { return newVerify(streams{}) }

// load reads a configuration as config check does.
func load(text string) (*configFile, *mistakes) {
	known := settingsOf(freshVerify())
	file, wrong := parseConfig("f.yaml", []byte(text), known)
	p := &planner{fresh: freshVerify, known: known, file: file}
	jobs := []*job{p.job(section{at: place{1, 1}}, nil, file.top.values)}
	for _, s := range file.trails {
		jobs = append(jobs, p.job(s, nil, s.values, file.top.values))
	}
	var m *mistakes
	if err := p.checkInto(wrong, jobs, false); errors.As(err, &m) {
		return file, m
	} else if err != nil {
		panic(err) // what a file alone brings about has a place in it
	}
	return file, wrong
}

// Each mistake is told with its line, its column, and what was meant.
func TestConfigMistakes(t *testing.T) {
	long := strings.Repeat("x", 200)
	for _, c := range []struct{ text, want string }{
		{"", "1:1: the file says nothing"},
		{"# only this\n", "1:1: the file says nothing"},
		{"---\n", "1:1: the file says nothing"},
		{"\ufeff", "1:1: the file says nothing"},
		{"just words\n", `1:1: a configuration is a list of lines such as format: json; this is the text "just words"`},
		{"- format: json\n", "1:1: a configuration is a list of lines such as format: json; this is a list"},
		{"format: json\n---\nformat: text\n", "2:1: a second document begins here"},
		{"format: json\n---\n", "2:1: a second document begins here"},
		{"format: json\n--- a: b: c\n", "2:1: mapping values are not allowed in this context"},
		{"format: json\nstart: a: b\n", "2:1: mapping values are not allowed in this context (a text with a colon"},
		{"format: json\nstart\nend: now\n", "2:1: could not find expected ':'"},
		{"quiet: true\naccept: [gap,\n  stale\nformat: json\n", "2:1: did not find expected ',' or ']'"},
		{"format: json\noutput: \"x\nquiet: true\n", "2:1: found unexpected end of stream"},
		{"format: json\n\tquiet: true\n", "2:1: found a tab character"},
		{"trails:\n  - name: a\n    source: b\n   start: 7d\n", "4:4: did not find expected '-' indicator"},
		{"quiet: true\nformat: \x01\n", "2:9: there is a control character here"},
		{"quiet: true\nformat: j\xffson\n", "2:10: this is not UTF-8"},
		{"format: &x json\n", "1:9: anchors (&x) are not taken"},
		{"format: *x\n", "1:1: unknown anchor 'x' referenced"},
		{"format: !!str json\n", "1:9: tags (!!str) are not taken"},
		{"format: !mine json\n", "1:9: tags (!mine) are not taken"},
		{"<<: {format: json}\n", "1:1: keys cannot be merged"},
		{"? [a]\n: b\n", "1:3: a key is a word; this is a list"},
		{"fromat: json\n", `1:1: unknown key "fromat": did you mean "format"?`},
		{"kms_key: any\n", `1:1: unknown key "kms_key": did you mean "kms-key"?`},
		{"kmsKey: any\n", `1:1: unknown key "kmsKey": did you mean "kms-key"?`},
		{"trial: []\n", `1:1: unknown key "trial": did you mean "trail"?`},
		{"qqqqqqqqq: 1\n", `1:1: unknown key "qqqqqqqqq": defaults can have the names of verify's flags, source and trails`},
		{"config: x\n", `1:1: unknown key "config": `},
		{"only: x\n", `1:1: unknown key "only": `},
		{"help: true\n", `1:1: unknown key "help": `},
		{long + ": 1\n", `1:1: unknown key "` + long[:60] + `"…: defaults`},
		{"format: json\nformat: text\n", `2:1: "format" is given twice, first in line 1`},
		{"format: [json]\n", "1:9: format wants one value; this is a list"},
		{"format: {a: b}\n", "1:9: format wants one value; this is a mapping"},
		{"format:\n", "1:8: format has no value"},
		{"account: [a, [b]]\n", "1:14: account wants a value or a list of values; this is a list"},
		{"account: [a, ~]\n", "1:14: account has no value"},
		{"quiet: yes\n", `1:8: quiet wants true or false; this is the text "yes"`},
		{"quiet: 1\n", `1:8: quiet wants true or false; this is the text "1"`},
		{"quiet: \"true\"\n", `1:8: quiet wants true or false; this is the text "true"`},
		{"output: |\n  x\n", "1:9: output has a line break"},
		{"source: \"\"\n", "1:9: source is empty"},
		{"source: a\ntrail: b\n", "2:1: both source and trail are given"},
		{"trail: b\nsource: a\n", "2:1: both source and trail are given"},
		{"format: jsn\n", `1:9: format does not take "jsn": want `},
		{"color: alway\n", `1:8: color does not take "alway": want auto, always, never (did you mean "always"?)`},
		{"concurrency: many\n", `1:14: concurrency does not take "many": want a whole number`},
		{"concurrency: -1\n", `1:14: concurrency -1 is less than nothing`},
		{"max-log-size: 1XB\n", `1:15: max-log-size does not take "1XB": want a size such as 1GiB`},
		{"lookback: week\n", `1:11: lookback does not take "week": want an age`},
		{"start: yesterday\n", `1:8: no time can be read from "yesterday"`},
		{"accept:\n  - gap\n  - gpa\n", `3:5: accept and fail-on do not know the word "gpa" (did you mean "gap"?`},
		{"accept: gap, gpa\n", `1:9: accept and fail-on do not know the word "gpa"`},
		{"region:\n- eu-*\n- \"[\"\n", `3:3: region "[" is not a shell pattern`},
		{"kms-key: arn:aws\n", `1:10: kms-key `},
		{"encryption-context: [a=b, c]\n", `1:27: encryption-context "c": give it as key=value`},
		{"accept: gap\nquiet: true\nfail-on: gap\n", `1:1: "gap" is in both accept and fail-on`},
		{"start: now\nend: 7d\n", `1:1: start "now"`},
		{"trail: a\ntrail-name: a\n", "1:1: trail names the trail: trail-name has nothing to choose from"},
		{"source: dir\ncopy-of: s3://b\n", "2:1: copy-of goes with a SOURCE that is a bucket"},
		{"trails: []\n", "1:9: trails is empty"},
		{"trails:\n", "1:8: trails wants a list, each with a name, and a source or a trail; this is nothing"},
		{"trails: x\n", "1:9: trails wants a list"},
		{"trails: [x]\n", "1:10: each of the trails has a name"},
		{"source: x\ntrails: [{name: a, source: b}]\n", "1:1: source goes into each of the trails"},
		{"trails:\n- source: b\n", "2:3: the trail has no name"},
		{"trails:\n- {name: a/b, source: b}\n", `2:10: a name has letters, digits, dots, dashes and underscores, at most 64; this is the text "a/b"`},
		{"trails:\n- {name: [a], source: b}\n", `2:10: a name has letters`},
		{"trails:\n- {name: a, source: b}\n- {name: a, source: c}\n", `3:10: two trails have the name "a", the first in line 2`},
		{"trails:\n- {name: a}\n", "2:3: neither source nor trail is given"},
		{"trails:\n- {name: a, sorce: b}\n", `2:13: unknown key "sorce": did you mean "source"?`},
		{"trails:\n- {name: a, source: b, trails: []}\n", `2:24: unknown key "trails"`},
		{"trails:\n- {name: a, source: b, format: jsn}\n", `2:32: format does not take "jsn"`},
		{"format: jsn\ntrails:\n- {name: a, source: b, format: json}\n", `1:9: format does not take "jsn"`},
		{"output: x\ntrails:\n- {name: a, source: b}\n- {name: b, source: b}\n", `1:9: output: "x" is written by the trail a and by the trail b`},
		{"trails:\n- {name: a, source: b, output: x/../y}\n- {name: b, source: b, output: ./y}\n", `3:32: output: "./y" is written by the trail a`},
		{"trails:\n- {name: a, source: b}\n- {name: c, source: d, decrypt: off, kms-key: any}\n", "3:24: decrypt off opens nothing"},
	} {
		_, wrong := load(c.text)
		if len(wrong.all) != 1 {
			t.Errorf("%.60q: %d mistakes, want one: %v", c.text, len(wrong.all), wrong)
		}
		if len(wrong.all) == 0 || !strings.HasPrefix(wrong.Error(), "f.yaml:"+c.want) {
			t.Errorf("%.60q:\n got %v\nwant f.yaml:%s", c.text, wrong, c.want)
		}
	}
}

func TestConfigHasNoAliases(t *testing.T) {
	_, wrong := load("format: &x json\ncolor: *x\naccept: [*x]\n")
	want := "3 mistakes in f.yaml\nf.yaml:1:9: anchors (&x) are not taken\nf.yaml:2:8: aliases (*x) are not taken: write it out\n" +
		"f.yaml:3:10: aliases (*x) are not taken: write it out"
	if wrong.Error() != want {
		t.Error(wrong)
	}
}

// What is written is what verify gets.
func TestConfigValues(t *testing.T) {
	file, wrong := load("\ufeffaccount: 012345678901\r\nregion: []\r\nstart: 2026-03-10\r\nall: True\r\naccept: gap, stale\r\n" +
		"public-keys: [\"a,b\", 'c d']\r\nlookback: all\r\nmax-log-size: 1_0\r\n")
	if len(wrong.all) != 1 || !strings.Contains(wrong.Error(), ":8:15: max-log-size does not take \"1_0\"") {
		t.Fatal(wrong)
	}
	for name, want := range map[string][]string{
		"account": {"012345678901"}, "region": nil, "start": {"2026-03-10"}, "all": {"true"}, "accept": {"gap", "stale"},
		"public-keys": {"a,b", "c d"}, "lookback": {"all"},
	} {
		if got := file.top.values[name].texts; !slices.Equal(got, want) {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

// Every flag of verify can be configured: what config show prints of it is
// read again as the same.
func TestEveryFlagCanBeConfigured(t *testing.T) {
	other := map[string]string{
		"trail": "main", "copy-of": "s3://b", "start": "2026-03-10T00:00:00+01:00", "end": "now", "lookback": "36h", "format": "json",
		"accept": "gap", "fail-on": "stale", "concurrency": "7", "max-log-size": "1000", "max-digest-size": "3MiB", "report": "json=a b.json",
		"kms-key": "any", "encryption-context": "a=b,c: d", "decrypt": "off", "progress": "plain", "color": "never",
	}
	for _, s := range settingsOf(freshVerify()) {
		text, ok := other[s.name]
		switch {
		case ok:
		case s.kind == "bool":
			text = "true"
		default:
			text = "{a*: # b\\\"'"
		}
		cmd := freshVerify()
		if err := apply(cmd, s.name, []string{text}); err != nil {
			t.Errorf("%s: %v", s.name, err)
			continue
		}
		want := texts(cmd.Flags().Lookup(s.name).Value)
		file, wrong := parseConfig("f.yaml", []byte(s.name+": "+s.written(want)+"\n"), settingsOf(cmd))
		if got := file.top.values[s.name].texts; len(wrong.all) > 0 || !slices.Equal(got, want) {
			t.Errorf("%s: %q is written %s and read as %q, %v", s.name, want, s.written(want), got, wrong)
		}
		again := freshVerify()
		if err := apply(again, s.name, want); err != nil || !slices.Equal(texts(again.Flags().Lookup(s.name).Value), want) {
			t.Errorf("%s: %q is not taken back: %v", s.name, want, err)
		}
		env, _ := environment(settingsOf(cmd), []string{envName(s.name) + "=" + text + "\n"})
		if got := env[s.name].texts; s.list && !slices.Equal(got, want) {
			t.Errorf("%s: the environment makes %q of %q", s.name, got, text)
		}
	}
}

func TestEnvironment(t *testing.T) {
	all, strange := environment(settingsOf(freshVerify()), []string{
		"TRAILSEAL_KMS_KEY=a, b,,c", "TRAILSEAL_REGION=a,b\nc\n", "TRAILSEAL_START=", "TRAILSEAL_CONFIG=x", "TRAILSEAL_ESDK=1", "TRAILSEAL_MINIO=/x",
		"TRAILSEAL_VERSION=1.2", "TRAILSEAL_KMSKEY=a", "AWS_REGION=x", "TRAILSEAL_SOURCE=a,b", "TRAILSEAL_=x", "TRAILSEAL_OUTPUT=a,b",
	})
	for name, want := range map[string][]string{"kms-key": {"a", "b", "c"}, "region": {"a,b", "c"}, "source": {"a,b"}, "output": {"a,b"}} {
		if got := all[name].texts; !slices.Equal(got, want) {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if len(all) != 4 {
		t.Errorf("%v", all)
	}
	if want := []string{"the variable TRAILSEAL_KMSKEY means nothing: did you mean TRAILSEAL_KMS_KEY?"}; !slices.Equal(strange, want) {
		t.Errorf("%q, want %q", strange, want)
	}
}

func TestWorst(t *testing.T) {
	for want, cases := range map[int][][]int{
		0: {{0}, {0, 0}}, 1: {{1}, {0, 1, 3}, {2, 1}, {1, 1}}, 2: {{2}, {2, 2}}, 3: {{3}, {0, 3}, {0, 2}, {2, 3}, {0, 0, 2}},
	} {
		for _, ends := range cases {
			codes := map[int]int{}
			for _, e := range ends {
				codes[e]++
			}
			if got := worst(codes); got != want {
				t.Errorf("%v is %d, want %d", ends, got, want)
			}
		}
	}
}

// After an interrupt the trails that are left are not run, and that is told.
func TestTrailsAfterAnInterrupt(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(file, []byte("trails: [{name: a, source: x}, {name: b, source: y}]"), 0o666); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs strings.Builder
	code := run(ctx, []string{"verify", "--config", file}, strings.NewReader(""), &out, &errs)
	if want := "trailseal: a not run, b not run\n"; code != exitUnproven || errs.String() != want || out.Len() > 0 {
		t.Errorf("%d, %q, %q", code, errs.String(), out.String())
	}
}

// A copy is not verified with settings that lie in it, however it is named.
func TestInside(t *testing.T) {
	dir := t.TempDir()
	copied := filepath.Join(dir, "copy", "deep")
	if err := os.MkdirAll(copied, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "mine.yaml"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, link := range [][2]string{{filepath.Join(dir, "mine.yaml"), filepath.Join(copied, configName)}, {filepath.Join(dir, "copy"), filepath.Join(dir, "link")}} {
		if err := os.Symlink(link[0], link[1]); err != nil {
			t.Skip(err)
		}
	}
	t.Chdir(copied)
	where, err := places(configName)
	if err != nil {
		t.Fatal(err)
	}
	for source, want := range map[string]bool{
		".": true, "..": true, "": true, copied: true, filepath.Join(dir, "link"): true, filepath.Join("..", "..", "link", "deep"): true,
		filepath.Join(dir, "elsewhere"): false, "deeper": false, filepath.Join(dir, "copy", "dee"): false,
	} {
		if got := inside(where, source); got != want {
			t.Errorf("inside %q: %v", source, got)
		}
	}
}

// The example of the paper is a configuration.
func TestTheConfigurationOfThePaperIsRead(t *testing.T) {
	text, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(strings.ReplaceAll(string(text), "\r\n", "\n"), "```yaml\n")
	example, _, ok := strings.Cut(rest, "```\n")
	if !ok {
		t.Fatal("docs/configuration.md has no example")
	}
	_, help, _ := strings.Cut(configurationLong, "settings of its own.\n\n")
	help, _, _ = strings.Cut(help, "\n\n")
	for name, text := range map[string]string{"the paper's": example, "help's": help} {
		file, wrong := load(text)
		if len(wrong.all) > 0 || len(file.trails) < 2 {
			t.Errorf("%s example: %v, %d trails", name, wrong, len(file.trails))
		}
	}
}

// What is made to take long is refused before long.
func TestConfigBombs(t *testing.T) {
	for name, text := range map[string]string{
		"nested":     strings.Repeat("[", mostConfig),
		"deep":       strings.Repeat("{a: ", 9000),
		"twice":      strings.Repeat("a: 1\n", mostConfig/5),
		"unknown":    "{" + strings.Repeat("abcdefghi: ,", mostConfig/13) + "}",
		"aliases":    "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n" + strings.Repeat("c: [*b,*b,*b,*b,*b,*b,*b,*b]\n", 1000),
		"too many":   "accept: [" + strings.Repeat("gap,", mostConfig/5) + "]",
		"words":      "accept: [" + strings.Repeat("gpa,", mostValues) + "]",
		"last word":  "accept: [" + strings.Repeat("gap,", mostValues-1) + "gpa]",
		"trails":     "trails:\n" + strings.Repeat("- name: a\n", mostConfig/11),
		"many wrong": "trails:\n" + strings.Repeat("- {name: a, source: b, format: c}\n", mostTrails),
		"long key":   strings.Repeat("k", mostConfig-10) + ": 1",
		"unclosed":   strings.Repeat("a: 1\n", 1000) + "b: [" + strings.Repeat("x,\n", mostConfig/4),
	} {
		begun := time.Now()
		if _, wrong := load(text); len(wrong.all) == 0 || len(wrong.Error()) > 100<<10 {
			t.Errorf("%s: %d mistakes in %d bytes", name, len(wrong.all), len(wrong.Error()))
		}
		if took := time.Since(begun); took > 2*time.Minute { // some seconds on a quiet machine; with the race detector on a busy one many more
			t.Errorf("%s: %v", name, took)
		} else {
			t.Logf("%s: %v", name, took)
		}
	}
	big := filepath.Join(t.TempDir(), "big.yaml")
	if err := os.WriteFile(big, make([]byte, mostConfig+1), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := loadConfig(big, nil); err == nil || !strings.Contains(err.Error(), "larger than 1 MiB") {
		t.Error(err)
	}
}

var placed = regexp.MustCompile(`^f\.yaml:[1-9][0-9]*:[1-9][0-9]*: \S`)

// Whatever a file holds, it is read or each mistake has a place that the file
// has; nothing panics, and what is read can be written and read again.
func FuzzConfig(f *testing.F) {
	for _, seed := range []string{
		"format: json\n", "trails:\n- {name: a, source: b}\n- name: b\n  trail: c\n  region: [eu-*, 'us-*']\n", "a: &x [*x]\n", "accept: gap,stale\nfail-on: gap",
		"start: now\nend: 7d\n", "---\n---\n", "a: \"\\x00\"", "\ufeff", "? a\n: b", "trails: [[]]", "kms-key: any\ndecrypt: off", "output: |+\n x\n\n", "%YAML 1.2\n---\nquiet: true\n...\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		file, wrong := load(text)
		lines := 1
		for _, ending := range []string{"\n", "\r", "\u0085", "\u2028", "\u2029"} {
			lines += strings.Count(text, ending)
		}
		for _, m := range wrong.all {
			one := (&mistakes{path: "f.yaml", all: []mistake{m}}).Error()
			if !placed.MatchString(one) {
				t.Errorf("no place: %q", one)
			}
			if m.at.line > lines {
				t.Errorf("%q: the file has %d lines", one, lines)
			}
		}
		if len(wrong.all) > 0 {
			return
		}
		known := settingsOf(freshVerify())
		b := strings.Builder{}
		for _, s := range known {
			if v, ok := file.top.values[s.name]; ok {
				b.WriteString(s.name + ": " + s.written(v.texts) + "\n")
			}
		}
		again, wrong := parseConfig("f.yaml", []byte(b.String()), known)
		for name, v := range again.top.values {
			if !slices.Equal(v.texts, file.top.values[name].texts) {
				t.Errorf("%s: %q is read again as %q (%v)", name, file.top.values[name].texts, v.texts, wrong)
			}
		}
		if b.Len() > 0 && len(wrong.all) > 0 {
			t.Errorf("%v in what was written:\n%s", wrong, b.String())
		}
	})
}
