package source

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
)

// A call is one request to the CloudTrail stub.
type call struct {
	region, operation string
	in                map[string]any
}

// newCloudTrail stands in for CloudTrail; answer gives a status and a JSON body.
func newCloudTrail(t *testing.T, answer func(call) (int, any)) (AWSOptions, *[]call) {
	t.Helper()
	newFake(t) // its environment
	var calls []call
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := call{region: "unsigned"}
		if scope := strings.Split(r.Header.Get("Authorization"), "/"); len(scope) > 2 {
			c.region = scope[2]
		}
		c.operation = r.Header.Get("X-Amz-Target")[strings.LastIndexByte(r.Header.Get("X-Amz-Target"), '.')+1:]
		body, _ := io.ReadAll(r.Body)
		json.Unmarshal(body, &c.in)
		calls = append(calls, c)
		status, out := answer(c)
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(out)
	}))
	t.Cleanup(server.Close)
	return AWSOptions{Region: "eu-west-1", EndpointURL: server.URL}, &calls
}

func newKey(t *testing.T) (value []byte, fingerprint string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	value = x509.MarshalPKCS1PublicKey(&key.PublicKey)
	k, err := digest.NewPublicKey(value, "", time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return value, k.Fingerprint
}

func TestCloudTrailKeys(t *testing.T) {
	value, fingerprint := newKey(t)
	item := func(fingerprint string) any {
		return map[string]any{"Value": value, "Fingerprint": fingerprint, "ValidityStartTime": 1767225600, "ValidityEndTime": 1769817600}
	}
	o, calls := newCloudTrail(t, func(c call) (int, any) {
		if c.in["NextToken"] == nil {
			return 200, map[string]any{"PublicKeyList": []any{item(fingerprint), item("forged")}, "NextToken": "more"}
		}
		return 200, map[string]any{"PublicKeyList": []any{item(fingerprint)}}
	})
	c, err := OpenCloudTrail(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	start, end := time.Unix(1767225600, 0), time.Unix(1767312000, 0)
	got, err := c.Keys(context.Background(), "ap-southeast-2", start, end)
	if err != nil || len(got) != 2 || len(c.Warnings()) != 1 || len(*calls) != 2 {
		t.Fatalf("%v, %v, %v, %v", got, err, c.Warnings(), *calls)
	}
	k := got[1]
	if k.Fingerprint != fingerprint || k.Region != "ap-southeast-2" || !k.Start.Equal(start) || k.End.Unix() != 1769817600 {
		t.Errorf("%+v", k)
	}
	first := (*calls)[0]
	if first.region != "ap-southeast-2" || first.operation != "ListPublicKeys" || first.in["StartTime"] != 1767225600.0 || first.in["EndTime"] != 1767312000.0 {
		t.Errorf("%+v", first)
	}
}

func TestCloudTrailRefusals(t *testing.T) {
	for code, hint := range map[string]string{
		"AccessDeniedException": "cloudtrail:ListPublicKeys", "UnrecognizedClientException": "opt-in", "ExpiredTokenException": "expired",
		"Strange": "--public-keys",
	} {
		o, _ := newCloudTrail(t, func(call) (int, any) { return 400, map[string]any{"__type": code, "message": "m"} })
		c, err := OpenCloudTrail(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Keys(context.Background(), "af-south-1", time.Now(), time.Now())
		var u *verify.UnreadableError
		if !errors.As(err, &u) || u.Reason != verify.KeysUnavailable || !strings.Contains(u.Hint, hint) {
			t.Errorf("%s: %v (%+v)", code, err, u)
		}
	}
	o, calls := newCloudTrail(t, func(call) (int, any) { return 200, map[string]any{"NextToken": "for ever"} })
	c, _ := OpenCloudTrail(context.Background(), o)
	if _, err := c.Keys(context.Background(), "eu-west-1", time.Now(), time.Now()); reason(err) != verify.KeysUnavailable || len(*calls) != maxKeyPages {
		t.Errorf("%v after %d calls", err, len(*calls))
	}
	for _, region := range []string{"", "evil.example", "a/b", "EU-WEST-1", "eu-west-1#"} {
		if _, err := c.Keys(context.Background(), region, time.Now(), time.Now()); reason(err) != verify.KeysUnavailable || len(*calls) != maxKeyPages {
			t.Errorf("%q: %v", region, err)
		}
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	c, err := OpenCloudTrail(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	var u *verify.UnreadableError
	if _, err := c.Keys(context.Background(), "eu-west-1", time.Now(), time.Now()); !errors.As(err, &u) || u.Hint != credentialsHint {
		t.Errorf("no credentials: %v", err)
	}
	over, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := c.Keys(over, "eu-west-1", time.Now(), time.Now()); err != context.Canceled {
		t.Error(err)
	}
}

func TestKeyFiles(t *testing.T) {
	dir := t.TempDir()
	value, fingerprint := newKey(t)
	file := func(name, region, fingerprint string) string {
		text := fmt.Sprintf(`{"PublicKeyList":[{"Value":%q,"Fingerprint":%q,"ValidityStartTime":"2026-01-01T00:00:00+00:00","ValidityEndTime":"2026-02-01T00:00:00Z"}]`,
			base64.StdEncoding.EncodeToString(value), fingerprint)
		if region != "" {
			text += fmt.Sprintf(`,"Region":%q`, region)
		}
		writeFile(t, dir, name, text+"}")
		return filepath.Join(dir, name)
	}
	k, err := OpenKeyFiles([]string{file("public-keys.json", "", fingerprint), file("AWSLogs/x", "eu-west-1", fingerprint), file("bad", "", "forged")})
	if err != nil || len(k.Warnings()) != 1 || k.Len() != 2 {
		t.Fatalf("%+v, %v", k, err)
	}
	for region, want := range map[string]int{"eu-west-1": 2, "us-east-1": 1} {
		if got, err := k.Keys(context.Background(), region, time.Now(), time.Now()); err != nil || len(got) != want {
			t.Errorf("%s: %d keys, %v", region, len(got), err)
		}
	}
	var wrong *UsageError
	writeFile(t, dir, "no-list", `{"a":1}`)
	for _, path := range []string{filepath.Join(dir, "none"), filepath.Join(dir, "no-list"), dir} {
		if _, err := OpenKeyFiles([]string{path}); !errors.As(err, &wrong) {
			t.Errorf("%s: %v", path, err)
		}
	}

	// The same, found beside a copy.
	copies := t.TempDir()
	writeFile(t, copies, "a/b/AWSLogs/x", "")
	if d := openDir(t, copies); d.PublicKeyFiles() != nil {
		t.Error(d.PublicKeyFiles())
	} else if k, err := d.KeyFiles(); k != nil || err != nil {
		t.Error(k, err)
	}
	text, _ := os.ReadFile(filepath.Join(dir, "AWSLogs/x"))
	for _, name := range []string{"public-keys.json", "a/public-keys-eu-west-1.json", "a/b/public-keys.json", "a/b/AWSLogs/public-keys.json", "c/public-keys.json", "public-keys.txt"} {
		writeFile(t, copies, name, string(text))
	}
	d := openDir(t, copies)
	if got := strings.Join(d.PublicKeyFiles(), " "); got != "a/b/public-keys.json a/public-keys-eu-west-1.json public-keys.json" {
		t.Error(got)
	}
	if k, err := d.KeyFiles(); err != nil || k.Len() != 3 {
		t.Errorf("%+v, %v", k, err)
	}
	writeFile(t, copies, "public-keys-broken.json", "{")
	if _, err := openDir(t, copies).KeyFiles(); !errors.As(err, &wrong) {
		t.Error(err)
	}
}
