package verify

import "github.com/trailseal/trailseal/digest"

// A watch is told more of a run than its sink is, for those who explain what was
// found. It decides nothing. Each of its functions may be nil, and may be called
// from many goroutines.
type watch struct {
	onDigest func(*sight, ruling)              // each digest that is judged, while its record still lists its logs
	onLog    func(*File, logSight, digest.Tee) // each log file that is judged, and what newTee made for it
	newTee   func() digest.Tee                 // what is given a log file's content
	listsOf  func(*sight) bool                 // whether the logs that a digest lists are to be judged, in place of Only
}

func (w *watch) settled(d *sight, r ruling) {
	if w != nil && w.onDigest != nil {
		w.onDigest(d, r)
	}
}

func (w *watch) hashed(f *File, seen logSight, tee digest.Tee) {
	if w != nil && w.onLog != nil {
		w.onLog(f, seen, tee)
	}
}

func (w *watch) tee() digest.Tee {
	if w == nil || w.newTee == nil {
		return nil
	}
	return w.newTee()
}

// chooses reports whether the watch says which digests' logs are judged.
func (w *watch) chooses() bool { return w != nil && w.listsOf != nil }

func (w *watch) wants(d *sight) bool { return !w.chooses() || w.listsOf(d) }
