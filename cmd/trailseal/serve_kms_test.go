package main

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// keyARN is the KMS key of the scripts, $KEY there.
const keyARN = "arn:aws:kms:eu-west-1:111122223333:key/0a0a0a0a-0000-4000-8000-000000000001"

// keyed are the words of serve about KMS:
//
//	kms            all is stored under SSE-KMS with $KEY
//	key=STATE      $KEY is Disabled, Gone, denied, …
//	seal=SCHEME    every log is sealed with $KEY: s3ec-v2[,cbc][,instruction], …
//	tamper         one bit of the log $LOG is changed
//	forge          $LOG has the content of another log, and is sealed with it
//	loose=SCHEME   an object that is no log is sealed: $LOOSE, and $HOSTILE of a hostile name
//	copy=DIR       the trail is written to a directory as well
//
// $LOG and $DIGEST are the addresses of a log and of the digest that names it,
// and $FILE is $LOG in a copy; plain.gz and loose.gz are what $LOG and $LOOSE were before they were sealed.
type keyed struct {
	tamper, forge     bool
	seal, loose, copy string
	states            []string
}

// take takes a word, unless it is none of these.
func (k *keyed) take(name, value string) bool {
	switch name {
	case "key":
		k.states = append(k.states, value)
	case "seal":
		k.seal = value
	case "tamper":
		k.tamper = true
	case "forge":
		k.forge = true
	case "loose":
		k.loose = value
	case "copy":
		k.copy = value
	default:
		return false
	}
	return true
}

// apply does to a world what the words say.
func (k *keyed) apply(ts *testscript.TestScript, w *verifytest.World) {
	d, log, other := someLogs(ts, w)
	before, _ := w.Get(log)
	ts.Setenv("KEY", keyARN)
	ts.Setenv("LOG", log.URI())
	ts.Setenv("FILE", log.Key)
	ts.Setenv("DIGEST", d.URI())
	ts.Check(os.WriteFile(ts.MkAbs("plain.gz"), before.Bytes, 0o600))
	if o, _ := w.Get(other); k.forge {
		w.Put(log, o)
	}
	if k.seal != "" {
		isLog := func(ref verify.Ref) bool { return !strings.Contains(ref.Key, digest.DigestFolder) }
		ts.Check(w.Seal(sealOf(k.seal), isLog))
	}
	if k.loose != "" {
		k.putLoose(ts, w, log.Bucket)
	}
	if o, _ := w.Get(log); k.tamper {
		o.Bytes = bytes.Clone(o.Bytes)
		o.Bytes[len(o.Bytes)/2] ^= 1
		w.Put(log, o)
	}
	for _, state := range k.states {
		w.KMS().Add(keyARN, inState(state))
	}
	if k.copy != "" {
		ts.Check(w.WriteDir(ts.MkAbs(k.copy), verifytest.DirOptions{PublicKeys: true}))
	}
}

// putLoose stores an object that is no log twice, once under a hostile name.
func (k *keyed) putLoose(ts *testscript.TestScript, w *verifytest.World, bucket string) {
	plain := []byte("no gzip, and no log file either: " + strings.Repeat("a ", 50))
	ts.Check(os.WriteFile(ts.MkAbs("loose.gz"), plain, 0o600))
	for name, key := range map[string]string{"LOOSE": "loose/object", "HOSTILE": "loose/\x1b[2Jall kept\u202e"} {
		ref := verify.Ref{Bucket: bucket, Key: key}
		w.Put(ref, verifytest.Object{Bytes: plain, Modified: w.Now()})
		ts.Check(w.Seal(sealOf(k.loose), func(r verify.Ref) bool { return r == ref }))
		ts.Setenv(name, "s3://"+bucket+"/"+key)
	}
}

// sealOf reads "s3ec-v2,cbc,instruction".
func sealOf(text string) verifytest.Seal {
	scheme, more, _ := strings.Cut(text, ",")
	s := verifytest.Seal{Scheme: scheme, Key: keyARN, Context: map[string]string{"case": "42"}, Instruction: strings.Contains(more, "instruction")}
	if strings.Contains(more, "cbc") {
		s.Cipher = "cbc"
	}
	return s
}

func inState(state string) func(*verifytest.KeySettings) {
	return func(s *verifytest.KeySettings) {
		switch state {
		case "denied":
			s.Denied = true
		case "undescribed":
			s.DescribeDenied = true
		case "Gone":
			s.State = verifytest.KeyGone
		case "PendingDeletion":
			s.State, s.DeletionDate = verifytest.KeyPendingDeletion, time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)
		default:
			s.State = verifytest.KeyState(state)
		}
	}
}

// someLogs are two logs of the first region, and the digest that names them.
func someLogs(ts *testscript.TestScript, w *verifytest.World) (*verifytest.Digest, verify.Ref, verify.Ref) {
	for _, d := range w.Chains()[0].Digests[1:] {
		if r, err := w.Record(d.Ref); err == nil && len(r.Logs) > 1 {
			return d, verify.Ref{Bucket: r.Logs[0].Bucket, Key: r.Logs[0].Object}, verify.Ref{Bucket: r.Logs[1].Bucket, Key: r.Logs[1].Object}
		}
	}
	ts.Fatalf("no digest names two logs")
	return nil, verify.Ref{}, verify.Ref{}
}

// policy wants that the last that was printed ends in an IAM policy, which
// allows exactly these actions, in this order, each on something:
//
//	policy ACTION...
func policy(ts *testscript.TestScript, neg bool, args []string) {
	_, text, found := strings.Cut(ts.ReadFile("stdout"), "\n{\n")
	if neg {
		if found {
			ts.Fatalf("a policy is printed")
		}
		return
	}
	var p struct {
		Version   string
		Statement []struct {
			Sid, Effect, Action string
			Resource            []string
		}
	}
	if err := json.Unmarshal([]byte("{\n"+text), &p); err != nil {
		ts.Fatalf("the policy: %v", err)
	}
	var actions, sids []string
	for _, s := range p.Statement {
		actions, sids = append(actions, s.Action), append(sids, s.Sid)
		if s.Effect != "Allow" || len(s.Resource) == 0 || slices.Contains(s.Resource, "") {
			ts.Fatalf("the statement %+v allows nothing", s)
		}
	}
	slices.Sort(sids)
	if p.Version != "2012-10-17" || !slices.Equal(actions, args) || len(slices.Compact(sids)) != len(actions) {
		ts.Fatalf("the policy allows %q, want %q: %+v", actions, args, p)
	}
}
