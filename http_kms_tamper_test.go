package trailseal_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/trailseal/trailseal/kms"
	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// A tampering is something done to a sealed object, and what comes of it. of
// says to which seals it can be done.
type tampering struct {
	name    string
	of      func(verifytest.Seal) bool
	do      func(t *testing.T, w *verifytest.World, ref verify.Ref)
	outcome string // reasons that may come first, apart by "|"
	exit    int
	silent  bool // nothing then tells that a client encrypted it
}

func inMetadata(s verifytest.Seal) bool { return strings.HasPrefix(s.Scheme, "s3ec") && !s.Instruction }
func v2(s verifytest.Seal) bool         { return s.Scheme == "s3ec-v2" && !s.Instruction }
func v3(s verifytest.Seal) bool         { return s.Scheme == "s3ec-v3" && !s.Instruction }
func esdk(s verifytest.Seal) bool       { return strings.HasPrefix(s.Scheme, "esdk") }
func gcm(s verifytest.Seal) bool        { return s.Cipher != "cbc" }
func cbc(s verifytest.Seal) bool        { return s.Cipher == "cbc" }
func both(a, b func(verifytest.Seal) bool) func(verifytest.Seal) bool {
	return func(s verifytest.Seal) bool { return a(s) && b(s) }
}

// bit changes one bit of what is stored, counted from the end where at is less
// than nothing.
func bit(at int) func(*testing.T, *verifytest.World, verify.Ref) {
	return func(t *testing.T, w *verifytest.World, ref verify.Ref) {
		alter(t, w, ref, func(o *verifytest.Object) { o.Bytes[(at+len(o.Bytes))%len(o.Bytes)] ^= 1 })
	}
}

func body(change func([]byte) []byte) func(*testing.T, *verifytest.World, verify.Ref) {
	return func(t *testing.T, w *verifytest.World, ref verify.Ref) {
		alter(t, w, ref, func(o *verifytest.Object) { o.Bytes = change(o.Bytes) })
	}
}

func field(name, value string) func(*testing.T, *verifytest.World, verify.Ref) {
	return func(t *testing.T, w *verifytest.World, ref verify.Ref) {
		alter(t, w, ref, func(o *verifytest.Object) {
			if o.Metadata[name] = value; value == "" {
				delete(o.Metadata, name)
			}
		})
	}
}

// rewrapped puts another object's wrapped key in the place of this one's.
func rewrapped(name string) func(*testing.T, *verifytest.World, verify.Ref) {
	return func(t *testing.T, w *verifytest.World, ref verify.Ref) {
		blob, err := w.KMS().Wrap(kmsTrail, make([]byte, 32), map[string]string{"other": "context"}, bytes.NewReader(make([]byte, 64)))
		if err != nil {
			t.Fatal(err)
		}
		field(name, encode64(blob))(t, w, ref)
	}
}

