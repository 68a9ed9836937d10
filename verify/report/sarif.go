package report

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/trailseal/trailseal/verify"
)

// sarifLimit is how many results a run has at most. GitHub refuses more, and
// shows the 5,000 worst of them.
const sarifLimit = 25_000

// sarifWriter writes SARIF 2.1.0 as GitHub's code scanning takes it. What is
// good is no result. The worst come first: where there are more than a run may
// have, a notification says how many are left out.
//
// A location is a relative address, s3/BUCKET/KEY, because GitHub takes no
// s3://; the true one is in the result's properties.
type sarifWriter struct {
	lineEncoder
	w       *bufio.Writer
	header  verify.Header
	queues  [verify.Tampering + 1][2]queue // by class: findings, then files
	worst   map[string]verify.Class        // of a rule's results
	ruleIDs map[string]int
}

// A queue keeps results for later, one a line.
type queue struct {
	spool spool
	n     int // with those that are not kept
}

func newSARIF(w io.Writer, o Options) *sarifWriter {
	s := &sarifWriter{w: bufio.NewWriterSize(w, 64<<10), worst: map[string]verify.Class{}, ruleIDs: map[string]int{}}
	for class := range s.queues {
		for i := range s.queues[class] {
			s.queues[class][i].spool.dir = o.TempDir
		}
	}
	for i, word := range verify.Words() {
		s.ruleIDs[word] = i
	}
	return s
}

func (s *sarifWriter) Start(h verify.Header) error {
	s.header = h
	return nil
}

// File's rule is what weighs most: its first reason, or its verdict.
func (s *sarifWriter) File(f verify.File) error {
	if f.Class == verify.Good {
		return nil
	}
	word := string(f.Verdict)
	if len(f.Reasons) > 0 {
		word = string(f.Reasons[0])
	}
	if s.full(1, f.Class, word) {
		return nil
	}
	message := sentences(f.Kind+" "+string(f.Verdict)+": "+Explain(f), CleanText(f.Detail), recoverSaid(f.Recover)) + judged(f.Class, ownClass(f))
	r := s.result(word, f.Class, message+" "+Clean(f.URI))
	r.Locations = []sarifLocation{locationOf(f.URI, placeOf(f).chain)}
	r.Fingerprints = fingerprints(append([]string{f.Kind, f.URI, string(f.Verdict)}, words(f.Reasons))...)
	if f.Class < ownClass(f) {
		r.Suppressions = accepted()
	}
	r.Properties = jsonFile(f)
	return s.keep(1, f.Class, r)
}

func (s *sarifWriter) Finding(f verify.Finding) error {
	class := max(f.Class, verify.Remark)
	if s.full(0, class, string(f.Kind)) {
		return nil
	}
	message := sentences(string(f.Kind)+": "+cmp.Or(CleanText(f.Message), ExplainFinding(f.Kind))) + judged(f.Class, ownFindingClass(f))
	r := s.result(string(f.Kind), class, message)
	p := placeOfFinding(f)
	r.Locations = []sarifLocation{locationOf(f.URI, p.chain)}
	r.Fingerprints = fingerprints(string(f.Kind), f.URI, fmt.Sprint(p.chain), f.Key, identity(f))
	if f.Class < ownFindingClass(f) {
		r.Suppressions = accepted()
	}
	r.Properties = jsonFinding(f)
	return s.keep(0, class, r)
}

func (s *sarifWriter) Chain(verify.Chain) error { return nil }

// full counts a result, and tells whether there can be no room for it.
func (s *sarifWriter) full(which int, class verify.Class, word string) bool {
	s.worst[word] = max(s.worst[word], class)
	q := &s.queues[class][which]
	q.n++
	return q.n > sarifLimit
}

// keep puts a result in its queue.
func (s *sarifWriter) keep(which int, class verify.Class, r sarifResult) error {
	line, err := s.encode(r)
	if err != nil {
		return err
	}
	_, err = s.queues[class][which].spool.Write(append(line, '\n'))
	return err
}

func (s *sarifWriter) Close() error {
	var err error
	for class := range s.queues {
		for i := range s.queues[class] {
			err = errors.Join(err, s.queues[class][i].spool.Close())
		}
	}
	return err
}

// results writes the queues, the worst first.
func (s *sarifWriter) results() error {
	n := 0
	for class := verify.Tampering; class >= verify.Remark; class-- {
		for i := range s.queues[class] {
			if err := s.drain(&s.queues[class][i].spool, &n); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *sarifWriter) drain(from *spool, n *int) error {
	r, err := from.reader()
	if err != nil {
		return err
	}
	for lines := bufio.NewReader(r); *n < sarifLimit; *n++ {
		line, err := lines.ReadString('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the spooled report: %w", err)
		}
		if err := writeElement(s.w, *n == 0, []byte(strings.TrimSuffix(line, "\n"))); err != nil {
			return err
		}
	}
	return nil
}

// leftOut is how many results a run of SARIF has no room for.
func (s *sarifWriter) leftOut() int {
	n := -sarifLimit
	for _, of := range s.queues {
		n += of[0].n + of[1].n
	}
	return max(n, 0)
}
