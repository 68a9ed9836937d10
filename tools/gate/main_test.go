package main

import (
	"os"
	"strings"
	"testing"
)

// Each check finds the mistake that it is there for.
func TestChecksFindMistakes(t *testing.T) {
	t.Chdir("../..")
	const release, example, template = ".github/workflows/release.yml", "ci/github/verify-trail.yml", "ci/gitlab/trailseal.gitlab-ci.yml"
	for _, c := range []struct {
		check           func(string, []byte) []string
		file, old, with string
		says            string
	}{
		{workflow, release, "runs-on: ubuntu-latest", "runs-on: ubuntu-lates", "unknown"},
		{workflow, release, "source: testdata/damaged", "sources: testdata/damaged", `input "sources" is not defined`},
		{workflow, release, "needs.rebuild.outputs.checksums", "needs.rebuild.outputs.checksum", `"checksum" is not defined`},
		{workflow, release, "steps.gate.outputs.verdict", "steps.gate.outputs.verdicts", `"verdicts" is not defined`},
		{workflow, example, "id-token: write", "id-token: yes", "permission"},
		{action, "action.yml", "using: composite", "using: composit", "composit"},
		{action, "action.yml", "shell: bash", "shel: bash", "shel"},
		{action, "action.yml", "    default: auto", "    defaults: auto", "defaults"},
		{action, "action.yml", `run: bash "$ACTION_DIR/ci/action.sh" verify`, `run: bash x.sh "${{ inputs.source }}"`, "pastes an expression"},
		{action, "action.yml", "${{ steps.verify.outputs.verdict || steps.install.outputs.verdict }}", "", "no value"},
		{pinned, release, "08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0", "v5", "not pinned"},
		{pinned, release, "08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0", "08c6903cd8c0fde910a37f88322edcfb5dd907a8", "not pinned"},
		{gitlab, template, "when: always", "whem: always", "whem"},
		{gitlab, template, "when: always", "when: on_success", "leaves no report"},
		{gitlab, template, "      fi\n", "", "if"},
		{gitlab, template, `TRAILSEAL_ROLE_ARN: ""`, `TRAILSEAL_ROLE: ""`, "nothing uses TRAILSEAL_ROLE"},
		{dockerfile, "Dockerfile", "AS build", "as build", "FromAsCasing"},
		{dockerfile, "Dockerfile", `ENTRYPOINT ["/trailseal"]`, `ENTRYPOINT /trailseal`, "shell"},
		{dockerfile, "Dockerfile", "USER 65532:65532", "USER root", "not a number"},
		{dockerfile, "Dockerfile", "FROM scratch", "FROM alpine", "not on scratch"},
		{dockerfile, "Dockerfile", "WORKDIR /data", "WORKDIRE /data", "unknown instruction"},
		{goreleaser, ".goreleaser.yaml", "mod_timestamp:", "mod_time:", "mod_time"},
		{goreleaser, ".goreleaser.yaml", "      - -s -w\n", "      - -s -w -X main.date={{ .Date }}\n", "date"},
		{goreleaser, ".goreleaser.yaml", "draft: true", "draft: false", "not a draft"},
		{script, "ci/action.sh", "esac", "esc", "case"},
		{script, "ci/pins.sh", "set -euo pipefail", "set -eu", "pipefail"},
	} {
		text, err := os.ReadFile(c.file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), c.old) {
			t.Errorf("%s has no %q", c.file, c.old)
			continue
		}
		if found := c.check(c.file, text); len(found) > 0 {
			t.Errorf("%s: %q", c.file, found)
		}
		found := strings.Join(c.check(c.file, []byte(strings.ReplaceAll(string(text), c.old, c.with))), "\n")
		if !strings.Contains(found, c.says) || found == "" {
			t.Errorf("%s with %q: found %q, want %q", c.file, c.with, found, c.says)
		}
	}
}
