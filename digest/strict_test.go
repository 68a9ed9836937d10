package digest

import (
	"strings"
	"testing"
)

func TestParseRefuses(t *testing.T) {
	entry := normal[strings.Index(normal, "      {"):strings.Index(normal, "    ]")]
	with := func(old, new string) string {
		if !strings.Contains(normal, old) {
			t.Fatalf("no %q in the specimen", old)
		}
		return strings.Replace(normal, old, new, 1)
	}
	add := func(field string) string { return with(`"awsAccountId"`, field+`,"awsAccountId"`) }
	for _, c := range []struct{ name, text, says string }{
		{"nothing", ``, "too early"},
		{"null", `null`, "want '{'"},
		{"array", `[]`, "want '{'"},
		{"empty object", `{}`, `no field "awsAccountId"`},
		{"byte order mark", "\xef\xbb\xbf" + normal, "byte order mark"},
		{"UTF-16", "\xff\xfe{\x00", "want '{'"},
		{"trailing bytes", normal + "x", "follows"},
		{"trailing NUL", normal + "\x00", "follows"},
		{"second document", normal + normal, "follows"},
		{"cut", normal[:len(normal)-1], "too early"},
		{"comma before brace", with(`    ]`, `    ],`), "want a string"},
		{"comma before bracket", with(`      }`, `      },`), "want '{'"},
		{"no colon", with(`"awsAccountId":`, `"awsAccountId"`), "want ':'"},
		{"no comma", with(`"111122223333",`, `"111122223333"`), "want ',' or '}'"},
		{"comment", with(`{`, `{/**/`), "want a string"},
		{"field twice", add(`"digestS3Bucket":"other"`), "comes twice"},
		{"field twice, escaped", add(`"digestS3\u0042ucket":"other"`), "comes twice"},
		{"logFiles twice", add(`"logFiles":[]`), "comes twice"},
		{"entry's field twice", with(`"hashAlgorithm"`, `"s3Object":"x","hashAlgorithm"`), "comes twice"},
		{"wrong case", with(`"awsAccountId"`, `"AWSAccountId"`), "is written"},
		{"wrong case beside", add(`"LOGFILES":[]`), "is written"},
		{"wrong case in an entry", with(`"hashValue"`, `"HashValue"`), "is written"},
		{"long s", add(`"logFile\u017f":[]`), "is written"},
		{"number for account", with(`"111122223333"`, `111122223333`), "want a string"},
		{"empty account", with(`"111122223333"`, `""`), "empty"},
		{"null for account", with(`"111122223333"`, `null`), "want a string"},
		{"null for logFiles", edit(starting, `[]`, `null`), "want '['"},
		{"object for logFiles", edit(starting, `[]`, `{}`), "want '['"},
		{"null entry", edit(starting, `[]`, `[null]`), "want '{'"},
		{"empty entry", edit(starting, `[]`, `[{},{}]`), "entry 1: one of"},
		{"entry in entry", with(entry, "["+entry+"]"), "want '{'"},
		{"empty object name", with(entry, edit(entry, `"AWSLogs`, `"", "x": "AWSLogs`)), "empty"},
		{"no hash", with(`"hashValue"`, `"hash"`), "missing"},
		{"short hash", with(`1fc71f6"`, `1fc71f"`), "63 characters"},
		{"hash not hex", with(`1fc71f6"`, `1fc71fg"`), "invalid byte"},
		{"previous hash short", with(`c13df2d"`, `c13df2"`), "previousDigestHashValue"},
		{"half of previous null", with(`"amzn-s3-demo-bucket",
    "previousDigestS3O`, `null,
    "previousDigestS3O`), "some of its previous-fields"},
		{"half of previous missing", with(`"previousDigestSignature"`, `"x"`), "some of its previous-fields"},
		{"previous a number", with(`"previousDigestSignature": "`, `"previousDigestSignature": 1, "x": "`), "want a string"},
		{"previous nullx", with(`"previousDigestSignature": "`, `"previousDigestSignature": nullx, "x": "`), "want ','"},
		{"end before start", with(`T15:01:31Z"`, `T14:01:31Z"`), "not after its start"},
		{"offset", with(`T15:01:31Z"`, `T15:01:31+00:00"`), "want the form"},
		{"fraction", with(`T15:01:31Z"`, `T15:01:31.5Z"`), "want the form"},
		{"one digit", with(`T15:01:31Z"`, `T15:01:3Z"`), "want the form"},
		{"lower case", with(`2015-08-17T15:01:31Z"`, `2015-08-17t15:01:31z"`), "want the form"},
		{"30 February", with(`2015-08-17T14:52`, `2015-02-30T14:52`), "want the form"},
		{"hour 24", with(`2015-08-17T14:52`, `2015-08-17T24:52`), "want the form"},
		{"sign in a time", with(`2015-08-17T14:52`, `2015-+8-17T14:52`), "want the form"},
		{"time not ASCII", with(`2015-08-17T14:52:27Z`, `2015-08-17T14:52:2é`), "want the form"},
		{"epoch", with(`"2015-08-17T14:52:27Z"`, `1439823147`), "want a string"},
		{"deep", add(`"x":` + strings.Repeat("[", 70) + strings.Repeat("]", 70)), "deep"},
		{"deep and cut", `{"x":` + strings.Repeat(`{"a":`, 1<<20), "deep"},
		{"not UTF-8", with("your-trail", "your\xfftrail"), "not UTF-8"},
		{"not UTF-8, unknown", add("\"x\":\"\xc0\xaf\""), "not UTF-8"},
		{"surrogate as bytes", add("\"x\":\"\xed\xa0\x80\""), "not UTF-8"},
		{"lone surrogate", with("your-trail", `your\ud800trail`), "no character"},
		{"surrogates the wrong way", add(`"x":"\ude00\ud83d"`), "no character"},
		{"half a pair", add(`"x":"\ud83d\u0041"`), "no character"},
		{"unknown escape", add(`"x":"\x41"`), "no character"},
		{"escape cut", `{"\`, "no character"},
		{"escape of 3 digits", add(`"x":"\u041"`), "no character"},
		{"escape with sign", add(`"x":"\u+041"`), "no character"},
		{"escape with _", add(`"x":"\u0_41"`), "no character"},
		{"new line in a string", with("your-trail", "your\ntrail"), "control character"},
		{"NUL in a string", add("\"x\":\"\x00\""), "control character"},
		{"escaped control", add("\"x\":\"\\\n\""), "no character"},
		{"number with zero", add(`"x":01`), "want a value"},
		{"hexadecimal", add(`"x":0x1`), "want a value"},
		{"NaN", add(`"x":NaN`), "want a value"},
		{"True", add(`"x":True`), "want a value"},
		{"no value", add(`"x":`), "want a value"},
		{"single quotes", add(`'x':1`), "want a string"},
		{"long name", add(`"` + strings.Repeat("x", maxText+1) + `":1`), "a string of"},
		{"long object", with("your-trail", strings.Repeat("x", maxText)), "a string of"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := Parse([]byte(c.text))
			if err == nil {
				t.Fatalf("accepted: %+v", r)
			}
			if !strings.Contains(err.Error(), c.says) || len(err.Error()) > 400 {
				t.Errorf("says %q, want %q in it", err, c.says)
			}
		})
	}
}

// No cut of a digest is a digest, and none makes the parser panic.
func TestParseCut(t *testing.T) {
	for _, text := range []string{normal, starting} {
		for n := range len(text) {
			if _, err := Parse([]byte(text[:n])); err == nil {
				t.Fatalf("accepted the first %d bytes", n)
			}
		}
	}
}
