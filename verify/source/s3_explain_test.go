package source

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// unreadable is the error as the engine has it, or nil.
func unreadable(err error) *verify.UnreadableError {
	var u *verify.UnreadableError
	errors.As(err, &u)
	return u
}

// TestExplained goes from what is so of a key to what the engine is told, and
// what was asked for that: a HEAD only where the refusal names no key.
func TestExplained(t *testing.T) {
	for name, c := range map[string]struct {
		key    string
		change func(*verifytest.KeySettings)
		want   verify.Reason // empty: it is read
		hint   string
		asked  string
	}{
		"readable":      {ownKey, func(*verifytest.KeySettings) {}, "", "", "GET"},
		"disabled":      {ownKey, func(s *verifytest.KeySettings) { s.State = verifytest.KeyDisabled }, verify.KMSKeyDisabled, "EnableKey", "GET"},
		"pending":       {ownKey, func(s *verifytest.KeySettings) { s.State = verifytest.KeyPendingDeletion }, verify.KMSKeyPending, "CancelKeyDeletion", "GET"},
		"import":        {ownKey, func(s *verifytest.KeySettings) { s.State = verifytest.KeyPendingImport }, verify.KMSKeyUnusable, "import it again", "GET describe"},
		"unavailable":   {ownKey, func(s *verifytest.KeySettings) { s.State = verifytest.KeyUnavailable }, verify.KMSKeyUnusable, "ConnectCustomKeyStore", "GET describe"},
		"creating":      {ownKey, func(s *verifytest.KeySettings) { s.State = verifytest.KeyCreating }, verify.KMSKeyUnusable, "DescribeKey", "GET describe"},
		"gone":          {ownKey, func(s *verifytest.KeySettings) { s.State = verifytest.KeyGone }, verify.KMSKeyNotFound, "gone", "GET"},
		"denied":        {ownKey, func(s *verifytest.KeySettings) { s.Denied = true }, verify.KMSDenied, "kms:Decrypt", "GET"},
		"denied abroad": {foreignKey, func(s *verifytest.KeySettings) { s.Denied = true }, verify.KMSDenied, "key's policy", "GET HEAD"},
	} {
		for _, how := range []string{"aws:kms", "aws:kms:dsse"} {
			s := serve(t, verifytest.ServerOptions{}, func(w *verifytest.World, logs []verify.Ref) { w.EncryptSSE(c.key, how, only(logs[0])) })
			s.w.KMS().Key(c.key).Change(c.change)
			store, _ := s.store(t)
			_, o, err := read(store, s.logs[0])
			u := unreadable(err)
			switch {
			case c.want == "" && (err != nil || o.SSE != verify.SSE{Algorithm: how, Key: c.key}):
				t.Errorf("%s: %+v, %v", name, o.SSE, err)
			case c.want != "" && (u == nil || u.Reason != c.want || u.Key != c.key || !strings.Contains(u.Hint, c.hint)):
				t.Errorf("%s: %+v (%v)", name, u, err)
			}
			if s.asked() != c.asked {
				t.Errorf("%s: asked %q, want %q", name, s.asked(), c.asked)
			}
			if _, _, err := read(store, s.logs[1]); err != nil {
				t.Errorf("%s: what the key did not encrypt: %v", name, err)
			}
		}
	}
}

const goneOrDenied = "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access."

