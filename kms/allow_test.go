package kms

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestParseKey(t *testing.T) {
	for _, good := range []string{arn1, mrkEU, "arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/abc", "arn:aws-cn:kms:cn-north-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"} {
		if got, err := ParseKey(good); err != nil || got != good || KeyAccount(good) != "111122223333" || !strings.Contains(good, KeyRegion(good)) {
			t.Errorf("%s: %v", good, err)
		}
	}
	for bad, says := range map[string]string{
		"": "no ARN", "alias/logs": "an alias", "arn:aws:kms:us-east-1:111122223333:alias/logs": "an alias", "1234abcd-12ab-34cd-56ef-1234567890ab": "no ARN",
		"mrk-1234": "no ARN", "arn:aws:kms:ctlogs-key": "not the ARN", "arn:aws:s3:us-east-1:111122223333:key/x": "not the ARN", "arn:awx:kms:us-east-1:111122223333:key/x": "not the ARN",
		"arn:aws:kms::111122223333:key/x": "region", "arn:aws:kms:us-east-1:11112222333:key/x": "account", "arn:aws:kms:us-east-1:11112222333x:key/x": "account",
		"arn:aws:kms:us-east-1:111122223333:key/": "key/ID", "arn:aws:kms:us-east-1:111122223333:key/a b": "key/ID", "arn:aws:kms:us-east-1:111122223333:grant/x": "key/ID",
		arn1 + "\n": "key/ID", " " + arn1: "not the ARN", arn1 + ":x": "not the ARN", "arn:aws:kms:us-east-1:111122223333:key/" + strings.Repeat("a", 1<<20): "key/ID", "arn:aws-\x1b:kms:us-east-1:111122223333:key/x": "region",
	} {
		got, err := ParseKey(bad)
		if err == nil || got != "" || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "arn:aws:kms:REGION") || len(err.Error()) > 300 || strings.ContainsAny(err.Error(), "\n\x1b") {
			t.Errorf("%.60q: %v", bad, err)
		}
	}
	for _, short := range []string{"", "arn:aws:kms:ctlogs-key", "x:y:z:a:b:c", "alias/x"} {
		if KeyRegion(short)+KeyAccount(short) != "" {
			t.Errorf("%s", short)
		}
	}
}

const elsewhere = "arn:aws:kms:us-east-1:999988887777:key/00000000-0000-4000-8000-000000000009"

