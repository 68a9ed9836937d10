package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// openMetrics reads a file as node_exporter's textfile collector does.
func openMetrics(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(f)
	if err != nil {
		return err
	}
	var errs []error
	series := 0
	for name, family := range families {
		if family.GetHelp() == "" || family.GetType() != dto.MetricType_GAUGE || !strings.HasPrefix(name, "trailseal_") {
			errs = append(errs, fmt.Errorf("%s: type %s, help %q", name, family.GetType(), family.GetHelp()))
		}
		seen := map[string]bool{}
		for _, m := range family.GetMetric() {
			series++
			key := fmt.Sprint(m.GetLabel())
			if m.TimestampMs != nil || seen[key] {
				errs = append(errs, fmt.Errorf("%s: with a timestamp, or twice: %s", name, key))
			}
			seen[key] = true
		}
	}
	for _, name := range []string{"last_run_timestamp_seconds", "verdict", "run", "files", "findings", "chains_left_out"} {
		if families["trailseal_"+name] == nil {
			errs = append(errs, fmt.Errorf("there is no trailseal_%s", name))
		}
	}
	if series > 6500 { // 1,000 chains, 5,000 states of keys, and what is always there
		errs = append(errs, fmt.Errorf("%d series", series))
	}
	return errors.Join(errs...)
}
