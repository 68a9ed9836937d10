package verify

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trailseal/trailseal/digest"
)

// The full table of expectation × observation × trust for a log file.
func TestJudgeLog(t *testing.T) {
	good, bad := digest.Hash{1}, digest.Hash{2}
	content := func(f digest.Form, h digest.Hash) logSight {
		return logSight{content: digest.Content{Form: f, Hash: h, Size: 10}}
	}
	listed := digest.Log{Algorithm: digest.HashAlgorithm, Hash: good}
	md5 := digest.Log{Algorithm: "MD5"}
	denied := &UnreadableError{What: "log", Reason: AccessDenied, Err: errors.New("no")}
	tests := []struct {
		name    string
		listed  digest.Log
		trusted bool
		seen    logSight
		want    Verdict
		reasons string
	}{
		{"as listed", listed, true, content(digest.Exact, good), Kept, ""},
		{"other bytes", listed, true, content(digest.Exact, bad), Modified, "hash-mismatch"},
		{"appended", listed, true, content(digest.TrailingData, good), Modified, "trailing-data"},
		{"appended to other bytes", listed, true, content(digest.TrailingData, bad), Modified, "trailing-data hash-mismatch"},
		{"trailer cut", listed, true, content(digest.Truncated, good), Modified, "truncated"},
		{"cut", listed, true, content(digest.Truncated, bad), Modified, "truncated hash-mismatch"},
		{"wrong checksum", listed, true, content(digest.Corrupt, good), Modified, "gzip-corrupt"},
		{"empty", listed, true, logSight{content: digest.Content{Form: digest.Truncated}}, Modified, "truncated"},
		{"not gzip", listed, true, logSight{content: digest.Content{Form: digest.NotGzip}}, Modified, "not-gzip"},
		{"bomb", listed, true, content(digest.TooLarge, bad), Modified, "too-large"},
		{"gone", listed, true, logSight{err: &NotFoundError{}}, Deleted, "not-found"},
		{"refused", listed, true, logSight{err: denied}, Unreadable, "access-denied"},
		{"odd error", listed, true, logSight{err: errors.New("odd")}, Unreadable, "read-failed"},
		{"other hash algorithm", md5, true, content(digest.Exact, digest.Hash{}), Unattested, "algorithm-unsupported"},
		{"altered envelope", listed, true, logSight{altered: &Altered{CiphertextAltered, "tag"}}, Modified, "ciphertext-altered"},
		{"impossible envelope", listed, true, logSight{altered: &Altered{EnvelopeMalformed, "iv"}}, Modified, "envelope-malformed"},
		{"altered, other hash algorithm", md5, true, logSight{altered: &Altered{CiphertextAltered, "tag"}}, Unattested, "algorithm-unsupported"},
		{"key not allowed", listed, true, logSight{err: &UnreadableError{Reason: KeyNotAllowed, Err: errors.New("no")}}, Unreadable, "key-not-allowed"},
		{"untrusted, altered envelope", listed, false, logSight{altered: &Altered{CiphertextAltered, "tag"}}, Unattested, "digest-not-trusted"},
		{"untrusted, as listed", listed, false, content(digest.Exact, good), Unattested, "digest-not-trusted"},
		{"untrusted, other bytes", listed, false, content(digest.Exact, bad), Unattested, "digest-not-trusted"},
		{"untrusted, gone", listed, false, logSight{err: &NotFoundError{}}, Unattested, "digest-not-trusted"},
		{"untrusted, other algorithm", md5, false, logSight{}, Unattested, "digest-not-trusted"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := judgeLog(tt.listed, tt.trusted, tt.seen)
			if got.verdict != tt.want || words(got.reasons) != tt.reasons {
				t.Errorf("%s (%s), want %s (%s)", got.verdict, words(got.reasons), tt.want, tt.reasons)
			}
		})
	}
}

func words(reasons []Reason) string {
	var all []string
	for _, r := range reasons {
		all = append(all, string(r))
	}
	return strings.Join(all, " ")
}

