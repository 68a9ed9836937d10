package source

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
)

// Bounds of what is read of a root to learn where it was taken from.
const (
	mostSamples     = 4000    // digest files
	mostSampled     = 500     // regions, of all accounts
	mostSampleBytes = 1 << 20 // of a stored digest file
	mostSampleJSON  = 16 << 20
)

// A copied is one root: the folder that an AWSLogs folder is in.
type copied struct {
	dir     string       // below the tree
	origins []verify.Ref // buckets and prefixes it was taken from, the most frequent first; never none
	learned bool         // from digests; otherwise the one origin is only the folder's name
}

// knows reports whether the root holds what a bucket has below a prefix.
func (c *copied) knows(origin verify.Ref) bool { return slices.Contains(c.origins, origin) }

// learn reads a few digest files of every region: each trail's first and last
// of the first day and the last, and of the first day of months between. A
// root of very many regions is sampled evenly.
func (d *Directory) learn(dir, name string) *copied {
	counts := map[verify.Ref]int{}
	regions := d.digestRegions(join(dir, logsFolder))
	sampled := spread(regions, mostSampled)
	for _, region := range sampled {
		for _, file := range spread(d.samples(region), max(2, mostSamples/len(sampled))) {
			if origin, ok := d.origin(file); ok {
				counts[origin]++
			}
		}
	}
	c := &copied{dir: dir, learned: len(counts) > 0}
	for origin := range counts {
		c.origins = append(c.origins, origin)
	}
	slices.SortFunc(c.origins, func(a, b verify.Ref) int {
		return cmp.Or(counts[b]-counts[a], cmp.Compare(a.Bucket, b.Bucket), cmp.Compare(a.Key, b.Key))
	})
	if !c.learned {
		c.origins = []verify.Ref{{Bucket: name}}
	}
	return c
}

// digestRegions are the folders of digests, a region each.
func (d *Directory) digestRegions(logs string) []string {
	var regions []string
	for _, owner := range d.subfolders(logs) {
		accounts := []string{owner}
		if digest.IsOrganization(owner[strings.LastIndexByte(owner, '/')+1:]) {
			accounts = d.subfolders(owner)
		}
		for _, account := range accounts {
			regions = append(regions, d.subfolders(join(account, digest.DigestFolder))...)
		}
	}
	return regions
}

// twice is an error where two roots are copies of one bucket and prefix, rather
// than parts of one copy: both have a folder of the same account, kind and
// region.
func (d *Directory) twice() error {
	type place struct {
		origin verify.Ref
		folder string
	}
	first := map[place]*copied{}
	for _, origin := range d.shared() {
		for _, r := range d.roots {
			if !r.knows(origin) {
				continue
			}
			for _, folder := range d.regionFolders(r.dir) {
				at := place{origin, folder}
				if other := first[at]; other != nil {
					return fmt.Errorf("two copies of %q: %q and %q both hold %q; verify them one at a time",
						strings.TrimSuffix(origin.URI(), "/"), path.Join(d.path, other.dir), path.Join(d.path, r.dir), folder)
				}
				first[at] = r
			}
		}
	}
	return nil
}

// shared are the buckets and prefixes of which several roots may be copies,
// at least one as its digests say.
func (d *Directory) shared() []verify.Ref {
	roots, learned := map[verify.Ref]int{}, map[verify.Ref]bool{}
	var shared []verify.Ref
	for _, r := range d.roots {
		for _, o := range r.origins {
			roots[o]++
			learned[o] = learned[o] || r.learned
			if learned[o] && roots[o] > 1 && !slices.Contains(shared, o) {
				shared = append(shared, o)
			}
		}
	}
	return shared
}

// regionFolders are the folders of a root that hold files of an account, a
// kind and a region, as paths below the root.
func (d *Directory) regionFolders(root string) []string {
	var found []string
	for _, owner := range d.subfolders(join(root, logsFolder)) {
		accounts := []string{owner}
		if digest.IsOrganization(path.Base(owner)) {
			accounts = d.subfolders(owner)
		}
		for _, account := range accounts {
			for _, kind := range d.subfolders(account) {
				for _, region := range d.subfolders(kind) {
					if full, err := (view{d: d}).holdsFile(context.Background(), region); full || err != nil {
						found = append(found, strings.TrimPrefix(region, root+"/"))
					}
				}
			}
		}
	}
	return found
}

// subfolders are the paths of a folder's folders, in byte order.
func (d *Directory) subfolders(dir string) []string {
	nodes, _ := level(d.tree, dir)
	var dirs []string
	for _, n := range nodes {
		if n.dir {
			dirs = append(dirs, join(dir, strings.TrimSuffix(n.name, "/")))
		}
	}
	return dirs
}

// samples are digest files of one region, in byte order of their days.
func (d *Directory) samples(region string) []string {
	var days []string
	for _, year := range d.subfolders(region) {
		for _, month := range d.subfolders(year) {
			if all := d.subfolders(month); len(all) > 0 {
				days = append(days, all[0], all[len(all)-1])
			}
		}
	}
	var files []string
	for i, day := range days {
		if i%2 == 0 || i == len(days)-1 { // a month's first day, and the very last
			files = append(files, d.daySamples(day)...)
		}
	}
	return slices.Compact(files)
}

// daySamples are the first and the last digest of each chain on a day.
func (d *Directory) daySamples(day string) []string {
	nodes, _ := level(d.tree, day)
	first, last := map[digest.Chain]string{}, map[digest.Chain]string{}
	for _, n := range nodes {
		file := join(day, n.name)
		name, err := digest.ParseName(file)
		if err != nil || n.dir {
			continue
		}
		if first[name.Chain] == "" {
			first[name.Chain] = file
		}
		last[name.Chain] = file
	}
	var files []string
	for chain, file := range first {
		files = append(files, file, last[chain])
	}
	slices.Sort(files)
	return slices.Compact(files)
}

// origin reads where a digest says it was written to. That is believed only as
// far as names go: what the file is worth is for the engine to say.
func (d *Directory) origin(file string) (verify.Ref, bool) {
	f, err := openRegular(d.tree, file)
	if err != nil {
		return verify.Ref{}, false
	}
	defer f.Close()
	raw, _, err := digest.ReadGzip(io.LimitReader(f, mostSampleBytes), mostSampleJSON)
	if err != nil {
		return verify.Ref{}, false
	}
	record, err := digest.Parse(raw)
	if err != nil {
		return verify.Ref{}, false
	}
	tail, ok := digest.FromAWSLogs(record.Object)
	if !ok || record.Bucket == "" || !strings.HasSuffix(file, tail) {
		return verify.Ref{}, false
	}
	return verify.Ref{Bucket: record.Bucket, Key: record.Object[:len(record.Object)-len(tail)]}, true
}

// spread picks n of a list evenly, the first and the last among them.
func spread(all []string, n int) []string {
	if len(all) <= n {
		return all
	}
	picked := make([]string, n)
	for i := range picked {
		picked[i] = all[i*(len(all)-1)/(n-1)]
	}
	return picked
}
