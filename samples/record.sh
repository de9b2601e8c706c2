#!/bin/bash
# Records the samples again: builds each samples/gotrace-v2/CASE/main.go and keeps its trace.
# Needs Go 1.25 or newer: GO names the command, else the one in PATH is used.
# Afterwards `make record` renews the outputs that the golden test expects.
#
#   samples/record.sh [CASE…]
set -euo pipefail

cd "$(dirname "$0")/gotrace-v2"
go=${GO:-go}
export GOFLAGS= GOTOOLCHAIN=local GOPROXY=off
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

record() {
	local case=$1
	mkdir -p "$work/$case"
	cp "$case/main.go" "$work/$case/"
	# -trimpath: no folder of this machine gets into the stacks.
	(cd "$work/$case" && "$go" mod init "$case" 2>/dev/null && "$go" build -trimpath -o program .)
	GOMAXPROCS=2 "$work/$case/program" >"$work/$case/trace"
	mv "$work/$case/trace" "$case/$case.trace"
	echo "$case: $(stat -c %s "$case/$case.trace") bytes"
}

if [ $# -eq 0 ]; then set -- orders mutex pipeline gc hog generations cut; fi
for case in "$@"; do
	if [ "$case" = cut ]; then
		# As a process that was killed leaves it: the last generation is not whole.
		head -c $(($(stat -c %s generations/generations.trace) * 3 / 4)) generations/generations.trace >cut/cut.trace
	else
		record "$case"
	fi
done
