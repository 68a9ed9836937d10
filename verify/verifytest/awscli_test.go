package verifytest

import (
	"errors"
	"os/exec"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
)

func serve(t testing.TB, w *World, opts ServerOptions) *Server {
	t.Helper()
	s, err := NewServer(w, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// TestReferenceAgrees lets the reference implementation judge honest worlds:
// it must call every digest and log valid, and know of no other.
func TestReferenceAgrees(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the AWS CLI")
	}
	for name, change := range map[string]func(*Spec){
		"default": nil,
		"organization": func(s *Spec) {
			s.Organization = "o-exampleorgid"
			s.Accounts = []string{"444455556666"}
			s.Prefix = "audit"
		},
		"moved":    func(s *Spec) { s.MoveBucketAt = 12 },
		"rollover": func(s *Spec) { s.Start = KeyRollover("eu-west-1", s.Start).AddDate(0, 0, -1).Add(12 * time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := mint(t, change)
			s := serve(t, w, ServerOptions{PageSize: 7})
			for _, region := range []string{"eu-west-1", "us-east-1"} {
				checkReference(t, s, region)
			}
		})
	}
}

func checkReference(t *testing.T, s *Server, region string) {
	t.Helper()
	w := s.w
	v, err := s.ValidateLogs(t.Context(), w.Trails()[0], w.chains[0].Account, region, w.Window())
	if errors.Is(err, exec.ErrNotFound) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if v.Exit != 0 || v.Stderr != "" {
		t.Errorf("exit %d, %s", v.Exit, v.Stderr)
	}
	n := 0
	for _, c := range w.chains {
		if c.Region != region {
			continue
		}
		for i, d := range c.Digests {
			refs := []verify.Ref{d.Ref}
			for _, l := range w.mustRecord(d).Logs {
				refs = append(refs, logRef(l))
			}
			for _, ref := range refs {
				n++
				if says := v.Files[ref.URI()]; says != "valid" && i > 0 {
					t.Errorf("%s: %q", ref.URI(), says)
				}
				delete(v.Files, ref.URI())
			}
		}
	}
	if len(v.Files) > 0 || n < 20 {
		t.Errorf("of %d files it also names %v\n%s", n, v.Files, v.Stdout)
	}
}
