package source

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
)

const (
	fakeID     = "AKIAFAKEFAKEFAKEFAKE"
	fakeSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	fakeRegion = "eu-central-1"
)

// A fake is S3 as far as the store speaks to it: path-style GETs and
// ListObjectsV2 of any bucket, with SigV4 checked over the raw request line.
type fake struct {
	*httptest.Server
	mu       sync.Mutex
	objects  map[verify.Ref]*stored
	pageSize int
	region   string                                                   // what requests must be signed for
	unsigned bool                                                     // take unsigned requests
	before   func(w http.ResponseWriter, r *http.Request, n int) bool // true: answered; n counts the requests
	seen     []string                                                 // method and kind of each request
	rewrite  func(page string) string                                 // of a listing
}

type stored struct {
	data     []byte
	header   http.Header
	modified time.Time
}

func newFake(t testing.TB) *fake {
	t.Helper()
	f := &fake{objects: map[verify.Ref]*stored{}, pageSize: 1000, region: fakeRegion}
	f.Server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(f.Close)
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": fakeID, "AWS_SECRET_ACCESS_KEY": fakeSecret, "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "",
		"AWS_REGION": "", "AWS_DEFAULT_REGION": "", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL": "", "AWS_ENDPOINT_URL_S3": "",
	} {
		t.Setenv(name, value)
	}
	os.Unsetenv("AWS_ENDPOINT_URL")
	os.Unsetenv("AWS_ENDPOINT_URL_S3")
	return f
}

// open makes a store of the fake.
func (f *fake) open(t testing.TB, change ...func(*S3Options)) *S3 {
	t.Helper()
	o := S3Options{URI: "s3://bucket", Region: fakeRegion, EndpointURL: f.URL}
	for _, c := range change {
		c(&o)
	}
	s, err := OpenS3(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	s.retrier.longest = 2 * shortestPause
	return s
}

func (f *fake) put(bucket, key, data string, header ...string) verify.Ref {
	ref := verify.Ref{Bucket: bucket, Key: key}
	o := &stored{data: []byte(data), header: http.Header{}, modified: time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)}
	for i := 0; i < len(header); i += 2 {
		o.header.Set(header[i], header[i+1])
	}
	f.mu.Lock()
	f.objects[ref] = o
	f.mu.Unlock()
	return ref
}

// requests counts what came, by kind.
func (f *fake) requests(kind string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.seen {
		if s == kind {
			n++
		}
	}
	return n
}

