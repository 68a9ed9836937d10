package verify

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/trailseal/trailseal/digest"
	"golang.org/x/sync/semaphore"
)

// A run is one verification under way.
type run struct {
	Request
	ctx        context.Context // the user's: when it ends the run is interrupted
	fail       context.CancelCauseFunc
	slots      *semaphore.Weighted
	everything bool                // the window is what the source holds
	relative   bool                // the store does not know buckets and prefixes for sure
	large      *semaphore.Weighted // held while a large digest is in memory
	horizon    time.Time           // what should have been delivered by then must be there

	mu      sync.Mutex
	keys    map[string]*regionKeys
	matched map[string]map[string]bool // filter name -> pattern -> something matched it
	remarks []Finding
	newest  map[digest.Chain]delivered

	expiries expiries
}

// groupsAtOnce is how many accounts' regions are worked on at a time. Each
// waits most of its time for a few requests.
const groupsAtOnce = 48

// Run verifies what the request asks for and tells the sink. The error is for
// what stopped the run from judging (a sink that cannot write); whatever is
// wrong with the trail is in the results, and a run that was interrupted ends
// in a summary that says so.
//
// One run is one straight line: discover the accounts and regions; list and
// read each chain's digests, check each by itself, link it to the next one;
// hash the logs that the digests name; sweep for logs that none names; judge;
// report in order; sum up.
func Run(ctx context.Context, req Request, sink Sink) (Summary, error) {
	began := time.Now()
	r := newRun(ctx, req)
	defer r.fail(nil)
	r.openWindow()
	if err := sink.Start(Header{Version: r.Version, Started: r.Started, Source: r.Source, Window: r.Window, All: r.All, Bundle: r.Bundle}); err != nil {
		return Summary{}, fmt.Errorf("report: %w", err)
	}
	t := tally{sums: *newSums(), accounts: map[string]bool{}, sink: sink, policy: r.Policy}
	if r.Explain {
		t.explain = newExplainer()
	}
	if err := r.groups(&t); err != nil {
		return t.summary(r, true), err // what was found by then was found
	}
	if err := context.Cause(r.ctx); err != nil && ctx.Err() == nil {
		return Summary{}, err
	}
	r.conclude(&t)
	s := t.summary(r, ctx.Err() != nil)
	if t.explain != nil {
		s.Explained, s.UnlistedEvents = t.explain.conclude(r, t.sums.keys.uses)
	}
	s.Seconds = time.Since(began).Seconds()
	s.Finished = r.Started.Add(time.Since(began))
	if err := t.err; err != nil {
		return s, fmt.Errorf("report: %w", err)
	}
	if err := sink.End(s); err != nil {
		return s, fmt.Errorf("report: %w", err)
	}
	return s, nil
}

// openWindow fills in the ends of the window that were left open.
func (r *run) openWindow() {
	if !r.Window.Start.IsZero() && !r.Window.End.IsZero() {
		return
	}
	e := r.extent()
	if r.Window.Start.IsZero() {
		r.Window.Start = e.Start
	}
	if r.Window.End.IsZero() {
		r.Window.End, r.horizon = e.End, e.End
	}
	if r.Window.End.Before(r.Window.Start) {
		r.Window.End = r.Window.Start // it lies wholly before or after what there is
	}
}

func newRun(ctx context.Context, req Request) *run {
	r := &run{Request: req, keys: map[string]*regionKeys{}, matched: map[string]map[string]bool{}, newest: map[digest.Chain]delivered{}}
	r.Explain = r.Explain && r.Only == nil
	r.ctx, r.fail = context.WithCancelCause(ctx)
	if r.LogLimit == 0 {
		r.LogLimit = DefaultLogLimit
	}
	if r.DigestLimit == 0 {
		r.DigestLimit = DefaultDigestLimit
	}
	if r.Lookback == 0 {
		r.Lookback = DefaultLookback
	}
	if r.Progress == nil {
		r.Progress = &Progress{}
	}
	if r.Started.IsZero() {
		r.Started = r.Now
	}
	r.everything = r.Window.IsZero()
	r.relative = r.Store.Holds(Ref{"a", "AWSLogs/x"}, Ref{"b", "p/AWSLogs/x"})
	if r.InFlight == 0 {
		r.InFlight = 256
		if r.relative { // nothing to wait for, and what few work on stays in the cache
			r.InFlight = 2 * runtime.GOMAXPROCS(0)
		}
	}
	r.horizon = r.Now
	r.large = semaphore.NewWeighted(1)
	r.slots = semaphore.NewWeighted(int64(r.InFlight))
	return r
}

// groups verifies all groups, several at once, and hands their results to the
// tally in order. Delivering results has a context of its own, so that an
// interrupted run can still say what it found.
func (r *run) groups(t *tally) error {
	alive, cancel := context.WithCancel(context.WithoutCancel(r.ctx))
	defer cancel()
	in := func(context.Context) iter.Seq[group] { return r.discover(r.ctx) }
	verify := func(_ context.Context, g group, send func(event) bool) { r.verifyGroup(g, send) }
	for e := range orderedStreams(alive, groupsAtOnce, 256, in, verify) {
		if t.take(e); t.err != nil {
			r.fail(t.err)
			return fmt.Errorf("report: %w", t.err)
		}
	}
	return nil
}

