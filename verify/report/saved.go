package report

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"time"

	"github.com/trailseal/trailseal/verify"
)

// A Saved is a report that was saved as JSON or NDJSON. Nothing of its files
// and findings is held in memory: they are read when they are played.
type Saved struct {
	Header  verify.Header
	Summary verify.Summary
	r       io.ReaderAt
	size    int64
	lines   bool             // NDJSON
	arrays  map[string]int64 // JSON: where the elements of files, chains and findings begin
	groups  []groupEnd       // of the chains, in order
	chains  map[chainKey]*stretch
}

// A chainKey names a chain in several reports.
type chainKey struct {
	verify.ChainRef
	home string
}

func keyOf(c verify.Chain) chainKey { return chainKey{refOf(c), c.HomeRegion} }

// A stretch is what merging must know of a report's chain beforehand.
type stretch struct {
	last time.Time    // end of the last digest judged
	edge *verify.Edge // the digest that a report of the time before counts as well
}

// A groupEnd is where one account's region ends in the order of events: its
// chains come last.
type groupEnd struct {
	key        groupKey
	from, last int64 // places of its first chain and its last
}

// A groupKey is an account's region, in the order of reports.
type groupKey struct{ organization, account, region string }

// maxElement bounds one file, finding or chain of a saved report.
const maxElement = 16 << 20

// OpenSaved reads a saved report's beginning and end and checks that it is whole:
// that its exit status is the one that its files and findings come to. The
// error says what is wrong with it, and where.
func OpenSaved(r io.ReaderAt, size int64) (*Saved, error) {
	s := &Saved{r: r, size: size, arrays: map[string]int64{}, chains: map[chainKey]*stretch{}}
	head := make([]byte, min(size, 64))
	if _, err := r.ReadAt(head, 0); err != nil && err != io.EOF {
		return nil, err
	}
	s.lines = bytes.HasPrefix(bytes.TrimLeft(head, " \t\r\n"), []byte(`{"event"`))
	read := s.readJSON
	if s.lines {
		read = s.readLines
	}
	if err := read(); err != nil {
		return nil, fmt.Errorf("not a whole report of trailseal: %w", err)
	}
	return s, s.check()
}

// An event is one of a saved report: one of the three is set.
type saved struct {
	file    *verify.File
	finding *verify.Finding
	chain   *verify.Chain
}

func (e saved) seq() int64 {
	switch {
	case e.file != nil:
		return e.file.Seq
	case e.finding != nil:
		return e.finding.Seq
	}
	return e.chain.Seq
}

func (e saved) tell(sink verify.Sink) error {
	switch {
	case e.file != nil:
		return sink.File(*e.file)
	case e.finding != nil:
		return sink.Finding(*e.finding)
	}
	return sink.Chain(*e.chain)
}

// Play tells a sink all that the run told when it was saved.
func (s *Saved) Play(sink verify.Sink) error {
	if err := sink.Start(s.Header); err != nil {
		return err
	}
	for e, err := range s.events() {
		if err == nil {
			err = e.tell(sink)
		}
		if err != nil {
			return err
		}
	}
	return sink.End(s.Summary)
}

// check reads all events once: they must be well-formed and in their places, and
// the report must not contradict itself, nor call kept what proves nothing.
func (s *Saved) check() error {
	worst, last := verify.Good, int64(0)
	for e, err := range s.events() {
		if err != nil {
			return err
		}
		if e.seq() <= last {
			return fmt.Errorf("the place %d follows the place %d", e.seq(), last)
		}
		last = e.seq()
		worst = max(worst, e.class())
		if e.chain == nil {
			continue
		}
		if s.chains[keyOf(*e.chain)] != nil {
			return fmt.Errorf("the chain %q comes twice", chainName(refOf(*e.chain)))
		}
		s.note(e.chain)
	}
	if s.Summary.Interrupted {
		worst = max(worst, verify.ClassUnproven)
	}
	if verdict, exit := worst.Outcome(); verdict != s.Summary.Verdict || exit != s.Summary.Exit {
		return fmt.Errorf("the report contradicts itself: its files and findings come to %s (exit %d), and it says %.20q (exit %d)",
			verdict, exit, s.Summary.Verdict, s.Summary.Exit)
	}
	if s.Summary.Exit == 0 && worst == verify.Good && (len(s.chains) == 0 || s.Summary.Window.IsZero()) {
		return errors.New("the report says kept, and names no chain or no window: nothing checked is never success")
	}
	return errors.Join(checkCounts(s.Summary.Digests), checkCounts(s.Summary.Logs))
}

// class is the class of an event.
func (e saved) class() verify.Class {
	switch {
	case e.file != nil:
		return e.file.Class
	case e.finding != nil:
		return e.finding.Class
	}
	return e.chain.Class
}

