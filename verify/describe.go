package verify

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/trailseal/trailseal/digest"
)

// describe says what an object is that no digest can be asked about, or of which
// none says anything.
func (in *Inspection) describe(ctx context.Context, req Request, ref Ref) error {
	d := &describer{stats: newEventStats()}
	var content digest.Content
	var seen Object
	err := req.Store.Read(ctx, ref, func(o Object) error {
		seen = o
		if o.Altered != nil {
			return nil
		}
		d.stored.Reset()
		var err error
		content, err = digest.HashGzipTo(&headReader{Reader: o.Body, head: &d.stored}, cmp.Or(req.LogLimit, DefaultLogLimit), d)
		return err
	})
	switch {
	case err != nil && !isData(err):
		return err
	case err != nil && in.Kind == "digest":
		in.Says = notRead(err) + ", and no digest that was read names it"
		return nil
	case err != nil:
		in.Says = notRead(err)
		return nil
	case seen.Altered != nil:
		in.Says = "what is stored is not what was sealed: " + seen.Altered.Detail
		return nil
	}
	in.Object = objectFacts(content, nil, seen.Version, sealingOf(seen))
	in.Says = d.says(in.Kind, ref, content)
	if d.stats.Found > 0 {
		in.Log = &LogFacts{ListedBy: []Neighbour{}}
		d.stats.facts(in.Log)
	}
	return nil
}

// A describer keeps enough of a content to tell what it is.
type describer struct {
	stored bytes.Buffer // the first bytes, as they are stored
	whole  []byte       // the uncompressed content, while it may be a digest's
	long   bool
	stats  *eventStats
}

// maxWhole bytes of a content are held to tell whether it is a digest's.
const maxWhole = 16 << 20

func (d *describer) Reset() {
	d.whole, d.long = d.whole[:0], false
	d.stats.Reset()
}

func (d *describer) Write(p []byte) (int, error) {
	if d.long = d.long || len(d.whole)+len(p) > maxWhole; !d.long {
		d.whole = append(d.whole, p...)
	}
	return d.stats.Write(p)
}

// says puts what was seen into words: its name, its form, its content.
func (d *describer) says(kind string, ref Ref, content digest.Content) string {
	name := "its name and folder are not those that CloudTrail gives to digests and logs, so that it cannot be told which digests to ask"
	if kind == "digest" {
		name = "its name is a digest's, and the listing of its chain does not show it there"
	}
	return d.form(content) + "; " + name + d.stated()
}

func (d *describer) form(content digest.Content) string {
	switch {
	case d.stored.Len() == 0:
		return "it is empty"
	case content.Form == digest.NotGzip:
		if looksLikeJSON(d.stored.Bytes()) {
			return "it is not gzip, and begins like JSON: CloudTrail's files are gzip"
		}
		return "it is not gzip, and does not begin like JSON"
	case content.Form != digest.Exact:
		return fmt.Sprintf("it begins like gzip and is not whole (%s)", content.Form)
	}
	switch {
	case d.stats.Found > 0:
		return fmt.Sprintf("it is gzip, and holds JSON with %d events, as a log file does", d.stats.Found)
	case d.record() != nil:
		return "it is gzip, and its content is a digest's"
	case !d.long && json.Valid(d.whole):
		return "it is gzip, and holds JSON that is neither a log's nor a digest's"
	case looksLikeJSON(d.whole):
		return "it is gzip, and begins like JSON"
	}
	return "it is gzip, and what it holds is not JSON"
}

func (d *describer) record() *digest.Record {
	if d.long {
		return nil
	}
	r, err := digest.Parse(d.whole)
	if err != nil {
		return nil
	}
	return r
}

// stated is where a digest says that it was written.
func (d *describer) stated() string {
	r := d.record()
	if r == nil || d.stats.Found > 0 {
		return ""
	}
	return fmt.Sprintf("; it says that it was written to %.1200q", Ref{r.Bucket, r.Object}.URI())
}

func looksLikeJSON(b []byte) bool {
	t := strings.TrimLeft(string(b[:min(len(b), 512)]), " \t\r\n")
	return t != "" && strings.IndexByte("{[", t[0]) >= 0
}

// A headReader keeps the first bytes that are read.
type headReader struct {
	io.Reader
	head *bytes.Buffer
}

func (h *headReader) Read(p []byte) (int, error) {
	n, err := h.Reader.Read(p)
	if room := 512 - h.head.Len(); room > 0 {
		h.head.Write(p[:min(n, room)])
	}
	return n, err
}
