"""Compares what Perfetto's tables hold of a trace (truth.sql, on standard input) with its truth file.

    truth.py CONTENT TRUTH.json EVENTS.jsonl[.gz] < FOUND

CONTENT names the format (chrome, perfetto-json, perfetto), and after a comma what its file shows: `all`, or
`scheduler` where the scheduler alone tells states and procs.

The truth tells states, regions, ranges (collections, stops of the world), tasks, logs and samples; the
listing of its events tells what the truth does not: how long goroutines held each proc, and arrows.
Prints what differs; the exit status is 1 if anything does.
"""

import gzip
import json
import os
import re
import sys
from collections import Counter, defaultdict

# Characters that have another form in one of the formats, or in what the trace processor makes of them.
DOUBTFUL = re.compile('[\x00-\x1f"\\\\\uff02\uff3c\u2400-\u2421\x7f-\x9f\ufffd]')
STATES = ("running", "runnable", "syscall")


def name_of(text, is_native):
    """Natively names are exact, but for NUL. In JSON those with doubtful characters are one, and an empty
    one has a name in the trace processor."""
    if is_native:
        return text.replace("\0", "\u2400")
    return "*" if DOUBTFUL.search(text) else "" if text == "[No name]" else text


def expect_states(what, truth, add):
    for goroutine in truth["goroutines"]:
        for state in STATES:
            add(what, state, goroutine["id"], 0, goroutine["ns"].get(state, 0))
        for reason, duration in goroutine["ns"].get("waiting", {}).items():
            add(what, "waiting: " + reason if reason else "waiting", goroutine["id"], 0, duration)


def expect_lists(truth, add):
    last = truth["last_time"]
    ended = {g["id"]: g["ended"] for g in truth["goroutines"] if g["lives"] < 2}
    born = {g["id"]: g["created"] for g in truth["goroutines"] if g["lives"] < 2}
    for region in truth["regions"]:
        start, end = region["start"], region["end"]
        start = start if start is not None else born.get(region["goroutine"]) or truth["first_time"]
        end = end if end is not None else ended.get(region["goroutine"]) or last
        add("region", region["type"], 0, 1, end - start)
    for span in truth["ranges"]:
        start = span["start"] if span["start"] is not None else truth["first_time"]
        end = span["end"]
        if end is None:
            end = ended.get(span["scope_id"]) if span["scope"] == "goroutine" else None
        add("range", span["name"], 0, 1, (end or last) - start)
    for task in truth["tasks"]:
        start = task["start"] if task["start"] is not None else truth["first_time"]
        add("task", task["type"], 0, 1, (task["end"] if task["end"] is not None else last) - start)
    for log in truth["logs"]:
        add("log", log["category"] + ": " + log["message"] if log["category"] else log["message"], 0, 1, 0)
    add("sample", "", 0, truth["by_kind"].get("StackSample", 0), 0)


def expect_events(events, last, add):
    """How long goroutines held procs (running there, or in a system call that keeps it), and arrows."""
    holder, place = {}, {}  # proc: goroutine and since when; goroutine: proc
    spans = Counter()

    def release(proc, now):
        goroutine, since = holder.pop(proc, (None, None))
        if goroutine is not None:
            place.pop(goroutine, None)
            spans[proc] += now - since

    for event in events:
        if event["kind"] != "StateTransition":
            continue
        number, state, now = event["id"], event["to"], event["t"]
        if event["resource"] == "proc":
            if state != "Running":
                release(number, now)
            continue
        # One that is in a system call already when the recording begins is where its report comes from.
        is_found = event["from"] == "Undetermined" and state == "Syscall" and event["g"] == number
        if (state == "Running" and event["from"] != "Running" or is_found) and event["p"] >= 0:
            if place.get(number) != event["p"]:
                release(event["p"], now)
                release(place.get(number), now)
                holder[event["p"]], place[number] = (number, now), event["p"]
        elif state not in ("Running", "Syscall"):
            release(place.get(number), now)
        is_created, is_woken = event["from"] == "NotExist", event["from"] == "Waiting" and state == "Runnable"
        if (is_created or is_woken) and event["g"] not in (-1, number):
            add("flow", "", 0, 1, 0)
    for proc in list(holder):
        release(proc, last)
    for proc, duration in spans.items():
        add("proc", "", proc, 0, duration)


