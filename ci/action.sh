#!/usr/bin/env bash
# The steps of action.yml: "install" puts a trusted binary somewhere and says
# where, "verify" runs it. Inputs come by environment and are never evaluated.
# It runs in the bash of macOS (3.2) and of Git for Windows too.
set -euo pipefail

readonly repository=trailseal/trailseal
readonly summary_limit=1000000 # bytes; GitHub drops a step's summary past 1 MiB

# escape makes text fit for a workflow command.
escape() {
	local text=$1
	text=${text//'%'/%25}
	text=${text//$'\r'/%0D}
	printf '%s' "${text//$'\n'/%0A}"
}

annotate() { # level, text
	printf '::%s title=trailseal::%s\n' "$1" "$(escape "$2")"
}

died=
die() { # exit code, text
	died=yes
	annotate error "$2" >&2
	exit "$1"
}

# ended gives exit code 70 to what ends by itself: in a failure of this script
# nobody may read one of trailseal's own codes.
concluded=
ended() { # exit code
	if [ -z "$concluded" ]; then
		if [ -z "$died" ]; then
			annotate error "this action itself failed (exit code $1)" >&2
			set -- 70
		fi
		printf 'verdict=error\nexit-code=%s\nreport=\n' "$1" >>"${GITHUB_OUTPUT:-/dev/null}"
	fi
	exit "$1"
}
trap 'ended $?' EXIT

output() { # name, value of one line
	case $2 in
	*$'\n'* | *$'\r'*) die 2 "$1 has more than one line" ;;
	esac
	printf '%s=%s\n' "$1" "$2" >>"${GITHUB_OUTPUT:-/dev/null}"
}

# ---- install

named() { # tag: sets name, of a release archive for this machine
	local os arch
	case ${RUNNER_OS:-$(uname -s)} in
	Linux) os=linux ;;
	macOS | Darwin) os=darwin ;;
	Windows | MINGW* | MSYS*) os=windows ;;
	*) die 2 "there is no release for ${RUNNER_OS:-$(uname -s)}: use version: source" ;;
	esac
	case ${RUNNER_ARCH:-$(uname -m)} in
	X64 | x86_64 | amd64) arch=amd64 ;;
	ARM64 | aarch64 | arm64) arch=arm64 ;;
	*) die 2 "there is no release for ${RUNNER_ARCH:-$(uname -m)}: use version: source" ;;
	esac
	name=trailseal_${1#v}_${os}_$arch
}

sha256() { # of a file
	if command -v sha256sum >/dev/null; then
		sha256sum <"$1"
	else
		shasum -a 256 <"$1"
	fi | cut -d ' ' -f 1
}

fetch() { # URL, file
	curl --proto '=https' --tlsv1.2 --fail --silent --show-error --location --retry 3 --output "$2" "$1" ||
		die 70 "cannot download $1"
}

# attested says whether GitHub vouches that the release workflow of this
# repository made the file, from that tag.
attested() { # file, tag
	local mode=${INPUT_ATTESTATION:-auto}
	case $mode in
	off) return ;;
	auto | required) ;;
	*) die 2 "attestation: $mode: want auto, required or off" ;;
	esac
	local usage=
	if [ -n "${GH_TOKEN:-}" ] && [ "${GITHUB_SERVER_URL:-https://github.com}" = https://github.com ]; then
		usage=$(gh attestation verify --help 2>/dev/null || true)
	fi
	if [ "${usage/--source-ref/}" = "$usage" ]; then # no gh, or one from before this flag
		[ "$mode" = auto ] || die 70 "attestation: required, and gh attestation verify cannot be used here"
		annotate warning "gh attestation verify cannot be used here: only the checksum of trailseal was compared"
		return
	fi
	gh attestation verify "$1" --repo "$repository" --source-ref "refs/tags/$2" \
		--signer-workflow "$repository/.github/workflows/release.yml" --deny-self-hosted-runners ||
		die 70 "no attestation says that the release workflow of $repository made ${1##*/}"
}

download() { # tag, folder
	local tag=$1 dir=$2 where archive name want
	named "$tag"
	where=https://github.com/$repository/releases/download/$tag
	archive=$name.tar.gz
	case $name in
	*_windows_*) archive=$name.zip ;;
	esac
	fetch "$where/checksums.txt" "$dir/checksums.txt"
	fetch "$where/$archive" "$dir/$archive"
	want=$(awk -v name="$archive" '$2 == name || $2 == "*" name {print $1}' "$dir/checksums.txt")
	if [ -z "$want" ] || [ "$want" != "$(sha256 "$dir/$archive")" ]; then
		die 70 "the checksum of $archive is not the one in checksums.txt"
	fi
	attested "$dir/$archive" "$tag"
	case $archive in
	*.zip) unzip -q -o "$dir/$archive" trailseal.exe -d "$dir" ;;
	*) tar -xzf "$dir/$archive" -C "$dir" trailseal ;;
	esac || die 70 "$archive cannot be unpacked"
}

