#!/bin/bash
# Records the goroutine dumps again, with two versions of Go; GO22 and GO27 name the commands.
# Afterwards `make record` renews the outputs that the golden test expects.
set -euo pipefail

cd "$(dirname "$0")"
export GOFLAGS= GOTOOLCHAIN=local GOPROXY=off
# A fixed place, since profiles name the program's file.
work=/tmp/waits
rm -rf "$work" && mkdir "$work"
trap 'rm -rf "$work"' EXIT

# NAME SUFFIX FORM: keeps what the program writes.
keep() {
	mkdir -p "$1"
	"$work/waits" "$3" >"$1/$1.$2" 2>&1 || true
	echo "$1: $(stat -c %s "$1/$1.$2") bytes"
}

for version in 1.22 1.27; do
	go=${GO22:-go1.22}
	[ "$version" = 1.22 ] || go=${GO27:-go}
	cp main.go "$work/"
	(cd "$work" && rm -f go.mod && "$go" mod init waits 2>/dev/null && "$go" build -trimpath -o waits .)
	export GOMAXPROCS=2 GOTRACEBACK=all
	keep profile-$version pb.gz debug0
	keep debug1-$version txt debug1
	keep debug2-$version txt debug2
	keep panic-$version txt panic
	[ "$version" = 1.27 ] || continue
	keep leak-profile-$version pb.gz leak0
	keep leak-debug1-$version txt leak1
	keep leak-debug2-$version txt leak2
	GODEBUG=tracebackancestors=3,tracebacklabels=1 keep labels-$version txt debug2
	GOTRACEBACK=crash keep quit-$version txt quit
done
# As a container's runtime stores what a program writes.
mkdir -p log
awk '{ printf "2026-11-24T10:00:00.%09dZ stderr F %s\n", NR * 1000, $0 }' panic-1.27/panic-1.27.txt >log/log.txt
# As a buffer that was too small leaves it.
mkdir -p cut
head -c 1460 debug2-1.27/debug2-1.27.txt >cut/cut.txt
