#!/bin/sh
# Converts every trace of a folder to Chrome JSON and asks two viewers what they make of it: Perfetto's
# trace processor and catapult (chrome://tracing). Fails if one counts an import error or a warning, or
# finds no slices. Perfetto is asked about perfetto-json too, and must find as many slices and arrows.
# Converts it to Perfetto's own format, too, and fails if the trace processor counts an error, or if its
# tables do not have the facts that the events have (`facts.py`, `facts.sql`).
# Where a trace has a truth file beside it (NAME.truth.json), what Perfetto's tables hold of all three
# formats must equal it: states of every goroutine and holders of every proc to the nanosecond, regions,
# ranges of the runtime, tasks, logs, samples, arrows (`truth.py`, `truth.sql`); of the native format also where the
# scheduler alone tells of states, as it does by default.
# With -x also what `--split` and `--min-span` make of it: every part loads, and the parts together, and what is
# merged, tell the same running time, regions, tasks and logs as the whole (`totals.sql`).
#
#   Tests/viewers/check.sh [-x] VESTIGE FOLDER [PATTERN]
#
# VESTIGE is the command, PATTERN chooses traces by name (default *.trace). The viewers are those of
# ../shared/tools/viewers beside the checkout (VESTIGE_SHARED overrides ../shared); where they are not
# there, nothing is checked.
set -u

variants=
if [ "${1-}" = -x ]; then
    variants=1
    shift
