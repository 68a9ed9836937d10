package verify_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// aProof is a proof from a small world, and CloudTrail's keys of its region.
func aProof(t testing.TB, asCopy bool, choose func(*verifytest.World) verify.Ref) (*verify.Proof, []digest.PublicKey) {
	t.Helper()
	w := mint(t, func(s *verifytest.Spec) { s.QuietEvery, s.Backfill = 0, true })
	s := verifytest.NewStore(w)
	s.Copy = asCopy
	found := prove(t, request(w, s), eventsOf(t, w, choose(w))[1])
	if found.Proof == nil {
		t.Fatalf("%+v", found)
	}
	return found.Proof, keysOf(t, w, found.Proof.Key.Region)
}

// said are the fields that nothing in a proof can show: they are told as its
// maker's own words.
var said = []string{"Tool", "Collected", "Key.From", "Digest.Carrier", "Digest.Generated"}

// Every field that is altered makes the check fail, and so it does where whoever
// altered it made words and seal fit again.
func TestEveryFieldOfAProofCounts(t *testing.T) {
	for name, c := range map[string]struct {
		copy   bool
		choose func(*verifytest.World) verify.Ref
	}{"metadata": {false, logIn(5)}, "next digest": {true, logIn(5)}, "backfill": {false, backfilled}} {
		t.Run(name, func(t *testing.T) {
			p, keys := aProof(t, c.copy, c.choose)
			fields := 0
			walk(reflect.ValueOf(p).Elem(), "", func(path string, v reflect.Value) {
				for i, change := range changes(v) {
					old := reflect.New(v.Type()).Elem()
					old.Set(v)
					v.Set(change)
					fields++
					if r, err := reread(p, keys); err == nil && r.Holds && r.Confirmed {
						t.Errorf("%s changed (%d), and the proof holds", path, i)
					}
					if !strings.HasPrefix(path, "Steps") && path != "Seal" && !slices.Contains(said, path) {
						copied := *p
						if verify.Reseal(&copied) == nil {
							if r, err := reread(&copied, keys); err == nil && r.Holds && r.Confirmed {
								t.Errorf("%s changed (%d) and sealed anew, and the proof holds", path, i)
							}
						}
					}
					v.Set(old)
				}
			})
			if r := checked(t, p, keys); !r.Holds || fields < 50 {
				t.Errorf("after %d changes were taken back: %+v", fields, r)
			}
		})
	}
}

func reread(p *verify.Proof, keys []digest.PublicKey) (verify.ProofResult, error) {
	text, err := p.Encode()
	if err != nil {
		return verify.ProofResult{}, err
	}
	again, exact, err := verify.ReadProof(bytes.NewReader(text))
	if err != nil {
		return verify.ProofResult{}, err
	}
	return verify.CheckProof(again, exact, keys, verify.DefaultLogLimit), nil
}

// walk visits every field that holds a value.
func walk(v reflect.Value, path string, visit func(string, reflect.Value)) {
	switch {
	case v.Type() == reflect.TypeFor[time.Time]() || v.Type() == reflect.TypeFor[[]byte]() || v.Kind() == reflect.String || v.Kind() == reflect.Int64:
		visit(path, v)
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			walk(v.Field(i), strings.TrimPrefix(path+"."+v.Type().Field(i).Name, "."), visit)
		}
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			walk(v.Index(i), fmt.Sprintf("%s[%d]", path, i), visit)
		}
	}
}

// changes are other values of a field.
func changes(v reflect.Value) (all []reflect.Value) {
	add := func(x any) { all = append(all, reflect.ValueOf(x).Convert(v.Type())) }
	switch x := v.Interface().(type) {
	case time.Time:
		add(x.Add(time.Hour))
		add(x.AddDate(1, 0, 0))
	case []byte:
		add([]byte{})
		add(append(slices.Clone(x), 0))
		for _, at := range []int{len(x) / 3, len(x) / 2, len(x) - 1} {
			flipped := slices.Clone(x)
			flipped[at] ^= 1
			add(flipped)
		}
	case string:
		add(x + "0")
		if x != "" {
			add("")
			add(strings.ToUpper(x[:1]) + x[1:] + " ")
			flipped := []byte(x)
			flipped[len(x)/2] ^= 1
			add(string(flipped))
		}
	case int64:
		add(x + 1)
		add(-x - 1)
		add(int64(1) << 62)
	}
	return all
}

