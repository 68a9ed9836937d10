package bundle

import (
	"context"
	"fmt"

	"github.com/trailseal/trailseal/verify"
)

// mostAltered is how many altered parts of a bundle are named one by one.
const mostAltered = 20

// Testimony is what the source found out about itself when the bundle was
// collected, and which parts of the bundle are not what was collected then.
func (s *Store) Testimony(ctx context.Context) []verify.Finding {
	found := append([]verify.Finding(nil), s.source.Findings...)
	altered, moved := 0, 0
	if seal := s.from.Seal(); s.want != "" && s.want != seal {
		found = append(found, verify.Finding{Kind: verify.BundleAltered, Message: fmt.Sprintf("its seal is %s, and not %.64s: it is another bundle, or its manifest was changed", seal, s.want)})
	}
	told := map[string]bool{}
	for a := range s.from.Alterations(ctx) {
		told[a.Path] = true
		f := verify.Finding{Kind: verify.BundleAltered, Message: fmt.Sprintf("%q in the bundle is not what was collected: %s", a.Path, a.Detail)}
		count := &altered
		if a.Moved != "" {
			f = verify.Finding{Kind: verify.Moved, Message: fmt.Sprintf("what was collected as %q lies in the bundle as %q", a.Path, a.Moved)}
			count = &moved
		}
		if a.Ref != (verify.Ref{}) {
			f.URI = a.Ref.URI()
		}
		if *count++; *count <= mostAltered {
			found = append(found, f)
		}
	}
	if n := altered - mostAltered; n > 0 {
		found = append(found, verify.Finding{Kind: verify.BundleAltered, Message: fmt.Sprintf("and %d more parts of the bundle are not what was collected", n)})
	}
	if n := moved - mostAltered; n > 0 {
		found = append(found, verify.Finding{Kind: verify.Moved, Message: fmt.Sprintf("and %d more entries of the bundle lie elsewhere in it", n)})
	}
	for _, path := range []string{sourceFile, keysFile, foldersFile, listingsFile} {
		if err := s.wrong[path]; err != nil && !told[path] { // whole, and no such file: made so
			found = append(found, verify.Finding{Kind: verify.BundleAltered, Message: fmt.Sprintf("%q in the bundle is no file that trailseal writes: %.300q", path, err.Error())})
		}
	}
	return found
}

// Expect makes a seal that is not the bundle's a part of the testimony.
func (s *Store) Expect(seal string) { s.want = seal }
