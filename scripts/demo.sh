#!/bin/bash
# Converts sample recordings into every format there is and says how to look at each.
#
#   scripts/demo.sh VESTIGE [FOLDER]
set -euo pipefail

vestige=$1
out=${2:-demo-out}
samples=$(cd "$(dirname "$0")/../samples" && pwd)

rm -rf "$out"
mkdir -p "$out"
# Recordings with a picture worth looking at: a shop, a mutex, the garbage collector, and one cut short.
for case in orders mutex gc cut; do
	cp "$samples/gotrace-v2/$case/$case.trace" "$out/"
done

formats=$("$vestige" formats | awk '/^Writes/ { writes = 1 } writes && /^  [a-z]/ { print $1 }')
for case in orders mutex gc cut; do
	trace="$out/$case.trace"
	if [ "$case" = cut ]; then
		echo
		echo "The last one is damaged on purpose: Vestige reads what there is, and warns of what is lost."
	fi
	for format in $formats; do
		if [ "$format" = null ]; then continue; fi
		echo "\$ vestige convert $trace --to $format"
		"$vestige" convert "$trace" --to "$format"
	done
done
echo
echo "\$ vestige info $out/orders.trace"
"$vestige" info "$out/orders.trace"

echo
echo "How to look at each, with orders.trace as the example:"
for format in $formats; do
	case $format in
	chrome) echo "  $out/orders.json       drop it on https://ui.perfetto.dev, or load it in chrome://tracing" ;;
	perfetto) echo "  $out/orders.pftrace    drop it on https://ui.perfetto.dev" ;;
	perfetto-json) echo "  $out/orders.perfetto.json  the same, as JSON" ;;
	csv) echo "  $out/orders-csv/       one table a file: open them in a spreadsheet" ;;
	jsonl) echo "  $out/orders.jsonl      one event a line: less, grep or jq" ;;
	null) ;;
	*) ls -d "$out"/orders* | grep -- "$format" | sed 's/^/  /' || true ;;
	esac
done
