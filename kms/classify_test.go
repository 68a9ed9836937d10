package kms

import (
	"strings"
	"testing"
)

const someARN = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"

const notAuthorized = "User: arn:aws:sts::111122223333:assumed-role/r/s is not authorized to perform: kms:Decrypt on resource: " + someARN + " because "

// Every refusal that has to do with a key: S3's, KMS's own, and MinIO's.
func TestClassify(t *testing.T) {
	for _, c := range []struct {
		code, message string
		want          Reason
		hint          string
		open          bool // the key's state may tell more
	}{
		// S3, as AWS words it.
		{"AccessDenied", notAuthorized + "no identity-based policy allows the kms:Decrypt action", Denied, "kms:Decrypt", false},
		{"AccessDenied", notAuthorized + "no resource-based policy allows the kms:Decrypt action", Denied, "kms:Decrypt", false},
		{"AccessDenied", notAuthorized + "no VPC endpoint policy allows the kms:Decrypt action", Denied, "kms:Decrypt", false},
		{"AccessDenied", notAuthorized + "with an explicit deny in a service control policy", Denied, "kms:Decrypt", false},
		{"AccessDenied", "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.", Denied, "or the key is gone", true},
		{"KMS.DisabledException", someARN + " is disabled.", KeyDisabled, "kms:EnableKey", false},
		{"KMS.KMSInvalidStateException", someARN + " is pending deletion.", KeyPending, "kms:CancelKeyDeletion", false},
		{"KMS.KMSInvalidStateException", someARN + " is pending replica deletion.", KeyPending, "kms:CancelKeyDeletion", false},
		{"KMS.KMSInvalidStateException", someARN + " is pending import.", KeyUnusable, "import", true},
		{"KMS.KMSInvalidStateException", someARN + " is unavailable.", KeyUnusable, "kms:DescribeKey", true},
		{"KMS.KMSInvalidStateException", someARN + " is creating.", KeyUnusable, "kms:DescribeKey", true},
		{"KMS.NotFoundException", "Key '" + someARN + "' does not exist", KeyNotFound, "another region", false},
		{"KMS.NotFoundException", "Invalid keyId", KeyNotFound, "another region", false},
		{"KMS.NotFoundException", "Invalid arn eu-west-2", KeyNotFound, "another region", false},
		{"KMS.ThrottlingException", "Rate exceeded", Throttled, "--concurrency", false},
		{"ThrottlingException", "Rate exceeded", Throttled, "--concurrency", false},
		{"KMS.KMSInternalException", "", Unreachable, "later", false},
		// MinIO.
		{"kms:KeyNotFound", "key with given key ID does not exist", KeyNotFound, "gone", false},
		{"kms:InvalidCiphertextException", "failed to decrypt ciphertext", KeyChanged, "another key", false},
		{"kms:NotAuthorized", "", Denied, "kms:Decrypt", false},
		// KMS itself.
		{"DisabledException", someARN + " is disabled.", KeyDisabled, "kms:EnableKey", false},
		{"KMSInvalidStateException", someARN + " is pending deletion.", KeyPending, "kms:CancelKeyDeletion", false},
		{"KMSInvalidStateException", someARN + " is disabled.", KeyDisabled, "kms:EnableKey", false},
		{"NotFoundException", "Key '" + someARN + "' does not exist", KeyNotFound, "gone", false},
		{"AccessDeniedException", "User: x is not authorized to perform: kms:Decrypt on this resource", Denied, "key's policy", false},
		{"AccessDeniedException", "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.", Denied, "key's policy", true},
		{"InvalidCiphertextException", "", EnvelopeRefused, "does not say", false},
		{"IncorrectKeyException", "The key ID in the request does not identify a CMK that can perform this operation.", KeyNotAllowed, "--kms-key", false},
		{"KeyUnavailableException", "", Unreachable, "later", false},
		{"KMSInternalException", "", Unreachable, "later", false},
		{"DependencyTimeoutException", "", Unreachable, "later", false},
		{"LimitExceededException", "", Throttled, "--concurrency", false},
		// None of a key's business, though a name in it may look so.
		{"AccessDenied", "Access Denied", "", "", false},
		{"AccessDenied", "User: x is not authorized to perform: s3:GetObject on resource: \"arn:aws:s3:::b/k\"", "", "", false},
		{"AccessDenied", "", "", "", false},
		{"NoSuchKey", "The specified key does not exist.", "", "", false},
		{"InvalidObjectState", "", "", "", false},
		{"SlowDown", "Please reduce your request rate for operations involving AWS KMS", "", "", false}, // S3's own, which its table knows
		{"KMS.", "", "", "", false},
		{"kmsDisabledException", "", "", "", false},
		{"KMS.kms:DisabledException", "", "", "", false},
		{"", someARN + " is disabled.", "", "", false},
	} {
		got, hint := Classify(c.code, c.message)
		if got != c.want || !strings.Contains(hint, c.hint) || (hint == "") != (c.want == "") {
			t.Errorf("%s %q: %s (%s), want %s (%s)", c.code, c.message, got, hint, c.want, c.hint)
		}
		if open := Ambiguous(got, c.message); open != c.open {
			t.Errorf("%s %q: leaves something open: %v", c.code, c.message, open)
		}
	}
}

