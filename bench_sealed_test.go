//go:build linux

package trailseal_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trailseal/trailseal/kms"
	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/source"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// BenchmarkSealed holds verifying logs that a client sealed against verifying
// the same logs in plain, by CPU time. The issue allows 15 % more. KMS is the
// stand-in in this process, and its share of AES is in the figure.
func BenchmarkSealed(b *testing.B) {
	for _, s := range []verifytest.Seal{
		{Scheme: "s3ec-v2"}, {Scheme: "s3ec-v2", Wrap: "kms", Cipher: "cbc"}, {Scheme: "s3ec-v3"},
		{Scheme: "esdk-v2", Suite: 0x0478}, {Scheme: "esdk-v2", Suite: 0x0578},
	} {
		name := s.Scheme + s.Cipher
		if s.Suite == 0x0578 {
			name += "-signed"
		}
		b.Run(name, func(b *testing.B) {
			s.Key = archiveKey
			plain, sealed := bulk(b, 40, 100, 120), bulk(b, 40, 100, 120)
			sealed.KMS().Add(archiveKey)
			logs := func(r verify.Ref) bool {
				return strings.Contains(r.Key, "/CloudTrail/") && !strings.HasSuffix(r.Key, "/")
			}
			if err := sealed.Seal(s, logs); err != nil {
				b.Fatal(err)
			}
			var more []float64
			for b.Loop() {
				for range 5 {
					of, with := verifyInMemory(b, plain), verifyInMemory(b, sealed)
					more = append(more, 100*(with.Seconds()/of.Seconds()-1))
				}
			}
			slices.Sort(more)
			b.ReportMetric(more[len(more)/2], "%-more-CPU")
		})
	}
}

// verifyInMemory is the CPU time of verifying a world through the layer that opens.
func verifyInMemory(b *testing.B, w *verifytest.World) time.Duration {
	store := verifytest.NewStore(w)
	opener := &kms.Opener{KMS: w.KMS(), Keys: []string{archiveKey}}
	layer := source.NewOpening(store, source.NewKMS(b.Context(), source.AWSOptions{}, ""), opener)
	start := cpuTime()
	s, err := verify.Run(b.Context(), verify.Request{Store: layer, Keys: store, Window: w.Window(), Now: w.Now()}, discard{})
	took := cpuTime() - start
	if err != nil || s.Exit != 0 || s.Logs[verify.Kept] < 100 {
		b.Fatalf("%+v, %v", s, err)
	}
	return took
}
