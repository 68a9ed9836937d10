package report

import (
	"slices"
	"strconv"
	"strings"

	"github.com/trailseal/trailseal/verify"
)

// wide is a row with all columns: those that it has nothing for are empty.
func wide(row []string) []string {
	return append(row, slices.Repeat([]string{""}, len(csvColumns)-len(row))...)
}

// numbered is a wide row of what has a place.
func numbered(seq int64, row []string) []string {
	row = wide(row)
	row[len(row)-1] = strconv.FormatInt(seq, 10)
	return row
}

// recoverCells are the columns of what versions hold of a file.
func recoverCells(r *verify.Recover) []string {
	if r == nil {
		return nil
	}
	problem := CleanText(r.Problem)
	if r.Version == "" {
		problem = recovered(r)
	}
	return []string{Clean(r.Version), instant(r.Modified), instant(r.Removed), Clean(r.RemovedBy), CleanText(r.Command), problem, Clean(r.Saved)}
}

// events writes a row an event, into the spool that comes last, and one that
// counts the others.
func (c *csvWriter) events(s verify.Summary) error {
	for _, e := range s.Explained {
		row := wide(cells("event", Clean(e.Event), "", "", Clean(e.Log), "", "", Clean(e.Account), Clean(e.Region), "", "", "", "",
			"", "", "", "", "", "", CleanText(strings.TrimSpace(e.Service+" "+e.ID+also(": ", e.Detail)))))
		at := moment(e.Time)
		copy(row[len(row)-9:], cells(at, Clean(e.Who), Clean(e.AccessKey), Clean(e.From), Clean(e.Agent), Clean(e.Error), Clean(e.Target), places(e)))
		if err := c.later.Write(row); err != nil {
			return err
		}
	}
	text := notTold(0, s.UnlistedEvents)
	if text == "" {
		return nil
	}
	return c.later.Write(wide(cells("event", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", text)))
}

// places are the numbers of what an event may explain.
func places(e verify.Explanation) string {
	texts := make([]string, len(e.Explains))
	for i, seq := range e.Explains {
		texts[i] = strconv.FormatInt(seq, 10)
	}
	return strings.Join(texts, " ")
}
