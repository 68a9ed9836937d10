package verifytest

import (
	"fmt"
	"hash/crc32"
	"net/http"
	"strings"
)

func (s *Server) serveObject(rw http.ResponseWriter, r *request, broken bool) {
	o, id, ok := s.version(rw, r)
	if !ok && rw.Header().Get("x-amz-delete-marker") != "" && r.URL.Query().Has("versionId") {
		s3Error(rw, r, http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.")
		return
	}
	if !ok && r.URL.Query().Has("versionId") {
		s3Error(rw, r, http.StatusNotFound, "NoSuchVersion", "The specified version does not exist.", "Key", r.key)
		return
	}
	if !ok {
		s3Error(rw, r, http.StatusNotFound, "NoSuchKey", "The specified key does not exist.", "Key", r.key)
		return
	}
	if no := s.refuse(o, r.Method == http.MethodHead); no != nil {
		s3Error(rw, r, no.status, no.code, no.message, no.more...)
		return
	}
	h := rw.Header()
	if id != "" {
		h.Set("x-amz-version-id", id)
	}
	for name, value := range o.Metadata {
		h["x-amz-meta-"+name] = []string{value} // in lower case, as S3 sends them and botocore needs them
	}
	h.Set("Content-Type", "application/json")
	if !strings.HasSuffix(r.key, InstructionFile) {
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Length", fmt.Sprint(len(o.Bytes)))
	h.Set("ETag", etag(o))
	h.Set("Last-Modified", o.Modified.UTC().Format(http.TimeFormat))
	o.describe(h)
	switch {
	case broken:
		cut(rw, o.Bytes)
	case r.Method != http.MethodHead:
		rw.Write(o.Bytes)
	}
}

// etag stands for the content; it need not be S3's MD5.
func etag(o Object) string {
	return fmt.Sprintf("\"%08x%024x\"", crc32.ChecksumIEEE(o.Bytes), len(o.Bytes))
}

func (s *Server) serveBuckets(rw http.ResponseWriter, broken bool) {
	var b strings.Builder
	b.WriteString(`<ListAllMyBucketsResult xmlns="` + s3Namespace + `"><Owner><ID>owner</ID></Owner><Buckets>`)
	for _, name := range s.w.Buckets() {
		b.WriteString("<Bucket><Name>" + name + "</Name><CreationDate>2024-01-01T00:00:00.000Z</CreationDate></Bucket>")
	}
	b.WriteString("</Buckets></ListAllMyBucketsResult>")
	writeXML(rw, b.String(), broken)
}
