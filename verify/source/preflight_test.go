package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/trailseal/trailseal/kms"
	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// TestCheck: one HEAD a file, one or two GETs a key, and what is missing as statements.
func TestCheck(t *testing.T) {
	const secondKey = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000005"
	denied := func(s *verifytest.KeySettings) { s.Denied = true }
	for name, c := range map[string]struct {
		prepare func(w *verifytest.World, logs []verify.Ref)
		faults  []verifytest.Fault
		allow   []string // keys; none: any
		want    []string // key, encryption, files, state, reason
		missing []string // Sid, action, condition
	}{
		"no key": {nil, nil, nil, []string{" AES256 6  "}, nil},
		"one key": {func(w *verifytest.World, _ []verify.Ref) { w.EncryptSSE(ownKey, "aws:kms", nil) }, nil, nil,
			[]string{ownKey + " aws:kms 6 Enabled "}, nil},
		"denied, same account": {func(w *verifytest.World, logs []verify.Ref) {
			w.EncryptSSE(ownKey, "aws:kms", only(logs[:2]...))
			w.KMS().Add(ownKey, denied)
		}, nil, nil, []string{" AES256 4  ", ownKey + " aws:kms 2 Enabled kms-denied"}, []string{"DecryptThroughS3 kms:Decrypt s3.eu-west-1.amazonaws.com " + ownKey}},
		"denied abroad, and DescribeKey": {func(w *verifytest.World, logs []verify.Ref) {
			w.EncryptSSE(foreignKey, "aws:kms:dsse", only(logs[0]))
			w.KMS().Add(foreignKey, denied, func(s *verifytest.KeySettings) { s.DescribeDenied = true })
		}, nil, nil, []string{" AES256 5  ", foreignKey + " aws:kms:dsse 1  kms-denied"},
			[]string{"DecryptThroughS3 kms:Decrypt s3.us-east-1.amazonaws.com " + foreignKey, "ExplainKeys kms:DescribeKey  " + foreignKey}},
		"disabled": {func(w *verifytest.World, _ []verify.Ref) {
			w.EncryptSSE(ownKey, "aws:kms", nil)
			w.KMS().Key(ownKey).SetState(verifytest.KeyDisabled)
		}, nil, nil, []string{ownKey + " aws:kms 6 Disabled kms-key-disabled"}, nil},
		"sealed": {func(w *verifytest.World, logs []verify.Ref) {
			w.EncryptSSE(ownKey, "aws:kms", nil)
			w.Seal(verifytest.Seal{Scheme: "s3ec-v2", Key: secondKey}, only(logs[1:3]...))
		}, nil, nil, []string{ownKey + " aws:kms 4 Enabled ", secondKey + " s3ec-v2 2 Enabled "}, nil},
		"sealed, denied": {func(w *verifytest.World, logs []verify.Ref) {
			w.Seal(verifytest.Seal{Scheme: "esdk-v2", Key: secondKey}, nil)
			w.KMS().Add(secondKey, denied)
		}, nil, nil, []string{secondKey + " AES256 6 Enabled kms-denied"}, []string{"DecryptInKMS kms:Decrypt  " + secondKey}},
		"sealed, not allowed": {func(w *verifytest.World, logs []verify.Ref) {
			w.Seal(verifytest.Seal{Scheme: "esdk-v2", Key: secondKey}, nil)
		},
			nil, []string{ownKey}, []string{secondKey + " AES256 6  key-not-allowed"}, nil},
		"S3 refuses": {nil, []verifytest.Fault{{Operation: "HeadObject", Status: 403}}, nil, nil, []string{"ReadFiles s3:GetObject  arn:aws:s3:::example-trail-logs/AWSLogs/*"}},
		"S3 refuses the GET alone": {nil, []verifytest.Fault{{Operation: "GetObject", Status: 403, Code: "AccessDenied", Message: "no s3:GetObject"}}, nil,
			[]string{" AES256 6  access-denied"}, []string{"ReadFiles s3:GetObject  arn:aws:s3:::example-trail-logs/AWSLogs/*"}},
	} {
		s := serve(t, verifytest.ServerOptions{Faults: c.faults}, c.prepare)
		bucket, k := s.store(t)
		store := NewOpening(bucket, k, &kms.Opener{KMS: k, Keys: c.allow, AnyKey: len(c.allow) == 0})
		gone := verify.Ref{Bucket: s.logs[0].Bucket, Key: s.logs[0].Key + "x"}
		p, err := Check(t.Context(), bucket, store, append(slices.Clone(s.logs), gone))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, key := range p.Keys {
			why := verify.Reason("")
			if key.Err != nil {
				why = key.Err.Reason
			}
			got = append(got, fmt.Sprintf("%s %s %d %s %s", key.ARN, key.Encryption, key.Files, key.State.State, why))
		}
		gets := s.Requests()["GetObject"] // of the first and the last file of a key
		if !slices.Equal(got, c.want) || p.Files != 7 || s.Requests()["HeadObject"] < 7 || gets < int64(len(c.want)) || gets > 2*int64(len(c.want)) {
			t.Errorf("%s: %q, want %q (%v)", name, got, c.want, s.Requests())
		}
		if got := flat(p.Missing()); !slices.Equal(got, c.missing) {
			t.Errorf("%s: missing %q, want %q", name, got, c.missing)
		}
	}
}