func TestWhoIsAsked(t *testing.T) {
	for name, c := range map[string]struct {
		keys   []string
		any    bool
		refuse map[string]string
		asked  []string // as S3EC object, sealed with arn1 and hinting at none
		want   Reason
		named  []string // asked for a message of arn2 and arn1, in this order
		end    Reason
	}{
		"nobody":          {nil, false, nil, nil, KeyNotAllowed, nil, KeyNotAllowed},
		"the one":         {[]string{arn1}, false, nil, []string{arn1}, "", []string{arn1}, ""},
		"another":         {[]string{elsewhere}, false, nil, []string{elsewhere}, KeyNotAllowed, nil, KeyNotAllowed},
		"both":            {[]string{arn2, arn1}, false, nil, []string{arn2, arn1}, "", []string{arn2}, ""},
		"twice":           {[]string{arn2, arn2, arn1}, false, nil, []string{arn2, arn1}, "", []string{arn2}, ""},
		"any":             {nil, true, nil, []string{""}, "", []string{arn2}, ""},
		"one, or any":     {[]string{arn2}, true, nil, []string{arn2, ""}, "", []string{arn2}, ""},
		"disabled":        {[]string{arn1, arn2}, false, map[string]string{arn1: "DisabledException", arn2: "DisabledException"}, []string{arn1, arn2}, KeyDisabled, []string{arn2, arn1}, KeyDisabled},
		"next":            {[]string{arn2, arn1}, false, map[string]string{arn2: "KMSInvalidStateException x is pending deletion."}, []string{arn2, arn1}, "", []string{arn2, arn1}, ""},
		"disabled, wrong": {[]string{arn1, arn2}, false, map[string]string{arn1: "DisabledException"}, []string{arn1, arn2}, KeyDisabled, []string{arn2}, ""},
		"throttled":       {[]string{arn1, arn2}, false, map[string]string{arn1: "ThrottlingException", arn2: "DisabledException"}, []string{arn1, arn2}, Throttled, []string{arn2, arn1}, Throttled},
		"pending":         {[]string{arn1}, false, map[string]string{arn1: "KMSInvalidStateException x is pending deletion."}, []string{arn1}, KeyPending, []string{arn1}, KeyPending},
		"gone":            {[]string{arn1}, false, map[string]string{arn1: "NotFoundException"}, []string{arn1}, KeyNotFound, []string{arn1}, KeyNotFound},
		"denied":          {[]string{arn1}, false, map[string]string{arn1: "AccessDeniedException"}, []string{arn1}, Denied, []string{arn1}, Denied},
		"says no more":    {[]string{arn1}, false, map[string]string{arn1: "ValidationException"}, []string{arn1}, Unreachable, []string{arn1}, Unreachable},
	} {
		s := sealer{newTable()}
		s.refuse = c.refuse
		meta, body := s.v2(cipherGCM, someContext, []byte("x"))
		check := func(what string, asked []string, reason Reason, in Sealed) {
			s.calls = nil
			opened, err := (&Opener{KMS: s, Keys: c.keys, AnyKey: c.any}).Open(context.Background(), in)
			var got []string
			for _, call := range s.calls {
				got = append(got, call.key)
			}
			if !slices.Equal(got, asked) || (err == nil) != (reason == "") || err != nil && !refusedFor(err, reason) {
				t.Errorf("%s, %s: asked %v, %v", name, what, got, err)
			}
			if r, ok := errors.AsType[*RefusedError](err); ok && reason == KeyNotAllowed && !strings.Contains(r.Hint, "--kms-key") {
				t.Errorf("%s, %s: hint %q", name, what, r.Hint)
			}
			if err == nil && opened.Key != arn1 && opened.Key != arn2 {
				t.Errorf("%s, %s: key %s", name, what, opened.Key)
			}
		}
		check("object", c.asked, c.want, inMemoryObject(meta, body))
		message := s.message(messageForm{suite: 0x0478, frame: 64, context: someContext, keys: []string{arn2, arn1}}, []byte("x"))
		check("message", c.named, c.end, inMemoryObject(nil, message))
	}
}

// A refusal names the key where the object does, and the key that was asked for
// an object that names none.
func TestRefusedKey(t *testing.T) {
	s := sealer{newTable()}
	legacy, body := s.v2(cipherCBC, nil, []byte("x"))
	bound, gcm := s.v2(cipherGCM, someContext, []byte("x"))
	message := s.message(messageForm{suite: 0x0478, frame: 64, context: someContext, keys: []string{arn1}}, []byte("x"))
	s.refuse = map[string]string{arn2: "DisabledException"}
	for _, c := range []struct {
		in   Sealed
		keys []string
		want string
	}{
		{inMemoryObject(legacy, body), nil, arn1}, {inMemoryObject(bound, gcm), nil, ""}, {inMemoryObject(nil, message), nil, arn1},
		{inMemoryObject(legacy, body), []string{arn2}, arn2}, {inMemoryObject(bound, gcm), []string{arn2}, arn2}, {inMemoryObject(bound, gcm), []string{mrkEU}, ""},
	} {
		_, err := (&Opener{KMS: s, Keys: c.keys}).Open(context.Background(), c.in)
		if r, ok := errors.AsType[*RefusedError](err); !ok || r.Key != c.want {
			t.Errorf("%v: %v", c.keys, err)
		}
	}
	// The hinted key is asked first.
	s.calls = nil
	if _, err := (&Opener{KMS: s, Keys: []string{arn2, arn1}}).Open(context.Background(), inMemoryObject(legacy, body)); err != nil || len(s.calls) != 1 {
		t.Errorf("%d calls, %v", len(s.calls), err)
	}
}

