"""Facts of a recording, told from its events (JSON lines on standard input), one a line:
what, key, value. The same as facts.sql tells from Perfetto's tables.
"""

import json
import sys
from collections import Counter

# Perfetto's name for a CPU is at most this.
CPU_LIMIT = 1024
# What perfetto_query writes for characters that would break a line, and Vestige for NUL.
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\u2400"})

facts = Counter()
states = {}  # goroutine: state, and since when it runs
regions = {}  # goroutine: open regions by task and name
tasks, ended_tasks, ranges = {}, set(), set()
now = 0


def transition(event):
    goroutine, before, after = event["id"], event["from"], event["to"]
    state, since = states.get(goroutine, ("Undetermined", None))
    if after == state and before in (after, "Undetermined"):
        return
    if since is not None:
        facts["running", goroutine] += now - since
    runs = after == "Running" and 0 <= event["p"] < CPU_LIMIT
    if runs:
        facts["running", goroutine] += 0
    states[goroutine] = (after, now if runs else None)
    if after == "Waiting" and event["reason"]:
        facts["waits", event["reason"]] += 1
    is_woken = state in ("Waiting", "Syscall") or before == "NotExist"
    if after == "Runnable" and is_woken and event["g"] not in (-1, goroutine):
        facts["wakes", event["g"]] += 1
    if after == "NotExist":
        del states[goroutine]
        regions.pop(goroutine, None)


def region(event, begins):
    key = (event["task"], event["type"])
    open_regions = regions.setdefault(event["g"], Counter())
    if begins or open_regions[key] == 0:
        facts["region", event["type"]] += 1
    open_regions[key] += 1 if begins else -1 if open_regions[key] else 0


def task(event, begins):
    number = event["task"]
    if begins or number not in tasks and number not in ended_tasks:
        facts["task", event["type"]] += 1
    if begins:
        tasks[number] = True
        ended_tasks.discard(number)
    else:
        tasks.pop(number, None)
        ended_tasks.add(number)


def time_range(event):
    key = (event["name"], event["scope"], event["scope_id"])
    if event["kind"] == "RangeEnd":
        if key not in ranges:
            facts["range", event["name"]] += 1
        ranges.discard(key)
    elif key not in ranges:
        facts["range", event["name"]] += 1
        ranges.add(key)


for line in sys.stdin:
    event = json.loads(line)
    kind = event["kind"]
    now = event.get("t", now)
    if kind == "StateTransition" and event["resource"] == "goroutine":
        transition(event)
    elif kind in ("RegionBegin", "RegionEnd"):
        region(event, kind == "RegionBegin")
    elif kind in ("TaskBegin", "TaskEnd"):
        task(event, kind == "TaskBegin")
    elif kind.startswith("Range"):
        time_range(event)
    elif kind in ("Log", "StackSample"):
        facts["log" if kind == "Log" else "sample", ""] += 1

for goroutine, (_, since) in states.items():
    if since is not None:
        facts["running", goroutine] += now - since
for (what, key), value in facts.items():
    print(what, str(key).translate(ESCAPES), value, sep="\t")
