package verify

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Bounds of what is explained.
const (
	maxTroubles  = 10_000 // files of a run, and findings, the first
	maxExplains  = 1_000  // of them that one event may explain, the first
	aroundEvent  = 2 * time.Hour
	clockSlack   = 15 * time.Minute // names are off by minutes, and so are the clocks of two services
	removalSlack = time.Hour
)

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
