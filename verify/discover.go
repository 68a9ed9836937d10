package verify

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/trailseal/trailseal/digest"
	"golang.org/x/sync/semaphore"
)

// A place is where a trail delivers to: a bucket, and the prefix before
// "AWSLogs/" in Key.
type place = Ref

// A group is all that lies in the source for one account and source region:
// the unit of work, because the logs there are named by the digests there,
// whichever trail they are of.
type group struct {
	organization, account, region string
	places                        []place
	kinds                         []string // log folders found, of digest.LogFolders
	problem                       *Finding // in place of all else: it could not be found out
}

func (g group) chainRef() *ChainRef {
	return &ChainRef{Organization: g.organization, Account: g.account, Region: g.region}
}

// An account is an account's folders below "AWSLogs/", in each place that has
// them.
type account struct {
	organization, id string
	region           string // the only one, where the user's path chose it
	places           []place
	problem          *Finding
}

// Bounds of the search for "AWSLogs/" below a root: a trail's prefix is rarely
// more than one folder, and a bucket may hold millions of others.
const (
	maxPrefixDepth = 8
	maxPrefixDirs  = 5000
)

// discover finds all groups by delimiter listings, in the order of
// organization, account and region.
func (r *run) discover(ctx context.Context) iter.Seq[group] {
	return func(yield func(group) bool) {
		accounts := r.accounts(ctx)
		window := min(32, r.InFlight)
		for groups := range ordered(ctx, r.slots, window, values(accounts), r.regions) {
			for _, g := range groups {
				if g.problem == nil && !r.wanted("region", r.Filter.Regions, g.region) {
					continue
				}
				if r.Progress.Chains.Add(1); !yield(g) {
					return
				}
			}
		}
	}
}

