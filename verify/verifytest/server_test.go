package verifytest

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trailseal/trailseal/digest"
)

type page struct {
	Contents       []struct{ Key, LastModified, ETag string }
	CommonPrefixes []struct{ Prefix string }
	IsTruncated    bool
	Token          string `xml:"NextContinuationToken"`
	Marker         string `xml:"NextMarker"`
}

// get asks the server as a client that signs for a region would.
func get(t *testing.T, s *Server, path, region string) (*http.Response, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", s.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept-Encoding", "identity")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260310/"+region+"/s3/aws4_request, SignedHeaders=host, Signature=00")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		body = nil
	}
	return resp, body
}

// list pages through a listing, either version, and gives keys and prefixes.
func list(t *testing.T, s *Server, q url.Values) (keys, prefixes []string) {
	t.Helper()
	q.Set("encoding-type", "url")
	for {
		resp, body := get(t, s, "/example-trail-logs?"+q.Encode(), "eu-west-1")
		var p page
		if err := xml.Unmarshal(body, &p); err != nil || resp.StatusCode != 200 {
			t.Fatalf("%s %v\n%s", resp.Status, err, body)
		}
		if n := len(p.Contents) + len(p.CommonPrefixes); n == 0 && p.IsTruncated || n > s.opts.PageSize {
			t.Fatalf("a page of %d", n)
		}
		for _, c := range p.Contents {
			keys = append(keys, unescapeURL(t, c.Key))
		}
		for _, c := range p.CommonPrefixes {
			prefixes = append(prefixes, unescapeURL(t, c.Prefix))
		}
		if !p.IsTruncated {
			return keys, prefixes
		}
		q.Set("continuation-token", p.Token)
		q.Set("marker", unescapeURL(t, p.Marker))
		if p.Marker == "" && len(keys) > 0 {
			q.Set("marker", keys[len(keys)-1])
		}
	}
}

func unescapeURL(t *testing.T, s string) string {
	t.Helper()
	plain, err := url.QueryUnescape(s)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// TestServerLists holds every way of listing against the world.
func TestServerLists(t *testing.T) {
	w := mint(t, func(s *Spec) { s.Hours = 8 })
	if err := w.Damage("hostile-name", "hostile-path"); err != nil {
		t.Fatal(err)
	}
	var all []string
	for key := range w.Scan("example-trail-logs", "") {
		all = append(all, key)
	}
	for _, size := range []int{1, 2, 7, 1000} {
		s := serve(t, w, ServerOptions{PageSize: size})
		for _, version := range []string{"2", "1"} {
			keys, _ := list(t, s, url.Values{"list-type": {version}})
			if !slices.Equal(keys, all) {
				t.Errorf("version %s, pages of %d: %d keys, want %d", version, size, len(keys), len(all))
			}
			at := "AWSLogs/111122223333/CloudTrail/"
			keys, prefixes := list(t, s, url.Values{"list-type": {version}, "prefix": {at}, "delimiter": {"/"}})
			if !slices.Equal(prefixes, []string{at + "eu-west-1/", at + "us-east-1/"}) || len(keys) != 1 {
				t.Errorf("version %s, pages of %d: prefixes %q, keys %q", version, size, prefixes, keys)
			}
		}
		middle := all[len(all)/2]
		keys, _ := list(t, s, url.Values{"list-type": {"2"}, "start-after": {middle}})
		if !slices.Equal(keys, all[len(all)/2+1:]) {
			t.Errorf("pages of %d: %d keys after the middle", size, len(keys))
		}
		_, prefixes := list(t, s, url.Values{"list-type": {"2"}, "delimiter": {"/"}, "prefix": {"AWSLogs/111122223333/"}, "start-after": {middle}})
		if !slices.Contains(prefixes, "AWSLogs/111122223333/CloudTrail/") && strings.Contains(middle, "/CloudTrail/") {
			t.Errorf("pages of %d: start-after took a common prefix away: %q", size, prefixes)
		}
	}
}

func TestServerObjects(t *testing.T) {
	w := mint(t, nil)
	s := serve(t, w, ServerOptions{Redirect: 301})
	d := w.Chains()[0].Digests[5]
	o, _ := w.Get(d.Ref)
	resp, body := get(t, s, "/"+d.Bucket+"/"+d.Key, "eu-west-1")
	if !bytes.Equal(body, o.Bytes) || resp.Header.Get("x-amz-meta-signature") != d.Signature ||
		resp.Header.Get("Last-Modified") != o.Modified.Format(http.TimeFormat) || resp.ContentLength != int64(len(body)) {
		t.Errorf("%s %v", resp.Status, resp.Header)
	}
	resp, body = get(t, s, "/"+d.Bucket+"/nothing", "eu-west-1")
	if resp.StatusCode != 404 || !strings.Contains(string(body), "<Code>NoSuchKey</Code>") {
		t.Errorf("%s %s", resp.Status, body)
	}
	resp, body = get(t, s, "/other-bucket/nothing", "eu-west-1")
	if resp.StatusCode != 404 || !strings.Contains(string(body), "<Code>NoSuchBucket</Code>") {
		t.Errorf("%s %s", resp.Status, body)
	}
	resp, _ = get(t, s, "/"+d.Bucket+"/"+d.Key, "us-east-1")
	if resp.StatusCode != 301 || resp.Header.Get("x-amz-bucket-region") != "eu-west-1" {
		t.Errorf("%s %v", resp.Status, resp.Header)
	}
	if n := s.Requests(); n["GetObject"] != 4 || n["Redirect"] != 1 {
		t.Errorf("counted %v", n)
	}
}

func TestServerFaults(t *testing.T) {
	w := mint(t, nil)
	c := w.Chains()[0]
	s := serve(t, w, ServerOptions{PageSize: 2, Faults: []Fault{
		{Operation: "GetObject", Key: c.Digests[1].Key, Cut: true, Times: 1},
		{Operation: "GetObject", Key: "*/CloudTrail-Digest/us-east-1/*", Status: 403, Code: "AccessDenied"},
		{Operation: "ListObjectsV2", Page: 2, Status: 500, Code: "InternalError"},
	}})
	path := "/" + c.Digests[1].Bucket + "/" + c.Digests[1].Key
	if _, body := get(t, s, path, "eu-west-1"); body != nil {
		t.Error("the body did not break")
	}
	if _, body := get(t, s, path, "eu-west-1"); len(body) == 0 {
		t.Error("the body broke twice")
	}
	if resp, _ := get(t, s, strings.ReplaceAll(path, "Digest/eu-west-1", "Digest/us-east-1"), "eu-west-1"); resp.StatusCode != 403 {
		t.Error(resp.Status)
	}
	resp, body := get(t, s, "/example-trail-logs?list-type=2", "eu-west-1")
	var p page
	if err := xml.Unmarshal(body, &p); err != nil || resp.StatusCode != 200 {
		t.Fatal(resp.Status, err)
	}
	if resp, _ := get(t, s, "/example-trail-logs?list-type=2&continuation-token="+url.QueryEscape(p.Token), "eu-west-1"); resp.StatusCode != 500 {
		t.Errorf("the second page: %s", resp.Status)
	}
}

func TestServerSlowsDown(t *testing.T) {
	s := serve(t, mint(t, func(s *Spec) { s.Hours = 1 }), ServerOptions{Rate: 100})
	for range 100 {
		get(t, s, "/example-trail-logs/x", "eu-west-1")
	}
	if n := s.Requests()["SlowDown"]; n < 20 || n > 95 {
		t.Errorf("of 100 requests at once %d were told to slow down", n)
	}
}

// ask calls a CloudTrail operation as the Go SDK names it.
func ask(t *testing.T, s *Server, operation, region string, in, out any) int {
	t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), "POST", s.URL, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "CloudTrail_20131101."+operation)
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260310/"+region+"/cloudtrail/aws4_request, SignedHeaders=host, Signature=00")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return errorStatus(resp, json.NewDecoder(resp.Body).Decode(out))
}

