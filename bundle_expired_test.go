package trailseal_test

import (
	"bytes"
	"path/filepath"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// A bundle knows the bucket's lifecycle rules, so that what has expired is told as
// it was at collection; and where the rules may not be asked for, it tells that.
func TestABundleKnowsWhatExpired(t *testing.T) {
	awsHere(t)
	for name, faults := range map[string][]verifytest.Fault{
		"asked":   nil,
		"refused": {{Operation: "GetBucketLifecycleConfiguration", Status: 403, Code: "AccessDenied"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := mintWorld(t, func(s *verifytest.Spec) { s.Hours = 60; s.Regions = s.Regions[:1] })
			now := later(w).Truncate(time.Second)
			days := int(now.Sub(w.Window().Start).Hours())/24 - 1
			w.Lifecycle(w.Buckets()[0], verify.Expiration{ID: "old", Days: days})
			if len(w.Expire(now)) == 0 {
				t.Fatal("nothing expired")
			}
			s := serveHTTP(t, w, verifytest.ServerOptions{Faults: faults})
			c := collecting{w: w, url: s.URL, at: 8, path: filepath.Join(t.TempDir(), "bundle.tar.zst")}
			store, keys := c.open(t)
			plain := reportOf(t, t.Context(), c.asked(store, keys, nil))
			if got := bytes.Contains(plain, []byte(`"expired"`)); got != (faults == nil) {
				t.Errorf("expired: %v\n%.3000s", got, plain)
			}
			same(t, "collecting", c.collect(t), plain)
			same(t, "replaying", c.replay(t, c.path), plain)
		})
	}
}