install() {
	local version=${INPUT_VERSION:-} dir binary
	local release='^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$'
	if [ -z "$version" ]; then
		version=source
		if [[ ${ACTION_REF:-} =~ $release ]]; then
			version=$ACTION_REF
		fi
	fi
	dir=$(mktemp -d "${RUNNER_TEMP:-${TMPDIR:-/tmp}}/trailseal.XXXXXX")
	binary=$dir/trailseal
	if [ "$(uname -o 2>/dev/null)" = Msys ]; then
		binary=$binary.exe
	fi
	if [ "$version" = source ]; then
		command -v go >/dev/null || die 2 "version: source needs Go: run actions/setup-go before, or name a release"
		(cd "$ACTION_DIR" && CGO_ENABLED=0 go build -trimpath -o "$binary" ./cmd/trailseal) ||
			die 70 "trailseal cannot be built from source"
	elif [[ $version =~ $release ]]; then
		download "$version" "$dir"
	else
		die 2 "version: $version: want a release such as v1.2.3, or source"
	fi
	"$binary" version || die 70 "the trailseal that was installed does not run"
	output binary "$binary"
	concluded=yes
}

# ---- verify

# each adds the flag once for every line of the text, or the lines themselves
# where no flag is given.
each() { # flag, text
	local line
	while IFS= read -r line || [ -n "$line" ]; do
		line=${line%$'\r'}
		if [ -n "$line" ]; then
			arguments+=("${1:+$1=}$line")
		fi
	done <<<"$2"
}

once() { # flag, text
	case $2 in
	"") return ;;
	*$'\n'*) die 2 "${1#--} has more than one line" ;;
	esac
	arguments+=("$1=$2")
}

# report asks for one more report. One from an earlier run must not be taken for
# that of a run that has none.
report() { # format, file
	if [ -n "$2" ]; then
		once --report "$1=$2"
		case $2 in
		*/*) mkdir -p -- "${2%/*}/" ;;
		esac
		if [ -L "$2" ] || { [ -e "$2" ] && [ ! -f "$2" ]; }; then
			die 2 "$1: $2 is there and is no file of its own"
		fi
		case ${INPUT_SOURCE:-} in
		"" | [sS]3://*) ;;
		*) case $2 in "${INPUT_SOURCE%/}"/*) die 2 "$1: $2 lies in what is to be verified" ;; esac ;;
		esac
		rm -f -- "$2"
	fi
}

summarize() { # file
	if [ ! -s "$1" ] || [ -z "${GITHUB_STEP_SUMMARY:-}" ]; then
		return
	fi
	if [ "$(wc -c <"$1")" -gt "$summary_limit" ]; then
		printf 'trailseal: the report is too long for a summary; it is in the JSON report.\n' >>"$GITHUB_STEP_SUMMARY"
	else
		cat "$1" >>"$GITHUB_STEP_SUMMARY"
	fi
}

conclude() { # exit code
	case $1 in
	0) verdict=kept ;;
	1)
		verdict=tampered
		annotate error "Tampering was found: see the report (exit code 1)"
		;;
	3)
		verdict=unproven
		annotate error "Something is not proven: see the report (exit code 3)"
		;;
	*)
		verdict=error
		annotate error "trailseal did not verify (exit code $1): see its messages in the log"
		;;
	esac
}

verify() {
	local dir json status=0 token verdict=error
	dir=$(mktemp -d "${RUNNER_TEMP:-${TMPDIR:-/tmp}}/trailseal-report.XXXXXX")
	json=${INPUT_JSON:-$dir/report.json}
	# What lies in the workspace is no policy unless the workflow says so.
	arguments=(verify --format=text --progress=plain "--config=${INPUT_CONFIG:-none}")
	once --trail "${INPUT_TRAIL:-}"
	once --start "${INPUT_START:-}"
	once --end "${INPUT_END:-}"
	each --account "${INPUT_ACCOUNT:-}"
	each --region "${INPUT_REGION:-}"
	each --accept "${INPUT_ACCEPT:-}"
	each --fail-on "${INPUT_FAIL_ON:-}"
	each --kms-key "${INPUT_KMS_KEY:-}"
	each --public-keys "${INPUT_PUBLIC_KEYS:-}"
	report json "$json"
	report sarif "${INPUT_SARIF:-}"
	report junit "${INPUT_JUNIT:-}"
	report html "${INPUT_HTML:-}"
	case ${INPUT_SUMMARY:-true} in
	true) report markdown "$dir/summary.md" ;;
	false) ;;
	*) die 2 "summary: ${INPUT_SUMMARY}: want true or false" ;;
	esac
	each "" "${INPUT_ARGS:-}"
	if [ -n "${INPUT_SOURCE:-}" ]; then
		arguments+=(-- "$INPUT_SOURCE")
	fi

	# Names of objects are anybody's: what the tool prints must not be taken for
	# a command to the runner.
	token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
	printf '::stop-commands::%s\n' "$token"
	"${TRAILSEAL:?install first}" "${arguments[@]}" || status=$?
	printf '\n::%s::\n' "$token"

	# Success needs the report to say so: --help ends in 0 as well.
	if [ "$status" -eq 0 ] && ! grep -q '^  "exit": 0$' "$json" 2>/dev/null; then
		status=70
	fi
	conclude "$status"
	[ -s "$json" ] || json=
	output verdict "$verdict"
	output exit-code "$status"
	output report "$json"
	concluded=yes
	summarize "$dir/summary.md" || annotate warning "the summary could not be written"
	exit "$status"
}

case ${1:-} in
install | verify) "$1" ;;
*)
	echo "usage: action.sh install|verify" >&2
	exit 2
	;;
esac
