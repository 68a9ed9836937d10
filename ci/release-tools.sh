#!/usr/bin/env bash
# Installs what a release is made with into a folder, at pinned versions that
# Go's checksum database vouches for.
set -euo pipefail
GOBIN=$(mkdir -p -- "${1:?a folder}" && cd -- "$1" && pwd)
export GOBIN GOFLAGS=
go install github.com/goreleaser/goreleaser/v2@v2.15.1
go install github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
