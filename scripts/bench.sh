#!/bin/bash
# Measures reading in order, and conversion, against Go's own reader, on big recordings. Needs the
# tools of ../shared (VESTIGE_SHARED overrides) to record them and to run the other reader.
#
#   scripts/bench.sh VESTIGE [TRACE…]
set -euo pipefail

vestige=$1
shift
root=$(cd "$(dirname "$0")/.." && pwd)
tools=${VESTIGE_SHARED:-$root/../shared}/tools
if [ ! -x "$tools/make-traces.sh" ]; then
	echo "bench: $tools is not there; nothing to compare with" >&2
	exit 1
fi
if [ $# -eq 0 ]; then
	traces=$root/.build/bench-traces
	if ! ls "$traces"/*.trace >/dev/null 2>&1; then "$tools/make-traces.sh" --bench -o "$traces"; fi
	set -- "$traces"/*.trace
fi

# Least of three wall times, in seconds.
best() {
	local least=
	for _ in 1 2 3; do
		local start end
		start=$(date +%s%N)
		"$@" >/dev/null 2>&1
		end=$(date +%s%N)
		if [ -z "$least" ] || [ $((end - start)) -lt "$least" ]; then least=$((end - start)); fi
	done
	awk "BEGIN { printf \"%.3f\", $least / 1e9 }"
}

formats=$("$vestige" formats | awk '/^Writes/ { writes = 1 } writes && /^  [a-z]/ { print $1 }')
printf '%-28s %12s %-10s %9s %12s\n' recording events what seconds Mevents/s
row() { awk "BEGIN { printf \"%-28s %12d %-10s %9.3f %12.1f\\n\", \"$1\", $2, \"$3\", $4, $2 / $4 / 1e6 }"; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for trace in "$@"; do
	name=$(basename "$trace")
	events=$("$vestige" convert -q "$trace" --to null | awk '{ print $1 }')
	row "$name" "$events" "Go's reader" "$(best "$tools/peer-read" "$trace")"
	for format in $formats; do
		if [ "$format" = null ]; then
			row "$name" "$events" null "$(best "$vestige" convert -q "$trace" --to null)"
		else
			row "$name" "$events" "$format" "$(best "$vestige" convert -q -f "$trace" --to "$format" -o "$scratch/$format")"
		fi
	done
done
