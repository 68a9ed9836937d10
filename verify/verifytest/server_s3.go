package verifytest

import (
	"fmt"
	"net/http"
	"strings"
)

// serveS3 answers what is not of another service, path style.
func (s *Server) serveS3(rw http.ResponseWriter, r *request) {
	r.bucket, r.key, _ = strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	r.operation = operationS3(r)
	if strings.HasPrefix(r.operation, "ListObject") {
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
	if !s.pays(r) {
		s3Error(rw, r, http.StatusForbidden, "AccessDenied", "Access Denied")
		return
	}
	switch r.operation {
	case "GetObject", "HeadObject", "GetObjectVersion":
		s.serveObject(rw, r, broken)
	case "ListObjects", "ListObjectsV2":
		s.serveList(rw, r, broken)
	case "ListObjectVersions":
		s.serveVersions(rw, r, broken)
	case "GetBucketLocation":
		writeXML(rw, "<LocationConstraint xmlns=\""+s3Namespace+"\">"+location(s.regionOf(r.bucket))+"</LocationConstraint>", broken)
	case "GetBucketRequestPayment":
		writeXML(rw, s.payer(r.bucket), broken)
	case "HeadBucket":
		rw.Header().Set("x-amz-bucket-region", s.regionOf(r.bucket))
	case "GetBucketLifecycleConfiguration":
		s.serveLifecycle(rw, r, broken)
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
	case r.key != "" && q.Has("versionId"):
		return "GetObjectVersion"
	case r.key != "":
		return "GetObject"
	case head:
		return "HeadBucket"
	case q.Has("location"):
		return "GetBucketLocation"
	case q.Has("requestPayment"):
		return "GetBucketRequestPayment"
	case q.Has("versions"):
		return "ListObjectVersions"
	case q.Has("lifecycle"):
		return "GetBucketLifecycleConfiguration"
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
	"acl", "encryption", "logging", "object-lock", "policy", "policyStatus", "tagging", "versioning",
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
