package source

import (
	"context"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/trailseal/trailseal/verify"
)

// A copy is listed and read by the names of its original.
func TestCopyOf(t *testing.T) {
	f := newFake(t)
	f.pageSize = 2
	for _, key := range []string{"old/AWSLogs/1/a", "old/AWSLogs/1/b", "old/AWSLogs/1/c", "old/AWSLogs/2/d", "other"} {
		f.put("archive", key, "content of "+key)
	}
	s := f.open(t, func(o *S3Options) { o.URI = "s3://archive/old" })
	c, err := NewCopyOf(s, "s3://trail/pre/fix")
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	roots, _ := c.Roots(ctx)
	if len(roots) != 1 || roots[0] != (verify.Ref{Bucket: "trail", Key: "pre/fix/"}) {
		t.Errorf("roots %v", roots)
	}
	dirs, err := c.Dirs(ctx, verify.Ref{Bucket: "trail", Key: "pre/fix/AWSLogs/"})
	if !slices.Equal(dirs, []string{"1/", "2/"}) || err != nil {
		t.Errorf("dirs %v, %v", dirs, err)
	}
	var listed []string
	for e, err := range c.List(ctx, verify.Ref{Bucket: "trail", Key: "pre/fix/AWSLogs/"}, "pre/fix/AWSLogs/1/a", "pre/fix/AWSLogs/2") {
		if err != nil {
			t.Fatal(err)
		}
		listed = append(listed, e.URI())
	}
	if !slices.Equal(listed, []string{"s3://trail/pre/fix/AWSLogs/1/b", "s3://trail/pre/fix/AWSLogs/1/c"}) {
		t.Errorf("listed %v", listed)
	}
	got, _, err := read(c, verify.Ref{Bucket: "trail", Key: "pre/fix/AWSLogs/2/d"})
	if got != "content of old/AWSLogs/2/d" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	gone := verify.Ref{Bucket: "trail", Key: "pre/fix/AWSLogs/2/e"}
	if _, _, err = read(c, gone); err == nil || !strings.Contains(err.Error(), gone.URI()) {
		t.Errorf("what the copy lacks: %v", err)
	}
	for _, elsewhere := range []verify.Ref{{Bucket: "archive", Key: "old/AWSLogs/2/d"}, {Bucket: "trail", Key: "AWSLogs/1/a"}, {Bucket: "trail", Key: ""}} {
		if _, _, err = read(c, elsewhere); reason(err) != verify.NotCopied {
			t.Errorf("%v: %v", elsewhere, err)
		}
	}
	if _, err := NewCopyOf(s, "trail"); err == nil {
		t.Error("a bucket without its scheme")
	}
}

// keeper is a store of which each object has one former version.
type keeper struct {
	verify.Store
	asked verify.Ref
}

func (k *keeper) Versions(_ context.Context, ref verify.Ref, _ int) ([]verify.Version, bool, error) {
	k.asked = ref
	return []verify.Version{{ID: "null", Latest: true, Marker: true}, {ID: "v"}}, false, nil
}

func (k *keeper) Hidden(context.Context, verify.Ref, string, string) iter.Seq2[verify.Entry, error] {
	return func(func(verify.Entry, error) bool) {}
}

func (k *keeper) ReadVersion(context.Context, verify.Ref, string, func(verify.Object) error) error {
	return nil
}

// Versions of a copy say that they lie in the copy: a command made of them that
// named the original would remove the original's version "null".
func TestCopyOfVersions(t *testing.T) {
	c, err := NewCopyOf(newFake(t).open(t, func(o *S3Options) { o.URI = "s3://archive/old" }), "s3://trail/pre")
	if err != nil {
		t.Fatal(err)
	}
	k := &keeper{Store: c.Store}
	c.Store = k
	there := verify.Ref{Bucket: "archive", Key: "old/AWSLogs/1/a"}
	all, _, err := c.Versions(context.Background(), verify.Ref{Bucket: "trail", Key: "pre/AWSLogs/1/a"}, 9)
	if err != nil || len(all) != 2 || k.asked != there || all[0].At != there || all[1].At != there {
		t.Errorf("%+v, asked for %v: %v", all, k.asked, err)
	}
}
