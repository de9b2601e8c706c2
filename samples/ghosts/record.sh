#!/bin/bash
# Records the labelled programs again, each with every Go version, and keeps recording, labels and, where that Go has
# one, its goroutineleak profile. `GO_FOR VERSION` must print the go command of a version; the default looks for
# goVERSION in PATH, as golang.org/dl installs them.
#
#   samples/ghosts/record.sh [SET/PROGRAM…]
set -euo pipefail
shopt -s nullglob

cd "$(dirname "$0")"
versions=${VERSIONS:-1.22 1.23 1.24 1.25 1.26 1.27}
go_for() { if [ -n "${GO_FOR:-}" ]; then $GO_FOR "$1"; else command -v "go$1"; fi; }
export GOFLAGS= GOTOOLCHAIN=local GOPROXY=off
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

record() {
	local program=$1 version=$2 go name
	go=$(go_for "$version")
	name=$(basename "$program")
	mkdir -p "$work/$name-$version"
	# The programs of a set may share what writes recording and labels.
	cp "$program"/*.go "$(dirname "$program")"/*.go "$work/$name-$version/"
	printf 'module %s\n\ngo %s\n' "$name" "$version" >"$work/$name-$version/go.mod"
	# -trimpath: no folder of this machine gets into the stacks. Of Go 1.26 the leak profile is an experiment.
	if [ "$version" = 1.26 ]; then export GOEXPERIMENT=goroutineleakprofile; else unset GOEXPERIMENT; fi
	(cd "$work/$name-$version" && "$go" build -trimpath -o program .)
	# A busy machine takes threads off their processors, which looks like goroutines that hog or starve.
	(cd "$work" && GOMAXPROCS=2 timeout 60 ${PRIORITY:-} "$name-$version/program" "$work/$version")
	zstd -q -19 -f "$work/$version.trace" -o "$program/$version.trace.zst"
	mv "$work/$version.labels" "$program/$version.labels"
	if [ -f "$work/$version.leaks" ]; then mv "$work/$version.leaks" "$program/$version.leaks"; fi
	echo "$program $version: $(stat -c %s "$program/$version.trace.zst") bytes"
}

if [ $# -eq 0 ]; then set -- tuning/*/ heldout/*/ blind/*/; fi
for program in "$@"; do
	for version in $versions; do record "${program%/}" "$version"; done
done
