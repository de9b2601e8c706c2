#!/bin/bash
# The decoder that was written by the specification alone gives back what Vestige has put into archives.
#
#     Tests/archive/check.sh VESTIGE FILE…
set -euo pipefail
vestige=$1
shift
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for level in fast default small; do
	"$vestige" archive create -q --level $level "$work/$level.vestige" "$@"
	"$vestige" archive extract -q "$work/$level.vestige" -o "$work/truth"
	python3 "$here/extract.py" "$work/$level.vestige" "$work/$level"
	diff -r "$work/truth" "$work/$level"
	rm -r "$work/truth"
done
echo "archive: $# files come back the same by either decoder"
