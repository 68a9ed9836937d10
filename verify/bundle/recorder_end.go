package bundle

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Finish asks for what a run does not always ask for, and writes down all answers
// that are no objects. It is called once, before the bundle is committed.
func (r *Recorder) Finish(ctx context.Context) error {
	for _, bucket := range r.Buckets() {
		if _, err := r.Expirations(ctx, bucket); err != nil && ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if err := r.flush(); err != nil {
		return &WriteError{err}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, bucket := range slices.Sorted(maps.Keys(r.lifecycle)) {
		r.source.Lifecycle = append(r.source.Lifecycle, r.lifecycle[bucket])
	}
	slices.SortFunc(r.public.Regions, func(a, b keyRegion) int { return strings.Compare(a.Region, b.Region) })
	for _, write := range []func() error{
		func() error { return r.writeJSON(sourceFile, r.source) },
		func() error { return r.writeJSON(keysFile, r.public.sorted()) },
		r.writeFolders,
		r.writeListings,
	} {
		if err := write(); err != nil {
			return &WriteError{err}
		}
	}
	return nil
}

// sorted is the list in an order that does not depend on chance.
func (l keyList) sorted() keyList {
	order := make([]int, len(l.PublicKeyList))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := l.PublicKeyList[a], l.PublicKeyList[b]
		if c := strings.Compare(x.Region, y.Region); c != 0 {
			return c
		}
		if c := x.ValidityStartTime.Compare(y.ValidityStartTime); c != 0 {
			return c
		}
		return strings.Compare(x.Fingerprint, y.Fingerprint)
	})
	out := keyList{PublicKeyList: make([]listedKey, 0, len(order))}
	now := make([]int, len(order))
	for i, was := range order {
		out.PublicKeyList = append(out.PublicKeyList, l.PublicKeyList[was])
		now[was] = i
	}
	for _, region := range l.Regions {
		region.Keys = slices.Clone(region.Keys)
		for i, was := range region.Keys {
			region.Keys[i] = now[was]
		}
		out.Regions = append(out.Regions, region)
	}
	return out
}

func (r *Recorder) writeJSON(path string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return r.to.File(path, append(data, '\n'))
}

func (r *Recorder) writeFolders() error {
	var out bytes.Buffer
	lines := json.NewEncoder(&out)
	lines.SetEscapeHTML(false)
	for _, at := range slices.SortedFunc(maps.Keys(r.folders), compareRefs) {
		if err := lines.Encode(r.folders[at]); err != nil {
			return err
		}
	}
	return r.to.File(foldersFile, out.Bytes())
}

func (r *Recorder) writeListings() error {
	var out bytes.Buffer
	lines := json.NewEncoder(&out)
	lines.SetEscapeHTML(false)
	for _, bucket := range slices.Sorted(maps.Keys(r.listed)) {
		for _, s := range *r.listed[bucket] {
			if err := lines.Encode(listAnswer{Bucket: name(bucket), Keys: &nameSpan{name(s.From), name(s.To)}}); err != nil {
				return err
			}
		}
	}
	for _, q := range slices.SortedFunc(maps.Keys(r.failed), func(a, b query) int {
		return slices.Compare([]string{a.at.Bucket, a.at.Key, a.after, a.until}, []string{b.at.Bucket, b.at.Key, b.after, b.until})
	}) {
		failed := r.failed[q]
		if err := lines.Encode(listAnswer{Bucket: name(q.at.Bucket), Failed: &failed}); err != nil {
			return err
		}
	}
	return r.to.File(listingsFile, out.Bytes())
}
