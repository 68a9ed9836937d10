package verifytest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/trailseal/trailseal/verify"
)

// Lifecycle sets a bucket's lifecycle rules. Nothing is removed by it: Expire does
// that.
func (w *World) Lifecycle(bucket string, rules ...verify.Expiration) {
	if w.lifecycles == nil {
		w.lifecycles = map[string][]verify.Expiration{}
	}
	w.lifecycles[bucket] = rules
}

// Expire removes what the lifecycle rules have removed by a time, and returns it,
// bucket after bucket in byte order.
func (w *World) Expire(now time.Time) []verify.Ref {
	var gone []verify.Ref
	for _, bucket := range w.Buckets() {
		for key, o := range w.Scan(bucket, "") {
			if slices.ContainsFunc(w.lifecycles[bucket], func(e verify.Expiration) bool { return expires(e, key, o, now) }) {
				gone = append(gone, verify.Ref{Bucket: bucket, Key: key})
			}
		}
	}
	for _, ref := range gone {
		w.Delete(ref)
	}
	return gone
}

// expires reports whether a rule has removed an object. S3 rounds the time up to
// the next midnight.
func expires(e verify.Expiration, key string, o Object, now time.Time) bool {
	size := int64(len(o.Bytes))
	if !strings.HasPrefix(key, e.Prefix) || e.Narrow || size <= e.MinSize && e.MinSize > 0 || size >= e.MaxSize && e.MaxSize > 0 {
		return false
	}
	due := e.On
	if e.Days > 0 {
		due = o.Modified.UTC().Truncate(24*time.Hour).AddDate(0, 0, e.Days+1)
	}
	return !due.After(now)
}

// Expirations are the bucket's lifecycle rules.
func (s *Store) Expirations(ctx context.Context, bucket string) ([]verify.Expiration, error) {
	if err := s.count(ctx, "lifecycle"); err != nil {
		return nil, err
	}
	return s.w.lifecycles[bucket], s.faults.lifecycle
}

// FailLifecycle makes asking for lifecycle rules fail.
func (s *Store) FailLifecycle(err error) { s.faults.lifecycle = err }

// serveLifecycle answers with a bucket's rules, in the form that is written today.
func (s *Server) serveLifecycle(rw http.ResponseWriter, r *request, broken bool) {
	rules := s.w.lifecycles[r.bucket]
	if len(rules) == 0 {
		s3Error(rw, r, http.StatusNotFound, "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist")
		return
	}
	var b strings.Builder
	for _, e := range rules {
		when := fmt.Sprintf("<Days>%d</Days>", e.Days)
		if e.Days == 0 {
			when = "<Date>" + e.On.UTC().Format(time.RFC3339) + "</Date>"
		}
		filter := "<Prefix>" + escape(e.Prefix) + "</Prefix>"
		if e.MinSize > 0 {
			filter += fmt.Sprintf("<ObjectSizeGreaterThan>%d</ObjectSizeGreaterThan>", e.MinSize)
		}
		if e.MaxSize > 0 {
			filter += fmt.Sprintf("<ObjectSizeLessThan>%d</ObjectSizeLessThan>", e.MaxSize)
		}
		if e.Narrow {
			filter += "<Tag><Key>keep</Key><Value>no</Value></Tag>"
		}
		if e.Narrow || e.MinSize > 0 || e.MaxSize > 0 {
			filter = "<And>" + filter + "</And>"
		}
		b.WriteString("<Rule><ID>" + escape(e.ID) + "</ID><Filter>" + filter + "</Filter><Status>Enabled</Status><Expiration>" + when + "</Expiration></Rule>")
	}
	writeXML(rw, "<LifecycleConfiguration xmlns=\""+s3Namespace+"\">"+b.String()+"</LifecycleConfiguration>", broken)
}
