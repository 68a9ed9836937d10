package verifytest

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
)

// Now is a moment just after the newest digest of the world was delivered:
// the time at which to verify it.
func (w *World) Now() time.Time {
	var latest time.Time
	for _, t := range w.trails {
		if t.LatestDigest.After(latest) {
			latest = t.LatestDigest
		}
	}
	return latest.Add(5 * time.Minute)
}

// Window is the stretch of time that the world's digests cover, the starting
// digests left out.
func (w *World) Window() verify.Window {
	var win verify.Window
	for _, c := range w.chains {
		if c.Backfill {
			continue
		}
		if start := c.Digests[0].End; win.Start.IsZero() || start.Before(win.Start) {
			win.Start = start
		}
		if end := c.Digests[len(c.Digests)-1].End; end.After(win.End) {
			win.End = end
		}
	}
	return win
}

// Record reads a digest file of the world, honest or not, sealed or not.
func (w *World) Record(ref verify.Ref) (*digest.Record, error) {
	o, ok := w.Get(ref)
	if !ok {
		return nil, &verify.NotFoundError{Ref: ref}
	}
	raw, content, err := digest.ReadGzip(bytes.NewReader(w.unsealed(o)), verify.DefaultDigestLimit)
	if err == nil && content.Form != digest.Exact {
		err = fmt.Errorf("%s: %v", ref.URI(), content.Form)
	}
	if err != nil {
		return nil, err
	}
	return digest.Parse(raw)
}

// mustRecord is what CloudTrail wrote as a digest, whatever stands there now.
func (w *World) mustRecord(d *Digest) *digest.Record {
	if d.twist.wrote != nil {
		r := *d.twist.wrote
		return &r
	}
	r, err := w.Record(d.Ref)
	if err != nil {
		panic(fmt.Sprintf("an honest digest: %v", err))
	}
	return r
}

// Logs lists every object that stands among the logs, in byte order.
func (w *World) Logs() []verify.Ref {
	var refs []verify.Ref
	for _, bucket := range w.Buckets() {
		for key := range w.Scan(bucket, "") {
			if !strings.Contains(key, "/"+digest.DigestFolder+"/") && !strings.HasSuffix(key, "/") {
				refs = append(refs, verify.Ref{Bucket: bucket, Key: key})
			}
		}
	}
	return refs
}

// Size is how many objects and compressed bytes there are.
func (w *World) Size() (objects int, bytes int64) {
	for bucket := range w.shelves {
		for _, o := range w.Scan(bucket, "") {
			objects++
			bytes += int64(len(o.Bytes))
		}
	}
	return objects, bytes
}