// A multi-region key is the same key in each region; others never are.
func TestMultiRegion(t *testing.T) {
	s := sealer{newTable()}
	message := s.message(messageForm{suite: 0x0578, frame: 64, context: someContext, keys: []string{mrkUS}}, []byte("x"))
	for _, c := range []struct {
		keys, asked []string
		refuse      string
		ok          bool
	}{
		{[]string{mrkUS}, []string{mrkUS}, "", true},
		{[]string{mrkEU}, []string{mrkEU}, "", true},
		{[]string{mrkEU}, []string{mrkEU}, mrkEU, false}, // the object does not choose the region
		{[]string{mrkUS}, []string{mrkUS}, mrkUS, false},
		{[]string{strings.Replace(mrkEU, "1111", "9999", 1)}, nil, "", false},
		{[]string{strings.Replace(mrkEU, "arn:aws:", "arn:aws-cn:", 1)}, nil, "", false},
		{[]string{strings.Replace(arn1, "us-east-1", "eu-west-1", 1)}, nil, "", false},
	} {
		s.calls, s.refuse = nil, map[string]string{c.refuse: "AccessDeniedException"}
		_, err := (&Opener{KMS: s, Keys: c.keys}).Open(context.Background(), inMemoryObject(nil, message))
		var asked []string
		for _, call := range s.calls {
			asked = append(asked, call.key)
		}
		if (err == nil) != c.ok || !slices.Equal(asked, c.asked) {
			t.Errorf("%v: asked %v, %v", c.keys, asked, err)
		}
	}
}

// A Decrypter that is not the table's.
type decrypterFunc func(key string) ([]byte, string, error)

func (f decrypterFunc) Decrypt(_ context.Context, _ []byte, _ map[string]string, key string) ([]byte, string, error) {
	return f(key)
}

