package verify

import (
	"hash/maphash"

	"github.com/trailseal/trailseal/digest"
)

// firstTime reports whether a log file is to be judged: it is not when a digest
// before named it with the same hash. What is kept of a log is 16 bytes, keyed
// by a seed that nobody outside can know.
func (g *groupRun) firstTime(l digest.Log, trusted, backfill bool) bool {
	key, want := g.key(Ref{l.Bucket, l.Object}), uint64(0)
	if trusted {
		want = maphash.Bytes(g.seed, l.Hash[:]) | 1
	}
	for _, named := range g.named {
		if before, seen := named[key]; seen && (!trusted || before == want) {
			return false
		}
	}
	if g.doubt++; trusted || g.doubt < maxDoubt {
		g.slot(backfill)[key] = want
	}
	return true
}

// maxDoubt bounds how many log files that only untrusted digests name are
// remembered: anyone can plant those. Beyond it such a log may be spoken of
// twice.
const maxDoubt = 200_000

// slot is where a digest's logs are remembered. Backfill digests are few, and
// all of them are read before the first sweep.
func (g *groupRun) slot(backfill bool) map[uint64]uint64 {
	if backfill {
		return g.named[2]
	}
	return g.named[0]
}

// note remembers log files that are named by a digest outside the window.
func (g *groupRun) note(logs []digest.Log, backfill bool) {
	for _, l := range logs {
		if key := g.key(Ref{l.Bucket, l.Object}); !g.isNamed(Ref{l.Bucket, l.Object}) {
			g.slot(backfill)[key] = 0
		}
	}
}

func (g *groupRun) isNamed(ref Ref) bool {
	key := g.key(ref)
	for _, named := range g.named {
		if _, ok := named[key]; ok {
			return true
		}
	}
	return false
}

// key stands for a place. A copy knows a log's place only from "AWSLogs/" on.
func (g *groupRun) key(ref Ref) uint64 {
	var h maphash.Hash
	h.SetSeed(g.seed)
	if rest, ok := digest.FromAWSLogs(ref.Key); ok && g.r.relative {
		h.WriteString(rest)
	} else {
		h.WriteString(ref.Bucket)
		h.WriteByte('/')
		h.WriteString(ref.Key)
	}
	return h.Sum64()
}
