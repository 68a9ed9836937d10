package report

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/trailseal/trailseal/verify"
)

// openMetricsWriter writes what a run comes to in the classic text format of
// Prometheus, for node_exporter's textfile collector: no timestamps, no EOF
// line, and a fixed number of series whatever was found. It is all written in
// the end. Counts are those of this run, and no counters: they may go down.
type openMetricsWriter struct {
	w           *bufio.Writer
	version     string
	findings    map[string]int
	recoverable int
	chains      oldest
}

func newOpenMetrics(w io.Writer) *openMetricsWriter {
	return &openMetricsWriter{w: bufio.NewWriterSize(w, 64<<10), findings: map[string]int{}}
}

func (m *openMetricsWriter) Start(h verify.Header) error {
	m.version = h.Version
	return nil
}

func (m *openMetricsWriter) File(f verify.File) error {
	if f.Recover != nil && f.Recover.Version != "" {
		m.recoverable++
	}
	return nil // the summary has the other counts
}

func (m *openMetricsWriter) Finding(f verify.Finding) error {
	m.findings[string(f.Kind)]++
	return nil
}

func (m *openMetricsWriter) Chain(c verify.Chain) error {
	m.chains.add(c)
	return nil
}

func (m *openMetricsWriter) End(s verify.Summary) error {
	m.one("trailseal_build_info", "The version of trailseal that made this file.", 1, "version", m.version)
	m.one("trailseal_last_run_timestamp_seconds", "When the last run was over.", unix(s.Finished))
	m.one("trailseal_last_run_duration_seconds", "How long the last run took.", s.Seconds)
	m.one("trailseal_last_run_interrupted", "Whether the last run was interrupted.", truth(s.Interrupted))
	m.one("trailseal_verdict", "The exit status of the last run: 0 kept, 1 tampered, 3 unproven.", float64(s.Exit))
	m.head("trailseal_run", "The verdict of the last run: 1 for the one that was given.")
	for _, v := range []string{"kept", "tampered", "unproven"} {
		m.series("trailseal_run", truth(s.Verdict == v), "verdict", v)
	}
	m.files(s)
	m.head("trailseal_findings", "Findings of the last run, by kind.")
	seriesOf(m, "trailseal_findings", "kind", withZeros(verify.FindingKinds, m.findings))
	m.chainSeries(s)
	m.head("trailseal_bytes", "Bytes that were fetched, as stored, and hashed, uncompressed.")
	m.series("trailseal_bytes", float64(s.Bytes.Fetched), "what", "fetched")
	m.series("trailseal_bytes", float64(s.Bytes.Hashed), "what", "hashed")
	m.head("trailseal_requests", "Requests of the last run, by operation.")
	seriesOf(m, "trailseal_requests", "operation", s.Requests)
	m.keys(s.Keys)
	m.one("trailseal_recoverable_files", "Files that are not kept and of which the bucket has a version that is, where versions were looked at.", float64(m.recoverable))
	these, _, _ := explaining(s.Explained, 0)
	m.head("trailseal_explanations", "Events that touched the trail, its bucket or its keys, where they were looked for.")
	m.series("trailseal_explanations", float64(len(these)), "explains", "something")
	m.series("trailseal_explanations", float64(len(s.Explained)-len(these))+float64(s.UnlistedEvents), "explains", "nothing")
	return m.w.Flush()
}

func (m *openMetricsWriter) Close() error { return nil }

func (m *openMetricsWriter) files(s verify.Summary) {
	const name = "trailseal_files"
	m.head(name, "Files judged in the last run, by kind and verdict.")
	for _, of := range []struct {
		kind   string
		counts map[verify.Verdict]int
	}{{"digest", s.Digests}, {"log", s.Logs}} {
		for _, v := range verify.Verdicts {
			m.series(name, float64(of.counts[v]), "kind", of.kind, "verdict", string(v))
		}
	}
}

func (m *openMetricsWriter) keys(keys []verify.KeyUse) {
	states, unreadable := map[string]int{}, 0
	for _, k := range keys {
		states[k.State]++
		unreadable += k.Unreadable
	}
	m.head("trailseal_keys", "KMS keys that files are encrypted with, by state.")
	seriesOf(m, "trailseal_keys", "state", states)
	m.one("trailseal_key_unreadable_files", "Files that could not be read because of their KMS key.", float64(unreadable))
}

// withZeros adds a count of zero for each word that was not counted, so that a
// series is there before it is needed.
func withZeros[W ~string](words []W, counts map[string]int) map[string]int {
	all := maps.Clone(counts)
	for _, w := range words {
		all[string(w)] += 0
	}
	return all
}

// seriesOf writes a series for each word, in the order of the words.
func seriesOf[N int | int64](m *openMetricsWriter, name, label string, counts map[string]N) {
	for _, word := range slices.Sorted(maps.Keys(counts)) {
		m.series(name, float64(counts[word]), label, word)
	}
}

// one writes a metric of one series.
func (m *openMetricsWriter) one(name, help string, value float64, labels ...string) {
	m.head(name, help)
	m.series(name, value, labels...)
}

func (m *openMetricsWriter) head(name, help string) {
	fmt.Fprintf(m.w, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name)
}

// labelEscapes are all that the format has.
var labelEscapes = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

// series writes one line; labels are names and values by turns. A value has
// nothing hidden in it.
func (m *openMetricsWriter) series(name string, value float64, labels ...string) {
	var b strings.Builder
	for i := 0; i+1 < len(labels); i += 2 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `%s="%s"`, labels[i], labelEscapes.Replace(Clean(labels[i+1])))
	}
	if b.Len() > 0 {
		name += "{" + b.String() + "}"
	}
	fmt.Fprintf(m.w, "%s %s\n", name, strconv.FormatFloat(value, 'f', -1, 64))
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// unix are the seconds since 1970; 0 for no time.
func unix(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.Unix())
}