func (f *fake) serve(w http.ResponseWriter, r *http.Request) {
	rawPath, query, _ := strings.Cut(r.RequestURI, "?")
	bucket, rawKey, _ := strings.Cut(strings.TrimPrefix(rawPath, "/"), "/")
	kind := r.Method + " object"
	if rawKey == "" {
		kind = r.Method + " list"
	}
	f.mu.Lock()
	f.seen = append(f.seen, kind)
	n := len(f.seen)
	f.mu.Unlock()
	w.Header().Set("x-amz-request-id", "FAKE")
	if f.before != nil && f.before(w, r, n) {
		return
	}
	if !f.unsigned {
		if code, message := f.check(r, rawPath, query); code != "" {
			w.Header().Set("x-amz-bucket-region", f.region)
			refuse(w, cmp.Or(map[string]int{"AuthorizationHeaderMalformed": 400}[code], 403), code, message)
			return
		}
	}
	key, _ := url.PathUnescape(rawKey)
	if rawKey == "" {
		f.list(w, bucket, r.URL.Query())
		return
	}
	f.mu.Lock()
	o := f.objects[verify.Ref{Bucket: bucket, Key: key}]
	f.mu.Unlock()
	if o == nil {
		refuse(w, 404, "NoSuchKey", "The specified key does not exist.")
		return
	}
	maps.Copy(w.Header(), o.header)
	w.Header().Set("Content-Length", strconv.Itoa(len(o.data)))
	w.Write(o.data)
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.WriteHeader(status)
	if code == "" {
		return
	}
	fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?>`+"\n<Error><Code>%s</Code><Message>", code)
	xml.EscapeText(w, []byte(message))
	fmt.Fprint(w, "</Message><RequestId>FAKE</RequestId></Error>")
}

// list answers ListObjectsV2 with URL encoding, as S3 does.
func (f *fake) list(w http.ResponseWriter, bucket string, q url.Values) {
	prefix, after := q.Get("prefix"), max(q.Get("start-after"), q.Get("continuation-token"))
	f.mu.Lock()
	refs := slices.SortedFunc(maps.Keys(f.objects), func(a, b verify.Ref) int { return cmp.Compare(a.Key, b.Key) })
	var items []string
	kinds := map[string]string{}
	for _, ref := range refs {
		if ref.Bucket != bucket || !strings.HasPrefix(ref.Key, prefix) {
			continue
		}
		item, kind := ref.Key, fmt.Sprintf("<Contents><Key>%s</Key><Size>%d</Size><LastModified>%s</LastModified></Contents>",
			encode(ref.Key), len(f.objects[ref].data), f.objects[ref].modified.Format(time.RFC3339))
		if d := q.Get("delimiter"); d != "" {
			if i := strings.Index(ref.Key[len(prefix):], d); i >= 0 {
				item = ref.Key[:len(prefix)+i+1]
				kind = fmt.Sprintf("<CommonPrefixes><Prefix>%s</Prefix></CommonPrefixes>", encode(item))
			}
		}
		if item > after && kinds[item] == "" {
			items, kinds[item] = append(items, item), kind
		}
	}
	f.mu.Unlock()
	page := "<ListBucketResult><Name>" + bucket + "</Name><EncodingType>url</EncodingType>"
	if len(items) > f.pageSize {
		items = items[:f.pageSize]
		page += "<IsTruncated>true</IsTruncated><NextContinuationToken>" + encode(items[len(items)-1]) + "</NextContinuationToken>"
		page = strings.Replace(page, encode(items[len(items)-1]), html(items[len(items)-1]), 1)
	}
	for _, item := range items {
		page += kinds[item]
	}
	page += "</ListBucketResult>"
	if f.rewrite != nil {
		page = f.rewrite(page)
	}
	fmt.Fprint(w, page)
}

func encode(key string) string { return strings.ReplaceAll(url.QueryEscape(key), "%2F", "/") }

func html(text string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(text))
	return b.String()
}

// check computes the request's signature anew, from the request line as it
// came over the wire.
func (f *fake) check(r *http.Request, rawPath, query string) (code, message string) {
	auth := r.Header.Get("Authorization")
	word := func(name string) string {
		_, rest, _ := strings.Cut(auth, name+"=")
		value, _, _ := strings.Cut(rest, ",")
		return value
	}
	scope := strings.Split(word("Credential"), "/")
	if len(scope) != 5 {
		return "AccessDenied", "Access Denied"
	}
	if scope[2] != f.region {
		return "AuthorizationHeaderMalformed", "the region '" + scope[2] + "' is wrong; expecting '" + f.region + "'"
	}
	at, _ := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if d := time.Since(at); d > 15*time.Minute || d < -15*time.Minute {
		return "RequestTimeTooSkewed", "The difference between the request time and the current time is too large."
	}
	pairs := strings.Split(query, "&")
	slices.Sort(pairs)
	for i, p := range pairs {
		if p != "" && !strings.Contains(p, "=") {
			pairs[i] += "="
		}
	}
	canonical := r.Method + "\n" + rawPath + "\n" + strings.ReplaceAll(strings.Join(pairs, "&"), "+", "%20") + "\n"
	for _, name := range strings.Split(word("SignedHeaders"), ";") {
		value := r.Header.Get(name)
		if name == "host" {
			value = r.Host
		}
		canonical += name + ":" + strings.TrimSpace(value) + "\n"
	}
	canonical += "\n" + word("SignedHeaders") + "\n" + r.Header.Get("X-Amz-Content-Sha256")
	sum := sha256.Sum256([]byte(canonical))
	text := "AWS4-HMAC-SHA256\n" + r.Header.Get("X-Amz-Date") + "\n" + strings.Join(scope[1:], "/") + "\n" + hex.EncodeToString(sum[:])
	key := []byte("AWS4" + fakeSecret)
	for _, part := range append(scope[1:], text) {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	if hex.EncodeToString(key) != word("Signature") {
		return "SignatureDoesNotMatch", "canonical request: " + canonical
	}
	return "", ""
}
