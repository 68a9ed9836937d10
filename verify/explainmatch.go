package verify

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/trailseal/trailseal/digest"
)

// Bounds of what is explained.
const (
	maxTroubles  = 10_000 // files of a run, and findings, the first
	maxExplains  = 1_000  // of them that one event may explain, the first
	aroundEvent  = 2 * time.Hour
	clockSlack   = 15 * time.Minute // names are off by minutes, and so are the clocks of two services
	removalSlack = time.Hour
)

// A trouble is a file or finding that an event may explain.
type trouble struct {
	seq        int64
	verdict    Verdict     // of a file
	kind       FindingKind // of a finding
	reasons    []Reason
	uri        string
	bucket     string
	key        string    // KMS key
	at         time.Time // when CloudTrail delivered the file
	removed    time.Time // when it was deleted, where its versions tell
	start, end time.Time
	chain      *ChainRef
	places     []chainPlace // the chain, once all are known
}

// file notes a file that is to be explained.
func (x *explainer) file(f *File) {
	switch f.Verdict {
	case Modified, Deleted, Unreadable, Unverified, Unreferenced, Pending:
	default:
		return
	}
	t := trouble{seq: f.Seq, verdict: f.Verdict, reasons: f.Reasons, uri: f.URI, key: f.Key}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(f.URI, "s3://"), "/")
	t.bucket = bucket
	if _, _, at, err := placeInTime(key); err == nil {
		t.at = at
	}
	if f.Recover != nil && f.Recover.Removed != nil {
		t.removed = *f.Recover.Removed
	}
	x.trouble(t)
}

// finding notes a finding that is to be explained.
func (x *explainer) finding(f *Finding) {
	switch f.Kind {
	case Gap, Stale, NotStarted, Undelivered, LinkBroken, KeyDoomed, KeyDisabled, KeyForeign, NoDigests:
	default:
		return
	}
	t := trouble{seq: f.Seq, kind: f.Kind, uri: f.URI, key: f.Key, chain: f.Chain}
	if f.Start != nil {
		t.start = *f.Start
	}
	if f.End != nil {
		t.end = *f.End
	}
	x.trouble(t)
}

// trouble notes one or the other, of each as many as the bound allows.
func (x *explainer) trouble(t trouble) {
	if n := &x.noted[boolInt(t.kind != "")]; *n < maxTroubles {
		*n++
		x.troubles = append(x.troubles, t)
	}
}

// A matcher holds events against what was found.
type matcher struct {
	*explainer
	window  Window
	trail   string              // ARN of the trail that CloudTrail was asked about
	keys    map[string][]string // KMS keys by each of their names: see keyNames
	byURI   map[string][]int    // indexes of troubles
	deleted map[string][]int    // files, by bucket
	locked  map[string][]int    // files that cannot be read, by bucket
	byKey   map[string][]int    // by KMS key
	chained []int               // findings on chains
	trails  []int               // findings on the trail itself
}

func newMatcher(x *explainer, r *run, keys map[string]*keyUse) *matcher {
	m := &matcher{explainer: x, window: r.Window, keys: map[string][]string{},
		byURI: map[string][]int{}, deleted: map[string][]int{}, locked: map[string][]int{}, byKey: map[string][]int{}}
	if r.Delivery != nil {
		m.trail = r.Delivery.Trail
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		m.addKey(key)
	}
	for _, key := range r.OwnKeys {
		m.addKey(key)
	}
	byRef := map[ChainRef][]chainPlace{}
	for _, c := range x.chains {
		byRef[c.ChainRef] = append(byRef[c.ChainRef], c)
	}
	for i := range x.troubles {
		t := &x.troubles[i]
		if t.chain != nil {
			t.places = byRef[*t.chain]
		}
		if t.uri != "" {
			m.byURI[t.uri] = append(m.byURI[t.uri], i)
		}
		if t.key != "" {
			m.byKey[t.key] = append(m.byKey[t.key], i)
		}
		switch {
		case t.verdict == Deleted:
			m.deleted[t.bucket] = append(m.deleted[t.bucket], i)
		case t.verdict == Unreadable:
			m.locked[t.bucket] = append(m.locked[t.bucket], i)
		case t.kind == Undelivered || t.kind == Stale && t.chain == nil:
			m.trails = append(m.trails, i)
		case t.chain != nil:
			m.chained = append(m.chained, i)
		}
	}
	return m
}

