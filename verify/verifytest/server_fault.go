package verifytest

import (
	"fmt"
	"net/http"
	"path"
)

// A Fault is an answer in place of the right one. Fields that are empty match
// everything.
type Fault struct {
	Operation string // "GetObject", "ListObjectsV2", "ListPublicKeys", "Decrypt", …
	Bucket    string
	Key       string // a shell pattern for an object's whole key, a listing's prefix or a KMS key's ARN, "/" being a character like others
	Region    string // for which the request was signed
	Page      int    // of a listing or of the keys: this one alone
	Times     int    // how often; 0: always

	Status  int               // 0: 503
	Code    string            // "AccessDenied", "KMS.DisabledException", …
	Message string            //
	Header  map[string]string // more headers of the answer
	Cut     bool              // no error: the body breaks off half-way

	left int
}

// Fail adds a fault, after those that are there. The first that matches counts.
func (s *Server) Fail(f Fault) {
	if f.Status == 0 {
		f.Status = http.StatusServiceUnavailable
	}
	f.left = f.Times
	s.mu.Lock()
	s.faults = append(s.faults, &f)
	s.mu.Unlock()
}

// fault finds the fault for a request and uses it up.
func (s *Server) fault(r *request) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		if !f.matches(r) || f.Times > 0 && f.left == 0 {
			continue
		}
		f.left--
		return f
	}
	return nil
}

func (f *Fault) matches(r *request) bool {
	is := func(want, is string) bool { return want == "" || want == is }
	return is(f.Operation, r.operation) && is(f.Bucket, r.bucket) && is(f.Region, r.region) &&
		(f.Page == 0 || f.Page == r.page) && (f.Key == "" || matchKey(f.Key, r.key))
}

// matchKey is path.Match for which "/" is a character like others.
func matchKey(pattern, key string) bool {
	flat := func(s string) string {
		b := []byte(s)
		for i := range b {
			if b[i] == '/' {
				b[i] = 0
			}
		}
		return string(b)
	}
	ok, err := path.Match(flat(pattern), flat(key))
	return pattern == key || ok && err == nil
}

// cut sends the first half of a body and then breaks the connection.
func cut(rw http.ResponseWriter, body []byte) {
	rw.Header().Set("Content-Length", fmt.Sprint(len(body)))
	rw.WriteHeader(http.StatusOK)
	rw.Write(body[:len(body)/2])
	if f, ok := rw.(http.Flusher); ok {
		f.Flush()
	}
	panic(http.ErrAbortHandler) // the server's way to close a connection
}
