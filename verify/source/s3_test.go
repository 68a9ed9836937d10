package source

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/trailseal/trailseal/verify"
)

func TestURIs(t *testing.T) {
	f := newFake(t)
	for uri, want := range map[string]string{
		"s3://bucket": "", "s3://bucket/": "", "s3://bucket/p": "p/", "s3://bucket/p/q/": "p/q/", "s3://bucket//p": "/p/", "S3://bucket/P": "P/",
		"s3://bucket/p?q#r %41": "p?q#r %41/", "s3://bucket/x/AWSLogs/111122223333": "x/AWSLogs/111122223333/",
	} {
		s := f.open(t, func(o *S3Options) { o.URI = uri })
		roots, err := s.Roots(context.Background())
		if err != nil || !slices.Equal(roots, []verify.Ref{{Bucket: "bucket", Key: want}}) {
			t.Errorf("%s: %q, %v", uri, roots, err)
		}
	}
}

func TestWrongOptions(t *testing.T) {
	newFake(t)
	for _, o := range []S3Options{
		{URI: "bucket"}, {URI: "s3:/"}, {URI: ""}, {URI: "s3://"}, {URI: "s3:///k"}, {URI: "s3://a b"}, {URI: "https://bucket"}, {URI: "s3://a/../b", Region: "x/y"},
		{URI: "s3://bucket", EndpointURL: "localhost:9000"}, {URI: "s3://bucket", EndpointURL: "ftp://x"},
		{URI: "s3://bucket", Profile: "none such"}, {URI: "s3://bucket", Region: "evil.example"},
	} {
		_, err := OpenS3(context.Background(), o)
		var wrong *UsageError
		if !errors.As(err, &wrong) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	var wrong *UsageError
	if _, err := OpenS3(context.Background(), S3Options{URI: "s3://bucket"}); !errors.As(err, &wrong) || wrong.Hint == "" {
		t.Error("no credentials:", err)
	}
}

// TestEndpoints resolves as the SDK would: partitions, FIPS, dual-stack, and
// names that no certificate covers.
func TestEndpoints(t *testing.T) {
	newFake(t)
	for _, c := range []struct{ bucket, region, env, want string }{
		{"bucket", "", "", "https://bucket.s3.us-east-1.amazonaws.com/k"},
		{"bucket", "eu-west-1", "", "https://bucket.s3.eu-west-1.amazonaws.com/k"},
		{"bucket", "cn-north-1", "", "https://bucket.s3.cn-north-1.amazonaws.com.cn/k"},
		{"bucket", "us-gov-west-1", "AWS_USE_FIPS_ENDPOINT=true", "https://bucket.s3-fips.us-gov-west-1.amazonaws.com/k"},
		{"bucket", "eu-west-1", "AWS_USE_DUALSTACK_ENDPOINT=true", "https://bucket.s3.dualstack.eu-west-1.amazonaws.com/k"},
		{"my.dotted.bucket", "eu-west-1", "", "https://s3.eu-west-1.amazonaws.com/my.dotted.bucket/k"},
		{"Upper_Case", "us-east-1", "", "https://s3.us-east-1.amazonaws.com/Upper_Case/k"},
		{"bucket", "eu-west-1", "AWS_ENDPOINT_URL=http://minio:9000/base", "http://minio:9000/base/bucket/k"},
		{"bucket", "eu-west-1", "AWS_ENDPOINT_URL_S3=http://minio:9001", "http://minio:9001/bucket/k"},
	} {
		t.Run(c.want, func(t *testing.T) {
			if name, value, ok := strings.Cut(c.env, "="); ok {
				t.Setenv(name, value)
			}
			s, err := OpenS3(context.Background(), S3Options{URI: "s3://" + c.bucket, Region: c.region})
			if err != nil {
				t.Fatal(err)
			}
			at, err := s.places.of(context.Background(), c.bucket)
			if err != nil {
				t.Fatal(err)
			}
			if got := at.request(context.Background(), "k").URL.String(); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// TestListStops fetches no page past until, nor past what its reader wants.
func TestListStops(t *testing.T) {
	f := newFake(t)
	f.pageSize = 10
	for i := range 100 {
		f.put("bucket", fmt.Sprintf("p/%03d", i), "")
	}
	s := f.open(t)
	at := verify.Ref{Bucket: "bucket", Key: "p/"}
	for _, c := range []struct {
		after, until string
		keys, pages  int
	}{{"", "", 100, 10}, {"", "p/015", 15, 2}, {"p/049", "p/060", 10, 2}, {"p/049", "p/059", 9, 1}, {"p/099", "", 0, 1}} {
		before := len(f.seen)
		if n := len(keys(s, at, c.after, c.until)); n != c.keys || len(f.seen)-before != c.pages {
			t.Errorf("%+v: %d keys, %d pages", c, n, len(f.seen)-before)
		}
	}
	before := len(f.seen)
	for range s.List(context.Background(), at, "", "") {
		break
	}
	if len(f.seen)-before != 1 {
		t.Error("a page was fetched for nobody")
	}
}

// TestStrangeListings: an answer that cannot be trusted to be whole is an
// error, after what was good of it.
func TestStrangeListings(t *testing.T) {
	for name, rewrite := range map[string]func(string) string{
		"out of order": func(p string) string { return strings.Replace(p, "<Key>p/b", "<Key>p/0", 1) },
		"twice":        func(p string) string { return strings.Replace(p, "<Key>p/b", "<Key>p/a", 1) },
		"elsewhere":    func(p string) string { return strings.Replace(p, "<Key>p/b", "<Key>q/b", 1) },
		"bad escape":   func(p string) string { return strings.Replace(p, "<Key>p/b", "<Key>p/b%zz", 1) },
		"no token": func(p string) string {
			return strings.Replace(p, "</ListB", "<IsTruncated>true</IsTruncated></ListB", 1)
		},
		"in the wrong place": func(p string) string {
			return strings.Replace(p, "</LastM", "<IsTruncated>true</IsTruncated></LastM", 1)
		},
		"cut":            func(p string) string { return p[:len(p)-30] },
		"not a document": func(string) string { return "hello" },
		"no listing":     func(string) string { return "<html><body>Log in first</body></html>" },
		"nothing":        func(string) string { return "" },
	} {
		f := newFake(t)
		f.put("bucket", "p/a", "")
		f.put("bucket", "p/b", "")
		f.rewrite = rewrite
		got := keys(f.open(t), verify.Ref{Bucket: "bucket", Key: "p/"}, "", "")
		if len(got) == 0 || !strings.Contains(got[len(got)-1], "read-failed") {
			t.Errorf("%s: %q", name, got)
		}
	}
	f := newFake(t) // the same token for ever
	f.put("bucket", "p/a", "")
	f.rewrite = func(p string) string {
		return strings.Replace(p, "</ListB", "<IsTruncated>true</IsTruncated><NextContinuationToken>p/</NextContinuationToken></ListB", 1)
	}
	if got := keys(f.open(t), verify.Ref{Bucket: "bucket", Key: "p/"}, "", ""); len(f.seen) > 2 || !strings.Contains(got[len(got)-1], "read-failed") {
		t.Errorf("%q", got)
	}
}

// TestPlainListing takes a server that does not escape keys at its word.
func TestPlainListing(t *testing.T) {
	f := newFake(t)
	f.put("bucket", "p/100%+", "")
	f.rewrite = func(p string) string {
		return strings.Replace(strings.Replace(p, "<EncodingType>url</EncodingType>", "", 1), "p/100%25%2B", "p/100%+", 1)
	}
	if got := keys(f.open(t), verify.Ref{Bucket: "bucket", Key: "p/"}, "", ""); !slices.Equal(got, []string{"p/100%+"}) {
		t.Errorf("%q", got)
	}
}

func TestListRetriesAPage(t *testing.T) {
	f := newFake(t)
	f.pageSize = 1
	f.put("bucket", "a", "")
	f.put("bucket", "b", "")
	f.before = func(w http.ResponseWriter, _ *http.Request, n int) bool {
		if n%2 == 1 {
			refuse(w, 503, "SlowDown", "")
		}
		return n%2 == 1
	}
	s := f.open(t)
	if got := keys(s, verify.Ref{Bucket: "bucket"}, "", ""); !slices.Equal(got, []string{"a", "b"}) || s.Requests()["list"] != 4 || s.Requests()["retry"] != 2 {
		t.Errorf("%q, %v", got, s.Requests())
	}
}
