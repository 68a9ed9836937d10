package verify

import "time"

// A Window is the stretch of delivery time asked about, UTC. The zero Window
// stands for everything that the source holds.
type Window struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// IsZero reports whether the window stands for everything.
func (w Window) IsZero() bool { return w.Start.IsZero() && w.End.IsZero() }

// Touches reports whether the span from start to end shares time with the
// window. Spans that only meet at an edge share none.
func (w Window) Touches(start, end time.Time) bool {
	return start.Before(w.End) && end.After(w.Start)
}

// dayFolder is how a key names a day, as a layout of time.
const dayFolder = "2006/01/02"

// dayBefore is a key to list after, so that a day's folder and all in it come
// first: it lies behind all that is in the day before.
func dayBefore(t time.Time) string { return t.UTC().AddDate(0, 0, -1).Format(dayFolder) + "~" }

// Holds reports whether t is in the window, its edges included.
func (w Window) Holds(t time.Time) bool {
	return !t.Before(w.Start) && !t.After(w.End)
}
