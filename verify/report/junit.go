package report

import (
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/trailseal/trailseal/verify"
)

// What JUnit holds at a time is bounded: of a large run it writes the chains of
// an account's regions when they are over.
const (
	maxCases    = 10_000  // held; what is beyond in one region is told in one case
	maxCaseText = 4 << 20 // bytes of lines in them
	maxCleanRun = 4_000   // days of a chain; of a longer one only those with a problem are cases
)

// junitWriter makes a test suite of each chain and a test case of each of its
// days, UTC, so that a CI server shows what is wrong where, and since when. A
// day fails where something was tampered with, and is an error where something
// is unproven: both are red. What is accepted or only remarked passes, and is
// told in the suite's output.
//
// The first suite is the run itself. Its case "verdict" is red whenever the
// exit status is not 0, so that a run that found nothing cannot look green.
type junitWriter struct {
	w       io.Writer
	header  verify.Header
	run     *suite
	names   naming
	suites  map[verify.ChainRef]*suite // not written yet
	cases   int                        // in them
	text    int                        // in them, bytes
	chained bool                       // the region's chains have begun
	done    spool
	next    int // the id of the next suite
}

func newJUnit(w io.Writer, o Options) *junitWriter {
	return &junitWriter{names: naming{}, w: w, run: newSuite(verify.ChainRef{}), suites: map[verify.ChainRef]*suite{}, done: spool{dir: o.TempDir}, next: 1}
}

func (j *junitWriter) Start(h verify.Header) error {
	j.header = h
	return nil
}

func (j *junitWriter) File(f verify.File) error {
	j.names.file(f)
	if f.Class == verify.Good {
		return nil
	}
	err := j.enter()
	p := placeOf(f)
	c := j.caseOf(p.chain, cmp.Or(p.day, "undated"), "files of no chain")
	c.count(f.Class, ownClass(f), f.Kind+" "+string(f.Verdict))
	j.line(&c.lines[f.Class][0], f.Class, func() string {
		text := fmt.Sprintf("%s  %s  %s: %s%s", f.Verdict, Clean(f.URI), f.Kind, Explain(f), judged(f.Class, ownClass(f)))
		return text + also(": ", CleanText(f.Detail)) + also("; ", recoverSaid(f.Recover))
	})
	return err
}

func (j *junitWriter) Finding(f verify.Finding) error {
	j.names.finding(f)
	err, class := j.enter(), max(f.Class, verify.Remark)
	for _, day := range daysOf(f) {
		c := j.caseOf(placeOfFinding(f).chain, day, string(f.Kind))
		c.count(class, ownFindingClass(f), string(f.Kind))
		j.line(&c.lines[class][1], class, func() string {
			text := string(f.Kind) + "  "
			if f.Start != nil && f.End != nil {
				text += between(*f.Start, *f.End) + "  "
			}
			text += cmp.Or(CleanText(f.Message), ExplainFinding(f.Kind))
			return text + also("  ", Clean(f.URI)) + judged(f.Class, ownFindingClass(f))
		})
	}
	return err
}

// daysOf are the days that a finding is about, or a word where it has none.
func daysOf(f verify.Finding) []string {
	if f.Start != nil && f.End != nil && f.Class >= verify.ClassUnproven {
		if all := daysBetween(*f.Start, *f.End); all != nil {
			return all
		}
	}
	return []string{cmp.Or(placeOfFinding(f).day, "undated")}
}

// daysBetween are the days of a span of time, none where they are too many.
func daysBetween(start, end time.Time) (days []string) {
	day := start.UTC().Truncate(24 * time.Hour)
	if end.Sub(day) > maxCleanRun*24*time.Hour {
		return nil
	}
	for ; day.Before(end); day = day.AddDate(0, 0, 1) {
		days = append(days, day.Format(dayForm))
	}
	return days
}

func (j *junitWriter) Chain(c verify.Chain) error {
	j.chained = true
	s := j.suiteOf(refOf(c))
	before := len(s.cases)
	s.chain(c, j.header.Window)
	j.cases += len(s.cases) - before
	return nil
}

// enter makes room where a region is over: what was told of it is whole. Small
// runs are held to their end, and so have their suites in one order.
func (j *junitWriter) enter() error {
	if j.chained && (j.cases > maxCases/2 || j.text > maxCaseText/2) {
		return j.flush()
	}
	j.chained = false
	return nil
}

func (j *junitWriter) flush() error {
	refs := slices.SortedFunc(maps.Keys(j.suites), func(a, b verify.ChainRef) int {
		return cmp.Or(cmp.Compare(a.Organization, b.Organization), cmp.Compare(a.Account, b.Account),
			cmp.Compare(a.Region, b.Region), cmp.Compare(a.Trail, b.Trail), cmp.Compare(strconv.FormatBool(a.Backfill), strconv.FormatBool(b.Backfill)))
	})
	for _, ref := range refs {
		form := j.suites[ref].form(j.next, j.header, "0")
		j.next++
		if err := writeSuite(&j.done, form); err != nil {
			return err
		}
	}
	clear(j.suites)
	j.cases, j.text, j.chained = 0, 0, false
	return nil
}

func (j *junitWriter) End(s verify.Summary) error {
	if err := j.flush(); err != nil {
		return err
	}
	j.run.verdict(s)
	form := j.run.form(0, j.header, strconv.FormatFloat(s.Seconds, 'f', 3, 64))
	form.Name, form.Properties = "trailseal", j.runProperties(s)
	for i := range form.Cases {
		form.Cases[i].Class = form.Name
	}
	form.Out.Text += j.events(s)
	_, head := io.WriteString(j.w, xml.Header+"<testsuites>\n")
	err := errors.Join(head, writeSuite(j.w, form), j.done.copyTo(j.w))
	_, foot := io.WriteString(j.w, "</testsuites>\n")
	return errors.Join(err, foot)
}

func (j *junitWriter) Close() error { return j.done.Close() }