// What a key is called, or an object under it, decides nothing.
func TestClassifyHostileNames(t *testing.T) {
	for _, resource := range []string{"arn:aws:s3:::b/kms:Decrypt", "arn:aws:s3:::b/" + someARN, "arn:aws:s3:::b/ciphertext refers to a customer master key"} {
		message := "User: arn:aws:iam::111122223333:user/u is not authorized to perform: s3:GetObject on resource: \"" + resource + "\" because no identity-based policy allows the s3:GetObject action"
		if got, _ := Classify("AccessDenied", message); got != "" {
			t.Errorf("%s: %s", resource, got)
		}
	}
}

func TestRefine(t *testing.T) {
	const gone = "The ciphertext refers to a customer master key that does not exist, ..."
	for _, c := range []struct {
		state   string
		reason  Reason
		message string
		want    Reason
		hint    string
	}{
		{Gone, Denied, gone, KeyNotFound, "no such key"},
		{"Disabled", Denied, gone, KeyDisabled, "kms:EnableKey"},
		{"PendingDeletion", Denied, gone, KeyPending, "kms:CancelKeyDeletion"},
		{"Enabled", Denied, gone, Denied, "as it was"},
		{"", Denied, gone, Denied, "as it was"},
		{Gone, KeyUnusable, "", KeyNotFound, "no such key"},
		{"Disabled", KeyUnusable, "", KeyDisabled, "kms:EnableKey"},
		{"PendingDeletion", KeyUnusable, "", KeyPending, "kms:CancelKeyDeletion"},
		{"PendingReplicaDeletion", KeyUnusable, "", KeyPending, "kms:CancelKeyDeletion"},
		{"PendingImport", KeyUnusable, "", KeyUnusable, "import it again"},
		{"Unavailable", KeyUnusable, "", KeyUnusable, "kms:ConnectCustomKeyStore"},
		{"Enabled", KeyUnusable, "", KeyUnusable, "as it was"},
		{"Creating", KeyUnusable, "", KeyUnusable, "as it was"},
		{"", KeyUnusable, "", KeyUnusable, "as it was"},
		// What S3 said clearly, a state that changed meanwhile does not unsay.
		{"Enabled", KeyDisabled, "", KeyDisabled, "as it was"},
		{Gone, KeyDisabled, "", KeyDisabled, "as it was"},
		{Gone, Denied, "Access Denied", Denied, "as it was"},
		{"Disabled", KeyChanged, "", KeyChanged, "as it was"},
	} {
		got, hint := State{Name: c.state}.Refine(c.reason, "as it was", c.message)
		if got != c.want || !strings.Contains(hint, c.hint) {
			t.Errorf("%s of a key that is %q: %s (%s), want %s (%s)", c.reason, c.state, got, hint, c.want, c.hint)
		}
	}
}

