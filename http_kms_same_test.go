package trailseal_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
	writers "github.com/trailseal/trailseal/verify/report"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// verdictsOf is what a run says of each file and each chain, as far as it is
// about the trail.
func verdictsOf(j *judgement) map[string]string {
	said := map[string]string{"exit": fmt.Sprint(j.summary.Exit)}
	for _, f := range j.files {
		said[f.URI] = fmt.Sprint(f.Kind, f.Verdict, f.Reasons, f.Detail, f.Expected, f.Actual, f.Size)
	}
	for i, c := range j.chains {
		said[fmt.Sprint("chain", i)] = fmt.Sprint(c.Account, c.Region, c.Backfill, c.Digests, c.Logs, c.Gaps, c.Coverage)
	}
	for i, f := range j.findings {
		said[fmt.Sprint("finding", i)] = fmt.Sprint(f.Kind, f.URI, f.Message)
	}
	return said
}

// However a trail is damaged, it is judged under SSE-KMS as it is without: the
// key is enabled, and changes nothing but what is said of it.
func TestHTTPKMSDamagesAreTheSame(t *testing.T) {
	awsHere(t)
	all := func(a *kmsAsking) { a.Window = verify.Window{} }
	for i, damage := range verifytest.Damages() {
		if strings.HasSuffix(damage.Name, "-bomb") || damage.Name == "json-huge" {
			continue // they cost time, and nothing of them is about keys
		}
		t.Run(damage.Name, func(t *testing.T) {
			t.Parallel()
			mint := func(key string) *verifytest.World {
				w := mintWorld(t, func(s *verifytest.Spec) {
					s.Seed, s.KMSKey = int64(1000+i), key
					if s.Hours = 9; damage.Name == "backfill-deleted" {
						s.Hours = 13
					}
				})
				if err := w.Damage(damage.Name); err != nil {
					t.Fatal(err)
				}
				return w
			}
			plain, keyed := mint(""), mint(kmsTrail)
			without := judgeKMS(t, plain, serveHTTP(t, plain, verifytest.ServerOptions{}).URL, all)
			with := judgeKMS(t, keyed, serveHTTP(t, keyed, verifytest.ServerOptions{}).URL, all)
			with.asExpected(t, keyed, expectations(keyed))
			if with.summary.Exit != damage.Exit {
				t.Errorf("exit %d, want %d", with.summary.Exit, damage.Exit)
			}
			if a, b := verdictsOf(without), verdictsOf(with); !maps.Equal(a, b) {
				t.Errorf("without the key\n%s\nand with it\n%s", without, with)
			}
			if damage.Name == "all-digests-deleted" {
				return // nothing is read then
			}
			if k := with.key(t, kmsTrail); len(with.summary.Keys) != 1 || k.Unreadable != 0 || k.State != "Enabled" || len(without.summary.Keys) > 0 {
				t.Errorf("keys %+v", with.summary.Keys)
			}
		})
	}
}

// What is sealed is judged like what is not: of a damaged trail that somebody
// then archived with a client, the same files are kept, modified and deleted.
func TestHTTPKMSSealedDamages(t *testing.T) {
	awsHere(t)
	// Beside what no digest names an instruction file is one more such file.
	seals := slices.DeleteFunc(fewSeals(), func(s verifytest.Seal) bool { return s.Instruction })
	for i, damage := range verifytest.Damages() {
		if strings.HasSuffix(damage.Name, "-bomb") || damage.Name == "json-huge" {
			continue
		}
		t.Run(damage.Name, func(t *testing.T) {
			t.Parallel()
			w := mintWorld(t, func(s *verifytest.Spec) {
				s.Seed = int64(2000 + i)
				if s.Hours = 9; damage.Name == "backfill-deleted" {
					s.Hours = 13
				}
			})
			if err := w.Damage(damage.Name); err != nil {
				t.Fatal(err)
			}
			s := serveHTTP(t, w, verifytest.ServerOptions{})
			plain := judgeKMS(t, w, s.URL, nil)
			s.Close()
			sealWorld(t, w, seals[i%len(seals)], nil)
			sealed := judgeKMS(t, w, serveHTTP(t, w, verifytest.ServerOptions{}).URL, allow(kmsTrail))
			sealed.findings = slices.DeleteFunc(sealed.findings, func(f verify.Finding) bool { return f.Kind == verify.ClientSide })
			if a, b := verdictsOf(plain), verdictsOf(sealed); !maps.Equal(a, b) {
				t.Errorf("before it was sealed\n%s\nand after\n%s", plain, sealed)
			}
		})
	}
}

// kmsReport is the JSON report without what is of the run and not of the trail.
func kmsReport(t *testing.T, w *verifytest.World, concurrency int, o verifytest.ServerOptions) []byte {
	t.Helper()
	a, store := openKMS(t, w, serveHTTP(t, w, o).URL, func(a *kmsAsking) {
		a.Opener.Keys, a.S3Options.Concurrency, a.InFlight = []string{kmsTrail}, concurrency, concurrency
		a.Now = a.Now.Truncate(time.Second)
	})
	defer store.Close()
	var out bytes.Buffer
	writer, err := writers.New("json", &out, writers.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	if _, err := verify.Run(t.Context(), a.asking.Request, writer); err != nil {
		t.Fatal(err)
	}
	var whole map[string]any
	if err := json.Unmarshal(out.Bytes(), &whole); err != nil {
		t.Fatal(err)
	}
	if exit := whole["exit"].(float64); exit != 0 {
		t.Errorf("exit %v of an honest trail:\n%.2000s", exit, out.Bytes())
	}
	for _, name := range []string{"started", "finished"} {
		delete(whole, name)
	}
	for _, name := range []string{"requests", "seconds"} {
		delete(whole["summary"].(map[string]any), name)
	}
	again, err := json.MarshalIndent(whole, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return again
}

// The report of a sealed trail is the same, byte for byte, however many requests
// are in flight and however long the pages are.
func TestHTTPKMSReportIsTheSame(t *testing.T) {
	awsHere(t)
	for i, seal := range fewSeals() {
		t.Run(sealName(seal), func(t *testing.T) {
			t.Parallel()
			w := mintWorld(t, func(s *verifytest.Spec) { s.Seed = int64(i) })
			w.EncryptSSE(kmsSecond, "aws:kms", nil)
			sealWorld(t, w, seal, nil)
			one := kmsReport(t, w, 1, verifytest.ServerOptions{})
			if !bytes.Contains(one, []byte(`"envelope": "`+seal.Scheme+`"`)) || !bytes.Contains(one, []byte(kmsSecond)) {
				t.Errorf("the report is only\n%.2000s", one)
			}
			if many := kmsReport(t, w, 64, verifytest.ServerOptions{PageSize: 3}); !bytes.Equal(one, many) {
				t.Errorf("1 and 64 at once differ:\n%s", firstDifference(many, one))
			}
		})
	}
}