def expect_cpus(events, last, add):
    """How long goroutines ran on each proc, system calls not counted: what a scheduler's CPUs show."""
    running, place = {}, {}  # proc: goroutine and since when; goroutine: proc

    def leave(goroutine, now):
        proc = place.pop(goroutine, None)
        if proc is not None:
            add("cpu", "", proc, 0, now - running.pop(proc)[1])

    for event in events:
        if event["kind"] != "StateTransition" or event["resource"] != "goroutine":
            continue
        number, now, proc = event["id"], event["t"], event["p"]
        if event["to"] == event["from"] or event["from"] == "Undetermined" and event["to"] == "Running" and number in place:
            continue
        leave(number, now)
        if event["to"] == "Running" and proc >= 0:
            if proc in running:
                leave(running[proc][0], now)
            running[proc], place[number] = (number, now), proc
    for goroutine in list(place):
        leave(goroutine, last)


def read_events(path):
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            event = json.loads(line)
            if "t" in event:
                yield event


def read_found(lines):
    """Rows of perfetto_query: tabs between the cells, the usual escapes within."""
    plain = {"t": "\t", "n": "\n", "r": "\r", "\\": "\\", "N": ""}
    for line in lines:
        cells = [re.sub(r"\\(.)", lambda m: plain[m[1]], cell) for cell in line.rstrip("\n").split("\t")]
        what, name, number, count, duration = cells
        yield what, name, int(number or 0), int(count), int(float(duration or 0))


def truth_is_unstable(path):
    folder, name = os.path.split(path)
    try:
        with open(os.path.join(folder, "..", "manifest.json"), encoding="utf-8") as file:
            return any(entry["truth"].endswith("/" + name) and entry.get("stable") is False for entry in json.load(file))
    except OSError:
        return False


def main():
    content, truth_path, events_path = sys.argv[1:4]
    form, shown = (content + ",").split(",")[:2]
    is_native, has_slices = form == "perfetto", shown != "scheduler"
    with open(truth_path, encoding="utf-8") as file:
        truth = json.load(file)
    expected, found = defaultdict(lambda: [0, 0]), defaultdict(lambda: [0, 0])

    def adding(facts):
        def add(what, name, number, count, duration):
            if what in ("state", "proc", "scheduled", "cpu"):
                count = 0
            if count or duration:
                fact = facts[what, name_of(name, is_native), number]
                fact[0] += count
                fact[1] += duration

        return add

    expect_lists(truth, adding(expected))
    if has_slices:
        expect_states("state", truth, adding(expected))
        expect_events(read_events(events_path), truth["last_time"], adding(expected))
    if is_native:
        expect_states("scheduled", truth, adding(expected))
        expect_cpus(read_events(events_path), truth["last_time"], adding(expected))
    for what, name, number, count, duration in read_found(sys.stdin):
        if what == "open":
            what, duration = "scheduled", count * (truth["last_time"] - truth["first_time"]) - duration
        adding(found)(what, name, number, count, duration)
    # Lists that the truth file has shortened.
    cut = {name.rstrip("s") for name in truth.get("lists_cut", [])}
    if "goroutine" in cut:
        cut |= {"state", "scheduled"}
    # Readers may break ties of time in another order there, which moves times by a few ns.
    tolerance = 32 if truth_is_unstable(truth_path) else 0
    differences = 0
    for key in sorted(set(expected) | set(found)):
        one, other = expected.get(key), found.get(key)
        near = one and other and one[0] == other[0] and abs(one[1] - other[1]) <= tolerance * max(1, one[0])
        if key[0] not in cut and one != other and not near:
            differences += 1
            if differences <= 8:
                print(*key, "expected", one, "found", other)
    print(f"{len(found)} facts, {differences} differences", file=sys.stderr)
    return 1 if differences else 0


sys.exit(main())