func flat(statements []Statement) (all []string) {
	for _, s := range statements {
		all = append(all, strings.Join([]string{s.Sid, s.Action, s.Condition["StringEquals"]["kms:ViaService"], strings.Join(s.Resource, " ")}, " "))
	}
	return all
}

func TestCheckEnded(t *testing.T) {
	s := serve(t, verifytest.ServerOptions{}, nil)
	bucket, k := s.store(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Check(ctx, bucket, NewOpening(bucket, k, nil), s.logs); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestMissingIsAPolicy: each statement has a Sid of its own, and is IAM's JSON.
func TestMissingIsAPolicy(t *testing.T) {
	var p Preflight
	deny := func(key, scheme string) {
		p.Keys = append(p.Keys, KeyCheck{ARN: key, Err: &verify.UnreadableError{Reason: verify.KMSDenied, Key: key, Scheme: scheme},
			State: verify.KeyState{Problem: "kms:DescribeKey: AccessDeniedException: no"}})
	}
	for _, region := range []string{"eu-west-1", "eu-west-2", "us-east-1", "us-west-2", "ap-east-1"} {
		deny(strings.Replace(ownKey, "eu-west-1", region, 1), "")
		deny(strings.Replace(ownKey, "eu-west-1", region, 1), "")
		deny(strings.Replace(foreignKey, "us-east-1", region, 1), "s3ec-v3")
	}
	deny("arn:aws-cn:kms:cn-north-1:111122223333:key/a", "")
	deny("arn:aws:kms:ctlogs-key", "") // MinIO's
	deny("", "")
	p.Refusals = []Refusal{
		{verify.Ref{Bucket: "b", Key: "p/" + log1}, &verify.UnreadableError{Reason: verify.AccessDenied}},
		{verify.Ref{Bucket: "b", Key: "p/" + log1 + "2"}, &verify.UnreadableError{Reason: verify.AccessDenied}},
		{verify.Ref{Bucket: "b", Key: log1}, &verify.UnreadableError{Reason: verify.Throttled}},
	}
	missing := p.Missing()
	sids, regions := map[string]bool{}, map[string]bool{}
	for _, s := range missing {
		if sids[s.Sid] || s.Effect != "Allow" || len(s.Resource) == 0 || strings.Trim(s.Sid, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
			t.Errorf("%+v, or its Sid came before", s)
		}
		sids[s.Sid] = true
		service := s.Condition["StringEquals"]["kms:ViaService"]
		regions[service] = true
		for _, r := range s.Resource {
			if region := kms.KeyRegion(r); service != "" && !strings.HasPrefix(service, "s3."+region+".amazonaws.com") || strings.Contains(service, "..") {
				t.Errorf("%s through %s", r, service)
			}
		}
		if !slices.IsSorted(s.Resource) || len(slices.Compact(slices.Clone(s.Resource))) != len(s.Resource) {
			t.Errorf("%s: %v", s.Sid, s.Resource)
		}
	}
	if len(missing) < 9 || !regions["s3.cn-north-1.amazonaws.com.cn"] {
		t.Errorf("%d statements, through %v", len(missing), regions)
	}
	text, err := json.Marshal(missing[0])
	if err != nil || !strings.HasPrefix(string(text), `{"Sid":"Decrypt`) || !strings.Contains(string(text), `"Effect":"Allow","Action":"kms:Decrypt","Resource":["arn:`) {
		t.Errorf("%s, %v", text, err)
	}
	if got := (Preflight{}).Missing(); len(got) != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

// TestMissingHostilePrefixes: who names things in the bucket does not write the
// policy.
func TestMissingHostilePrefixes(t *testing.T) {
	for _, c := range []struct{ root, prefix, want string }{
		{"", "", "AWSLogs/*"}, {"", "a/b-c_d.e/", "a/b-c_d.e/AWSLogs/*"}, {"", "*", "*"}, {"", "${aws:username}/", "*"}, {"p/", "p/?/", "p/*"},
		{"", "a\"]}/", "*"}, {"", "\x1b[2J/", "*"}, {"*/", "*/", "PREFIX/*"},
	} {
		p := Preflight{root: verify.Ref{Bucket: "b", Key: c.root}, Refusals: []Refusal{
			{verify.Ref{Bucket: "b", Key: c.prefix + log1}, &verify.UnreadableError{Reason: verify.AccessDenied}}}}
		if got := p.Missing(); len(got) != 1 || !slices.Equal(got[0].Resource, []string{"arn:aws:s3:::b/" + c.want}) {
			t.Errorf("%q: %+v", c.prefix, got)
		}
	}
}