// concerns reports whether an event touched what the run is about.
func (m *matcher) concerns(l *lead) bool {
	switch l.deed.of {
	case ofTrail:
		return m.trail != "" && m.sameTrail(l) || slices.ContainsFunc(m.chains, func(c chainPlace) bool { return l.onTrail(c) })
	case ofOrganization:
		return slices.ContainsFunc(m.chains, func(c chainPlace) bool { return c.Organization != "" })
	case ofKey:
		return len(m.keysOf(l.kms, l)) > 0
	default:
		return m.buckets[l.bucket]
	}
}

// sameTrail reports whether an event names the trail that CloudTrail was asked about.
func (m *matcher) sameTrail(l *lead) bool {
	_, name, _ := strings.Cut(m.trail, ":trail/")
	return l.trail == m.trail || l.trail == name && l.Region == arnPart(m.trail, 3) && l.Account == arnPart(m.trail, 4)
}

// onTrail reports whether an event names the trail of a chain. A trail belongs to
// the account whose logs it delivers, or to one of its organization, which the
// chain does not tell.
func (l *lead) onTrail(c chainPlace) bool {
	name, region, account := l.trail, l.Region, l.Account
	if strings.HasPrefix(l.trail, "arn:") {
		region, account = arnPart(l.trail, 3), arnPart(l.trail, 4)
		_, name, _ = strings.Cut(l.trail, ":trail/")
	}
	return name == c.Trail && region == c.home && (c.Organization != "" || account == c.Account)
}

// A KMS key has several names: its ARN, and in its own account and region its id,
// or its alias without the rest of the ARN.
func (m *matcher) addKey(arn string) {
	names := []string{arn}
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
		names = append(names, hereName(parts[3], parts[4], strings.TrimPrefix(parts[5], "key/")))
	}
	for _, name := range names {
		if !slices.Contains(m.keys[name], arn) {
			m.keys[name] = append(m.keys[name], arn)
		}
	}
}

func hereName(region, account, id string) string { return region + " " + account + " " + id }

