package report

import (
	"bufio"
	"fmt"
	"io"
	"time"

	"github.com/trailseal/trailseal/verify"
)

// ndjsonWriter writes an event a line, as it comes: "start", then "file",
// "finding" and "chain" with the fields that JSON has for them, then "end". It
// is the one format that a reader can follow while the run goes on. What is
// written is handed on whenever a group of chains is done.
type ndjsonWriter struct {
	lineEncoder
	w *bufio.Writer
}

func newNDJSON(w io.Writer) *ndjsonWriter {
	return &ndjsonWriter{w: bufio.NewWriterSize(w, 64<<10)}
}

// eventName is what kind of event a line is.
type eventName struct {
	Event string `json:"event"`
}

type startForm struct {
	eventName
	Schema  string         `json:"schema"`
	Tool    toolForm       `json:"tool"`
	Started *time.Time     `json:"started"`
	Source  string         `json:"source"`
	Bundle  *verify.Bundle `json:"bundle,omitempty"`
	All     bool           `json:"all,omitempty"`
	Window  *windowForm    `json:"window,omitempty"`
}

type endForm struct {
	eventName
	Keys        []verify.KeyUse      `json:"keys"`
	Explained   []verify.Explanation `json:"explanations"`
	Unlisted    int64                `json:"unlistedEvents,omitempty"`
	Window      *windowForm          `json:"window,omitempty"`
	Finished    *time.Time           `json:"finished"`
	Summary     verify.Summary       `json:"summary"`
	Interrupted bool                 `json:"interrupted,omitempty"`
	Verdict     string               `json:"verdict"`
	Exit        int                  `json:"exit"`
}

func (n *ndjsonWriter) Start(h verify.Header) error {
	return n.line(startForm{eventName{"start"}, verify.Schema, toolOf(h), second(h.Started), validUTF8(h.Source), jsonBundle(h.Bundle), h.All, jsonWindow(h.Window)}, true)
}

func (n *ndjsonWriter) File(f verify.File) error {
	return n.line(struct {
		eventName
		fileForm
	}{eventName{"file"}, jsonFile(f)}, false)
}

func (n *ndjsonWriter) Finding(f verify.Finding) error {
	return n.line(struct {
		eventName
		findingForm
	}{eventName{"finding"}, jsonFinding(f)}, false)
}

func (n *ndjsonWriter) Chain(c verify.Chain) error {
	return n.line(struct {
		eventName
		verify.Chain
	}{eventName{"chain"}, jsonChain(c)}, true)
}

func (n *ndjsonWriter) End(s verify.Summary) error {
	keys := make([]verify.KeyUse, len(s.Keys))
	for i, k := range s.Keys {
		keys[i] = jsonKey(k)
	}
	return n.line(endForm{eventName{"end"}, keys, jsonExplanations(s.Explained), s.UnlistedEvents, jsonWindow(s.Window), second(s.Finished), jsonSummary(s), s.Interrupted, s.Verdict, s.Exit}, true)
}

func (n *ndjsonWriter) line(v any, flush bool) error {
	line, err := n.encode(v)
	if err != nil {
		return err
	}
	if _, err = fmt.Fprintf(n.w, "%s\n", line); err == nil && flush {
		err = n.w.Flush()
	}
	return err
}

func (n *ndjsonWriter) Close() error { return nil }