fi
if [ $# -lt 2 ]; then
    sed -n '2,18s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
vestige=$(realpath "$1")
folder=$2
pattern=${3:-*.trace}

root=$(cd "$(dirname "$0")/../.." && pwd)
viewers=${VESTIGE_SHARED:-$root/../shared}/tools/viewers
for tool in "$viewers/perfetto_query" "$viewers/shoot"; do
    if [ ! -x "$tool" ]; then
        echo "skipped: $tool is not there"
        exit 0
    fi
done

scratch=$(mktemp -d) || exit 5
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

# Catapult's time grows with the square of the rows: a thousand take more than ten seconds.
catapult_rows=1500

failures=0
fail() {
    failures=$((failures + 1))
    echo "FAILED $1: $(printf %s "$2" | tr '\n' ' ' | cut -c 1-300)"
}

# A count in the JSON that a viewer prints.
number() { sed -n "s/^ *\"$1\": \([0-9]*\),*\$/\1/p" "$scratch/stats"; }

# False if a file has none, as when a recording ends before anything is known of a goroutine.
has_slices() { grep -q -a '"ph":"[Xibn]"' "$1"; }

# Loads JSON in catapult, whose answer is in stats then.
ask_catapult() {
    if ! "$viewers/shoot" --stats-only --timeout 300 catapult "$1" > "$scratch/stats" 2>&1 ||
        [ "$(number importWarnings)" != 0 ]; then
        fail "$name" "catapult, $(basename "$1"): $(cat "$scratch/stats")"
        return 1
    fi
}

# Counts slices and arrows as "SLICES,ARROWS".
ask_perfetto() {
    if ! "$viewers/perfetto_query" --errors --no-header "$1" \
        "select (select count(*) from slice) || ',' || (select count(*) from flow)" > "$scratch/perfetto" 2>&1; then
        fail "$name" "Perfetto, $(basename "$1"): $(cat "$scratch/perfetto")"
        return 1
    fi
    answer=$(head -n 1 "$scratch/perfetto")
    if [ "${answer%%,*}" -gt 0 ] 2> /dev/null || ! has_slices "$1"; then return 0; fi
    fail "$name" "Perfetto finds no slices in $(basename "$1")"
    return 1
}

check() {
    found=
    name=$(basename "$1")
    json=$scratch/out.json
    # A damaged trace is converted as far as it goes; one that cannot be read at all has no output.
    if ! "$vestige" convert --quiet --to chrome -f -o "$json" "$1" 2> "$scratch/messages"; then
        fail "$name" "not converted: $(head -n 1 "$scratch/messages")"
        return
    fi
    ask_perfetto "$json" && found=$answer
    slices=${found%%,*}
    perfetto_json=$scratch/out.perfetto.json
    if ! "$vestige" convert --quiet --to perfetto-json -f -o "$perfetto_json" "$1" 2> "$scratch/messages"; then
        fail "$name" "not converted to perfetto-json: $(head -n 1 "$scratch/messages")"
    elif ask_perfetto "$perfetto_json" && [ "$answer" != "$found" ]; then
        fail "$name" "slices, arrows: $found of chrome, $answer of perfetto-json"
    fi
    rows=$(grep -c '"name":"thread_name"' "$json")
    if [ "$rows" -gt "$catapult_rows" ]; then
        echo "ok $name: $slices slices in Perfetto; catapult was not asked to draw $rows rows"
    elif ask_catapult "$json"; then
        echo "ok $name: $slices slices in Perfetto, $(number slices) and $(number asyncSlices) async in catapult"
    fi
}

# Facts of the trace as its events tell them, and as Perfetto's tables do.
check_native() {
    name=$(basename "$1")
    native=$scratch/out.pftrace
    for format in perfetto jsonl; do
        output=$native
        [ "$format" = jsonl ] && output=$scratch/out.jsonl
        if ! "$vestige" convert --quiet --to "$format" -f -o "$output" "$1" 2> "$scratch/messages"; then
            fail "$name" "not converted to $format: $(head -n 1 "$scratch/messages")"
            return
        fi
    done
    if ! "$viewers/perfetto_query" --errors "$native" "select 1" > "$scratch/perfetto" 2>&1; then
        fail "$name" "Perfetto, native: $(cat "$scratch/perfetto")"
        return
    fi
    # What is missing from a damaged trace leaves goroutines running in the events where the scheduler's
    # tables must end them, since a CPU runs one at a time.
    if [ -s "$scratch/messages" ]; then
        echo "ok $name: damaged, so loaded in Perfetto's native format without its facts being compared"
        return
    fi
    python3 "$root/Tests/viewers/facts.py" < "$scratch/out.jsonl" | LC_ALL=C sort > "$scratch/expected"
    "$viewers/perfetto_query" --no-header "$native" -f "$root/Tests/viewers/facts.sql" 2>&1 | LC_ALL=C sort > "$scratch/found"
    if ! diff -a "$scratch/expected" "$scratch/found" > "$scratch/difference"; then
        fail "$name" "native: $(head -n 6 "$scratch/difference")"
        return
    fi
    echo "ok $name: $(wc -l < "$scratch/found") facts are the same in Perfetto's native format"
}

# What a reference reader says of the trace, and what Perfetto's tables hold of each format.
check_truth() {
    name=$(basename "$1")
    truth=${1%.trace}.truth.json
    [ -e "$truth" ] || return 0
    events=${1%.trace}.events.jsonl.gz
    if [ ! -e "$events" ]; then
        # That Vestige reads the same events as the reference is for other tests to see.
        events=$scratch/events.jsonl
        "$vestige" convert --quiet --to jsonl -f -o "$events" "$1" 2> "$scratch/messages"
    fi
    for content in chrome,all perfetto-json,all perfetto,all perfetto,scheduler; do
        format=${content%,*} options=
        [ "${content#*,}" != all ] || options='--views all'
        output=$scratch/truth.$format
        # shellcheck disable=SC2086
        "$vestige" convert --quiet --to "$format" $options -f -o "$output" "$1" 2> "$scratch/messages"
        "$viewers/perfetto_query" --no-header "$output" -f "$root/Tests/viewers/truth.sql" > "$scratch/found" 2>&1
        if answer=$(python3 "$root/Tests/viewers/truth.py" "$content" "$truth" "$events" < "$scratch/found" 2>&1); then
            echo "ok $name: $content: $answer"
        else
            fail "$name" "$content: $answer"
        fi
    done
}

# Writes to $2 what a file holds that stays the same in another, one a line.
totals() {
    if ! "$viewers/perfetto_query" --errors --no-header "$1" -f "$root/Tests/viewers/totals.sql" > "$scratch/totals" 2>&1
    then
        fail "$name" "Perfetto, $(basename "$1"): $(cat "$scratch/totals")"
        return 1
    fi
    # The errors that there are none of have a heading.
    grep -v '^name' "$scratch/totals" | sort > "$2"
}

total() { awk -v what="$1" '$1 == what { sum += $2 } END { printf "%.0f", sum }' "$2"; }

# The same recording with short spans merged, and in parts.
check_variants() {
    name=$(basename "$1")
    events=$("$vestige" convert --quiet --to null "$1" 2> /dev/null | cut -d ' ' -f 1)
    parts=$scratch/parts
    for format in chrome perfetto-json perfetto; do
        rm -rf "$parts"
        mkdir "$parts"
        for variant in "" "--min-span 10us" "--split $((events / 3 + 1))-events"; do
            # shellcheck disable=SC2086
            "$vestige" convert --quiet --to $format --views all $variant -f -o "$parts/out.json" "$1" 2> "$scratch/messages" ||
                fail "$name" "$format $variant: $(head -n 1 "$scratch/messages")"
            case $variant in
            "") totals "$parts/out.json" "$scratch/whole" ;;
            --min-span*)
                totals "$parts/out.json" "$scratch/merged"
                diff "$scratch/whole" "$scratch/merged" > "$scratch/difference" ||
                    fail "$name" "$format $variant: $(cat "$scratch/difference")"
                [ $format != chrome ] || ask_catapult "$parts/out.json"
                ;;
            esac
        done
        : > "$scratch/each"
        for part in "$parts"/out-[0-9]*.json; do
            totals "$part" "$scratch/part" && cat "$scratch/part" >> "$scratch/each"
            [ $format != chrome ] || ask_catapult "$part"
        done
        for what in running log; do
            whole=$(total $what "$scratch/whole") each=$(total $what "$scratch/each")
            [ "$whole" = "$each" ] || fail "$name" "$format: $what is $whole, and of the parts together $each"
        done
    done
    echo "ok $name: $(find "$parts" -name 'out-[0-9]*' | wc -l) parts, and short spans merged"
}

count=0
# A pattern may be several, apart from each other by blanks.
cd "$folder" || exit 2
for trace in $pattern; do
    trace=$PWD/$trace
    [ -e "$trace" ] || continue
    count=$((count + 1))
    check "$trace"
    check_native "$trace"
    check_truth "$trace"
    [ -z "$variants" ] || check_variants "$trace"
done
echo "$count traces, $failures failures"
[ "$count" -gt 0 ] && [ "$failures" -eq 0 ]
