package verifytest

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
)

// A Seal says how a client encrypts what it stores.
type Seal struct {
	Scheme  string            // "s3ec-v2", "s3ec-v3", "esdk-v1", "esdk-v2"
	Key     string            // ARN of the KMS key that wraps the data key
	Also    []string          // esdk: more keys that wrap it, after Key
	Context map[string]string // the writer's own pairs of the encryption context

	Wrap        string // s3ec-v2: "kms+context" (or empty), or as old clients did "kms"
	Cipher      string // s3ec-v2: "gcm" (or empty), "cbc"
	Instruction bool   // s3ec: the envelope is in an instruction file

	Suite uint16 // esdk: the algorithm suite; 0: 0x0178, and of esdk-v2 0x0478
	Frame int    // esdk: the frames' length in bytes; 0: 4096; below zero: unframed
}

// InstructionFile is what follows an object's key in that of its instruction
// file.
const InstructionFile = ".instruction"

// Seal replaces each object that matches by what a client would have stored in
// its place: the ciphertext, with the envelope beside the metadata that was
// there or in an instruction file. A nil match is for all objects; folder
// markers and instruction files are left alone. The same world is always
// sealed with the same bytes. Record and Expect see through the seal; Damage
// does not, so do it before.
func (w *World) Seal(s Seal, match func(verify.Ref) bool) error {
	for _, bucket := range w.Buckets() {
		for _, key := range w.sealable(bucket) {
			ref := verify.Ref{Bucket: bucket, Key: key}
			if match != nil && !match(ref) {
				continue
			}
			if err := w.seal(s, ref); err != nil {
				return fmt.Errorf("seal %s: %w", ref.URI(), err)
			}
		}
	}
	return nil
}

func (w *World) sealable(bucket string) (keys []string) {
	for key := range w.Scan(bucket, "") {
		if !strings.HasSuffix(key, "/") && !strings.HasSuffix(key, InstructionFile) {
			keys = append(keys, key)
		}
	}
	return keys
}

func (w *World) seal(s Seal, ref verify.Ref) error {
	o, _ := w.Get(ref)
	sealed, envelope, instruction, err := w.kms.SealBytes(s, o.Bytes, source("seal", w.seed, s.Scheme, ref.URI()))
	if err != nil {
		return err
	}
	w.sealed[digest.Sum(sealed)] = o.Bytes
	o.Bytes = sealed
	if len(envelope) > 0 {
		envelope = maps.Clone(envelope)
		maps.Copy(envelope, o.Metadata)
		o.Metadata = envelope
	}
	w.Put(ref, o)
	if instruction != nil {
		ref.Key += InstructionFile
		w.Put(ref, Object{Bytes: instruction, Modified: o.Modified})
	}
	return nil
}

// unsealed are an object's bytes as they were before it was sealed, if it was
// and nobody touched it since.
func (w *World) unsealed(o Object) []byte {
	for len(w.sealed) > 0 {
		plain, ok := w.sealed[digest.Sum(o.Bytes)]
		if !ok {
			break
		}
		o.Bytes = plain
	}
	return o.Bytes
}

// SealBytes seals one content: the ciphertext, the user metadata that goes with
// it, and the instruction file's content, nil where there is none. All that is
// random comes from random, the keys of signatures included.
func (k *KMS) SealBytes(s Seal, plain []byte, random io.Reader) (ciphertext []byte, metadata map[string]string, instruction []byte, err error) {
	e := &sealer{Seal: s, kms: k, random: random}
	e.Context = maps.Clone(s.Context)
	if e.Context == nil {
		e.Context = map[string]string{}
	}
	switch {
	case s.Key == "":
		return nil, nil, nil, errors.New("a seal needs a key")
	case strings.HasPrefix(s.Scheme, "esdk") && s.Instruction:
		return nil, nil, nil, errors.New("an Encryption SDK message has no instruction file")
	}
	switch s.Scheme {
	case "s3ec-v2":
		ciphertext, metadata, instruction = e.s3ecV2(plain)
	case "s3ec-v3":
		ciphertext, metadata, instruction = e.s3ecV3(plain)
	case "esdk-v1":
		ciphertext = e.esdk(1, cmp.Or(s.Suite, 0x0178), plain)
	case "esdk-v2":
		ciphertext = e.esdk(2, cmp.Or(s.Suite, 0x0478), plain)
	default:
		e.fail(fmt.Errorf("there is no scheme %q", s.Scheme))
	}
	if e.err != nil {
		return nil, nil, nil, e.err
	}
	return ciphertext, metadata, instruction, nil
}

// A sealer seals one content. Its first error stays.
type sealer struct {
	Seal
	kms    *KMS
	random io.Reader
	err    error
}

func (e *sealer) fail(err error) {
	if e.err == nil {
		e.err = err
	}
}

// draw gives so many random bytes.
func (e *sealer) draw(n int) []byte {
	b := make([]byte, n)
	if _, err := io.ReadFull(e.random, b); err != nil {
		e.fail(fmt.Errorf("random bytes: %w", err))
	}
	return b
}

// wrap wraps a data key under the context as it now is.
func (e *sealer) wrap(key string, data []byte) []byte {
	blob, err := e.kms.Wrap(key, data, e.Context, e.random)
	if err != nil {
		e.fail(err)
	}
	return blob
}