var tamperings = []tampering{
	{name: "a bit of the tag", of: gcm, do: bit(-1), outcome: "modified ciphertext-altered", exit: 1},
	{name: "a bit of the ciphertext", of: both(gcm, inMetadata), do: bit(40), outcome: "modified ciphertext-altered", exit: 1},
	{name: "cut by a byte", of: both(gcm, inMetadata), do: body(func(b []byte) []byte { return b[:len(b)-1] }), outcome: "modified ciphertext-altered", exit: 1},
	{name: "cut to nothing", of: inMetadata, do: body(func([]byte) []byte { return nil }), outcome: "modified envelope-malformed", exit: 1},
	{name: "cut by a byte, ESDK", of: esdk, do: body(func(b []byte) []byte { return b[:len(b)-1] }), outcome: "modified envelope-malformed", exit: 1},
	{name: "a byte more", of: esdk, do: body(func(b []byte) []byte { return append(b, 0) }), outcome: "modified envelope-malformed", exit: 1},
	{name: "the header", of: esdk, do: bit(10), outcome: "modified ciphertext-altered|modified envelope-malformed", exit: 1},
	{name: "CBC, first block", of: both(cbc, inMetadata), do: bit(0), outcome: "modified not-gzip|modified gzip-corrupt|modified hash-mismatch", exit: 1},
	{name: "CBC, middle", of: both(cbc, inMetadata), do: bit(100), outcome: "modified gzip-corrupt|modified hash-mismatch|modified trailing-data|modified truncated", exit: 1},
	{name: "CBC, cut by a byte", of: both(cbc, inMetadata), do: body(func(b []byte) []byte { return b[:len(b)-1] }), outcome: "modified envelope-malformed", exit: 1},
	{name: "CBC, cut by a block", of: both(cbc, inMetadata), do: body(func(b []byte) []byte { return b[:len(b)-16] }), outcome: "modified ciphertext-altered|modified truncated|modified gzip-corrupt", exit: 1},
	{name: "IV of 8 bytes", of: v2, do: field("x-amz-iv", encode64(make([]byte, 8))), outcome: "modified envelope-malformed", exit: 1},
	{name: "no IV", of: v2, do: field("x-amz-iv", ""), outcome: "modified envelope-malformed", exit: 1},
	{name: "other IV", of: both(v2, gcm), do: field("x-amz-iv", encode64(make([]byte, 12))), outcome: "modified ciphertext-altered", exit: 1},
	{name: "no wrap", of: v2, do: field("x-amz-wrap-alg", ""), outcome: "modified envelope-malformed", exit: 1},
	{name: "tag of 96 bits", of: both(v2, gcm), do: field("x-amz-tag-len", "96"), outcome: "modified envelope-malformed", exit: 1},
	{name: "two formats", of: inMetadata, do: field("x-amz-key", "AAAA"), outcome: "modified envelope-malformed", exit: 1, silent: true},
	{name: "key that is not base64", of: v2, do: field("x-amz-key-v2", "?"), outcome: "modified envelope-malformed", exit: 1},
	{name: "GCM said to be CBC", of: func(s verifytest.Seal) bool { return v2(s) && gcm(s) && s.Wrap == "kms+context" },
		do: field("x-amz-cek-alg", "AES/CBC/PKCS5Padding"), outcome: "modified envelope-malformed", exit: 1},
	{name: "other wrapped key", of: v2, do: rewrapped("x-amz-key-v2"), outcome: "unreadable envelope-refused", exit: 3},
	{name: "other wrapped key, V3", of: v3, do: rewrapped("x-amz-3"), outcome: "unreadable envelope-refused", exit: 3},
	{name: "other context", of: v2, do: field("x-amz-matdesc", `{"aws:x-amz-cek-alg":"AES/GCM/NoPadding","case":"43"}`), outcome: "unreadable envelope-refused|modified envelope-malformed", exit: -1},
	{name: "commitment", of: v3, do: field("x-amz-d", encode64(make([]byte, 28))), outcome: "modified ciphertext-altered", exit: 1},
	{name: "short commitment", of: v3, do: field("x-amz-d", encode64(make([]byte, 27))), outcome: "modified envelope-malformed", exit: 1},
	{name: "later suite", of: v3, do: field("x-amz-c", "116"), outcome: "unreadable envelope-unsupported|modified envelope-malformed", exit: -1},
	{name: "master key", of: v2, do: field("x-amz-wrap-alg", "AESWrap"), outcome: "unreadable envelope-master-key-needed", exit: 3},
	{name: "no envelope", of: v2, do: func(t *testing.T, w *verifytest.World, ref verify.Ref) {
		alter(t, w, ref, func(o *verifytest.Object) {
			maps.DeleteFunc(o.Metadata, func(name, _ string) bool { return strings.HasPrefix(name, "x-amz-") })
		})
	}, outcome: "modified not-gzip", exit: 1, silent: true},
	{name: "instruction file deleted", of: func(s verifytest.Seal) bool { return s.Instruction }, do: func(_ *testing.T, w *verifytest.World, ref verify.Ref) {
		ref.Key += verifytest.InstructionFile
		w.Delete(ref)
	}, outcome: "modified not-gzip|modified envelope-malformed", exit: 1, silent: true},
	{name: "instruction file broken", of: func(s verifytest.Seal) bool { return s.Instruction }, do: func(t *testing.T, w *verifytest.World, ref verify.Ref) {
		ref.Key += verifytest.InstructionFile
		alter(t, w, ref, func(o *verifytest.Object) { o.Bytes = o.Bytes[:len(o.Bytes)-1] })
	}, outcome: "modified envelope-malformed", exit: 1, silent: true},
}