// authenticDigest is a digest that names the one before it as given.
func authenticDigest(p *digest.Previous) *sight {
	return &sight{record: &digest.Record{Previous: p}, key: &digest.PublicKey{}, own: sigHolds}
}

func TestJudgeDigest(t *testing.T) {
	hash := digest.Hash{1}
	says := func(h digest.Hash, signature string) *sight {
		return authenticDigest(&digest.Previous{Hash: h, Signature: signature})
	}
	same, other, again := says(hash, "aa"), says(digest.Hash{2}, "aa"), says(hash, "bb")
	liar := says(digest.Hash{2}, "aa")
	liar.own = sigWrong
	d := func(own, recovered sigState, next *sight) *sight {
		return &sight{
			record: &digest.Record{Hash: hash}, meta: map[string]string{"signature": "aa"},
			key: &digest.PublicKey{}, own: own, recovered: recovered, nexts: some(next),
		}
	}
	faulty := func(f ruling, next *sight) *sight {
		return &sight{record: &digest.Record{Hash: hash}, fault: f, nexts: some(next)}
	}
	noKey := rule(Unverified, "", KeyNotFound)
	tests := []struct {
		name    string
		d       *sight
		want    Verdict
		reasons string
	}{
		{"signed, newest", d(sigHolds, sigNone, nil), Kept, ""},
		{"signed, next agrees", d(sigHolds, sigNone, same), Kept, ""},
		{"signed, next names other bytes", d(sigHolds, sigNone, other), Modified, "link-mismatch"},
		{"signed, an untrusted next names other bytes", d(sigHolds, sigNone, liar), Kept, ""},
		{"signed, next names another signature", d(sigHolds, sigNone, again), Kept, "redelivered"},
		{"signature lost, next carries it", d(sigNone, sigHolds, same), Kept, "signature-recovered"},
		{"signature spoilt, next carries it", d(sigWrong, sigHolds, same), Kept, "signature-recovered"},
		{"signature lost, an untrusted next carries it", d(sigNone, sigHolds, liar), Kept, "signature-recovered"},
		{"signature wrong", d(sigWrong, sigNone, nil), Modified, "signature-invalid"},
		{"signature and hash wrong", d(sigWrong, sigWrong, other), Modified, "signature-invalid hash-mismatch"},
		{"signature lost, hash wrong", d(sigNone, sigWrong, other), Modified, "hash-mismatch"},
		{"signature lost, newest", d(sigNone, sigNone, nil), Unverified, "signature-missing"},
		{"signature lost, untrusted next", d(sigNone, sigWrong, liar), Unverified, "signature-missing"},
		{"signature lost, next carries a wrong one and the right hash", d(sigNone, sigWrong, same), Unverified, "signature-invalid"},
		{"no key", faulty(noKey, nil), Unverified, "key-not-found"},
		{"no key, next agrees", faulty(noKey, same), Unverified, "key-not-found"},
		{"no key, next names other bytes", faulty(noKey, other), Modified, "hash-mismatch"},
		{"elsewhere", faulty(rule(Modified, "", WrongLocation), same), Modified, "wrong-location"},
		{"not JSON", &sight{fault: rule(Modified, "x", Malformed)}, Modified, "malformed"},
		{"appended", &sight{content: digest.Content{Form: digest.TrailingData}}, Modified, "trailing-data"},
		{"bomb", &sight{content: digest.Content{Form: digest.TooLarge}}, Modified, "too-large"},
		{"altered envelope", &sight{altered: &Altered{CiphertextAltered, "tag"}}, Modified, "ciphertext-altered"},
		{"impossible envelope, next agrees on nothing", &sight{altered: &Altered{EnvelopeMalformed, "iv"}, nexts: some(same)}, Modified, "envelope-malformed"},
		{"gone", &sight{err: &NotFoundError{}, nexts: some(same)}, Deleted, "not-found"},
		{"refused", &sight{err: &UnreadableError{Reason: KMSDenied, Err: errors.New("no")}}, Unreadable, "kms-denied"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := judgeDigest(tt.d)
			if got.verdict != tt.want || words(got.reasons) != tt.reasons {
				t.Errorf("%s (%s), want %s (%s)", got.verdict, words(got.reasons), tt.want, tt.reasons)
			}
		})
	}
}

