package source

import (
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/trailseal/trailseal/verify"
)

var quiet = log.New(io.Discard, "", 0)

// TestTLS: AWS_CA_BUNDLE is honoured, HTTP/1.1 is spoken, and a certificate
// that nobody vouches for is not tried again and again.
func TestTLS(t *testing.T) {
	f := newFake(t)
	ref := f.put("bucket", "k", "data")
	var protocol string
	f.before = func(_ http.ResponseWriter, r *http.Request, _ int) bool { protocol = r.Proto; return false }
	server := httptest.NewUnstartedServer(http.HandlerFunc(f.serve))
	server.EnableHTTP2 = true
	server.Config.ErrorLog = quiet
	server.StartTLS()
	t.Cleanup(server.Close)
	here := func(o *S3Options) { o.EndpointURL = server.URL }
	stranger := f.open(t, here)
	if _, _, err := read(stranger, ref); reason(err) != verify.ReadFailed || stranger.Requests()["get"] != 1 {
		t.Errorf("%v, %v", err, stranger.Requests())
	}
	bundle := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(bundle, text, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CA_BUNDLE", bundle)
	if got, _, err := read(f.open(t, here), ref); err != nil || got != "data" || protocol != "HTTP/1.1" {
		t.Errorf("%q, %v, %s", got, err, protocol)
	}
	t.Setenv("AWS_CA_BUNDLE", filepath.Join(t.TempDir(), "none"))
	var wrong *UsageError
	if _, err := OpenS3(t.Context(), S3Options{URI: "s3://bucket"}); !errors.As(err, &wrong) {
		t.Error(err)
	}
}