// What is done to a sealed log, or to a sealed digest, befalls that file alone,
// with the right reason; KMS's word that the key is right makes an altered
// ciphertext tampering, and where KMS refuses nobody is accused.
func TestHTTPKMSTampering(t *testing.T) {
	awsHere(t)
	for _, seal := range fewSeals() {
		t.Run(sealName(seal), func(t *testing.T) {
			t.Parallel()
			for _, tamper := range tamperings {
				if tamper.of(seal) {
					tamper.onLog(t, seal)
					tamper.onDigest(t, seal)
				}
			}
		})
	}
}

func (tamper tampering) onLog(t *testing.T, seal verifytest.Seal) {
	t.Helper()
	w := kmsWorld(t, nil)
	_, logs := spotOf(t, w, "eu-west-1")
	sealWorld(t, w, seal, only(logs[0]))
	tamper.do(t, w, logs[0])
	files := map[string]string{}
	if tamper.name == "instruction file broken" {
		files[beside(logs[0]).URI()] = "unreferenced no-digest" // it is nothing now
	}
	tamper.judge(t, w, logs[0], files)
}

func (tamper tampering) onDigest(t *testing.T, seal verifytest.Seal) {
	t.Helper()
	w := kmsWorld(t, nil)
	d, logs := spotOf(t, w, "eu-west-1")
	files := map[string]string{}
	for _, log := range logs {
		files[log.URI()] = "unreferenced no-digest"
	}
	sealWorld(t, w, seal, only(d.Ref))
	tamper.do(t, w, d.Ref)
	tamper.judge(t, w, d.Ref, files)
}

func (tamper tampering) judge(t *testing.T, w *verifytest.World, ref verify.Ref, files map[string]string) {
	t.Helper()
	s := serveHTTP(t, w, verifytest.ServerOptions{})
	defer s.Close()
	j := judgeKMS(t, w, s.URL, allow(kmsTrail))
	was := outcome(j.file(t, ref))
	if !slices.Contains(strings.Split(tamper.outcome, "|"), was) {
		t.Errorf("%s of %s: %q, want %q: %s", tamper.name, ref.URI(), was, tamper.outcome, j.file(t, ref).Detail)
	}
	exit := tamper.exit
	if exit < 0 {
		exit = map[bool]int{true: 1, false: 3}[strings.HasPrefix(was, "modified")]
	}
	files[ref.URI()] = was
	w2 := clientSide(want{exit: exit, files: files})
	if tamper.silent { // what is left of an envelope may tell all the same
		w2.findings = nil
		for _, f := range j.findings {
			if f.Kind == verify.ClientSide || f.Kind == verify.Junk {
				w2.findings = append(w2.findings, f.Kind)
			}
		}
	}
	j.check(t, w, w2)
}

// An instruction file that may not be read makes its object unreadable with the
// store's reason, and is not taken for one that is not there.
func TestHTTPKMSInstructionRefused(t *testing.T) {
	awsHere(t)
	for _, scheme := range []string{"s3ec-v2", "s3ec-v3"} {
		for _, fault := range []verifytest.Fault{
			{Status: 403, Code: "AccessDenied", Message: "Access Denied"},
			{Status: 500, Code: "InternalError"},
			{Status: 403, Code: "InvalidObjectState"},
		} {
			w := kmsWorld(t, nil)
			sealWorld(t, w, verifytest.Seal{Scheme: scheme, Instruction: true}, isLog)
			fault.Operation, fault.Key = "GetObject", "*"+verifytest.InstructionFile
			s := serveHTTP(t, w, verifytest.ServerOptions{Faults: []verifytest.Fault{fault}})
			j := judgeKMS(t, w, s.URL, allow(kmsTrail))
			reason := map[string]string{"AccessDenied": "access-denied", "InternalError": "read-failed", "InvalidObjectState": "archived"}[fault.Code]
			want := outcomes(w, "", "unreadable "+reason)
			for _, f := range j.files {
				if strings.HasSuffix(f.URI, verifytest.InstructionFile) {
					want[f.URI] = "unreferenced no-digest" // what it is cannot be told
				}
			}
			j.check(t, w, kindsOf(j, want))
			noRequest(t, s, "Decrypt")
		}
	}
}

