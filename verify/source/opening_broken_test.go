package source

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/trailseal/trailseal/verify"
)

// TestBrokenSealedBodies: what the network broke is read again, and never called
// altered.
func TestBrokenSealedBodies(t *testing.T) {
	for _, size := range []int{5000, 6 << 20} {
		for name, seal := range seals {
			for _, times := range []int{1, 100} {
				if seal.Frame == 16 || size > wholeBytes && times > 1 {
					continue // nothing new, and slow
				}
				b := newBench(t)
				plain := noisy(size)
				ref := b.seal(t, seal, plain, nil)
				b.before = func(w http.ResponseWriter, r *http.Request, n int) bool {
					if n > times || strings.HasSuffix(r.URL.Path, ".instruction") {
						return false
					}
					o := b.objects[ref]
					for name, value := range o.header {
						w.Header()[name] = value
					}
					w.Header().Set("Content-Length", strconv.Itoa(len(o.data)))
					w.Write(o.data[:len(o.data)*2/3])
					panic(http.ErrAbortHandler)
				}
				var u user
				altered := false
				err := b.store.Read(t.Context(), ref, func(o verify.Object) error {
					altered = altered || o.Altered != nil
					return u.use(o)
				})
				if altered || times == 1 && (err != nil || !bytes.Equal(u.data, plain)) || times == 100 && reason(err) != verify.ReadFailed {
					t.Errorf("%s of %d bytes, broken %d times: altered %v, %d bytes, %v", name, size, times, altered, len(u.data), err)
				}
			}
		}
	}
}

// TestUseDecides: an error of use comes as it is, sealed or not, and once.
func TestUseDecides(t *testing.T) {
	for name, seal := range seals {
		b := newBench(t)
		ref := b.seal(t, seal, noisy(500), nil)
		mine, calls := errors.New("mine"), 0
		if err := b.store.Read(t.Context(), ref, func(verify.Object) error { calls++; return mine }); err != mine || calls != 1 {
			t.Errorf("%s: %v after %d calls", name, err, calls)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := b.store.Read(ctx, ref, func(verify.Object) error { return nil }); err != context.Canceled {
			t.Errorf("%s, ended: %v", name, err)
		}
	}
}
