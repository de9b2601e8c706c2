#!/bin/sh
# Asks Perfetto what it makes of the counterexamples that `vestige check` writes: every trace loads without an error, and
# has in it what the rule is broken by.
#
#   Tests/viewers/excerpts.sh VESTIGE TRACE
#
# TRACE is samples/gotrace-v2/orders/orders.trace, or one like it. Where the viewers are not there nothing is checked.
set -eu

if [ $# -ne 2 ]; then
    sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
vestige=$1
trace=$2
root=$(cd "$(dirname "$0")/../.." && pwd)
query=${VESTIGE_SHARED:-$root/../shared}/tools/viewers/perfetto_query
if [ ! -x "$query" ]; then
    echo "skipped: $query is not there"
    exit 0
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cat > "$scratch/rules.yaml" << 'RULES'
events:
  packed: {kind: RegionBegin, name: pack}
  charged: {kind: RegionEnd, name: charge}
rules:
  - {name: ship, check: longest, of: region, region: ship, under: 1us}
  - {name: waiting, check: count, of: waiting, under: 3}
  - {name: order, check: p50, of: task, under: 1us}
  - {name: pack, check: order, per: task, after: packed, comes: charged}
RULES
"$vestige" check "$scratch/rules.yaml" "$trace" --excerpt-dir "$scratch/out" --json > "$scratch/report.json" || [ $? -eq 1 ]

failures=0
# What must be in an excerpt: slices of a name, as long as the rule's value where it has one.
expect() { # NAME SLICE LEAST-COUNT [VALUE]
    file=$(echo "$scratch"/out/*-"$1"-1.pftrace)
    condition="name GLOB '$2'"
    if [ $# -eq 4 ]; then condition="$condition AND dur = $4"; fi
    count=$("$query" --no-header --errors "$file" "SELECT count() FROM slice WHERE $condition" | head -1) || count=errors
    if [ "$count" = errors ] || [ "$count" -lt "$3" ]; then
        echo "FAILED $1: $count slices where $condition"
        failures=$((failures + 1))
    fi
}
value() {
    python3 -c 'import json, sys
for finding in json.load(open(sys.argv[1]))["findings"]:
    if finding["rule"] == sys.argv[2]: print(finding["examples"][0]["value_ns"])' "$scratch/report.json" "$1"
}
expect ship ship 1 "$(value ship)"
expect waiting 'waiting*' 3
expect order order 1 "$(value order)"
expect pack pack 1
echo "$((4 - failures)) passed, $failures failed"
[ "$failures" -eq 0 ]