func TestWhatKMSAnswers(t *testing.T) {
	s := sealer{newTable()}
	meta, body := s.v2(cipherGCM, someContext, []byte("x"))
	v3, body3 := s.v3(someContext, []byte("x"))
	message := s.message(messageForm{suite: 0x0178, frame: 64, context: someContext, keys: []string{arn1}}, []byte("x"))
	objects := map[string]Sealed{"v2": inMemoryObject(meta, body), "v3": inMemoryObject(v3, body3), "message": inMemoryObject(nil, message)}
	for name, c := range map[string]struct {
		f    decrypterFunc
		want Reason
	}{
		"another key": {func(string) ([]byte, string, error) { return make([]byte, 32), elsewhere, nil }, KeyNotAllowed},
		"wrong key":   {func(string) ([]byte, string, error) { return make([]byte, 32), arn1, nil }, Altered},
		"not told":    {func(string) ([]byte, string, error) { return make([]byte, 32), "", nil }, Altered},
		"no bytes":    {func(string) ([]byte, string, error) { return nil, arn1, nil }, Malformed},
		"few bytes":   {func(string) ([]byte, string, error) { return make([]byte, 16), arn1, nil }, Malformed},
		"many bytes":  {func(string) ([]byte, string, error) { return make([]byte, 64), arn1, nil }, Malformed},
		"nothing":     {func(string) ([]byte, string, error) { return nil, "", errors.New("no route to host") }, Unreachable},
		"its network": {func(string) ([]byte, string, error) { return nil, "", fmt.Errorf("x: %w", context.DeadlineExceeded) }, Unreachable},
	} {
		for what, in := range objects {
			in.Body, in.Size = readers["memory"](map[string][]byte{"v2": body, "v3": body3, "message": message}[what])
			_, err := (&Opener{KMS: c.f, Keys: []string{arn1}}).Open(context.Background(), in)
			if got := end(t, nil, err, nil, ""); got != c.want {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for what, in := range objects {
		in.Body, in.Size = readers["memory"](map[string][]byte{"v2": body, "v3": body3, "message": message}[what])
		if _, err := (&Opener{KMS: s, Keys: []string{arn1}}).Open(ctx, in); err != context.Canceled {
			t.Errorf("%s, given up: %v", what, err)
		}
	}
}

func TestDemandedContext(t *testing.T) {
	s := sealer{newTable()}
	meta, body := s.v2(cipherGCM, someContext, []byte("x"))
	v3, body3 := s.v3(someContext, []byte("x"))
	legacy, bodyL := s.v2(cipherGCM, nil, []byte("x"))
	message := s.message(messageForm{suite: 0x0178, frame: 64, context: someContext, keys: []string{arn1}}, []byte("x"))
	for what, c := range map[string]struct {
		meta map[string]string
		body []byte
	}{"v2": {meta, body}, "v3": {v3, body3}, "message": {nil, message}, "legacy": {legacy, bodyL}} {
		for _, d := range []struct {
			pairs map[string]string
			ok    bool
		}{
			{nil, true}, {someContext, what != "legacy"}, {map[string]string{"purpose": "archive"}, what != "legacy"}, {map[string]string{"purpose": "Archive"}, false},
			{map[string]string{"x": ""}, false}, {map[string]string{boundCipher: cipherGCM}, false}, {map[string]string{hintedKey: arn1}, false},
		} {
			s.calls = nil
			_, err := (&Opener{KMS: s, AnyKey: true, Context: d.pairs}).Open(context.Background(), inMemoryObject(c.meta, c.body))
			if d.ok != (err == nil) || !d.ok && (!refusedFor(err, EnvelopeRefused) || len(s.calls) > 0) {
				t.Errorf("%s, %v: %v", what, d.pairs, err)
			}
			if r, ok := errors.AsType[*RefusedError](err); ok && !strings.Contains(r.Hint, "--encryption-context") {
				t.Errorf("%s: hint %q", what, r.Hint)
			}
		}
	}
}

// Where every key may be asked, an object still chooses no other partition's
// region, and one message costs few requests.
func TestAnObjectChoosesLittle(t *testing.T) {
	for arn, may := range map[string]bool{
		arn1: true, "arn:aws-cn:kms:cn-north-1:111122223333:key/x": true, "arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/x": true,
		"arn:aws:kms:cn-north-1:111122223333:key/x": false, "arn:aws-cn:kms:eu-west-1:111122223333:key/x": false,
		"arn:aws:kms:us-iso-east-1:111122223333:key/x": false, "arn:aws-iso-b:kms:us-isob-east-1:111122223333:key/x": true,
	} {
		if got := len((&Opener{AnyKey: true}).keysFor(arn)) == 1; got != may {
			t.Errorf("%s: %v", arn, got)
		}
	}
	s := sealer{newTable()}
	keys := slices.Repeat([]string{arn1}, 16)
	message := s.message(messageForm{suite: 0x0478, frame: 64, context: someContext, keys: keys}, []byte("x"))
	s.calls, s.refuse = nil, map[string]string{arn1: "DisabledException"}
	if _, err := (&Opener{KMS: s, Keys: []string{arn1}}).Open(context.Background(), inMemoryObject(nil, message)); err == nil || len(s.calls) > mostPerKey {
		t.Errorf("%d calls, %v", len(s.calls), err)
	}
	// A key that may not be asked is named as that, whatever else is demanded.
	_, err := (&Opener{KMS: s, Keys: []string{arn2}, Context: map[string]string{"case": "42"}}).Open(context.Background(), inMemoryObject(nil, message))
	if r, ok := errors.AsType[*RefusedError](err); !ok || r.Reason != KeyNotAllowed {
		t.Errorf("%v", err)
	}
}
