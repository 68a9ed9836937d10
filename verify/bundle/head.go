package bundle

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/trailseal/trailseal/verify"
)

// headText is a head whose lists are still text: they may be much larger in memory
// than in a manifest, so listOf reads them.
type headText struct {
	Schema    string          `json:"schema"`
	Tool      string          `json:"tool"`
	Collected time.Time       `json:"collected"`
	Source    string          `json:"source"`
	Window    verify.Window   `json:"window"`
	Run       json.RawMessage `json:"run"`
	Records   int64           `json:"records"`
	Bytes     int64           `json:"bytes"`
	Files     json.RawMessage `json:"files"`
	Index     json.RawMessage `json:"index"`
	Void      json.RawMessage `json:"void"`
}

func (t *headText) head() Head {
	return Head{Schema: t.Schema, Tool: t.Tool, Collected: t.Collected, Source: t.Source, Window: t.Window, Run: t.Run, Records: t.Records, Bytes: t.Bytes}
}

// parse reads the head and refuses one that no writer makes.
func (r *Reader) parse(text []byte) error {
	var lists headText
	if err := json.Unmarshal(text, &lists); err != nil {
		return fmt.Errorf("its manifest is damaged: %w", err)
	}
	r.head = lists.head()
	h := &r.head
	if h.Schema != Schema {
		return fmt.Errorf("%w that this version of trailseal knows: its schema is %.60q", ErrNoBundle, h.Schema)
	}
	var total int64
	var last verify.Ref
	var err error
	h.Index, err = listOf(lists.Index, func(i int, c Chunk) bool {
		total += int64(c.Count)
		before := last
		last = first(c)
		return c.Count > 0 && c.Count <= mostRecords && sane(c.File, maxChunk) && c.Path == chunkPath(i) && (i == 0 || compareRefs(before, last) <= 0)
	})
	if err != nil {
		return fmt.Errorf("its manifest is damaged: its index: %w", err)
	}
	paths := map[string]bool{}
	h.Files, err = listOf(lists.Files, func(_ int, f File) bool {
		twice := paths[strings.ToLower(f.Path)]
		paths[strings.ToLower(f.Path)] = true
		return sane(f, 1<<50) && ordinary(f.Path) && !twice
	})
	if err != nil {
		return fmt.Errorf("its manifest is damaged: its files: %w", err)
	}
	end := int64(0)
	h.Void, err = listOf(lists.Void, func(_ int, e Extent) bool {
		ok := e.Offset >= end && e.Length > 0 && e.Length < 1<<60
		end = e.Offset + e.Length
		return ok && end > 0
	})
	if err != nil {
		return fmt.Errorf("its manifest is damaged: what is void in it: %w", err)
	}
	if total != h.Records || h.Collected.IsZero() {
		return errors.New("its manifest is damaged: it does not count its own records, or has no time")
	}
	return nil
}

// listOf reads a list, each of whose items must be an object that is right. It
// ends at the first that is not, so that what it takes is not much more than the text.
func listOf[T any](text json.RawMessage, right func(int, T) bool) ([]T, error) {
	if len(text) == 0 {
		return nil, nil
	}
	if text[0] != '[' {
		return nil, errors.New("it is no list")
	}
	var list []T
	d := json.NewDecoder(bytes.NewReader(text))
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	for d.More() {
		var item *T
		if err := d.Decode(&item); err != nil {
			return nil, err
		}
		if item == nil || !right(len(list), *item) {
			return nil, fmt.Errorf("item %d is wrong", len(list))
		}
		list = append(list, *item)
	}
	return list, nil
}

func sane(f File, most int64) bool {
	_, err := hex.DecodeString(f.SHA256)
	return err == nil && len(f.SHA256) == 64 && f.Size >= 0 && f.Size <= most
}
