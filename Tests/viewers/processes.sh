#!/bin/sh
# Converts traces as several processes of one output and asks Perfetto's trace processor what it makes of them.
# Fails if it counts an error, or if a process has not the very same rows, slices, arrows, states of threads and
# counters that it has when it is converted alone.
#
#   Tests/viewers/processes.sh VESTIGE TRACE TRACE…
#
# The traces are of one boot. For the viewers see check.sh.
set -u

if [ $# -lt 3 ]; then
    sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
. "$(dirname "$0")/perfetto.sh"
shift

# What there is of a process, without what tells it from others: $2 is its name, empty if it is alone.
# Times are from the process's first slice.
tables() {
    case $1 in
    *.pftrace) native "$2" ;;
    *) chrome "$2" ;;
    esac > "$scratch/sql"
    "$query" --errors --no-header "$1" -f "$scratch/sql" > "$scratch/answer" 2>&1 || cat "$scratch/answer" >&2
    sed '/^$/d; /^name	idx	severity/d' "$scratch/answer" | LC_ALL=C sort
}

native() {
    prefix=${1:+$1/}
    process=${1:+$1/}
    cat <<SQL
with recursive threads as (
    select utid, t.name from thread t join process p using (upid) where p.name glob '$process*'),
row(id, name) as (
    select id, name from track where parent_id is null and id not in (select id from thread_track)
    union all select t.id, row.name || '/' || t.name from track t join row on t.parent_id = row.id),
mine as (
    select id, substr(name, length('$prefix') + 1) as name from row where name glob '$prefix*'
    union all select t.id, threads.name || '/' || ifnull(t.name, '') from thread_track t join threads using (utid)),
slices as (select s.id, s.ts, s.dur, s.name, mine.name as row from slice s join mine on mine.id = s.track_id),
start as (select min(ts) as ts from slices)
select 'slice' as what, row as a, slices.name as b, slices.ts - start.ts as c, dur as d from slices, start
union all select 'arrow', a.row, b.row, a.ts - start.ts, b.ts - start.ts
    from flow join slices a on a.id = slice_out join slices b on b.id = slice_in, start
union all select 'counter', mine.name, '', c.ts - start.ts, c.value
    from counter c join mine on mine.id = c.track_id, start
union all select 'state', t.name, s.state || ' ' || ifnull(blocked_function, '') || ' ' || ifnull(w.name, '-'),
        s.ts - start.ts, s.dur
    from thread_state s join threads t using (utid) left join threads w on w.utid = s.waker_utid, start
    where s.dur >= 0
union all select 'sched', t.name, s.cpu % 100, s.ts - start.ts, s.dur from sched s join threads t using (utid), start
union all select 'sample', t.name, '', s.ts - start.ts, 0
    from perf_sample s join threads t using (utid), start;
SQL
}

chrome() {
    prefix=${1:+$1: }
    cat <<SQL
with row as (
    select t.id, substr(p.name, length('$prefix') + 1) || '/' || th.name as name
    from thread_track t join thread th using (utid) join process p using (upid) where p.name glob '$prefix*'
    union all select t.id, substr(p.name, length('$prefix') + 1) || '/' || t.name
    from process_track t join process p using (upid) where p.name glob '$prefix*'),
slices as (select s.id, s.ts, s.dur, s.name, row.name as row from slice s join row on row.id = s.track_id),
start as (select min(ts) as ts from slices)
select 'slice' as what, row as a, slices.name as b, slices.ts - start.ts as c, dur as d from slices, start
union all select 'arrow', a.row, b.row, a.ts - start.ts, b.ts - start.ts
    from flow join slices a on a.id = slice_out join slices b on b.id = slice_in, start;
SQL
}

names=
for trace in "$@"; do
    name=$(basename "$trace" .trace)
    names="$names $name"
    cp "$trace" "$scratch/$name.trace"
done
set --
for name in $names; do set -- "$@" --process "$name=$scratch/$name.trace"; done

failures=0
for suffix in json perfetto.json pftrace; do
    "$vestige" convert -q "$@" -o "$scratch/all.$suffix" || exit 1
    total=0
    for name in $names; do
        "$vestige" convert -q "$scratch/$name.trace" -f -o "$scratch/alone.$suffix" || exit 1
        tables "$scratch/alone.$suffix" "" > "$scratch/expected"
        tables "$scratch/all.$suffix" "$name" > "$scratch/found"
        count=$(wc -l < "$scratch/expected")
        total=$((total + count))
        if [ "$count" -lt 10 ] || ! cmp -s "$scratch/expected" "$scratch/found"; then
            failures=$((failures + 1))
            echo "FAILED $name in all.$suffix:"
            diff "$scratch/expected" "$scratch/found" | head -5
        fi
    done
    echo "all.$suffix: $total slices, arrows, states, counters of$names"
done
[ "$failures" -eq 0 ]