func TestKeyIn(t *testing.T) {
	long := strings.Repeat("a", 500)
	for message, want := range map[string]string{
		someARN + " is disabled.":                                              someARN,
		"Key '" + someARN + "' does not exist":                                 someARN,
		notAuthorized + "with an explicit deny":                                someARN,
		"\x1b]0;" + someARN + "\x07\n":                                         someARN,
		"arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/mrk-1 is disabled.": "arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/mrk-1",
		"arn:aws:kms:eu-west-1:111122223333:key/" + long:                       "arn:aws:kms:eu-west-1:111122223333:key/" + long[:128],
		"":                       "",
		"arn:aws:kms:ctlogs-key": "",
		"arn:aws:kms:eu-west-1:111122223333:alias/x":                                   "",
		"arn:aws:kms:eu-west-1:11112222333:key/x":                                      "",
		"arn:aws:kms:EU:111122223333:key/x":                                            "",
		"arn:aws:kms:eu-west-1:111122223333:key/\x1b[2J":                               "",
		"arn:aws:s3:eu-west-1:111122223333:key/x":                                      "",
		strings.Repeat("arn:aws:kms:", 10_000):                                         "",
		"arn:aws:iam::111122223333:user/u " + someARN + " " + strings.ToUpper(someARN): someARN,
	} {
		got := KeyIn(message)
		if got != want {
			t.Errorf("%.80q: %q, want %q", message, got, want)
		}
		if _, err := ParseKey(got); got != "" && err != nil {
			t.Errorf("%.80q: %v", message, err)
		}
	}
}

func TestIsInstruction(t *testing.T) {
	k := newTable()
	meta, _ := sealer{k}.v2(cipherGCM, someContext, []byte("x"))
	delete(meta, "other")
	v2 := object(meta)
	meta, _ = sealer{k}.v3(someContext, []byte("x"))
	v3 := object(map[string]string{"x-amz-3": meta["x-amz-3"], "x-amz-w": "12", "x-amz-t": meta["x-amz-t"]})
	for name, c := range map[string]struct {
		content string
		want    bool
	}{
		"V2":                 {v2, true},
		"V2, with a number":  {strings.Replace(v2, `"128"`, `128`, 1), true},
		"V3":                 {v3, true},
		"V1":                 {`{"x-amz-key":"AA==","x-amz-iv":"AA==","x-amz-matdesc":"{}"}`, true},
		"with records":       {strings.Replace(v2, `{`, `{"Records":"x",`, 1), false},
		"with a list":        {strings.Replace(v2, `{`, `{"x-amz-list":[],`, 1), false},
		"with an object":     {strings.Replace(v2, `{`, `{"x-amz-deep":{"x":1},`, 1), false},
		"another name":       {strings.Replace(v2, `{`, `{"X-Amz-Key-V2":"x",`, 1), false},
		"a name twice":       {strings.Replace(v2, `{`, `{"x-amz-iv":"x",`, 1), false},
		"two formats":        {strings.Replace(v2, `{`, `{"x-amz-3":"x",`, 1), false},
		"no wrapped key":     {`{"x-amz-iv":"AAAA","x-amz-matdesc":"{}"}`, false},
		"empty wrapped key":  {`{"x-amz-key-v2":"","x-amz-iv":"AAAA"}`, false},
		"no members":         {`{}`, false},
		"a list of one":      {"[" + v2 + "]", false},
		"two":                {v2 + v2, false},
		"followed by a gzip": {v2 + "\x1f\x8b\x08\x00", false},
		"huge":               {strings.Replace(v2, `{`, `{"x-amz-much":"`+strings.Repeat("x", mostText)+`",`, 1), false},
		"deep":               {strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000), false},
		"deep inside":        {`{"x-amz-key-v2":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`, false},
		"many":               {strings.Replace(v2, `{`, `{`+strings.Repeat(`"x-amz-n":"",`, 600), 1), false},
		"not UTF-8":          {strings.Replace(v2, `{`, "{\"x-amz-\xff\":\"\",", 1), false},
		"a gzip file":        {"\x1f\x8b\x08\x00\x00", false},
		"nothing":            {"", false},
		"null":               {"null", false},
		"text":               {`"x-amz-key-v2"`, false},
	} {
		if got := IsInstruction([]byte(c.content)); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if IsInstruction(nil) {
		t.Error("no content")
	}
}
