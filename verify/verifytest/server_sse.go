package verifytest

import (
	"net/http"
	"strings"
)

// describe sets the headers that tell how an object is stored.
func (o Object) describe(h http.Header) {
	switch o.SSE {
	case "aws:kms", "aws:kms:dsse":
		h.Set("x-amz-server-side-encryption", o.SSE)
		if o.Key != "" {
			h.Set("x-amz-server-side-encryption-aws-kms-key-id", o.Key)
		}
	default:
		h.Set("x-amz-server-side-encryption", "AES256")
	}
	if o.StorageClass != "" && o.StorageClass != "STANDARD" {
		h.Set("x-amz-storage-class", o.StorageClass)
	}
}

// A refusal is why S3 does not give an object that is there.
type refusal struct {
	apiError
	more []string // elements of the error document
}

// refuse says why S3 does not give an object. HEAD tells of what GET refuses,
// but for a customer's own key: that one S3 does not have.
func (s *Server) refuse(o Object, head bool) *refusal {
	switch {
	case o.SSE == "sse-c":
		return &refusal{apiError: apiError{http.StatusBadRequest, "InvalidRequest", "The object was stored using a form of " +
			"Server Side Encryption. The correct parameters must be provided to retrieve the object."}}
	case head:
		return nil
	case o.StorageClass == "GLACIER" || o.StorageClass == "DEEP_ARCHIVE":
		return &refusal{apiError{http.StatusForbidden, "InvalidObjectState", "The operation is not valid for the object's storage class"},
			[]string{"StorageClass", o.StorageClass}}
	case strings.HasPrefix(o.SSE, "aws:kms") && o.Key != "":
		return s.w.kms.refuse(o.Key)
	}
	return nil
}

// refuse says what S3 answers where it may not use a key for the caller.
func (k *KMS) refuse(arn string) *refusal {
	key := k.Key(arn)
	if key == nil {
		key = &KMSKey{ARN: arn}
	}
	switch s := key.Settings(); {
	case s.Denied && parseKeyARN(arn).account != k.account:
		return &refusal{apiError: apiError{http.StatusForbidden, "AccessDenied", "Access Denied"}}
	case s.Denied:
		return &refusal{apiError: apiError{http.StatusForbidden, "AccessDenied", k.denied("kms:Decrypt on resource: " + arn +
			" because no identity-based policy allows the kms:Decrypt action").Message}}
	case s.refusal(arn) != nil:
		e := s.refusal(arn)
		return &refusal{apiError: apiError{http.StatusBadRequest, "KMS." + e.Code, e.Message}}
	}
	return nil
}

// pays says whether a request to a bucket whose requesters pay agrees to.
func (s *Server) pays(r *request) bool {
	switch r.operation {
	case "GetObject", "HeadObject", "ListObjects", "ListObjectsV2":
		return !s.opts.RequesterPays[r.bucket] || r.Header.Get("x-amz-request-payer") == "requester"
	}
	return true
}

// payer is what GetBucketRequestPayment says.
func (s *Server) payer(bucket string) string {
	payer := "BucketOwner"
	if s.opts.RequesterPays[bucket] {
		payer = "Requester"
	}
	return `<RequestPaymentConfiguration xmlns="` + s3Namespace + `"><Payer>` + payer + `</Payer></RequestPaymentConfiguration>`
}
