package main

import (
	"context"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trailseal/trailseal/verify"
)

// shelf is a store of which each version's content is its id.
type shelf struct{}

func (shelf) Versions(context.Context, verify.Ref, int) ([]verify.Version, bool, error) {
	return nil, false, nil
}

func (shelf) Hidden(context.Context, verify.Ref, string, string) iter.Seq2[verify.Entry, error] {
	return func(func(verify.Entry, error) bool) {}
}

func (shelf) ReadVersion(_ context.Context, _ verify.Ref, id string, use func(verify.Object) error) error {
	return use(verify.Object{Body: strings.NewReader(id), Metadata: map[string]string{"of": id}})
}

// What is saved is never written over, nor is the metadata beside it.
func TestSaveOnce(t *testing.T) {
	s, err := newSaver(filepath.Join(t.TempDir(), "to"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	f := verify.File{URI: "s3://b/../AWSLogs/x.json.gz"}
	first, second := verify.Recover{Version: "one"}, verify.Recover{Version: "two"}
	for _, r := range []*verify.Recover{&first, &second} {
		if err := s.save(t.Context(), shelf{}, f, r); err != nil {
			t.Fatal(err)
		}
	}
	body, _ := os.ReadFile(first.Saved)
	side, _ := os.ReadFile(first.Saved + ".metadata.json")
	if string(body) != "one" || string(side) != `{"of":"one"}` || second.Saved != "" || !strings.Contains(second.Problem, "another file") {
		t.Errorf("%q with %q; then %+v", body, side, second)
	}
	if !strings.HasPrefix(first.Saved, s.dir) || strings.Contains(first.Saved, "..") {
		t.Errorf("saved in %q", first.Saved)
	}
	left, _ := os.ReadDir(filepath.Dir(first.Saved))
	if len(left) != 2 {
		t.Errorf("%v", left)
	}
	if _, err := newSaver(s.dir); err == nil {
		t.Error("a directory with something in it is taken")
	}
}