// TestHeads: what a refusal comes to by what HEAD says, with MinIO's own codes.
// Keys are MinIO's where they are no ARNs of AWS.
func TestHeads(t *testing.T) {
	const minio = "arn:aws:kms:ctlogs-key"
	s3Denied := "User: arn:aws:iam::111122223333:user/u is not authorized to perform: s3:GetObject on resource: \"arn:aws:s3:::bucket/" + foreignKey + "\""
	for _, c := range []struct {
		status        int
		code, message string
		head          int    // 0: none may come
		sse, key      string // of the HEAD
		want          verify.Reason
		wantKey       string
		payer         int64
	}{
		{404, "kms:KeyNotFound", "no such key", 200, "aws:kms", minio, verify.KMSKeyNotFound, minio, 0},
		{400, "kms:InvalidCiphertextException", "failed to decrypt", 200, "aws:kms", minio, verify.KMSKeyChanged, minio, 0},
		{403, "kms:NotAuthorized", "", 200, "aws:kms", minio, verify.KMSDenied, minio, 0},
		{501, "NotImplemented", "A header you provided implies functionality that is not implemented", 200, "aws:kms", minio, verify.KMSKeyUnusable, minio, 0},
		{501, "NotImplemented", "", 200, "AES256", "", verify.ReadFailed, "", 0},
		{501, "NotImplemented", "", 403, "", "", verify.ReadFailed, "", 0},
		{403, "AccessDenied", "Access Denied", 200, "aws:kms", foreignKey, verify.KMSDenied, foreignKey, 0},
		{403, "AccessDenied", "Access Denied", 200, "aws:kms:dsse", foreignKey, verify.KMSDenied, foreignKey, 0},
		{403, "AccessDenied", "Access Denied", 200, "AES256", "", verify.AccessDenied, "", 1},
		{403, "AccessDenied", "Access Denied", 403, "", "", verify.AccessDenied, "", 1},
		{403, "AccessDenied", "Access Denied", 404, "", "", verify.AccessDenied, "", 1},
		{403, "", "", 200, "aws:kms", foreignKey, verify.KMSDenied, foreignKey, 0},
		{403, "AccessDenied", goneOrDenied, 200, "aws:kms", foreignKey, verify.KMSDenied, foreignKey, 0},
		{403, "AccessDenied", goneOrDenied, 403, "", "", verify.KMSDenied, "", 0},
		{400, "KMS.NotFoundException", "Invalid arn eu-west-2", 200, "aws:kms", foreignKey, verify.KMSKeyNotFound, foreignKey, 0},
		// What says enough is not asked about.
		{400, "KMS.DisabledException", ownKey + " is disabled.", 0, "", "", verify.KMSKeyDisabled, ownKey, 0},
		{403, "AccessDenied", s3Denied, 0, "", "", verify.AccessDenied, "", 0},
		{403, "AccessDenied", "not authorized because no VPC endpoint policy allows it", 0, "", "", verify.AccessDenied, "", 0},
		{403, "InvalidObjectState", "The operation is not valid for the object's storage class", 0, "", "", verify.Archived, "", 0},
		{403, "SignatureDoesNotMatch", "", 0, "", "", verify.AccessDenied, "", 0},
		{400, "InvalidRequest", "The object was stored using a form of Server Side Encryption.", 0, "", "", verify.SSEC, "", 0},
		{404, "NoSuchBucket", "", 0, "", "", verify.BucketNotFound, "", 0},
	} {
		f := newFake(t)
		ref := f.put("bucket", "k", "data")
		f.before = func(w http.ResponseWriter, r *http.Request, _ int) bool {
			switch {
			case r.URL.Query().Has("requestPayment"):
				w.Write([]byte(`<RequestPaymentConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Payer>BucketOwner</Payer></RequestPaymentConfiguration>`))
			case r.Method == http.MethodHead:
				w.Header().Set("x-amz-server-side-encryption", c.sse)
				w.Header().Set("x-amz-server-side-encryption-aws-kms-key-id", c.key)
				w.WriteHeader(max(c.head, 200))
			default:
				refuse(w, c.status, c.code, c.message)
			}
			return true
		}
		s := f.open(t)
		_, _, err := read(s, ref)
		u := unreadable(err)
		if u == nil || u.Reason != c.want || u.Key != c.wantKey || u.Hint == "" && c.want != verify.ReadFailed {
			t.Errorf("%d %s %q, HEAD %d %s: %+v", c.status, c.code, c.message, c.head, c.sse, u)
		}
		heads := map[bool]int{true: 1}[c.head > 0]
		if f.requests("HEAD object") != heads || f.requests("GET object") != 1 || s.Requests()["payer"] != c.payer || s.Requests()["head"] != int64(heads) {
			t.Errorf("%d %s %q, HEAD %d: %v", c.status, c.code, c.message, c.head, s.Requests())
		}
	}
}

// TestRefined: where S3 does not say whether the key is gone, its state does.
func TestRefined(t *testing.T) {
	for state, want := range map[verifytest.KeyState]verify.Reason{
		verifytest.KeyGone: verify.KMSKeyNotFound, verifytest.KeyDisabled: verify.KMSKeyDisabled,
		verifytest.KeyPendingDeletion: verify.KMSKeyPending, verifytest.KeyEnabled: verify.KMSDenied,
	} {
		s := serve(t, verifytest.ServerOptions{Faults: []verifytest.Fault{{Operation: "GetObject", Status: 403, Code: "AccessDenied", Message: goneOrDenied}}},
			func(w *verifytest.World, _ []verify.Ref) { w.EncryptSSE(ownKey, "aws:kms", nil) })
		s.w.KMS().Key(ownKey).SetState(state)
		store, _ := s.store(t)
		for _, ref := range s.logs[:3] {
			if _, _, err := read(store, ref); unreadable(err) == nil || unreadable(err).Reason != want || unreadable(err).Key != ownKey {
				t.Errorf("%q: %v", state, err)
			}
		}
		if got := s.asked(); got != "GET GET GET HEAD HEAD HEAD describe" {
			t.Errorf("%q: %s", state, got)
		}
	}
	// Nobody to ask, or a key that says nothing: as S3 said.
	s := serve(t, verifytest.ServerOptions{Faults: []verifytest.Fault{{Operation: "GetObject", Status: 403, Code: "AccessDenied", Message: goneOrDenied}}},
		func(w *verifytest.World, _ []verify.Ref) { w.EncryptSSE(ownKey, "aws:kms", nil) })
	s.w.KMS().Key(ownKey).Change(func(k *verifytest.KeySettings) { k.DescribeDenied = true })
	for _, change := range []func(*S3Options){func(o *S3Options) { o.KMS = nil }, func(*S3Options) {}} {
		store, _ := s.store(t, change)
		if _, _, err := read(store, s.logs[0]); reason(err) != verify.KMSDenied || !strings.Contains(unreadable(err).Hint, "or the key is gone") {
			t.Errorf("%v", err)
		}
	}
}
