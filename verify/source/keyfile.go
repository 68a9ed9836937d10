package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
)

// maxKeyFileBytes bounds a key file. A region's keys of a year have 12 KiB.
const maxKeyFileBytes = 64 << 20

// KeyFile is the verify.Keys of files that `aws cloudtrail list-public-keys`
// printed.
type KeyFile struct {
	keys     []digest.PublicKey
	warnings []error
}

var _ verify.Keys = (*KeyFile)(nil)

// OpenKeyFiles reads key files. A file that cannot be read or is no key list
// is a *UsageError; single keys that cannot be used are left out, see Warnings.
func OpenKeyFiles(paths []string) (*KeyFile, error) {
	files := &KeyFile{}
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			return nil, &UsageError{What: "public keys", Err: err}
		}
		err = files.add(path, f)
		f.Close()
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

func (k *KeyFile) add(path string, r io.Reader) error {
	data, err := io.ReadAll(io.LimitReader(r, maxKeyFileBytes+1))
	if err == nil && len(data) > maxKeyFileBytes {
		err = errors.New("too big for a list of public keys")
	}
	var keys []digest.PublicKey
	var rejected []error
	if err == nil {
		keys, rejected, err = digest.ParsePublicKeys(data)
	}
	if err != nil {
		return &UsageError{What: fmt.Sprintf("public keys %q", path), Err: err,
			Hint: "it must be what `aws cloudtrail list-public-keys --start-time … --end-time …` prints"}
	}
	k.keys = append(k.keys, keys...)
	for _, r := range rejected {
		k.warnings = append(k.warnings, fmt.Errorf("%q: %w", path, r))
	}
	return nil
}

// Keys gives the region's keys and those of files that name no region,
// whatever their validity: the engine checks that. It never fails.
func (k *KeyFile) Keys(_ context.Context, region string, _, _ time.Time) ([]digest.PublicKey, error) {
	var keys []digest.PublicKey
	for _, key := range k.keys {
		if key.Region == region || key.Region == "" {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// All are the usable keys of all regions, in the order of the files. They are not
// to be changed.
func (k *KeyFile) All() []digest.PublicKey { return k.keys }

// Len is how many usable keys the files hold.
func (k *KeyFile) Len() int { return len(k.keys) }

// Warnings names the keys that were left out, and why.
func (k *KeyFile) Warnings() []error { return k.warnings }
