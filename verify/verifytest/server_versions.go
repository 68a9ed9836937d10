package verifytest

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/trailseal/trailseal/verify"
)

// version is the version that a request asks for, or the newest. A bucket that
// keeps none tells no id.
func (s *Server) version(rw http.ResponseWriter, r *request) (o Object, id string, ok bool) {
	ref := verify.Ref{Bucket: r.bucket, Key: r.key}
	want := r.URL.Query().Get("versionId")
	if shelf := s.w.shelves[r.bucket]; shelf == nil || shelf.history == nil {
		o, ok = s.w.Get(ref)
		return o, "", ok && (want == "" || want == "null")
	}
	for _, v := range s.w.Versions(ref) {
		switch {
		case want != "" && v.ID != want:
		case v.Marker:
			rw.Header().Set("x-amz-delete-marker", "true")
			rw.Header().Set("x-amz-version-id", v.ID)
			return o, v.ID, false
		default:
			return v.Object, v.ID, true
		}
	}
	return o, "", false
}

// A listedVersion is an entry of ListObjectVersions.
type listedVersion struct {
	HeldVersion
	key    string
	latest bool
}

// serveVersions answers ListObjectVersions, a page at a time.
func (s *Server) serveVersions(rw http.ResponseWriter, r *request, broken bool) {
	q := r.URL.Query()
	limit := s.opts.PageSize
	if n, err := strconv.Atoi(q.Get("max-keys")); err == nil {
		limit = min(limit, n)
	}
	all := s.w.allVersions(r.bucket, q.Get("prefix"))
	if key := q.Get("key-marker"); key != "" {
		i := slices.IndexFunc(all, func(v listedVersion) bool {
			return v.key > key || v.key == key && v.ID == q.Get("version-id-marker")
		})
		if i >= 0 && all[i].key == key {
			i++
		}
		all = all[max(i, 0):]
	}
	var b strings.Builder
	b.WriteString(`<ListVersionsResult xmlns="` + s3Namespace + `"><Name>` + escape(r.bucket) + `</Name><EncodingType>url</EncodingType>`)
	if len(all) > limit {
		last := all[limit-1]
		b.WriteString("<IsTruncated>true</IsTruncated><NextKeyMarker>" + escapeURL(last.key) + "</NextKeyMarker><NextVersionIdMarker>" + last.ID + "</NextVersionIdMarker>")
		all = all[:limit]
	} else {
		b.WriteString("<IsTruncated>false</IsTruncated>")
	}
	for _, v := range all {
		kind := "Version"
		if v.Marker {
			kind = "DeleteMarker"
		}
		fmt.Fprintf(&b, "<%s><Key>%s</Key><VersionId>%s</VersionId><IsLatest>%v</IsLatest><LastModified>%s</LastModified><Owner><ID>%s</ID></Owner>",
			kind, escapeURL(v.key), v.ID, v.latest, v.Modified.UTC().Format("2006-01-02T15:04:05.000Z"), v.Owner)
		if !v.Marker {
			fmt.Fprintf(&b, "<ETag>%s</ETag><Size>%d</Size><StorageClass>STANDARD</StorageClass>", escape(etag(v.Object)), len(v.Bytes))
		}
		b.WriteString("</" + kind + ">")
	}
	b.WriteString("</ListVersionsResult>")
	writeXML(rw, b.String(), broken)
}

// allVersions are the versions below a prefix, by key, the newest first.
func (w *World) allVersions(bucket, prefix string) (all []listedVersion) {
	keys := map[string]bool{}
	for key := range w.Scan(bucket, prefix) {
		if !strings.HasPrefix(key, prefix) {
			break
		}
		keys[key] = true
	}
	for key := range w.shelf(bucket).history {
		if strings.HasPrefix(key, prefix) {
			keys[key] = true
		}
	}
	for key := range keys {
		for i, v := range w.Versions(verify.Ref{Bucket: bucket, Key: key}) {
			all = append(all, listedVersion{v, key, i == 0})
		}
	}
	slices.SortStableFunc(all, func(a, b listedVersion) int { return cmp.Compare(a.key, b.key) })
	return all
}
