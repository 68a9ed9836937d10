package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// A build is what the binary knows about how it was made.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Time     string `json:"time,omitempty"`
	Modified bool   `json:"modified"`
	Go       string `json:"go"`
	Platform string `json:"platform,omitempty"`
}

// readBuild reads what the Go tool stamped into the binary. There is no
// version to keep in step by hand.
func readBuild() build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return build{Version: "unknown"}
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	return build{
		Version:  cmp.Or(info.Main.Version, "(devel)"),
		Revision: settings["vcs.revision"],
		Time:     settings["vcs.time"],
		Modified: settings["vcs.modified"] == "true",
		Go:       info.GoVersion,
		Platform: settings["GOOS"] + "/" + settings["GOARCH"],
	}
}

func newVersion() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version and how it was built",
		Example: "  trailseal version\n  trailseal version --format json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return printVersion(cmd.OutOrStdout(), format, readBuild())
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	return cmd
}

func printVersion(w io.Writer, format string, b build) error {
	switch format {
	case "json":
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(b)
	case "text":
	default:
		return usagef("--format %q: want text or json", format)
	}
	text := "trailseal " + b.Version
	if b.Revision != "" {
		text += "\nrevision  " + b.Revision
	}
	if b.Time != "" {
		text += "\ntime      " + b.Time
	}
	if b.Modified {
		text += "\nmodified  the working tree had changes of its own"
	}
	_, err := fmt.Fprintf(w, "%s\ngo        %s %s\n", text, b.Go, b.Platform)
	return err
}