// A byte that is altered is noticed, wherever it is.
func TestEveryByteOfAProofCounts(t *testing.T) {
	p, keys := aProof(t, true, logIn(5))
	text, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for at := 0; at < len(text); at += 11 {
		changed := slices.Clone(text)
		changed[at] ^= 1
		again, exact, err := verify.ReadProof(bytes.NewReader(changed))
		if err != nil {
			if !errors.Is(err, verify.ErrNoProof) {
				t.Errorf("byte %d: %v", at, err)
			}
			continue
		}
		if r := verify.CheckProof(again, exact, keys, verify.DefaultLogLimit); r.Holds {
			t.Errorf("byte %d of %q", at, text[max(0, at-20):at+20])
		}
	}
}

// What two readers could take for different things is not exact.
func TestReadProofIsStrict(t *testing.T) {
	p, _ := aProof(t, false, logIn(5))
	text, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, text); err != nil {
		t.Fatal(err)
	}
	edit := func(old, with string) []byte { return bytes.Replace(text, []byte(old), []byte(with), 1) }
	for name, c := range map[string]struct {
		text  []byte
		proof bool
		exact bool
	}{
		"as it is":           {text, true, true},
		"other white space":  {compact.Bytes(), true, true},
		"a field twice":      {edit(`"tool":`, `"tool": "x", "tool":`), true, false},
		"another case":       {edit(`"tool"`, `"Tool"`), true, false},
		"an escape":          {edit(`"event"`, `"\u0065vent"`), true, false},
		"another order":      {edit(`"schema": "trailseal.proof/v1",`, ``), false, false},
		"something after it": {append(slices.Clone(text), "{}"...), true, false},
		"an unknown field":   {edit(`"tool":`, `"tools": 1, "tool":`), false, false},
		"another version":    {edit(`proof/v1`, `proof/v2`), false, false},
		"nothing":            {nil, false, false},
		"deep":               {bytes.Repeat([]byte(`{"event":`), 100_000), false, false},
		"deep arrays":        {[]byte(`{"schema":"trailseal.proof/v1","steps":` + strings.Repeat("[", 1_000_000)), false, false},
		"no base64":          {edit(`"gzip": "`, `"gzip": "!`), false, false},
		"a year":             {edit(`"collected": "2`, `"collected": "12`), false, false},
		"half":               {text[:len(text)/2], false, false},
	} {
		_, exact, err := verify.ReadProof(bytes.NewReader(c.text))
		if (err == nil) != c.proof || exact != c.exact || err != nil && !errors.Is(err, verify.ErrNoProof) {
			t.Errorf("%s: exact %v, %v", name, exact, err)
		}
	}
}

// A log that inflates without end is refused at the limit.
func TestCheckProofBombs(t *testing.T) {
	p, keys := aProof(t, false, logIn(5))
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	zeros := make([]byte, 1<<20)
	for range 64 {
		z.Write(zeros)
	}
	z.Close()
	p.Log.Gzip = b.Bytes()
	if err := verify.Reseal(p); err != nil {
		t.Fatal(err)
	}
	r := verify.CheckProof(p, true, keys, 1<<20)
	if r.Holds || !strings.Contains(r.Checks[1].Detail, "inflates past 1048576 bytes") {
		t.Errorf("%+v", r)
	}
}

// Many small parts take far more memory than their bytes, and are refused before
// they are read.
func TestReadProofManyParts(t *testing.T) {
	head := `{"schema":"trailseal.proof/v1","steps":[`
	for name, text := range map[string]string{
		"steps":    head + strings.Repeat("{},", 5_000_000) + "{}]}",
		"commands": head + `{"says":"","commands":[` + strings.Repeat(`"",`, 5_000_000) + `""]}]}`,
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, err := verify.ReadProof(strings.NewReader(text))
		runtime.ReadMemStats(&after)
		if !errors.Is(err, verify.ErrNoProof) {
			t.Errorf("%s: %v", name, err)
		}
		if got := after.TotalAlloc - before.TotalAlloc; got > 10*uint64(len(text)) {
			t.Errorf("%s: %d bytes take %d", name, len(text), got)
		}
	}
}

// A key that is given more than once is confirmed by the entry that fits.
func TestAKeyThatIsGivenTwice(t *testing.T) {
	p, keys := aProof(t, false, logIn(5))
	i := slices.IndexFunc(keys, func(k digest.PublicKey) bool { return k.Fingerprint == p.Key.Fingerprint })
	elsewhere, later := keys[i], keys[i]
	elsewhere.Region = "us-east-1"
	later.Start = later.Start.Add(time.Hour)
	for _, other := range []digest.PublicKey{elsewhere, later} {
		if r := checked(t, p, []digest.PublicKey{other}); r.Holds || r.Confirmed {
			t.Errorf("alone: %+v", r)
		}
		if r := checked(t, p, []digest.PublicKey{other, keys[i]}); !r.Holds || !r.Confirmed {
			t.Errorf("beside the right one: %+v", r)
		}
	}
}