// accounts finds the account folders of all roots and merges them, because a
// trail may have moved from one bucket or prefix to another.
func (r *run) accounts(ctx context.Context) []account {
	var all []account
	problem := func(at Ref, err error) {
		if ctx.Err() == nil {
			all = append(all, account{problem: unlisted(at, err)})
		}
	}
	roots, err := r.Store.Roots(ctx)
	if err != nil {
		problem(Ref{}, err)
	}
	index := map[[2]string]int{}
	for _, root := range roots {
		for _, at := range r.logRoots(ctx, root, problem) {
			for _, a := range r.accountsAt(ctx, at, problem) {
				key := [2]string{a.organization, a.id}
				if i, ok := index[key]; ok {
					all[i].places = append(all[i].places, a.places...)
					continue
				}
				index[key] = len(all)
				all = append(all, a)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b account) int {
		return strings.Compare(a.organization+"/"+a.id, b.organization+"/"+b.id)
	})
	return all
}

// A logRoot is a place with what the user's prefix already chose below its
// "AWSLogs/".
type logRoot struct {
	place
	organization, account, region string
}

// logRoots finds "AWSLogs/" at or below a root, breadth first and bounded.
// Where the root itself reaches below "AWSLogs/", its further elements choose
// the organization, account, and region.
func (r *run) logRoots(ctx context.Context, root Ref, problem func(Ref, error)) []logRoot {
	if rest, ok := digest.FromAWSLogs(root.Key); ok {
		return r.chosenRoot(root, rest)
	}
	var found []logRoot
	level, asked := []Ref{root}, 0
	for depth := 0; len(level) > 0; depth++ {
		if asked += len(level); asked > maxPrefixDirs || depth > maxPrefixDepth {
			r.remark(Finding{Kind: NotSearched, URI: level[0].URI(), Message: fmt.Sprintf(
				"not all folders were searched for AWSLogs/, only %d levels and %d folders; name the trail's prefix (or s3://BUCKET/AWSLogs) to verify what lies below it alone",
				maxPrefixDepth, maxPrefixDirs)})
			break
		}
		var next []Ref
		for below := range ordered(ctx, r.slots, min(32, r.InFlight), values(places(level)), r.below) {
			if below.err != nil {
				problem(below.at, below.err)
			}
			for _, d := range below.dirs {
				if d == "AWSLogs/" {
					found = append(found, logRoot{place: below.at})
				} else {
					next = append(next, Ref{below.at.Bucket, below.at.Key + d})
				}
			}
		}
		level = next
	}
	return found
}

// folders is one delimiter listing's answer.
type folders struct {
	place place
	kind  string
	at    Ref
	dirs  []string
	err   error
}

func (r *run) below(ctx context.Context, f folders) folders {
	f.dirs, f.err = r.Store.Dirs(ctx, f.at)
	return f
}

func places(all []Ref) []folders {
	var asked []folders
	for _, at := range all {
		asked = append(asked, folders{at: at})
	}
	return asked
}

func (r *run) chosenRoot(root Ref, rest string) []logRoot {
	l := logRoot{place: Ref{root.Bucket, strings.TrimSuffix(root.Key, rest)}}
	e := strings.Split(strings.TrimSuffix(rest, "/"), "/")[1:]
	if len(e) > 0 && digest.IsOrganization(e[0]) {
		l.organization, e = e[0], e[1:]
	}
	if len(e) > 0 {
		l.account, e = e[0], e[1:]
	}
	if len(e) > 1 {
		l.region = e[1]
	}
	return []logRoot{l}
}

// accountsAt lists the account folders of one place.
func (r *run) accountsAt(ctx context.Context, l logRoot, problem func(Ref, error)) []account {
	var found []account
	list := func(organization string) []string {
		at := Ref{l.Bucket, l.Key + "AWSLogs/"}
		if organization != "" {
			at.Key += organization + "/"
		}
		dirs, err := r.Store.Dirs(ctx, at)
		if err != nil {
			problem(at, err)
		}
		return dirs
	}
	take := func(organization string, dirs []string) {
		for _, d := range dirs {
			id := strings.TrimSuffix(d, "/")
			if digest.IsAccount(id) && (l.account == "" || l.account == id) && r.wanted("account", r.Filter.Accounts, id) {
				found = append(found, account{organization: organization, id: id, region: l.region, places: []place{l.place}})
			}
		}
	}
	if l.organization != "" {
		take(l.organization, list(l.organization))
		return found
	}
	top := list("")
	if r.wanted("organization", r.Filter.Organizations, "") {
		take("", top)
	}
	for _, d := range top {
		id := strings.TrimSuffix(d, "/")
		if digest.IsOrganization(id) && l.account == "" && r.wanted("organization", r.Filter.Organizations, id) {
			take(id, list(id))
		}
	}
	return found
}

// regions lists an account's folders and the regions in each.
func (r *run) regions(ctx context.Context, a account) []group {
	if a.problem != nil {
		return []group{{problem: a.problem}}
	}
	var kinds []folders
	for _, p := range a.places {
		for _, kind := range append([]string{digest.DigestFolder}, digest.LogFolders...) {
			at := Ref{p.Bucket, p.Key + digest.AccountFolder(a.organization, a.id) + kind + "/"}
			kinds = append(kinds, folders{place: p, kind: kind, at: at})
		}
	}
	groups := map[string]*group{}
	// The account has one of the run's slots already, so these have their own.
	own := semaphore.NewWeighted(int64(len(kinds)))
	for k := range ordered(ctx, own, len(kinds), values(kinds), r.below) {
		if k.err != nil {
			f := unlisted(k.at, k.err)
			f.Chain = &ChainRef{Organization: a.organization, Account: a.id}
			return []group{{problem: f}}
		}
		for _, d := range k.dirs {
			region := strings.TrimSuffix(d, "/")
			if a.region != "" && a.region != region {
				continue
			}
			g := groups[region]
			if g == nil {
				g = &group{organization: a.organization, account: a.id, region: region}
				groups[region] = g
			}
			g.add(k.place, k.kind)
		}
	}
	var sorted []group
	for _, g := range groups {
		sorted = append(sorted, *g)
	}
	slices.SortFunc(sorted, func(a, b group) int { return strings.Compare(a.region, b.region) })
	return sorted
}

func (g *group) add(p place, kind string) {
	if !slices.Contains(g.places, p) {
		g.places = append(g.places, p)
	}
	if kind != digest.DigestFolder && !slices.Contains(g.kinds, kind) {
		g.kinds = append(g.kinds, kind)
	}
}

func unlisted(at Ref, err error) *Finding {
	return &Finding{Kind: Unlisted, URI: at.URI(), Message: "it could not be listed: " + judgeError(err).detail}
}
