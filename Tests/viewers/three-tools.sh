#!/bin/sh
# Joins recordings of one run by three tools (execution trace, goroutine dump, Delve's snapshots) and asks
# Perfetto's trace processor what it makes of them. Fails if it counts an error, or if its tables do not have
# every goroutine that was observed, on that goroutine's own row, with what the observer said and its stack.
#
#   Tests/viewers/three-tools.sh VESTIGE FOLDER
#
# FOLDER holds a folder a run, e.g. ../shared/corpus/delve. For the viewers see check.sh.
set -u

if [ $# -lt 2 ]; then
    sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
. "$(dirname "$0")/perfetto.sh"

# What the events say, as lines "GOROUTINE name stacks".
expected() {
    python3 -c '
import json, sys
for line in sys.stdin:
    event = json.loads(line)
    if event.get("kind") != "Observed" or event["g"] < 0: continue
    print("G%d" % event["g"], "observed: " + (event.get("reason") or event["state"]), 1 if event.get("stack") else 0, sep="\t")
' < "$1" | LC_ALL=C sort
}

# The same from Perfetto's tables.
found() {
    row="select t.id, thread.name from thread_track t join thread using (utid)"
    "$query" --errors --no-header "$1" "
        with row(id, name) as ($row)
        select substr(row.name, 1, instr(row.name || ' ', ' ') - 1), slice.name,
          exists (select 1 from args where args.arg_set_id = slice.arg_set_id
            and (key = 'debug.stack' or key glob 'args.stack*') and length(string_value) > 0)
        from slice join row on row.id = slice.track_id
        where slice.name glob 'observed: *' and row.name glob 'G[0-9]*'" > "$scratch/answer" 2>&1 || return 1
    # Behind the rows stands a table of errors, which is empty but for its head.
    sed '/^$/d; /^name	idx	severity/d' "$scratch/answer" | LC_ALL=C sort
}

count=0
failures=0
for run in "$2"/*/alignment.json; do
    run=$(dirname "$run")
    [ -e "$run/trace.out" ] || continue
    count=$((count + 1))
    set -- "$run/trace.out" "$run/dumps/goroutine.B.debug2.txt" "$run/cli/phase-B/goroutines-t.txt"
    set -- "$@" "$run/rpc/02-phase-B/list-goroutines.response.json"
    if ! "$vestige" convert "$@" -q -f -o "$scratch/all.jsonl"; then
        failures=$((failures + 1))
        continue
    fi
    expected "$scratch/all.jsonl" > "$scratch/expected"
    for name in all.pftrace all.json all.perfetto.json; do
        if ! "$vestige" convert "$@" -q -f -o "$scratch/$name"; then
            failures=$((failures + 1))
        elif ! found "$scratch/$name" > "$scratch/found"; then
            echo "FAILED $(basename "$run"): $name: $(head -c 300 "$scratch/answer")"
            failures=$((failures + 1))
        elif ! diff "$scratch/expected" "$scratch/found" > "$scratch/difference"; then
            echo "FAILED $(basename "$run"): $name: $(head -n 6 "$scratch/difference")"
            failures=$((failures + 1))
        else
            echo "ok $(basename "$run"): $name: $(wc -l < "$scratch/found") observations, each with its goroutine"
        fi
    done
done
echo "$count runs, $failures failures"
[ "$count" -gt 0 ] && [ "$failures" -eq 0 ]