func errorStatus(resp *http.Response, err error) int {
	if err != nil && !errors.Is(err, io.EOF) {
		return -1
	}
	return resp.StatusCode
}

func TestServerKeys(t *testing.T) {
	w := mint(t, func(s *Spec) { s.Hours = 24 * 45; s.LogsPerHour = 0; s.Regions = s.Regions[:1]; s.Backfill = false })
	s := serve(t, w, ServerOptions{KeyPage: 1})
	win := w.Window()
	got := map[string]bool{}
	for token := ""; ; {
		var out struct {
			NextToken     string
			PublicKeyList []struct {
				Value       []byte
				Fingerprint string
			}
		}
		in := map[string]any{"StartTime": win.Start.Unix(), "EndTime": win.End.Unix(), "NextToken": token}
		if status := ask(t, s, "ListPublicKeys", "eu-west-1", in, &out); status != 200 || len(out.PublicKeyList) > 1 {
			t.Fatal(status, out)
		}
		for _, k := range out.PublicKeyList {
			if _, err := digest.NewPublicKey(k.Value, k.Fingerprint, win.Start, win.End); err != nil {
				t.Error(err)
			}
			got[k.Fingerprint] = true
		}
		if token = out.NextToken; token == "" {
			break
		}
	}
	if len(got) < 3 || len(got) > 5 {
		t.Errorf("%d keys for 45 days", len(got))
	}
}

func TestServerTrails(t *testing.T) {
	w := mint(t, nil)
	s := serve(t, w, ServerOptions{})
	var status struct{ LatestDigestDeliveryTime float64 }
	if code := ask(t, s, "GetTrailStatus", "eu-west-1", map[string]string{"Name": w.Trails()[0].ARN}, &status); code != 200 ||
		!time.Unix(int64(status.LatestDigestDeliveryTime), 0).Equal(w.Now().Add(-5*time.Minute)) {
		t.Errorf("%d %v", code, status)
	}
	var refused struct {
		Type string `json:"__type"`
	}
	if code := ask(t, s, "GetTrail", "eu-west-1", map[string]string{"Name": "other"}, &refused); code != 400 || refused.Type != "TrailNotFoundException" {
		t.Errorf("%d %v", code, refused)
	}
}
