package verifytest

import (
	"strings"

	"github.com/trailseal/trailseal/verify"
)

// nameDamages lay things among the files whose names are the trouble.
var nameDamages = []Damage{
	{
		Name: "junk-digest", Says: "files that are named almost like digests are laid among them", order: changes,
		Expect: "they are remarked upon as junk, and nobody else is blamed", Exit: 0, do: layJunk,
	},
	{
		Name: "hostile-name", Says: "files with control characters, markup and invalid text in their names are laid among the logs", order: changes,
		Expect: "they are unreferenced (no-digest), or pending while younger than 48 hours; their names are escaped", Exit: 3,
		do: layNames("\x1b[2J\x1b[31mall kept\x1b[0m.json.gz", "two\nlines\r.json.gz", "<script>alert(1)</script>&amp;'\".json.gz"+
			"", "\u202egnp.log\u2066.json.gz", "invalid-\xff\xfe-utf8.json.gz", "%2e%2e%2fescaped+plus.json.gz", " space .json.gz"),
	},
	{
		Name: "hostile-path", Says: "objects whose keys a directory cannot hold (.., empty elements) are laid among the logs: in a bucket only, not by simulate", order: changes,
		Expect: "they are unreferenced (no-digest), or pending while younger than 48 hours", Exit: 3,
		do: layNames("../../../../../../../../etc/passwd", "a//b.json.gz", "./c.json.gz"),
	},
}

func layJunk(b *breaker) error {
	s, err := b.middle(0)
	if err != nil {
		return err
	}
	d := s.digest()
	o, _ := b.w.Get(d.Ref)
	stem := strings.TrimSuffix(d.Key, logSuffix)
	for _, key := range []string{
		stem + ".json", stem + ".json.gz.bak", stem[:len(stem)-3] + "99Z" + logSuffix, stem + "_backfill2" + logSuffix,
		folderOf(d.Key) + "README.txt",
	} {
		ref := verify.Ref{Bucket: d.Bucket, Key: key}
		b.w.Put(ref, o)
		b.victim(ref, Expected{silent: true})
	}
	b.found(verify.Junk)
	return nil
}

func layNames(names ...string) func(*breaker) error {
	return func(b *breaker) error {
		at, err := b.log()
		if err != nil {
			return err
		}
		o, _ := b.w.Get(at)
		for _, name := range names {
			ref := verify.Ref{Bucket: at.Bucket, Key: folderOf(at.Key) + name}
			b.w.Put(ref, Object{Bytes: o.Bytes, Modified: o.Modified})
			b.victim(ref, Expected{byAge: true})
		}
		return nil
	}
}
