package verifytest

import (
	"bytes"
	"errors"
	"testing"
	"time"
)

const (
	primaryKey = "arn:aws:kms:us-east-1:111122223333:key/mrk-00000000000040008000000000000003"
	replicaKey = "arn:aws:kms:eu-west-1:111122223333:key/mrk-00000000000040008000000000000003"
)

// kmsAnswer is what Decrypt and DescribeKey answer, or their error.
type kmsAnswer struct {
	Type                string `json:"__type"`
	Message             string
	Plaintext           []byte
	KeyId               string
	EncryptionAlgorithm string
	KeyMetadata         struct {
		Arn, KeyId, AWSAccountId, KeyState, KeyManager, Origin, ExpirationModel, KeySpec, KeyUsage string
		Enabled, MultiRegion                                                                       bool
		DeletionDate, ValidTo                                                                      float64
		PendingDeletionWindowInDays                                                                int
		MultiRegionConfiguration                                                                   struct {
			MultiRegionKeyType string
			PrimaryKey         struct{ Arn, Region string }
			ReplicaKeys        []struct{ Arn, Region string }
		}
	}
}

// kmsWorld has testKey, foreignKey and a multi-Region key, and a data key
// wrapped with the first and with the last.
func kmsWorld(t *testing.T) (s *Server, data, blob, regional []byte) {
	t.Helper()
	w := mint(t, func(s *Spec) { s.Hours = 1 })
	w.KMS().Add(foreignKey)
	w.KMS().Add(primaryKey)
	w.KMS().Replicate(primaryKey, "eu-west-1")
	data = bytes.Repeat([]byte{7}, 32)
	blob, err := w.KMS().Wrap(testKey, data, map[string]string{"b": "2", "a": "1"}, source("test"))
	regional, errR := w.KMS().Wrap(primaryKey, data, nil, source("test"))
	if err := errors.Join(err, errR); err != nil {
		t.Fatal(err)
	}
	return serve(t, w, ServerOptions{}), data, blob, regional
}

func TestServerDecrypt(t *testing.T) {
	s, data, blob, regional := kmsWorld(t)
	pairs := map[string]string{"a": "1", "b": "2"}
	for _, row := range []struct {
		name, region, key string
		blob              []byte
		pairs             map[string]string
		want              string // the key that did it, or the error's code
	}{
		{"named", "eu-west-1", testKey, blob, pairs, testKey},
		{"by id", "eu-west-1", "00000000-0000-4000-8000-000000000001", blob, pairs, testKey},
		{"not named", "eu-west-1", "", blob, pairs, testKey},
		{"another context", "eu-west-1", testKey, blob, map[string]string{"a": "1"}, "InvalidCiphertextException"},
		{"garbage", "eu-west-1", testKey, []byte("garbage"), pairs, "InvalidCiphertextException"},
		{"nothing", "eu-west-1", testKey, nil, pairs, "ValidationException"},
		{"another key", "eu-west-1", replicaKey, blob, pairs, "IncorrectKeyException"},
		{"another region", "us-east-1", testKey, blob, pairs, "NotFoundException"},
		{"not named, another region", "us-east-1", "", blob, pairs, "AccessDeniedException"},
		{"no such key", "eu-west-1", testKey + "9", blob, pairs, "NotFoundException"},
		{"primary", "us-east-1", primaryKey, regional, nil, primaryKey},
		{"replica", "eu-west-1", replicaKey, regional, nil, replicaKey},
		{"replica, not named", "eu-west-1", "", regional, nil, replicaKey},
		{"no replica there", "eu-central-1", "", regional, nil, "AccessDeniedException"},
	} {
		var out kmsAnswer
		in := map[string]any{"CiphertextBlob": row.blob, "EncryptionContext": row.pairs, "KeyId": row.key}
		status := ask(t, s, "Decrypt", row.region, in, &out)
		opened := status == 200 && out.KeyId == row.want && bytes.Equal(out.Plaintext, data) && out.EncryptionAlgorithm == "SYMMETRIC_DEFAULT"
		if !opened && (status != 400 || out.Type != row.want) {
			t.Errorf("%s: %d %+v", row.name, status, out)
		}
	}
	if n := s.Requests()["Decrypt"]; n != 14 {
		t.Errorf("counted %d", n)
	}
}

