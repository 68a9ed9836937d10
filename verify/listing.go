package verify

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/trailseal/trailseal/digest"
)

// list finds the group's chains from the names of its digest files. With an
// error comes the place that could not be listed.
func (g *groupRun) list(w Window) (place, error) {
	chains := map[digest.Chain][]listing{}
	junk := 0
	for _, p := range g.g.places {
		if err := g.listPlace(p, w, chains, &junk); err != nil {
			return p, err
		}
	}
	if junk > maxJunk {
		g.find(Finding{Kind: Junk, Chain: g.g.chainRef(), Message: fmt.Sprintf("and %d more things that are named almost like digest files", junk-maxJunk)})
	}
	g.listHidden(w, chains)
	for id := range maps.Clone(chains) {
		// Backfill digests come beside a chain. Where they stand alone, the chain
		// is gone.
		if id.Backfill {
			id.Backfill = false
			chains[id] = append([]listing(nil), chains[id]...)
		}
	}
	for _, id := range slices.SortedFunc(maps.Keys(chains), compareChains) {
		g.addChain(id, chains[id])
	}
	return place{}, nil
}

// addChain makes a chain of what was listed, to be judged or, where the filter
// does not want it, to be asked which logs are its own.
func (g *groupRun) addChain(id digest.Chain, refs []listing) {
	c := newChainRun(g, id, refs, g.r.Window)
	if !g.r.wanted("trail", g.r.Filter.Trails, id.Trail) || !g.r.wanted("home region", g.r.Filter.HomeRegions, id.HomeRegion) {
		g.others = append(g.others, c)
		return
	}
	g.chains = append(g.chains, c)
	g.byRef[*c.ref()] = append(g.byRef[*c.ref()], c)
	g.r.Progress.Digests.Add(int64(len(c.refs) - c.first))
}

const (
	maxBeside = 100_000   // instruction files of digests that are looked into
	maxJunk   = 20        // badly named things reported one by one
	maxChains = 10_000    // in one account's region
	maxListed = 1_000_000 // digests of one chain, which bounds the memory that planted names can take
)

// listPlace lists one place from a week before the window, so that a chain is
// missed when it stops, to the first digest of every chain after the window.
func (g *groupRun) listPlace(p place, w Window, chains map[digest.Chain][]listing, junk *int) error {
	at := Ref{p.Bucket, p.Key + g.folder(digest.DigestFolder)}
	after := ""
	if !g.r.everything {
		after = at.Key + dayBefore(w.Start.Add(-min(g.r.Lookback, maxLookback)))
	}
	found, err := g.listFrom(at, after, w, chains, junk)
	if err != nil || found || after == "" {
		return err
	}
	// Nothing for a week: the newest digests before that say which chains are
	// missed.
	day, err := g.r.edgeDay(g.ctx, at, true)
	if err != nil || day == "" {
		return err
	}
	_, err = g.listFrom(Ref{at.Bucket, day}, "", w, chains, junk)
	return err
}

func (g *groupRun) listFrom(at Ref, after string, w Window, chains map[digest.Chain][]listing, junk *int) (bool, error) {
	found := false
	after3 := w.End.AddDate(0, 0, 3)
	past := map[digest.Chain]bool{} // whether a digest that begins after the window is listed
	open := 0                       // of how many chains none is
	for e, err := range g.r.Store.List(g.ctx, at, after, "") {
		if err != nil {
			return found, err
		}
		name, err := digest.ParseName(e.Key)
		if err != nil || !g.owns(name) {
			g.junk(e, junk)
			continue
		}
		if !name.Chain.Backfill {
			found = true
		}
		if len(chains[name.Chain]) >= maxListed || len(chains) > maxChains {
			return found, &UnreadableError{What: "listing", Reason: ReadFailed, Err: fmt.Errorf(
				"more than %d names of digests in one chain, or %d chains, which CloudTrail does not write", maxListed, maxChains)}
		}
		chains[name.Chain] = append(chains[name.Chain], listing{Entry: e, name: name})
		was, known := past[name.Chain]
		if !known {
			open++
		}
		if is := was || name.End.After(w.End.Add(2*time.Hour)); is && !was {
			past[name.Chain] = true
			open--
		} else {
			past[name.Chain] = is
		}
		if open == 0 && !g.r.everything && name.End.After(after3) {
			break
		}
	}
	return found, nil
}

func (g *groupRun) owns(n digest.Name) bool {
	return n.Chain.Organization == g.g.organization && n.Chain.Account == g.g.account && n.Chain.Region == g.g.region
}

// besideDigest reports whether an object is a digest's instruction file.
func (g *groupRun) besideDigest(ref Ref) bool {
	owner, ok := strings.CutSuffix(ref.Key, companionSuffix)
	c, layer := g.r.Store.(Companions)
	if !ok || !layer {
		return false
	}
	name, err := digest.ParseName(owner)
	if g.beside++; g.beside > maxBeside {
		return false
	}
	return err == nil && g.owns(name) && c.Companion(g.ctx, ref)
}

// junk reports something that lies among the digests and is none. Folder
// markers are not worth a word.
func (g *groupRun) junk(e Entry, junk *int) {
	if strings.HasSuffix(e.Key, "/") || g.besideDigest(e.Ref) {
		return
	}
	if *junk++; *junk <= maxJunk {
		g.find(Finding{Kind: Junk, URI: e.URI(), Chain: g.g.chainRef(), Message: "it lies among the digest files and is not named like one; it was not read"})
	}
}

func compareChains(a, b digest.Chain) int {
	if c := strings.Compare(a.Trail, b.Trail); c != 0 {
		return c
	}
	if c := strings.Compare(a.HomeRegion, b.HomeRegion); c != 0 {
		return c
	}
	switch {
	case a.Backfill == b.Backfill:
		return 0
	case a.Backfill:
		return 1
	default:
		return -1
	}
}

func compareRefs(a, b Ref) int {
	if a.Bucket != b.Bucket {
		if a.Bucket < b.Bucket {
			return -1
		}
		return 1
	}
	if a.Key < b.Key {
		return -1
	}
	if a.Key > b.Key {
		return 1
	}
	return 0
}