// What only the maker of a proof says is not said as if it were checked.
func TestWordsOfAProof(t *testing.T) {
	p, keys := aProof(t, false, backfilled)
	last := p.Steps[len(p.Steps)-1].Says
	if !strings.Contains(last, "as metadata says that no signature covers") || strings.Contains(last, "and the digest was signed then") {
		t.Error(last)
	}
	if r := checked(t, p, keys); !strings.Contains(r.Checks[8].Detail, "is the maker's word") {
		t.Errorf("%+v", r.Checks[8])
	}
	p.Digest.Generated = ""
	if err := verify.Reseal(p); err != nil {
		t.Fatal(err)
	}
	if r := checked(t, p, keys); !strings.Contains(r.Checks[8].Detail, "is not known") {
		t.Errorf("%+v", r.Checks[8])
	}
	p, _ = aProof(t, true, logIn(5))
	if says := p.Steps[5].Says; !strings.Contains(says, "Whoever made this proof says") {
		t.Error(says)
	}
}

// A key of somebody's own makes every step hold, and is not confirmed.
func TestAForgedProofIsNotConfirmed(t *testing.T) {
	p, _ := aProof(t, false, logIn(5))
	other := mint(t, func(s *verifytest.Spec) { s.Start = s.Start.AddDate(1, 0, 0) })
	r := checked(t, p, keysOf(t, other, "eu-west-1"))
	if !r.Holds || r.Confirmed || r.Checks[len(r.Checks)-1].Outcome != verify.CheckUnknown {
		t.Errorf("%+v", r)
	}
	if r := checked(t, p, []digest.PublicKey{}); r.Confirmed {
		t.Errorf("no keys at all confirm it: %+v", r)
	}
}

// The commands of a proof check it without trailseal, where their tools are.
func TestCommandsOfAProof(t *testing.T) {
	for _, tool := range []string{"sh", "openssl", "jq", "xxd", "base64", "gunzip", "sha256sum", "md5sum", "tail", "head", "cut"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	for name, choose := range map[string]func(*verifytest.World) verify.Ref{"standard": logIn(5), "starting": logIn(0), "backfill": backfilled} {
		t.Run(name, func(t *testing.T) {
			p, _ := aProof(t, name == "standard", choose)
			text, err := p.Encode()
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "proof.json"), text, 0o600); err != nil {
				t.Fatal(err)
			}
			var script []string
			for _, s := range p.Steps[:len(p.Steps)-1] { // the last asks AWS
				script = append(script, s.Commands...)
			}
			run := exec.Command("sh", "-e", "-c", strings.Join(script, "\n"))
			run.Dir = dir
			out, err := run.Output()
			for _, want := range []string{p.Log.SHA256 + "  log.json", "\n" + p.Event.ID + "\n1\n", `"hashValue": "` + p.Log.SHA256, p.Key.Fingerprint + "  key.der\n" + p.Key.Fingerprint, "Verified OK"} {
				if err != nil || !strings.Contains("\n"+string(out), want) {
					t.Errorf("%v: no %q in %s", err, want, out)
				}
			}
			if words, _ := os.ReadFile(filepath.Join(dir, "string-to-sign")); string(words) != p.Digest.StringToSign {
				t.Errorf("the string to sign %q, want %q", words, p.Digest.StringToSign)
			}
			if event, _ := os.ReadFile(filepath.Join(dir, "event.json")); string(event) != p.Event.JSON {
				t.Errorf("the event %q", event)
			}
		})
	}
}

// FuzzReadProof: nothing but what was proven is ever confirmed.
func FuzzReadProof(f *testing.F) {
	p, keys := aProof(f, false, logIn(5))
	text, err := p.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"schema":"trailseal.proof/v1"}`))
	f.Add(bytes.Replace(text, []byte(`"offset": `), []byte(`"offset": -`), 1))
	f.Fuzz(func(t *testing.T, data []byte) {
		again, exact, err := verify.ReadProof(bytes.NewReader(data))
		if err != nil {
			return
		}
		r := verify.CheckProof(again, exact, keys, 1<<20)
		if r.Holds && (again.Event != p.Event || again.Log.SHA256 != p.Log.SHA256 || again.Digest.SHA256 != p.Digest.SHA256) {
			t.Errorf("another event is proven: %+v", again.Event)
		}
		if len(r.Checks) != len(verify.ProofChecks) {
			t.Errorf("%d checks", len(r.Checks))
		}
	})
}