// kindsOf is a want of exit 3 that takes client-side or none.
func kindsOf(j *judgement, files map[string]string) want {
	w := want{exit: 3, files: files}
	if j.finding(verify.ClientSide).Kind != "" {
		w = clientSide(w)
	}
	return w
}

// Instruction files beside the logs that they open are nobody's concern. What
// only bears such a name is a file like others: it may hold records.
func TestHTTPKMSInstructionForged(t *testing.T) {
	awsHere(t)
	w := kmsWorld(t, nil)
	_, logs := spotOf(t, w, "eu-west-1")
	_, others := spotOf(t, w, "us-east-1")
	sealWorld(t, w, verifytest.Seal{Scheme: "s3ec-v2", Instruction: true}, only(others...))
	envelope, _ := w.Get(beside(others[0]))
	with := func(name string, value any) []byte {
		fields := map[string]any{}
		if err := json.Unmarshal(envelope.Bytes, &fields); err != nil {
			t.Fatal(err)
		}
		fields[name] = value
		text, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	nobody := logs[1]
	nobody.Key = strings.Replace(nobody.Key, "Z_", "Z_x", 1)
	forged := map[verify.Ref][]byte{
		beside(logs[0]): []byte(`{"Records":[{"eventVersion":"1.08"}]}`),
		beside(logs[1]): with("Records", "[{}]"),
		beside(nobody):  envelope.Bytes, // of an object that is not there
	}
	files := map[string]string{}
	for ref, text := range forged {
		w.Put(ref, verifytest.Object{Bytes: text, Modified: w.Now().Add(-72 * 3600e9)})
		files[ref.URI()] = "unreferenced no-digest"
	}
	gz, _ := w.Get(logs[0])
	deep := beside(beside(logs[0]))
	w.Put(deep, gz)
	files[deep.URI()] = "unreferenced no-digest"
	s := serveHTTP(t, w, verifytest.ServerOptions{})
	judgeKMS(t, w, s.URL, allow(kmsTrail)).check(t, w, clientSide(want{exit: 3, files: files}))
	judgeKMS(t, w, s.URL, func(a *kmsAsking) { a.AnyKey = true }).check(t, w, clientSide(want{exit: 3, files: files}))
	judgeSealedCopy(t, w, s.URL, copyOf(t, w), kms.Opener{Keys: []string{kmsTrail}}).check(t, w, want{exit: 3, files: files})
}

// beside is where an object's instruction file lies.
func beside(ref verify.Ref) verify.Ref {
	ref.Key += verifytest.InstructionFile
	return ref
}

// An envelope that somebody wrote beside a log that nobody sealed accuses
// nobody: the log is what its digest vouches for, and KMS is not asked.
func TestHTTPKMSPlantedEnvelope(t *testing.T) {
	awsHere(t)
	for name, fields := range map[string]map[string]string{
		"V2":          {"x-amz-key-v2": "AAAA", "x-amz-iv": encode64(make([]byte, 12)), "x-amz-wrap-alg": "kms+context", "x-amz-cek-alg": "AES/GCM/NoPadding"},
		"V2, broken":  {"x-amz-key-v2": "?"},
		"V3":          {"x-amz-3": "AAAA", "x-amz-c": "115"},
		"two formats": {"x-amz-key": "AAAA", "x-amz-3": "AAAA"},
		"V1":          {"x-amz-key": "AAAA", "x-amz-iv": "AAAA"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := kmsWorld(t, nil)
			d, logs := spotOf(t, w, "eu-west-1")
			for _, ref := range []verify.Ref{d.Ref, logs[0]} {
				alter(t, w, ref, func(o *verifytest.Object) { maps.Copy(o.Metadata, fields) })
			}
			s := serveHTTP(t, w, verifytest.ServerOptions{})
			for _, change := range []func(*kmsAsking){nil, allow(kmsTrail), func(a *kmsAsking) { a.AnyKey = true }, func(a *kmsAsking) { a.off = true }} {
				j := judgeKMS(t, w, s.URL, change)
				if j.finding(verify.ClientSide).Kind == "" {
					t.Errorf("nothing is said of the envelopes:\n%s", j)
				}
				j.check(t, w, clientSide(want{}))
			}
			noRequest(t, s, "Decrypt", "DescribeKey")
		})
	}
}
