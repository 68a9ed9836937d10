package verifytest

import (
	"encoding/xml"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/trailseal/trailseal/verify"
)

// serveS3 answers what is not of another service, path style.
func (s *Server) serveS3(rw http.ResponseWriter, r *request) {
	r.bucket, r.key, _ = strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	r.operation = operationS3(r)
	if strings.HasPrefix(r.operation, "ListObjects") {
		r.key, r.page = r.URL.Query().Get("prefix"), pageOf(r.URL.Query())
	}
	s.count(r.operation)
	fault := s.fault(r)
	switch {
	case s.rate != nil && !s.rate.take():
		s.count("SlowDown")
		s3Error(rw, r, http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate.")
		return
	case fault != nil && !fault.Cut:
		for name, value := range fault.Header {
			rw.Header().Set(name, value)
		}
		s3Error(rw, r, fault.Status, fault.Code, fault.Message)
		return
	case s.misdirected(rw, r):
		return
	}
	s.answerS3(rw, r, fault != nil)
}

func (s *Server) answerS3(rw http.ResponseWriter, r *request, broken bool) {
	if r.bucket != "" && s.w.shelves[r.bucket] == nil {
		s3Error(rw, r, http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
		return
	}
	switch r.operation {
	case "GetObject", "HeadObject":
		s.serveObject(rw, r, broken)
	case "ListObjects", "ListObjectsV2":
		s.serveList(rw, r, broken)
	case "GetBucketLocation":
		writeXML(rw, "<LocationConstraint xmlns=\""+s3Namespace+"\">"+location(s.regionOf(r.bucket))+"</LocationConstraint>", broken)
	case "HeadBucket":
		rw.Header().Set("x-amz-bucket-region", s.regionOf(r.bucket))
	case "ListBuckets":
		s.serveBuckets(rw, broken)
	default:
		s3Error(rw, r, http.StatusNotImplemented, "NotImplemented", "This stand-in for S3 does not know the request.")
	}
}

const s3Namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

func operationS3(r *request) string {
	q := r.URL.Query()
	head := r.Method == http.MethodHead
	switch {
	case !head && r.Method != http.MethodGet:
		return r.Method
	case r.bucket == "":
		return "ListBuckets"
	case r.key != "" && head:
		return "HeadObject"
	case r.key != "":
		return "GetObject"
	case head:
		return "HeadBucket"
	case q.Has("location"):
		return "GetBucketLocation"
	case q.Get("list-type") == "2":
		return "ListObjectsV2"
	}
	for _, of := range subresources {
		if q.Has(of) {
			return "GetBucket?" + of
		}
	}
	return "ListObjects"
}

// subresources of a bucket that the server knows only to refuse.
var subresources = []string{
	"acl", "encryption", "lifecycle", "logging", "object-lock", "policy", "policyStatus", "tagging", "versioning", "versions",
}

// regionOf is the region that a bucket is in.
func (s *Server) regionOf(bucket string) string {
	if region := s.opts.BucketRegions[bucket]; region != "" {
		return region
	}
	for _, t := range s.w.trails {
		if t.Bucket == bucket {
			return t.BucketRegion
		}
	}
	if len(s.w.trails) > 0 {
		return s.w.trails[0].BucketRegion
	}
	return "us-east-1"
}

// location is a region as GetBucketLocation has it.
func location(region string) string {
	if region == "us-east-1" {
		return ""
	}
	return region
}

// misdirected answers a request that was signed for another region than the
// bucket's, as S3 does: its global endpoint redirects, a region's refuses.
func (s *Server) misdirected(rw http.ResponseWriter, r *request) bool {
	if s.opts.Redirect == 0 || r.bucket == "" || r.region == "" || r.operation == "GetBucketLocation" {
		return false
	}
	region := s.regionOf(r.bucket)
	if region == r.region || s.w.shelves[r.bucket] == nil {
		return false
	}
	s.count("Redirect")
	rw.Header().Set("x-amz-bucket-region", region)
	if s.opts.Redirect == http.StatusBadRequest {
		s3Error(rw, r, http.StatusBadRequest, "AuthorizationHeaderMalformed",
			fmt.Sprintf("The authorization header is malformed; the region '%s' is wrong; expecting '%s'", r.region, region), "Region", region)
		return true
	}
	s3Error(rw, r, s.opts.Redirect, "PermanentRedirect",
		"The bucket you are attempting to access must be addressed using the specified endpoint.", "Endpoint", "s3."+region+".amazonaws.com")
	return true
}

func (s *Server) serveObject(rw http.ResponseWriter, r *request, broken bool) {
	o, ok := s.w.Get(verify.Ref{Bucket: r.bucket, Key: r.key})
	if !ok {
		s3Error(rw, r, http.StatusNotFound, "NoSuchKey", "The specified key does not exist.", "Key", r.key)
		return
	}
	h := rw.Header()
	for name, value := range o.Metadata {
		h["x-amz-meta-"+name] = []string{value} // in lower case, as S3 sends them and botocore needs them
	}
	h.Set("Content-Type", "application/json")
	h.Set("Content-Encoding", "gzip")
	h.Set("Content-Length", fmt.Sprint(len(o.Bytes)))
	h.Set("ETag", etag(o))
	h.Set("Last-Modified", o.Modified.UTC().Format(http.TimeFormat))
	h.Set("x-amz-server-side-encryption", "AES256")
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

func writeXML(rw http.ResponseWriter, body string, broken bool) {
	rw.Header().Set("Content-Type", "application/xml")
	body = xml.Header + body
	if broken {
		cut(rw, []byte(body))
	}
	rw.Header().Set("Content-Length", fmt.Sprint(len(body)))
	io.WriteString(rw, body)
}

// s3Error answers with S3's error document, and more elements in it.
func s3Error(rw http.ResponseWriter, r *request, status int, code, message string, more ...string) {
	var b strings.Builder
	b.WriteString(xml.Header + "<Error><Code>" + escape(code) + "</Code><Message>" + escape(message) + "</Message>")
	for i := 0; i+1 < len(more); i += 2 {
		b.WriteString("<" + more[i] + ">" + escape(more[i+1]) + "</" + more[i] + ">")
	}
	b.WriteString("<RequestId>TRAILSEALTEST0001</RequestId><HostId>verifytest</HostId></Error>")
	rw.Header().Set("Content-Type", "application/xml")
	rw.Header().Set("Content-Length", fmt.Sprint(b.Len()))
	rw.WriteHeader(status)
	if r.Method != http.MethodHead {
		io.WriteString(rw, b.String())
	}
}

// escape writes text into XML as S3 does: control characters become character
// references, which XML 1.0 does not allow; that is why listings are asked for
// with encoding-type=url.
func escape(s string) string {
	var b strings.Builder
	for _, c := range s {
		switch {
		case c == '&':
			b.WriteString("&amp;")
		case c == '<':
			b.WriteString("&lt;")
		case c == '>':
			b.WriteString("&gt;")
		case c == '"':
			b.WriteString("&quot;")
		case c < ' ':
			fmt.Fprintf(&b, "&#x%x;", c)
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}

// escapeURL is S3's encoding-type=url.
func escapeURL(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "%2F", "/") }
