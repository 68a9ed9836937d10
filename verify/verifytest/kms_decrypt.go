package verifytest

import (
	"context"
	"strings"
)

// A KMSError is a refusal by the stand-in for KMS, with KMS's code and words.
type KMSError struct{ Code, Message string }

func (e *KMSError) Error() string { return e.Code + ": " + e.Message }

// ErrorCode is the code, as the SDK's errors give it.
func (e *KMSError) ErrorCode() string { return e.Code }

// ErrorMessage is the message, as the SDK's errors give it.
func (e *KMSError) ErrorMessage() string { return e.Message }

// Decrypt unwraps a data key as KMS would in the region of the key named, or
// in that of the key that wrapped it where none is named. usedKey is the ARN
// of the key that did it.
func (k *KMS) Decrypt(ctx context.Context, blob []byte, encryptionContext map[string]string, key string) (dataKey []byte, usedKey string, err error) {
	if err := ctx.Err(); err != nil {
		return nil, "", err
	}
	region := parseKeyARN(key).region
	if arn, _, ok := splitBlob(blob); ok && key == "" {
		region = parseKeyARN(arn).region
	}
	dataKey, usedKey, refused := k.decrypt(region, blob, encryptionContext, key)
	if refused != nil {
		return nil, "", refused
	}
	return dataKey, usedKey, nil
}

func (k *KMS) decrypt(region string, blob []byte, encryptionContext map[string]string, id string) ([]byte, string, *KMSError) {
	arn, sealed, ok := splitBlob(blob)
	if !ok {
		return nil, "", &KMSError{Code: "InvalidCiphertextException"}
	}
	wrapper := parseKeyARN(arn)
	key, refused := k.decrypter(region, id, wrapper)
	if refused != nil {
		return nil, "", refused
	}
	s := key.Settings()
	switch {
	case s.Denied:
		return nil, "", k.denied("kms:Decrypt on this resource because the resource does not exist in this Region, " +
			"no resource-based policies allow access, or a resource-based policy explicitly denies access")
	case s.refusal(key.ARN) != nil:
		return nil, "", s.refusal(key.ARN)
	case key.ARN != arn && !wrapper.related(parseKeyARN(key.ARN)):
		return nil, "", &KMSError{"IncorrectKeyException", "The key ID in the request does not identify a CMK that can perform this operation."}
	}
	nonce, sealed := sealed[:blobNonce], sealed[blobNonce:]
	plain, err := newGCM(s.Material[:]).Open(nil, nonce, sealed, blobContext(encryptionContext))
	if err != nil {
		return nil, "", &KMSError{Code: "InvalidCiphertextException"}
	}
	return plain, key.ARN, nil
}

// decrypter finds the key to decrypt with: the one that is named or, where
// none is, the one that wrapped the blob, in the region asked.
func (k *KMS) decrypter(region, id string, wrapper keyARN) (*KMSKey, *KMSError) {
	if id != "" {
		return k.find(region, id)
	}
	if wrapper.multiRegion() && region != "" {
		wrapper.region = region
	}
	key, refused := k.find(region, wrapper.in(wrapper.region))
	if refused != nil { // who does not name a key is not told whether there is one
		return nil, &KMSError{"AccessDeniedException", "The ciphertext refers to a customer master key that does not exist, " +
			"does not exist in this region, or you are not allowed to access."}
	}
	return key, nil
}

// find finds a key by ARN or id in a region; a request that was not signed is
// for any.
func (k *KMS) find(region, id string) (*KMSKey, *KMSError) {
	arn := id
	if a := parseKeyARN(id); a.account == "" {
		arn = keyARN{Partition(region), "", k.account, id}.in(region)
	} else if region != "" && a.region != region {
		return nil, &KMSError{"NotFoundException", "Invalid arn " + region}
	}
	key := k.Key(arn)
	if key == nil || key.Settings().State == KeyGone {
		return nil, notFound(arn)
	}
	return key, nil
}

func notFound(arn string) *KMSError {
	return &KMSError{"NotFoundException", "Key '" + arn + "' does not exist"}
}

func (k *KMS) denied(what string) *KMSError {
	return &KMSError{"AccessDeniedException", "User: " + k.caller() + " is not authorized to perform: " + what}
}

// caller is who asks, whoever signed.
func (k *KMS) caller() string { return "arn:aws:iam::" + k.account + ":user/auditor" }

// refusal is what the key's state makes KMS answer, nil where it is usable.
// S3 passes it on.
func (s KeySettings) refusal(arn string) *KMSError {
	switch s.State {
	case KeyEnabled:
		return nil
	case KeyGone:
		return notFound(arn)
	case KeyDisabled:
		return &KMSError{"DisabledException", arn + " is disabled."}
	}
	return &KMSError{"KMSInvalidStateException", arn + " is " + s.State.words() + "."}
}

// words are a state as the messages have it: PendingDeletion, "pending
// deletion".
func (s KeyState) words() string {
	var b strings.Builder
	for i, c := range string(s) {
		if i > 0 && c >= 'A' && c <= 'Z' {
			b.WriteByte(' ')
		}
		b.WriteRune(c)
	}
	return strings.ToLower(b.String())
}
