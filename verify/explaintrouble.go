package verify

import (
	"strings"
	"time"
)

// A trouble is a file or finding that an event may explain.
type trouble struct {
	seq        int64
	verdict    Verdict     // of a file
	kind       FindingKind // of a finding
	reasons    []Reason
	uri        string
	bucket     string
	key        string    // KMS key
	at         time.Time // when CloudTrail delivered the file
	removed    time.Time // when it was deleted, where its versions tell
	start, end time.Time
	chain      *ChainRef
	places     []chainPlace // the chain, once all are known
}

// file notes a file that is to be explained.
func (x *explainer) file(f *File) {
	switch f.Verdict {
	case Modified, Deleted, Unreadable, Unverified, Unreferenced, Pending:
	default:
		return
	}
	t := trouble{seq: f.Seq, verdict: f.Verdict, reasons: f.Reasons, uri: f.URI, key: f.Key}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(f.URI, "s3://"), "/")
	t.bucket = bucket
	if _, _, at, err := placeInTime(key); err == nil {
		t.at = at
	}
	if f.Recover != nil && f.Recover.Removed != nil {
		t.removed = *f.Recover.Removed
	}
	x.trouble(t)
}

// finding notes a finding that is to be explained.
func (x *explainer) finding(f *Finding) {
	switch f.Kind {
	case Gap, Stale, NotStarted, Undelivered, LinkBroken, KeyDoomed, KeyDisabled, KeyForeign, NoDigests:
	default:
		return
	}
	t := trouble{seq: f.Seq, kind: f.Kind, uri: f.URI, key: f.Key, chain: f.Chain}
	if f.Start != nil {
		t.start = *f.Start
	}
	if f.End != nil {
		t.end = *f.End
	}
	x.trouble(t)
}

// trouble notes one or the other, of each as many as the bound allows.
func (x *explainer) trouble(t trouble) {
	if n := &x.noted[boolInt(t.kind != "")]; *n < maxTroubles {
		*n++
		x.troubles = append(x.troubles, t)
	}
}
