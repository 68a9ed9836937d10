package source

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
)

// TestRegionIsLearned opens the store for a wrong region: the first answer
// corrects it, and later requests go right at once.
func TestRegionIsLearned(t *testing.T) {
	refusals := map[string]func(w http.ResponseWriter){
		"301": func(w http.ResponseWriter) {
			w.Header().Set("x-amz-bucket-region", fakeRegion)
			w.Header().Set("Location", "http://attacker.invalid/")
			refuse(w, 301, "PermanentRedirect", "The bucket you are attempting to access must be addressed using the specified endpoint.")
		},
		"region in the body": func(w http.ResponseWriter) {
			w.WriteHeader(400)
			fmt.Fprintf(w, "<Error><Code>AuthorizationHeaderMalformed</Code><Message>m</Message><Region>%s</Region></Error>", fakeRegion)
		},
		"400 without a body": func(w http.ResponseWriter) {
			w.Header().Set("x-amz-bucket-region", fakeRegion)
			w.WriteHeader(400)
		},
	}
	for name, answer := range refusals {
		for _, kind := range []string{"object", "list"} {
			t.Run(name+" "+kind, func(t *testing.T) {
				f := newFake(t)
				ref := f.put("bucket", "k", "data")
				f.before = func(w http.ResponseWriter, r *http.Request, _ int) bool {
					wrong := !strings.Contains(r.Header.Get("Authorization"), "/"+fakeRegion+"/")
					if wrong {
						answer(w)
					}
					return wrong
				}
				s := f.open(t, func(o *S3Options) { o.Region = "" })
				for range 3 {
					var err error
					if kind == "list" {
						_, err = s.Dirs(context.Background(), verify.Ref{Bucket: "bucket"})
					} else {
						_, _, err = read(s, ref)
					}
					if err != nil {
						t.Fatal(err)
					}
				}
				if n := f.requests("GET " + kind); n != 4 {
					t.Errorf("%d requests, want 4", n)
				}
			})
		}
	}
}

// TestHostileRegions must neither move a request nor loop.
func TestHostileRegions(t *testing.T) {
	for _, region := range []string{"", "evil.example/", "a@b", "x#", "us-east-1.evil.example", fakeRegion} {
		f := newFake(t)
		f.before = func(w http.ResponseWriter, r *http.Request, _ int) bool {
			w.WriteHeader(301)
			fmt.Fprintf(w, "<Error><Code>PermanentRedirect</Code><Endpoint>evil.example</Endpoint><Region>%s</Region></Error>", region)
			return true
		}
		_, _, err := read(f.open(t), f.put("bucket", "k", "x"))
		if reason(err) != verify.ReadFailed || len(f.seen) != 1 {
			t.Errorf("%q: %v after %d requests", region, err, len(f.seen))
		}
	}
}

func TestClockSkew(t *testing.T) {
	for _, kind := range []string{"object", "list"} {
		f := newFake(t)
		ref := f.put("bucket", "k", "data")
		const ahead = 3 * time.Hour
		f.unsigned = true
		f.before = func(w http.ResponseWriter, r *http.Request, _ int) bool {
			at, _ := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
			w.Header().Set("Date", time.Now().Add(ahead).UTC().Format(http.TimeFormat))
			wrong := time.Until(at) < ahead-time.Minute
			if wrong {
				refuse(w, 403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")
			}
			return wrong
		}
		s := f.open(t)
		for range 2 {
			var err error
			if kind == "list" {
				_, err = s.Dirs(context.Background(), verify.Ref{Bucket: "bucket"})
			} else {
				_, _, err = read(s, ref)
			}
			if err != nil {
				t.Errorf("%s: %v", kind, err)
			}
		}
		if len(f.seen) != 3 {
			t.Errorf("%s: %d requests, want 3", kind, len(f.seen))
		}
	}
}
