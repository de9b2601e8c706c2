#!/bin/bash
# Records the server of this folder with Go 1.27 (GO names the command): whole, killed, and as a flight recorder's window.
set -euo pipefail

cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GOFLAGS= GOTOOLCHAIN=local GOPROXY=off
cp main.go "$work/"
printf 'module server\n\ngo 1.25\n' >"$work/go.mod"
(cd "$work" && "${GO:-go}" build -trimpath -o program .)
keep() {
	zstd -q -19 -f "$work/$1.trace" -o "$1.trace.zst"
	mv "$work/$1.labels" .
	echo "$1: $(stat -c %s "$1.trace.zst") bytes"
}
export GOMAXPROCS=2
"$work/program" trace 1s 10500ms "$work/ten-generations"
keep ten-generations
"$work/program" flight 200ms 3500ms "$work/flight"
keep flight
"$work/program" trace 200ms 60s "$work/killed" &
sleep 3.4
kill -9 $!
wait $! 2>/dev/null || true
keep killed