// checkCounts refuses counts of words that are not known, or of less than none.
func checkCounts(counts map[verify.Verdict]int) error {
	for v, n := range counts {
		if n < 0 || !slices.Contains(verify.Verdicts, v) {
			return fmt.Errorf("a count of %d files %.40q", n, v)
		}
	}
	return nil
}

// note remembers where groups end.
func (s *Saved) note(c *verify.Chain) {
	key := groupKey{c.Organization, c.Account, c.Region}
	s.chains[keyOf(*c)] = &stretch{last: deref(c.Last), edge: c.Edge}
	if n := len(s.groups); n > 0 && s.groups[n-1].key == key {
		s.groups[n-1].last = c.Seq
		return
	}
	s.groups = append(s.groups, groupEnd{key, c.Seq, c.Seq})
}

// events are the files, findings and chains in the order in which the run told
// them.
func (s *Saved) events() iter.Seq2[saved, error] {
	if s.lines {
		return s.lineEvents()
	}
	return s.arrayEvents()
}

func (s *Saved) reader(from int64) *bufio.Reader {
	return bufio.NewReaderSize(io.NewSectionReader(s.r, from, s.size-from), 64<<10)
}

// asFile reads one element, strictly where it matters: a word that is not known
// is a failure, never a pass.
func asFile(raw []byte) (saved, error) {
	var form fileForm
	if err := unmarshal(raw, &form); err != nil {
		return saved{}, err
	}
	f := form.File
	if f.Class == verify.Good && f.Verdict != verify.Kept {
		return saved{}, fmt.Errorf("a file that is %.40q is called good", f.Verdict)
	}
	if !slices.Contains(verify.Verdicts, f.Verdict) || f.Kind != "log" && f.Kind != "digest" {
		return saved{}, fmt.Errorf("a %.20q that is %.40q is not known to this version", f.Kind, f.Verdict)
	}
	for _, r := range f.Reasons {
		if !slices.Contains(verify.Reasons, r) {
			return saved{}, fmt.Errorf("the reason %.40q is not known to this version", r)
		}
	}
	err := errors.Join(restore(&f.URI, form.URIBytes), restore(&f.Digest, form.DigestBytes), checkRecover(f.Recover))
	if f.Recover != nil && f.Recover.Command != "" && !f.Recover.Restores(f.URI) {
		err = errors.Join(err, fmt.Errorf("the command that is to restore a file is not one of trailseal's: %.200q", f.Recover.Command))
	}
	return saved{file: &f}, err
}

func asFinding(raw []byte) (saved, error) {
	var form findingForm
	if err := unmarshal(raw, &form); err != nil {
		return saved{}, err
	}
	f := form.Finding
	if !slices.Contains(verify.FindingKinds, f.Kind) {
		return saved{}, fmt.Errorf("the finding %.40q is not known to this version", f.Kind)
	}
	if f.Reason != "" && !slices.Contains(verify.Reasons, f.Reason) {
		return saved{}, fmt.Errorf("the reason %.40q is not known to this version", f.Reason)
	}
	return saved{finding: &f}, restore(&f.URI, form.URIBytes)
}

func asChain(raw []byte) (saved, error) {
	var c verify.Chain
	err := errors.Join(unmarshal(raw, &c), checkCounts(c.Digests), checkCounts(c.Logs))
	if c.Edge != nil {
		err = errors.Join(err, checkCounts(c.Edge.Logs))
	}
	for _, share := range c.Coverage {
		if !slices.Contains(verify.States, share.State) || share.Seconds < 0 {
			return saved{}, fmt.Errorf("the state %.40q is not known to this version", share.State)
		}
	}
	return saved{chain: &c}, err
}

// maxObjects bounds the objects in one value: two bytes of text make one, which may
// take hundreds in memory.
const maxObjects = 100_000

// small refuses a value that would take far more memory than its text.
func small(raw []byte) error {
	text, n := false, 0
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '"':
			text = !text
		case c == '\\' && text:
			i++
		case c == '{' && !text:
			n++
		}
	}
	if n > maxObjects {
		return fmt.Errorf("more than %d objects in one value", maxObjects)
	}
	return nil
}

// unmarshal reads an element, which must have its class: to take what has none
// for good would be a guess.
func unmarshal(raw []byte, v any) error {
	var has struct{ Class *verify.Class }
	if err := errors.Join(small(raw), json.Unmarshal(raw, &has)); err != nil {
		return err
	}
	if has.Class == nil {
		return errors.New("it has no class: it was saved by an older version")
	}
	return json.Unmarshal(raw, v)
}

// restore puts a name's own bytes back in the place of their %NN.
func restore(name *string, encoded string) error {
	if encoded == "" {
		return nil
	}
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err == nil && validUTF8(string(raw)) != *name {
		err = errors.New("a name and its bytes in base64 differ")
	}
	*name = string(raw)
	return err
}