// keysOf are those of the run's keys that are named by an event.
func (m *matcher) keysOf(names []string, l *lead) []string {
	var all []string
	for _, name := range names {
		all = append(all, m.keys[name]...)
		all = append(all, m.keys[hereName(l.Region, l.Account, name)]...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// explain lists what an event may explain. One that was refused did nothing.
func (m *matcher) explain(l *lead) {
	if l.Error != "" {
		return
	}
	var hits []int
	take := func(from []int, fits func(*trouble) bool) {
		for _, i := range from {
			if fits(&m.troubles[i]) {
				hits = append(hits, i)
			}
		}
	}
	take(m.chained, func(t *trouble) bool { return m.darkens(l, t) })
	switch l.deed.of {
	case ofTrail:
		take(m.trails, func(*trouble) bool { return l.deed.may&stops != 0 && m.sameTrail(l) })
	case ofBucket:
		take(m.deleted[l.bucket], l.removed)
		take(m.locked[l.bucket], l.shut)
	case ofObject:
		for _, key := range l.keys {
			take(m.byURI["s3://"+l.bucket+"/"+key], func(t *trouble) bool { return l.removed(t) || l.altered(t) })
		}
		if l.blind {
			take(m.deleted[l.bucket], l.removed)
		}
	case ofKey:
		for _, key := range m.keysOf(l.kms, l) {
			take(m.byKey[key], l.keyed)
		}
	}
	if l.sets != "" && l.deed.may&rekeys != 0 {
		for _, key := range m.keysOf([]string{l.sets}, l) {
			take(m.byKey[key], func(t *trouble) bool { return t.kind == KeyForeign || t.verdict == Unreadable })
		}
	}
	slices.Sort(hits)
	for _, i := range slices.Compact(hits) {
		if len(l.Explains) < maxExplains {
			l.Explains = append(l.Explains, m.troubles[i].seq)
		}
	}
	slices.Sort(l.Explains)
}

// darkens reports whether an event may be why a stretch of a chain has no digest.
func (m *matcher) darkens(l *lead, t *trouble) bool {
	switch t.kind {
	case Gap, Stale, NotStarted, NoDigests:
	default:
		return false
	}
	at := func(fits func(chainPlace) bool) bool { return slices.ContainsFunc(t.places, fits) }
	inBucket := func(c chainPlace) bool { return slices.Contains(c.buckets, l.bucket) }
	begins := l.deed.may&stops != 0 && near(l.Time, t.start) && t.kind != NotStarted
	ends := l.deed.may&starts != 0 && near(l.Time, t.end) && t.kind != Stale
	// What a lifecycle rule deletes is missing from the oldest end.
	oldest := l.deed.may&expires != 0 && t.kind != Stale && near(m.window.Start, t.start)
	switch {
	case l.deed.of == ofObject:
		return l.deed.may&removes != 0 && at(inBucket) && l.removesDigest(t)
	case !begins && !ends && !oldest:
		return false
	case l.deed.of == ofTrail:
		return at(l.onTrail)
	case l.deed.of == ofBucket:
		return at(inBucket)
	}
	return l.deed.of == ofKey
}

// removesDigest reports whether an event removed a digest of a stretch, or may
// have: where it does not say which objects it deleted, any that was there.
func (l *lead) removesDigest(t *trouble) bool {
	if l.blind {
		return !l.Time.Before(t.start)
	}
	for _, key := range l.keys {
		n, err := digest.ParseName(key)
		c := n.Chain
		if err == nil && (ChainRef{c.Organization, c.Account, c.Region, c.Trail, c.Backfill}) == *t.chain &&
			n.End.After(t.start) && !n.End.After(t.end) {
			return true
		}
	}
	return false
}

func near(a, b time.Time) bool { return !b.IsZero() && a.Sub(b).Abs() <= aroundEvent }

// removed reports whether an event may be why a file is gone: it came after the
// file, and not after it was gone. A lifecycle rule stays, and takes later files.
func (l *lead) removed(t *trouble) bool {
	switch {
	case t.verdict != Deleted, l.deed.may&(removes|expires) == 0:
		return false
	case !t.removed.IsZero() && l.Time.After(t.removed.Add(clockSlack)):
		return false
	case l.deed.may&expires != 0:
		return true
	case !t.removed.IsZero() && l.isRemoval() && l.Time.Before(t.removed.Add(-removalSlack)):
		return false
	}
	return !l.Time.Before(t.at.Add(-clockSlack))
}

// isRemoval reports whether an event deletes by itself, and at once.
func (l *lead) isRemoval() bool {
	return strings.HasPrefix(l.deed.name, "Delete") && l.deed.of == ofObject
}

// altered reports whether an event may be why a file is not what CloudTrail
// stored, or is there at all.
func (l *lead) altered(t *trouble) bool {
	switch t.verdict {
	case Modified, Unverified, Unreferenced, Pending:
		return l.deed.may&alters != 0 && !l.Time.Before(t.at.Add(-clockSlack))
	case Unreadable:
		return l.deed.may&(alters|locks) != 0 && !l.Time.Before(t.at.Add(-clockSlack))
	}
	return t.kind == LinkBroken && l.deed.may&alters != 0
}

// shut reports whether an event on a bucket may be why a file cannot be read.
func (l *lead) shut(t *trouble) bool {
	const payment = "PutBucketRequestPayment"
	if l.deed.may&locks == 0 {
		return false
	}
	if slices.Contains(t.reasons, RequesterPays) {
		return l.deed.name == payment
	}
	denied := slices.Contains(t.reasons, AccessDenied) || slices.Contains(t.reasons, BucketNotFound)
	return denied && l.deed.name != payment && !strings.Contains(l.deed.name, "Encryption")
}

// keyStates are the reasons that a key's own state and policy may be behind.
var keyStates = []Reason{KMSDenied, KMSKeyDisabled, KMSKeyPending, KMSKeyNotFound, KMSKeyUnusable, KMSKeyChanged}

// keyed reports whether an event on a key may be why files cannot be read, or why
// the key is as it is.
func (l *lead) keyed(t *trouble) bool {
	switch {
	case t.kind == KeyDoomed:
		return l.deed.may&dooms != 0
	case t.kind == KeyDisabled:
		return slices.Contains([]string{"DisableKey", "CancelKeyDeletion", "DeleteImportedKeyMaterial"}, l.deed.name)
	case t.kind == KeyForeign:
		return l.deed.may&rekeys != 0
	}
	return t.verdict == Unreadable && l.deed.may&locks != 0 && slices.ContainsFunc(t.reasons, func(r Reason) bool { return slices.Contains(keyStates, r) })
}
