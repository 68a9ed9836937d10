package report

import (
	"bufio"
	"io"

	"github.com/trailseal/trailseal/verify"
)

// asffWriter writes findings in the AWS Security Finding Format, for Security
// Hub's BatchImportFindings: one request a line, {"Findings":[…]}, with at most
// the 100 findings that one call takes, all of one account and region. A line
// is what `aws securityhub batch-import-findings --cli-input-json` takes as it
// is, and lines can be made as the results come; one array of all findings
// would have to be cut into calls again by whoever sends it.
//
// Security Hub takes findings for its default product only from the account
// that they name, so that account is the chain's own; who imports all of them
// into one account sets Options.ASFFAccount and ASFFRegion. A result that is
// of no account, such as a listing that failed, goes with those before it.
//
// The Id of a finding is the same in each run that finds the same, and
// UpdatedAt is when the run began: a later run updates the finding. The finding
// of a chain becomes PASSED when the chain is proven again.
type asffWriter struct {
	lineEncoder
	w       *bufio.Writer
	options Options
	header  verify.Header
	account string // of the last finding
	region  string
	batch   [2]string // account and region of the open batch
	n       int       // findings in it
}

// asffBatch is how many findings one call of BatchImportFindings takes.
const asffBatch = 100

func newASFF(w io.Writer, o Options) *asffWriter {
	return &asffWriter{w: bufio.NewWriterSize(w, 64<<10), options: o, account: "000000000000", region: "us-east-1"}
}

func (s *asffWriter) Start(h verify.Header) error {
	h.Source, h.Version = Clean(h.Source), Clean(h.Version)
	s.header = h
	return nil
}

func (s *asffWriter) File(f verify.File) error {
	if f.Class == verify.Good {
		return nil
	}
	return s.add(alertOfFile(f))
}

func (s *asffWriter) Finding(f verify.Finding) error {
	if f.Class == verify.Good {
		return nil
	}
	return s.add(alertOfFinding(f))
}

func (s *asffWriter) Chain(c verify.Chain) error { return s.add(alertOfChain(c)) }

func (s *asffWriter) End(sum verify.Summary) error {
	if len(sum.Explained) > 0 {
		if err := s.add(s.events(sum)); err != nil {
			return err
		}
	}
	if err := s.closeBatch(); err != nil {
		return err
	}
	return s.w.Flush()
}

func (s *asffWriter) Close() error { return nil }

// add writes one finding, into the open batch where it fits.
func (s *asffWriter) add(a alert) error {
	line, err := s.encode(s.finding(a))
	if err != nil {
		return err
	}
	lead := ","
	if here := [2]string{s.account, s.region}; s.n == 0 || s.n == asffBatch || s.batch != here {
		if err := s.closeBatch(); err != nil {
			return err
		}
		lead, s.batch = `{"Findings":[`, here
	}
	s.n++
	if _, err := s.w.WriteString(lead); err != nil {
		return err
	}
	_, err = s.w.Write(line)
	return err
}

func (s *asffWriter) closeBatch() error {
	if s.n == 0 {
		return nil
	}
	s.n = 0
	_, err := s.w.WriteString("]}\n")
	return err
}
