package main

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

const otherARN = "arn:aws:kms:us-east-1:444455556666:key/mrk-0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"

func TestKMSOptionsCheck(t *testing.T) {
	for _, c := range []struct {
		o    kmsOptions
		want string // of the error; empty: there is none
	}{
		{kmsOptions{}, ""},
		{kmsOptions{keys: []string{keyARN, otherARN, "any"}, context: []string{"a=1", "b=", "c=d=e", "a=1"}}, ""},
		{kmsOptions{keys: []string{"arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/x"}}, ""},
		{kmsOptions{keys: []string{"ANY"}}, `--kms-key "ANY" is no ARN`},
		{kmsOptions{keys: []string{keyARN, ""}}, `--kms-key "" is no ARN`},
		{kmsOptions{keys: []string{"alias/a"}}, "is an alias"},
		{kmsOptions{keys: []string{"arn:aws:s3:::a:b"}}, "not the ARN of a KMS key"},
		{kmsOptions{keys: []string{keyARN + "\x1b[2J"}}, `key/ID`},
		{kmsOptions{context: []string{"a"}}, `--encryption-context "a"`},
		{kmsOptions{context: []string{"=a"}}, `--encryption-context "=a"`},
		{kmsOptions{context: []string{""}}, `--encryption-context ""`},
		{kmsOptions{context: []string{"a=1", "a=2"}}, `each key once`},
		{kmsOptions{context: []string{"a=", "a=2"}}, `each key once`},
		{kmsOptions{decrypt: "off"}, ""},
		{kmsOptions{decrypt: "on"}, `--decrypt does not take "on": want auto, off`},
		{kmsOptions{decrypt: "off", keys: []string{"any"}}, "--decrypt off opens nothing"},
		{kmsOptions{decrypt: "off", context: []string{"a=1"}}, "--decrypt off opens nothing"},
	} {
		if c.o.decrypt == "" {
			c.o.decrypt = "auto"
		}
		err := c.o.check()
		if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || exitCode(err) != exitUsage || strings.Contains(err.Error(), "\x1b")) {
			t.Errorf("%+v: %v, want %q", c.o, err, c.want)
		}
	}
}

// The trail's own key opens where none is named; who names others may mean no
// longer the trail's; any is not a key.
func TestKMSOptionsOpener(t *testing.T) {
	for _, c := range []struct {
		keys  []string
		trail string
		open  []string
		any   bool
		own   []string
	}{
		{nil, "", nil, false, nil},
		{nil, keyARN, []string{keyARN}, false, []string{keyARN}},
		{[]string{otherARN}, "", []string{otherARN}, false, []string{otherARN}},
		{[]string{otherARN}, keyARN, []string{otherARN}, false, []string{keyARN, otherARN}},
		{[]string{"any"}, "", nil, true, nil},
		{[]string{"any"}, keyARN, nil, true, []string{keyARN}},
		{[]string{otherARN, "any"}, keyARN, []string{otherARN}, true, []string{keyARN, otherARN}},
	} {
		o := kmsOptions{keys: c.keys, context: []string{"a=1", "b=c=d"}, decrypt: "auto"}
		if err := o.check(); err != nil {
			t.Fatal(err)
		}
		got := o.opener(nil, c.trail)
		if got == nil || !slices.Equal(got.Keys, c.open) || got.AnyKey != c.any || !maps.Equal(got.Context, map[string]string{"a": "1", "b": "c=d"}) {
			t.Errorf("%q with the trail's %q: %+v, want %q, any %v", c.keys, c.trail, got, c.open, c.any)
		}
		if own := o.own(c.trail); !slices.Equal(own, c.own) {
			t.Errorf("%q with the trail's %q: own %q, want %q", c.keys, c.trail, own, c.own)
		}
	}
	o := kmsOptions{decrypt: "off"}
	if err := o.check(); err != nil || o.opener(nil, keyARN) != nil {
		t.Errorf("--decrypt off opens something: %v", err)
	}
}