// conclude adds what can only be said of the run as a whole.
func (r *run) conclude(t *tally) {
	for _, f := range r.remarks {
		t.find(f)
	}
	r.concludeKeys(t)
	if store, ok := r.Store.(Testifying); ok {
		for _, f := range store.Testimony(r.ctx) {
			t.find(f)
		}
	}
	if r.ctx.Err() != nil {
		t.find(Finding{Kind: NotChecked, Message: "the run was interrupted; accounts and regions that are not named here were not looked at"})
		return
	}
	if r.KeysInCopy != "" {
		t.find(Finding{Kind: KeysInCopy, Message: fmt.Sprintf(
			"the public keys are those in the copy itself (%s): whoever could change the copy could change them too; compare them with what CloudTrail gives", r.KeysInCopy)})
	}
	r.checkDelivery(t)
	for _, f := range r.unmatched() {
		t.find(f)
	}
	if len(t.sums.digests) == 0 {
		t.find(Finding{Kind: Nothing, Message: "no digest file was found for this window, so nothing is proven"})
	}
}

// unmatched names the patterns of the filter that nothing has matched.
func (r *run) unmatched() (found []Finding) {
	for _, kind := range slices.Sorted(maps.Keys(r.matched)) {
		for _, p := range slices.Sorted(maps.Keys(r.matched[kind])) {
			if !r.matched[kind][p] {
				found = append(found, Finding{Kind: Nothing, Message: fmt.Sprintf("nothing matches the %s %q", kind, p)})
			}
		}
	}
	return found
}

// A tally adds up what comes, on its way to the sink.
type tally struct {
	sums     sums
	accounts map[string]bool // whose logs were verified
	keys     []KeyUse
	seq      int64 // of the last event
	chains   int
	sink     Sink
	policy   Policy
	explain  *explainer // nil where nothing is to be explained
	unasked  bool       // it was said that a bucket's lifecycle rules are not known
	err      error
}

func (t *tally) take(e event) {
	switch {
	case e.file != nil:
		e.file.Seq = t.next()
		if e.unasked != "" && !t.unasked { // once: it is the same for all
			e.file.Detail, t.unasked = joined(e.file.Detail, e.unasked), true
		}
		if t.explain != nil {
			t.explain.file(e.file)
		}
		t.sums.worst = max(t.sums.worst, e.file.Class)
		t.err = t.sink.File(*e.file)
	case e.finding != nil:
		e.finding.Seq = t.next()
		if t.explain != nil {
			t.explain.finding(e.finding)
		}
		t.sums.worst = max(t.sums.worst, e.finding.Class)
		t.err = t.sink.Finding(*e.finding)
	case e.chain != nil:
		t.chains++
		e.chain.Seq = t.next()
		if t.explain != nil {
			t.explain.chain(e.chain, e.buckets)
		}
		t.err = t.sink.Chain(*e.chain)
	case e.leads != nil:
		t.explain.take(e.leads)
	case e.sums != nil:
		add(t.sums.digests, e.sums.digests)
		add(t.sums.logs, e.sums.logs)
		t.sums.worst = max(t.sums.worst, e.sums.worst)
		t.sums.keys.merge(e.sums.keys)
		t.accounts[e.sums.account] = true
	}
}

func (t *tally) next() int64 {
	t.seq++
	return t.seq
}

func (t *tally) find(f Finding) {
	f.Class, f.Seq = t.policy.Finding(f), t.next()
	if t.explain != nil {
		t.explain.finding(&f)
	}
	t.sums.worst = max(t.sums.worst, f.Class)
	if t.err == nil {
		t.err = t.sink.Finding(f)
	}
}

func add(to, from map[Verdict]int) {
	for v, n := range from {
		to[v] += n
	}
}

func (t *tally) summary(r *run, interrupted bool) Summary {
	class := t.sums.worst
	if interrupted {
		class = max(class, ClassUnproven)
	}
	s := Summary{
		Window: r.Window, Interrupted: interrupted, Chains: t.chains, Digests: t.sums.digests, Logs: t.sums.logs,
		Bytes:    Bytes{Fetched: r.Progress.Fetched.Load(), Hashed: r.Progress.Hashed.Load()},
		Requests: maps.Clone(r.Store.Requests()),
		Keys:     t.keys,
	}
	s.Verdict, s.Exit = class.Outcome()
	return s
}

// Outcome is what a run whose worst result is of this class comes to: the
// verdict in one word and the exit status. It is the only place where an exit
// status is made.
func (c Class) Outcome() (verdict string, exit int) {
	switch c {
	case Tampering:
		return "tampered", 1
	case ClassUnproven:
		return "unproven", 3
	default:
		return "kept", 0
	}
}

// wanted reports whether a filter lets a word pass, and remembers which of its
// patterns have matched something.
func (r *run) wanted(kind string, patterns []string, word string) bool {
	if len(patterns) == 0 {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.matched[kind] == nil {
		r.matched[kind] = map[string]bool{}
		for _, p := range patterns {
			r.matched[kind][p] = false
		}
	}
	any := false
	for _, p := range patterns {
		if Matches([]string{p}, word) {
			r.matched[kind][p], any = true, true
		}
	}
	return any
}

func (r *run) remark(f Finding) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.remarks = append(r.remarks, f)
}

// regionKeys is one region's public keys, asked for once.
type regionKeys struct {
	once sync.Once
	keys []digest.PublicKey
	err  error
}

// regionKeys asks for a region's keys the first time they are needed.
func (r *run) regionKeys(ctx context.Context, region string) ([]digest.PublicKey, error) {
	r.mu.Lock()
	k := r.keys[region]
	if k == nil {
		k = &regionKeys{}
		r.keys[region] = k
	}
	r.mu.Unlock()
	k.once.Do(func() {
		w := KeySpan(r.Window, r.Now)
		k.keys, k.err = r.Keys.Keys(ctx, region, w.Start, w.End)
	})
	return k.keys, k.err
}
