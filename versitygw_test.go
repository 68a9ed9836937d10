package trailseal_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// versitygw starts a real S3 server, which checks signatures, and gives its
// address. The server is a tool of its own module (tools/versitygw).
func versitygw(t *testing.T, posix ...string) string {
	t.Helper()
	server := toolBinary(t, "versitygw", "there is no second opinion from a real S3 server")
	dir := t.TempDir()
	address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	data := filepath.Join(dir, "data")
	cmd := exec.Command(server, "--port", address, "--access", "trailsealtest", "--secret", "trailsealtest",
		"--keep-alive", "--quiet", "posix")
	cmd.Args = append(append(cmd.Args, posix...), data)
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	url := "http://" + address
	for range 100 {
		if answer, err := http.Get(url); err == nil {
			answer.Body.Close()
			return url
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("versitygw does not answer: %s", log.Bytes())
	return ""
}

func client(url string) *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: &url, UsePathStyle: true, Region: "us-east-1",
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "trailsealtest", SecretAccessKey: "trailsealtest"}, nil
		}),
	})
}

func upload(t *testing.T, c *s3.Client, w *verifytest.World) {
	t.Helper()
	for _, bucket := range w.Buckets() {
		if _, err := c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
			t.Fatal(err)
		}
		uploadInto(t, c, w, bucket)
	}
}

func uploadInto(t *testing.T, c *s3.Client, w *verifytest.World, bucket string) {
	t.Helper()
	for key, o := range w.Scan(bucket, "") {
		if _, err := c.PutObject(t.Context(), &s3.PutObjectInput{
			Bucket: &bucket, Key: &key, Body: bytes.NewReader(o.Bytes), Metadata: o.Metadata,
			ContentType: aws.String("application/json"), ContentEncoding: aws.String("gzip"),
		}); err != nil {
			t.Fatalf("%s: %v", key, err)
		}
	}
}

// A real S3 server has the last word on requests: their signatures, the
// escaping of keys, and what an answer looks like.
func TestAgainstARealS3Server(t *testing.T) {
	url := versitygw(t)
	w := mintWorld(t, func(s *verifytest.Spec) { s.Prefix = "pre fix+ü/x"; s.Trail = "us-east-1.trail_x"; s.Backfill = true })
	c := client(url)
	upload(t, c, w)
	bucket := w.Buckets()[0]
	args := append(append([]string{"s3://" + bucket}, window(w)...), keyFiles(t, w)...)
	env := awsEnv(t, url)

	r := verifyJSON(t, env, args...)
	if r.Exit != 0 || r.Summary.Logs["kept"] == 0 {
		t.Fatalf("an honest trail: %+v", r)
	}

	logs := w.Logs()
	gone, changed := logs[1], logs[2]
	if _, err := c.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &gone.Bucket, Key: &gone.Key}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &changed.Bucket, Key: &changed.Key, Body: strings.NewReader("nonsense")}); err != nil {
		t.Fatal(err)
	}
	r = verifyJSON(t, env, args...)
	if r.Exit != 1 || r.verdict(gone.URI()) != string(verify.Deleted) || r.verdict(changed.URI()) != string(verify.Modified) || len(r.Files) != 2 {
		t.Errorf("one log deleted, one changed: %+v", r)
	}

	wrong := append(env, "AWS_SECRET_ACCESS_KEY=wrong")
	if r = verifyJSON(t, wrong, args...); r.Exit != 3 || len(r.Files) != 0 || len(r.Findings) == 0 {
		t.Errorf("wrong credentials prove nothing and accuse nobody: %+v", r)
	}
}