// TestDecryptByState: KMS says itself what S3 passes on, in its own codes.
func TestDecryptByState(t *testing.T) {
	s, _, blob, _ := kmsWorld(t)
	key := s.w.KMS().Key(testKey)
	fresh := key.Settings()
	for _, row := range []struct {
		change        func(*KeySettings)
		code, message string
	}{
		{func(s *KeySettings) { s.State = KeyDisabled }, "DisabledException", testKey + " is disabled."},
		{func(s *KeySettings) { s.State = KeyPendingDeletion }, "KMSInvalidStateException", testKey + " is pending deletion."},
		{func(s *KeySettings) { s.State = KeyPendingReplicaDeletion }, "KMSInvalidStateException", testKey + " is pending replica deletion."},
		{func(s *KeySettings) { s.State = KeyGone }, "NotFoundException", "Key '" + testKey + "' does not exist"},
		{func(s *KeySettings) { s.Denied = true }, "AccessDeniedException", "User: arn:aws:iam::111122223333:user/auditor is not authorized to " +
			"perform: kms:Decrypt on this resource because the resource does not exist in this Region, no resource-based policies allow access, " +
			"or a resource-based policy explicitly denies access"},
		{func(s *KeySettings) { s.Material[0]++ }, "InvalidCiphertextException", ""},
	} {
		key.Change(row.change)
		var out kmsAnswer
		in := map[string]any{"CiphertextBlob": blob, "EncryptionContext": map[string]string{"a": "1", "b": "2"}, "KeyId": testKey}
		if status := ask(t, s, "Decrypt", "eu-west-1", in, &out); status != 400 || out.Type != row.code || out.Message != row.message {
			t.Errorf("%d %+v", status, out)
		}
		_, _, err := s.w.KMS().Decrypt(t.Context(), blob, map[string]string{"a": "1", "b": "2"}, testKey)
		var refused *KMSError
		if !errors.As(err, &refused) || refused.ErrorCode() != row.code || refused.ErrorMessage() != row.message {
			t.Errorf("in the process: %v, want %s", err, row.code)
		}
		key.Change(func(s *KeySettings) { *s = fresh })
	}
}

func TestServerKMSFaults(t *testing.T) {
	s, _, blob, _ := kmsWorld(t)
	s.Fail(Fault{Operation: "Decrypt", Key: testKey, Status: 400, Code: "ThrottlingException", Times: 1})
	in := map[string]any{"CiphertextBlob": blob, "EncryptionContext": map[string]string{"a": "1", "b": "2"}, "KeyId": testKey}
	for _, want := range []string{"ThrottlingException", ""} {
		var out kmsAnswer
		if ask(t, s, "Decrypt", "eu-west-1", in, &out); out.Type != want {
			t.Errorf("%+v, want %q", out, want)
		}
	}
}

func TestServerDescribesKeys(t *testing.T) {
	s, _, _, _ := kmsWorld(t)
	gone := time.Date(2026, 12, 4, 0, 0, 0, 0, time.UTC)
	key := s.w.KMS().Key(testKey)
	key.Change(func(s *KeySettings) {
		s.State, s.DeletionDate, s.Origin, s.ExpirationModel, s.ValidTo = KeyPendingDeletion, gone, "EXTERNAL", "KEY_MATERIAL_EXPIRES", gone
		s.DeletionWindow = 7
	})
	var out kmsAnswer
	status := ask(t, s, "DescribeKey", "eu-west-1", map[string]string{"KeyId": testKey}, &out)
	m := out.KeyMetadata
	if status != 200 || m.Arn != testKey || m.KeyState != "PendingDeletion" || m.Enabled || m.DeletionDate != float64(gone.Unix()) ||
		m.ValidTo != float64(gone.Unix()) || m.PendingDeletionWindowInDays != 7 || m.AWSAccountId != "111122223333" || m.KeyManager != "CUSTOMER" ||
		m.Origin != "EXTERNAL" || m.ExpirationModel != "KEY_MATERIAL_EXPIRES" || m.KeySpec != "SYMMETRIC_DEFAULT" || m.KeyUsage != "ENCRYPT_DECRYPT" {
		t.Errorf("%d %+v", status, out)
	}
	out = kmsAnswer{}
	ask(t, s, "DescribeKey", "eu-west-1", map[string]string{"KeyId": replicaKey}, &out)
	c := out.KeyMetadata.MultiRegionConfiguration
	if !out.KeyMetadata.MultiRegion || c.MultiRegionKeyType != "REPLICA" || c.PrimaryKey.Arn != primaryKey || len(c.ReplicaKeys) != 1 ||
		c.ReplicaKeys[0].Arn != replicaKey || c.ReplicaKeys[0].Region != "eu-west-1" {
		t.Errorf("%+v", out)
	}
	key.Change(func(s *KeySettings) { s.DescribeDenied = true })
	refused := map[string]string{testKey: "AccessDeniedException", primaryKey: "NotFoundException", testKey + "9": "NotFoundException"}
	for arn, want := range refused {
		out = kmsAnswer{}
		if ask(t, s, "DescribeKey", "eu-west-1", map[string]string{"KeyId": arn}, &out); out.Type != want {
			t.Errorf("%s: %+v, want %s", arn, out, want)
		}
	}
}