func some(next *sight) []*sight {
	if next == nil {
		return nil
	}
	return []*sight{next}
}

func TestChooseKey(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 3, n, 0, 0, 0, 0, time.UTC) }
	key := func(print, region string, from, to int) digest.PublicKey {
		return digest.PublicKey{Fingerprint: print, Region: region, Start: day(from), End: day(to)}
	}
	keys := []digest.PublicKey{key("a", "us-east-1", 1, 10), key("b", "", 1, 10), key("c", "eu-west-1", 1, 10), key("d", "us-east-1", 12, 20)}
	tests := []struct {
		name, print string
		backfill    bool
		meta        map[string]string
		want        Reason
	}{
		{"its region's", "a", false, nil, ""},
		{"of no stated region", "b", false, nil, ""},
		{"another region's", "c", false, nil, KeyNotFound},
		{"unknown", "x", false, nil, KeyNotFound},
		{"not yet valid", "d", false, nil, KeyNotValidThen},
		{"backfill, made later", "d", true, map[string]string{"backfill-generation-timestamp": "2026-03-13T00:00:00Z"}, ""},
		{"backfill, made after its key ended", "a", true, map[string]string{"backfill-generation-timestamp": "2026-03-13T00:00:00Z"}, KeyNotValidThen},
		{"backfill, time lost", "d", true, nil, ""},
		{"backfill, time impossible", "d", true, map[string]string{"backfill-generation-timestamp": "2026-03-01T00:00:00Z"}, KeyNotValidThen},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := &sight{
				record: &digest.Record{Fingerprint: tt.print, End: day(9)}, meta: tt.meta,
				name: digest.Name{Chain: digest.Chain{Region: "us-east-1", Backfill: tt.backfill}},
			}
			k, fault := chooseKey(keys, nil, d)
			if tt.want == "" && (k == nil || fault.verdict != "") || tt.want != "" && (k != nil || fault.reasons[0] != tt.want) {
				t.Errorf("key %v, fault %v, want %q", k, fault, tt.want)
			}
		})
	}
}

func TestPolicy(t *testing.T) {
	tests := []struct {
		accept, failOn string
		v              Verdict
		reasons        []Reason
		want           Class
	}{
		{"", "", Kept, nil, Good},
		{"", "", Deleted, []Reason{NotFound}, Tampering},
		{"", "", Unverified, []Reason{SignatureMissing}, ClassUnproven},
		{"", "", Unreferenced, []Reason{CoverageUnknown}, Remark},
		{"deleted", "", Deleted, []Reason{NotFound}, Remark},
		{"trailing-data", "", Modified, []Reason{TrailingData}, Remark},
		{"trailing-data", "", Modified, []Reason{TrailingData, HashMismatch}, Tampering},
		{"signature-missing", "", Unverified, []Reason{SignatureMissing}, Remark},
		{"", "pending", Pending, []Reason{NoDigest}, Tampering},
		{"", "redelivered", Kept, []Reason{Redelivered}, Tampering},
		{"modified", "trailing-data", Modified, []Reason{TrailingData}, Tampering},
		{"", "", Deleted, []Reason{NotFound, Expired}, Tampering},
		{"expired", "", Deleted, []Reason{NotFound, Expired}, Remark},
		{"expired", "", Deleted, []Reason{NotFound}, Tampering},
		{"expired", "", Modified, []Reason{HashMismatch, Expired}, Tampering},
		{"not-found", "", Deleted, []Reason{NotFound, Expired}, Remark},
		{"not-found", "expired", Deleted, []Reason{NotFound, Expired}, Tampering},
	}
	for _, tt := range tests {
		p := Policy{Accept: strings.Fields(tt.accept), FailOn: strings.Fields(tt.failOn)}
		if got := p.File(tt.v, tt.reasons); got != tt.want {
			t.Errorf("accept %q, fail on %q: %s %v is class %d, want %d", tt.accept, tt.failOn, tt.v, tt.reasons, got, tt.want)
		}
	}
	for _, tt := range []struct {
		accept, failOn string
		f              Finding
		want           Class
	}{
		{"gap", "", Finding{Kind: Gap}, Remark},
		{"", "junk", Finding{Kind: Junk}, Tampering},
		{"", "", Finding{Kind: Stale}, ClassUnproven},
		{"", "", Finding{Kind: Gap, Reason: Expired}, ClassUnproven},
		{"expired", "", Finding{Kind: Gap, Reason: Expired}, Remark},
		{"expired", "", Finding{Kind: Gap}, ClassUnproven},
		{"gap", "expired", Finding{Kind: Gap, Reason: Expired}, Tampering},
	} {
		p := Policy{Accept: strings.Fields(tt.accept), FailOn: strings.Fields(tt.failOn)}
		if got := p.Finding(tt.f); got != tt.want {
			t.Errorf("accept %q, fail on %q: %+v is class %d, want %d", tt.accept, tt.failOn, tt.f, got, tt.want)
		}
	}
}

