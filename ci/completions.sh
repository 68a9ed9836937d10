#!/usr/bin/env bash
# Writes the shell completions into a folder, for goreleaser.
set -euo pipefail
to=${1:?a folder}
rm -rf -- "$to"
mkdir -p -- "$to"
for shell in bash fish zsh powershell; do
	case $shell in
	zsh) name=_trailseal ;; # zsh finds it by this name
	powershell) name=trailseal.ps1 ;;
	*) name=trailseal.$shell ;;
	esac
	go run ./cmd/trailseal completion "$shell" >"$to/$name"
done
