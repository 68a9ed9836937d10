#!/usr/bin/env bash
# Asks GitHub whether the commit hashes that actions are pinned by are those of
# the versions in the comments after them. It needs git and the network.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bad=0
while read -r action hash tag; do
	repository=$(cut -d / -f 1,2 <<<"$action")
	# An annotated tag's own hash comes first, that of its commit (^{}) last.
	found=$(git ls-remote "https://github.com/$repository" "refs/tags/$tag" "refs/tags/$tag^{}" | tail -n 1 | cut -f 1)
	if [ "$found" = "$hash" ]; then
		printf 'ok   %s %s\n' "$action" "$tag"
	else
		printf 'BAD  %s %s: pinned %s, the tag is %s\n' "$action" "$tag" "$hash" "${found:-not there}"
		bad=1
	fi
done < <(sed -nE 's/^.*uses: *([^ @]+)@([0-9a-f]{40}) # (v[^ ]+).*$/\1 \2 \3/p' .github/workflows/*.yml ci/github/*.yml | sort -u)
exit "$bad"
