package report

import (
	"bufio"
	"io"

	"github.com/trailseal/trailseal/verify"
)

// ocsfWriter writes findings of the Open Cybersecurity Schema Framework, one a
// line, as they come: a Detection Finding for each file and finding that is
// not good, a Compliance Finding for each chain, good or not, and in the end
// one for the run as a whole, so that a reader sees that the file is whole and
// that the run took place.
//
// The time of a line is when the run began, and its finding_info.uid is the
// same in each run that finds the same: a reader that keeps one finding for a
// uid is told of a deleted file once, however often the trail is verified.
type ocsfWriter struct {
	lineEncoder
	w      *bufio.Writer
	header verify.Header
	seq    int64 // of the last line
}

const (
	ocsfVersion   = "1.8.0"
	ocsfCompliant = 2003 // Compliance Finding
	ocsfDetected  = 2004 // Detection Finding
)

func newOCSF(w io.Writer) *ocsfWriter { return &ocsfWriter{w: bufio.NewWriterSize(w, 64<<10)} }

func (o *ocsfWriter) Start(h verify.Header) error {
	h.Source, h.Version = validUTF8(h.Source), validUTF8(h.Version)
	o.header = h
	return nil
}

func (o *ocsfWriter) File(f verify.File) error {
	if f.Class == verify.Good {
		return nil
	}
	return o.line(o.detection(alertOfFile(f)))
}

func (o *ocsfWriter) Finding(f verify.Finding) error {
	if f.Class == verify.Good {
		return nil
	}
	return o.line(o.detection(alertOfFinding(f)))
}

func (o *ocsfWriter) Chain(c verify.Chain) error {
	a := alertOfChain(c)
	e := o.event(ocsfCompliant, "Compliance Finding", a)
	e.Compliance = ocsfStatus(a.class, a.text)
	e.Unmapped = ocsfCounts{Backfill: c.Backfill, Digests: c.Digests, Logs: c.Logs, Coverage: c.Coverage}
	return o.line(e)
}

// End writes what the run comes to, by its own verdict.
func (o *ocsfWriter) End(s verify.Summary) error {
	class, known := map[string]verify.Class{"kept": verify.Good, "tampered": verify.Tampering}[s.Verdict]
	if !known {
		class = verify.ClassUnproven
	}
	a := alert{
		uid: stableID("run", o.header.Source), word: s.Verdict, class: class, rank: rank(class, verify.Good),
		title: "CloudTrail log file integrity: the run as a whole is " + s.Verdict,
		seq:   o.seq + 1,
		text:  sentences("digests: "+verdictCounts(s.Digests), "logs: "+verdictCounts(s.Logs), "source: "+CleanText(o.header.Source)),
		start: second(s.Window.Start), end: second(s.Window.End),
	}
	e := o.event(ocsfCompliant, "Compliance Finding", a)
	e.Compliance = ocsfStatus(a.class, a.text)
	e.Unmapped = ocsfCounts{Chains: s.Chains, Digests: s.Digests, Logs: s.Logs, Interrupted: s.Interrupted, Exit: &s.Exit,
		Bundle: jsonBundle(o.header.Bundle), Events: jsonExplanations(s.Explained), MoreEvents: s.UnlistedEvents}
	if err := o.line(e); err != nil {
		return err
	}
	return o.w.Flush()
}

func (o *ocsfWriter) Close() error { return nil }

func (o *ocsfWriter) line(e ocsfEvent) error {
	line, err := o.encode(e)
	if err == nil {
		_, err = o.w.Write(append(line, '\n'))
	}
	return err
}

func (o *ocsfWriter) detection(a alert) ocsfEvent {
	e := o.event(ocsfDetected, "Detection Finding", a)
	e.IsAlert = a.class == verify.Tampering
	e.FindingInfo.Analytic = &ocsfAnalytic{a.word, "Rule", 1}
	e.Evidences = ocsfEvidences(a)
	if a.advice != "" && a.class >= verify.ClassUnproven {
		e.Remediation = &ocsfRemediation{a.advice}
	}
	return e
}

// event is what both classes have.
func (o *ocsfWriter) event(class int, name string, a alert) ocsfEvent {
	o.seq = a.seq
	levels := map[severity]string{informational: "Informational", medium: "Medium", high: "High", critical: "Critical"}
	types := []string{a.word}
	for _, r := range a.reasons {
		types = append(types, string(r))
	}
	e := ocsfEvent{
		ActivityID: 1, ActivityName: "Create", CategoryUID: 2, CategoryName: "Findings",
		ClassUID: class, ClassName: name, TypeUID: class*100 + 1, TypeName: name + ": Create",
		SeverityID: ocsfSeverity(a.rank), Severity: levels[a.rank], StatusID: 1, Status: "New",
		Time: o.header.Started.UnixMilli(), StartTime: millis(a.start), EndTime: millis(a.end), Message: a.title + ". " + a.text,
		Metadata: ocsfMetadata{ocsfVersion, ocsfProduct{"trailseal", "trailseal", o.header.Version}, []string{"cloud"},
			stableID(o.header.Source, moment(o.header.Started)), a.seq},
		Cloud:       ocsfPlace(a.chain),
		FindingInfo: ocsfFindingInfo{UID: a.uid, Title: a.title, Desc: a.text, Types: types},
		Resources:   ocsfResources(a),
	}
	return e
}
