package source

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/trailseal/trailseal/verify"
)

// TestLive runs against a real S3 server that checks signatures (names that
// versitygw cannot list or moto cannot store are left to the fake), such as
//
//	ROOT_ACCESS_KEY=user ROOT_SECRET_KEY=password versitygw --port :7070 --keep-alive posix DIR
//
// when TRAILSEAL_S3 names its address; AWS_ACCESS_KEY_ID and so on as usual.
func TestLive(t *testing.T) {
	endpoint := os.Getenv("TRAILSEAL_S3")
	if endpoint == "" {
		t.Skip("TRAILSEAL_S3 is not set")
	}
	ctx := context.Background()
	s, err := OpenS3(ctx, S3Options{URI: "s3://trailseal-live", EndpointURL: endpoint})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	bucket := "trailseal-live"
	s.client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &bucket})
	names := []string{"plain.json.gz", "with space", "plus+plus", "percent%41", "ünï/日本", "q?x=1&y", "frag#ment", "semi;colon:at@",
		"star*(paren)'q'!", "~t_u-d.e", "=,$", "back\\slash", "<&>\"", "a/b/c", "a.b", "a0"}
	for i, n := range names {
		names[i] = "p/" + n
		_, err := s.client.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &names[i], Body: strings.NewReader(n),
			Metadata: map[string]string{"signature": fmt.Sprintf("%x", n)}})
		if err != nil {
			t.Errorf("put %q: %v", n, err)
		}
	}
	for _, n := range names {
		got, o, err := read(s, verify.Ref{Bucket: bucket, Key: n})
		if err != nil || "p/"+got != n || o.Metadata["signature"] != fmt.Sprintf("%x", got) {
			t.Errorf("%q: %q, %q, %v", n, got, o.Metadata, err)
		}
	}
	slices.Sort(names)
	if got := keys(s, verify.Ref{Bucket: bucket, Key: "p/"}, "", ""); !slices.Equal(got, names) {
		t.Errorf("%q\nwant\n%q", got, names)
	}
	if got := keys(s, verify.Ref{Bucket: bucket, Key: "p/"}, names[3], names[9]); !slices.Equal(got, names[4:9]) {
		t.Errorf("%q\nwant\n%q", got, names[4:9])
	}
	if got, err := s.Dirs(ctx, verify.Ref{Bucket: bucket, Key: "p/"}); err != nil || !slices.Equal(got, []string{"a/", "ünï/"}) {
		t.Errorf("%q, %v", got, err)
	}
	_, _, err = read(s, verify.Ref{Bucket: bucket, Key: "p/none"})
	if _, missing := err.(*verify.NotFoundError); !missing {
		t.Error(err)
	}
	for _, key := range []string{"p//x", "p/../x", "p/./x", "../../etc/passwd", "p/bad\xff", "/lead"} {
		_, _, err := read(s, verify.Ref{Bucket: bucket, Key: key})
		t.Logf("%q: %v", key, err)
	}
	_, _, err = read(s, verify.Ref{Bucket: "trailseal-none", Key: "k"})
	t.Log(err)
	_, err = s.Dirs(ctx, verify.Ref{Bucket: "trailseal-none"})
	t.Log(err)
}
