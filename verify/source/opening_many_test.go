package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trailseal/trailseal/kms"
	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// TestOpeningContract: the layer keeps what verify.Store promises, over each
// store, also where nothing is sealed.
func TestOpeningContract(t *testing.T) {
	wrap := func(t *testing.T, store verify.Store) verify.Store {
		k := NewKMS(t.Context(), AWSOptions{}, "")
		return NewOpening(store, k, &kms.Opener{KMS: k, AnyKey: true})
	}
	// The contract's files are text, which would be asked for an instruction file.
	gzipped := func(files map[string]string) map[string]string {
		for key := range files {
			files[key] = "{\"name\":\"" + strings.Repeat("x", len(key)) + "\"}"
		}
		return files
	}
	t.Run("S3", func(t *testing.T) {
		contract(t, func(t *testing.T, files map[string]string) verify.Store {
			f := newFake(t)
			f.pageSize = 3
			for key, data := range gzipped(files) {
				f.put("bucket", key, data)
			}
			return wrap(t, f.open(t))
		})
	})
	t.Run("Directory", func(t *testing.T) {
		contract(t, func(t *testing.T, files map[string]string) verify.Store {
			dir := filepath.Join(t.TempDir(), "bucket")
			for key, data := range gzipped(files) {
				writeFile(t, dir, key, data)
			}
			return wrap(t, openDir(t, dir))
		})
	})
}

// TestOpeningManyLarge: more large sealed objects at once than are held at once
// all come through, be they held whole or opened as they come.
func TestOpeningManyLarge(t *testing.T) {
	f := newFake(t)
	table := verifytest.NewKMS()
	plain := make([]byte, 5<<20)
	rand.NewChaCha8([32]byte{}).Read(plain)
	var refs []verify.Ref
	for i, seal := range []verifytest.Seal{{Scheme: "s3ec-v2"}, {Scheme: "s3ec-v2", Cipher: "cbc"}, {Scheme: "esdk-v2", Frame: 64 << 10}, {Scheme: "esdk-v1", Frame: -1}} {
		seal.Key = ownKey
		body, meta, _, err := table.SealBytes(seal, plain, rand.NewChaCha8([32]byte{byte(i)}))
		if err != nil {
			t.Fatal(err)
		}
		var header []string
		for name, value := range meta {
			header = append(header, "x-amz-meta-"+name, value)
		}
		refs = append(refs, f.put("bucket", fmt.Sprint("k", i), string(body), header...))
	}
	store := NewOpening(f.open(t), NewKMS(t.Context(), AWSOptions{}, ""), &kms.Opener{KMS: table, AnyKey: true})
	if !store.large.TryAcquire(openingBytes - 6<<20) { // room for one at a time
		t.Fatal("in use")
	}
	done := make(chan error)
	for i := range 12 {
		go func() {
			done <- store.Read(context.Background(), refs[i%len(refs)], func(o verify.Object) error {
				got, err := io.ReadAll(o.Body)
				if err == nil && !bytes.Equal(got, plain) {
					err = errors.New("other bytes")
				}
				return err
			})
		}()
	}
	for range 12 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if !store.large.TryAcquire(6 << 20) {
		t.Error("room was not given back")
	}
}
