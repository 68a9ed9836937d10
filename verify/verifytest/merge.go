package verifytest

import "maps"

// Merge puts trails into one world: several of one account, or of several
// accounts that deliver to one bucket. The worlds given must not be used any
// more, nor have been damaged.
func Merge(worlds ...*World) *World {
	all := newWorld(worlds[0].seed)
	all.kms.account = worlds[0].kms.account
	for _, w := range worlds {
		all.take(w)
	}
	all.sortChains()
	return all
}

func (w *World) take(from *World) {
	shift := uint32(len(w.pool.gz))
	w.pool.gz = append(w.pool.gz, from.pool.gz...)
	for bucket, s := range from.shelves {
		w.shelf(bucket).take(s, w.pool, shift)
	}
	maps.Copy(w.kms.keys, from.kms.keys)
	minters := map[*minter]bool{}
	for _, c := range from.chains {
		minters[c.m] = true
	}
	for m := range minters {
		m.w = w
		for i := range m.shared {
			m.shared[i].content += shift
		}
	}
	w.chains = append(w.chains, from.chains...)
	w.trails = append(w.trails, from.trails...)
	maps.Copy(w.expected, from.expected)
	maps.Copy(w.sealed, from.sealed)
	for region := range from.keys {
		for _, k := range from.keys[region] {
			w.addKey(k)
		}
	}
}

func (s *shelf) take(from *shelf, to *pool, shift uint32) {
	maps.Copy(s.loose, from.loose)
	s.keys, s.folders = nil, nil
	if s.sse == (sse{}) {
		s.sse = from.sse
	}
	for folder, p := range from.packs {
		into := s.packs[folder]
		if into == nil {
			into = &pack{folder: folder, stem: p.stem, day: p.day, pool: to}
			s.packs[folder] = into
		}
		for _, l := range p.logs {
			l.content += shift
			l.sse = to.way(p.pool.sse[l.sse])
			into.logs = append(into.logs, l)
		}
		into.sorted = false
	}
}
