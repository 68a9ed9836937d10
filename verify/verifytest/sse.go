package verifytest

import (
	"cmp"

	"github.com/trailseal/trailseal/verify"
)

// An sse is a way in which S3 encrypts what it stores.
type sse struct{ SSE, Key string }

// sse is a way to encrypt, with its key there to do it.
func (k *KMS) sse(how, arn string) sse {
	if arn != "" {
		k.Add(arn)
	}
	return sse{cmp.Or(how, "AES256"), arn}
}

// EncryptSSE has S3 store the objects that match under another server-side
// encryption, as UpdateObjectEncryption does: nothing else about them changes.
// arn is that of the KMS key, which is added where it is not there, and sse
// what Object.SSE may be. A nil match is for all objects, and for those that
// damages write later.
func (w *World) EncryptSSE(arn, sse string, match func(verify.Ref) bool) {
	e := w.kms.sse(sse, arn)
	if match == nil {
		w.sse = e
	}
	for bucket, s := range w.shelves {
		if match == nil {
			s.sse = e
		}
		s.encrypt(e, w.pool.way(e), func(key string) bool { return match == nil || match(verify.Ref{Bucket: bucket, Key: key}) })
	}
}

func (s *shelf) encrypt(e sse, way uint16, match func(key string) bool) {
	for key, o := range s.loose {
		if o != nil && match(key) {
			o.SSE, o.Key = e.SSE, e.Key
		}
	}
	for _, p := range s.packs {
		for i, l := range p.logs {
			if match(p.key(l)) {
				p.logs[i].sse = way
			}
		}
	}
}
