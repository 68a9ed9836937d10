package verify

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/trailseal/trailseal/digest"
)

// maxNames is how many different names of one kind are told apart in a log, and
// maxName how much of a name is kept: whoever calls AWS chooses some of them.
const (
	maxNames = 10_000
	maxName  = 512
)

// eventStats counts what is in a log file while it is read.
type eventStats struct {
	digest.EventScanner
	first, last                  time.Time
	services, principals, errors nameCounts
}

func newEventStats() *eventStats {
	s := &eventStats{}
	s.Event = s.event
	return s
}

// Reset begins anew.
func (s *eventStats) Reset() {
	s.EventScanner.Reset()
	s.first, s.last = time.Time{}, time.Time{}
	s.services, s.principals, s.errors = nameCounts{}, nameCounts{}, nameCounts{}
}

// seenEvent is what is read of an event. Fields of another type than CloudTrail's
// are passed over.
type seenEvent struct {
	EventTime    looseText
	EventSource  looseText
	ErrorCode    looseText
	UserIdentity identity
}

type identity struct {
	ARN, PrincipalID, InvokedBy, UserName, AccountID, Type looseText
}

// UnmarshalJSON takes an object, and nothing from anything else.
func (i *identity) UnmarshalJSON(raw []byte) error {
	type plain identity
	_ = json.Unmarshal(raw, (*plain)(i))
	return nil
}

// A looseText is a string in JSON; anything else is none.
type looseText string

func (t *looseText) UnmarshalJSON(raw []byte) error {
	var s string
	_ = json.Unmarshal(raw, &s)
	*t = looseText(s)
	return nil
}

// who is the principal: its ARN, or the best that stands for it.
func (i identity) who() string {
	for _, t := range []looseText{i.ARN, i.InvokedBy, i.PrincipalID, i.UserName, i.AccountID, i.Type} {
		if t != "" {
			return string(t)
		}
	}
	return "(none)"
}

func (s *eventStats) event(raw []byte) {
	var e seenEvent
	if json.Unmarshal(raw, &e) != nil {
		return // it is counted, and says nothing
	}
	if at, err := time.Parse(time.RFC3339, string(e.EventTime)); err == nil {
		if s.first.IsZero() || at.Before(s.first) {
			s.first = at.UTC()
		}
		if at.After(s.last) {
			s.last = at.UTC()
		}
	}
	s.services.add(cmp.Or(string(e.EventSource), "(none)"))
	s.principals.add(e.UserIdentity.who())
	if e.ErrorCode != "" {
		s.errors.add(string(e.ErrorCode))
	}
}

// nameCounts counts names, of which it tells maxNames apart.
type nameCounts struct {
	counts map[string]int
	more   int
}

func (n *nameCounts) add(name string) {
	if len(name) > maxName {
		name = strings.ToValidUTF8(name[:maxName], "") + "…"
	}
	if _, known := n.counts[name]; !known && len(n.counts) >= maxNames {
		n.more++
		return
	}
	if n.counts == nil {
		n.counts = map[string]int{}
	}
	n.counts[name]++
}

func (n *nameCounts) top() Counts {
	c := Counts{Top: []Count{}, Others: n.more, Distinct: len(n.counts), Full: n.more > 0}
	names := slices.SortedFunc(maps.Keys(n.counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(n.counts[b], n.counts[a]), cmp.Compare(a, b))
	})
	for i, name := range names {
		if i < TopCounts {
			c.Top = append(c.Top, Count{name, n.counts[name]})
		} else {
			c.Others += n.counts[name]
		}
	}
	return c
}

// facts are what was counted.
func (s *eventStats) facts(f *LogFacts) {
	f.Read, f.Events, f.TooLong = true, s.Found, s.Long
	f.First, f.Last = stamp(s.first), stamp(s.last)
	f.Services, f.Principals, f.Errors = s.services.top(), s.principals.top(), s.errors.top()
}
