package verifytest

import (
	"bytes"
	"strings"

	"github.com/trailseal/trailseal/verify"
)

// jsonDamages are digests that are signed by the region's key and linked to,
// but are not written as CloudTrail writes them.
var jsonDamages = []Damage{
	jsonDamage("half-null", "two of the previous-fields of a digest are null and three are not", func(raw []byte) []byte {
		for _, name := range []string{"previousDigestHashValue", "previousDigestSignature"} {
			raw = setNull(raw, name)
		}
		return raw
	}),
	jsonDamage("json-deep", "a digest holds an array a hundred thousand deep", func(raw []byte) []byte {
		const depth = 100_000
		return addField(raw, `"x":`+strings.Repeat("[", depth)+strings.Repeat("]", depth))
	}),
	jsonDamage("json-duplicate", "a digest names its log files twice, and differently", func(raw []byte) []byte {
		return addField(raw, `"logFiles":[]`)
	}),
	jsonDamage("json-wrong-types", "the log files of a digest are an object, not an array", func(raw []byte) []byte {
		raw = bytes.Replace(raw[:len(raw)-1], []byte(`"logFiles":[`), []byte(`"logFiles":{"all":[`), 1)
		return append(raw, "}}"...)
	}),
	{
		Name: "json-huge", Says: "a digest holds a field of 8 MiB that no reader knows", order: changes,
		Expect: "nothing: the digest is kept", Exit: 0,
		do: func(b *breaker) error {
			s, err := b.middle(1)
			if err != nil {
				return err
			}
			s.digest().twist.raw = func(raw []byte) []byte { return addField(raw, `"x":"`+strings.Repeat("A", 8<<20)+`"`) }
			b.w.relink(s.c, s.i)
			b.victim(s.digest().Ref, digestExpected(verify.Kept))
			return nil
		},
	},
}

func jsonDamage(name, says string, change func([]byte) []byte) Damage {
	return Damage{
		Name: name, Says: says, Exit: 1, order: changes,
		Expect: "the digest is modified (malformed); its logs are unreferenced",
		do: func(b *breaker) error {
			s, err := b.middle(1)
			if err != nil {
				return err
			}
			logs := b.logs(s.digest())
			s.digest().twist.raw = change
			b.w.relink(s.c, s.i)
			b.victim(s.digest().Ref, digestExpected(verify.Modified, verify.Malformed))
			b.orphaned(logs...)
			return nil
		},
	}
}

func setNull(raw []byte, name string) []byte {
	from := bytes.Index(raw, []byte(`"`+name+`":"`)) + len(name) + 3
	to := from + 1 + bytes.IndexByte(raw[from+1:], '"') + 1
	return append(append(bytes.Clone(raw[:from]), "null"...), raw[to:]...)
}

// addField adds a field at the end of an object.
func addField(raw []byte, field string) []byte {
	return append(append(bytes.Clone(raw[:len(raw)-1]), ','), field+"}"...)
}