// What an interrupted run painted and did not report is taken back.
func TestLedgerRewinds(t *testing.T) {
	at := func(s int) time.Time { return time.Date(2026, 3, 10, 0, 0, s, 0, time.UTC) }
	for to := -10; to <= 120; to += 5 {
		l := newLedger(Window{at(0), at(100)})
		l.paint(Verified, at(30))
		l.paint(InGap, at(60))
		l.paint(VerifiedEmpty, at(90))
		l.rewind(at(to))
		l.paint(Unproven, at(100))
		want := map[State]int{}
		for s := range 100 {
			switch { // the state of the second before the rewind, or after it
			case s >= to || s >= 90:
				want[Unproven]++
			case s < 30:
				want[Verified]++
			case s < 60:
				want[InGap]++
			default:
				want[VerifiedEmpty]++
			}
		}
		shares := l.shares()
		for _, share := range shares {
			if want[share.State] != int(share.Seconds) {
				t.Errorf("back to %d: %v, want %v", to, shares, want)
			}
		}
		if len(shares) != len(want) {
			t.Errorf("back to %d: %v, want %v", to, shares, want)
		}
	}
}

// Each class has one exit status, and one word means one thing.
func TestOutcomeAndWords(t *testing.T) {
	for class, want := range map[Class]int{Good: 0, Remark: 0, ClassUnproven: 3, Tampering: 1} {
		if _, exit := class.Outcome(); exit != want {
			t.Errorf("class %d exits %d, want %d", class, exit, want)
		}
	}
	all := Words()
	slices.Sort(all)
	if unique := slices.Compact(slices.Clone(all)); len(unique) != len(all) {
		t.Errorf("a word stands for two things: %v", all)
	}
}

func TestLedgerAddsUp(t *testing.T) {
	at := func(s int) time.Time { return time.Date(2026, 3, 10, 0, 0, s, 500e6, time.UTC) }
	l := newLedger(Window{at(0), at(100)})
	l.paint(BeforeStart, at(-5))
	l.paint(Verified, at(30))
	l.paint(InGap, at(20)) // already accounted for
	l.paint(VerifiedEmpty, at(31).Add(300*time.Millisecond))
	l.paint(Verified, at(200))
	sum := int64(0)
	for _, s := range l.shares() {
		sum += s.Seconds
	}
	if sum != 100 || l.sums[InGap] != 0 || l.sums[BeforeStart] != 0 {
		t.Errorf("the shares add up to %d s: %v", sum, l.shares())
	}
}
