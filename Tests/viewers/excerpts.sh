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
. "$(dirname "$0")/perfetto.sh"
trace=$2

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
# What must be in an excerpt: so many rows of a table.
expect() { # NAME TABLE LEAST-COUNT CONDITION
    file=$(echo "$scratch"/out/*-"$1"-1.pftrace)
    count=$("$query" --no-header --errors "$file" "SELECT count() FROM $2 WHERE $4" | head -1) || count=errors
    if [ "$count" = errors ] || [ "$count" -lt "$3" ]; then
        echo "FAILED $1: $count rows of $2 where $4"
        failures=$((failures + 1))
    fi
}
value() {
    python3 -c 'import json, sys
for finding in json.load(open(sys.argv[1]))["findings"]:
    if finding["rule"] == sys.argv[2]: print(finding["examples"][0]["value_ns"])' "$scratch/report.json" "$1"
}
expect ship slice 1 "name = 'ship' AND dur = $(value ship)"
# The scheduler tells of states: S is a sleep that a wake-up ends.
expect waiting thread_state 3 "state = 'S'"
expect order slice 1 "name = 'order' AND dur = $(value order)"
expect pack slice 1 "name = 'pack'"
echo "$((4 - failures)) passed, $failures failed"
[ "$failures" -eq 0 ]
