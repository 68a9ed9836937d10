package verifytest

import (
	"encoding/base64"
	"net/http"
	"time"
)

// decrypt answers KMS's Decrypt.
func (s *Server) decrypt(r *request, in map[string]any) (any, *apiError) {
	text, _ := in["CiphertextBlob"].(string)
	blob, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(blob) == 0 {
		return nil, &apiError{http.StatusBadRequest, "ValidationException", "ciphertextBlob failed to satisfy constraint"}
	}
	pairs := map[string]string{}
	given, _ := in["EncryptionContext"].(map[string]any)
	for name, value := range given {
		pairs[name], _ = value.(string)
	}
	plain, arn, refused := s.w.kms.decrypt(r.region, blob, pairs, r.key)
	if refused != nil {
		return nil, refused.api()
	}
	return map[string]any{"Plaintext": plain, "KeyId": arn, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}, nil
}

func (e *KMSError) api() *apiError { return &apiError{http.StatusBadRequest, e.Code, e.Message} }

// describeKey answers KMS's DescribeKey.
func (s *Server) describeKey(r *request, _ map[string]any) (any, *apiError) {
	key, refused := s.w.kms.find(r.region, r.key)
	if refused != nil {
		return nil, refused.api()
	}
	if key.Settings().DescribeDenied {
		return nil, s.w.kms.denied("kms:DescribeKey on resource: " + key.ARN +
			" because no identity-based policy allows the kms:DescribeKey action").api()
	}
	return map[string]any{"KeyMetadata": s.w.kms.metadata(key)}, nil
}

// metadata is a key as DescribeKey tells of it.
func (k *KMS) metadata(key *KMSKey) map[string]any {
	s, arn := key.Settings(), parseKeyARN(key.ARN)
	m := map[string]any{
		"Arn": key.ARN, "KeyId": arn.id, "AWSAccountId": arn.account,
		"KeyState": s.State, "Enabled": s.State == KeyEnabled, "KeyManager": s.Manager, "Origin": s.Origin,
		"KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT", "MultiRegion": arn.multiRegion(),
		"CreationDate": time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).Unix(), "Description": "",
		"EncryptionAlgorithms": []string{"SYMMETRIC_DEFAULT"}, "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
	}
	if s.DeletionWindow > 0 {
		m["PendingDeletionWindowInDays"] = s.DeletionWindow
	}
	if s.ExpirationModel != "" {
		m["ExpirationModel"] = s.ExpirationModel
	}
	setTime(m, "DeletionDate", s.DeletionDate)
	setTime(m, "ValidTo", s.ValidTo)
	if arn.multiRegion() {
		m["MultiRegionConfiguration"] = k.regions(key, s)
	}
	return m
}

func setTime(m map[string]any, name string, t time.Time) {
	if !t.IsZero() {
		m[name] = t.Unix()
	}
}

// regions are a multi-Region key's primary and its replicas.
func (k *KMS) regions(key *KMSKey, s KeySettings) map[string]any {
	kind, primary := "REPLICA", s.Primary
	if primary == "" {
		kind, primary = "PRIMARY", key.ARN
	}
	entry := func(arn string) map[string]any { return map[string]any{"Arn": arn, "Region": parseKeyARN(arn).region} }
	replicas := []any{}
	for _, other := range k.family(parseKeyARN(key.ARN)) {
		if other.ARN != primary {
			replicas = append(replicas, entry(other.ARN))
		}
	}
	return map[string]any{"MultiRegionKeyType": kind, "PrimaryKey": entry(primary), "ReplicaKeys": replicas}
}
