#!/usr/bin/env python3
"""Checks `vestige convert` with queries against a selection by brute force over the corpus's event listings.

    brute_force.py VESTIGE CORPUS [TRACE...]

For every query and trace three things must be equal: the events as JSON lines, the spans of the CSV table,
and the spans of Chrome JSON. Besides, at a window's first instant every goroutine must have its state. The
selection here shares nothing with Vestige but the definitions in docs/query.md: it looks at all events at once.
"""

import csv
import gzip
import json
import re
import subprocess
import sys
from pathlib import Path

TRACES = [
    "live/orders-1.27", "live/orders-1.21", "live/http-1.25", "live/http-1.19", "live/manygens-1.27",
    "live/manygens-1.21", "live/nested-1.22", "live/unended-1.27", "live/unended-1.19", "live/flight-1.25",
    "live/syscalls-1.22", "live/coroutines-1.25", "broken/killed-1.27-c",
]
STATES = {"waiting": "Waiting", "running": "Running", "runnable": "Runnable", "syscall": "Syscall"}


def glob(pattern):
    parts = re.split(r"([*?])", pattern)
    text = "".join({"*": ".*", "?": "."}.get(part, re.escape(part)) for part in parts)
    return re.compile(text, re.DOTALL).fullmatch


class Trace:
    """Everything that a query can ask about, from the whole listing."""

    def __init__(self, path):
        with gzip.open(path, "rt") as lines:
            self.events = [json.loads(line) for line in lines]
        self.first, self.last = self.events[0]["t"], self.events[-1]["t"]
        self.functions, self.spans, self.regions, self.tasks, self.labels = {}, [], [], {}, {}
        self.parents, self.wakes = set(), set()
        self.follow()

    def time(self, share):
        return self.first + int((self.last - self.first) * share)

    def follow(self):
        state, open_regions, born = {}, {}, {}
        ended_tasks = set()
        for event in self.events:
            kind, g, t, n = event["kind"], event["g"], event["t"], event["seq"]
            if kind == "StateTransition" and event["resource"] == "goroutine":
                self.transition(event, state, open_regions, born)
            elif kind == "RegionBegin":
                region = {"g": g, "name": event["type"], "task": event["task"], "from": n, "begin": t}
                self.regions.append(region)
                open_regions.setdefault(g, []).append(region)
            elif kind == "RegionEnd":
                alike = [r for r in open_regions.get(g, []) if (r["name"], r["task"]) == (event["type"], event["task"])]
                if alike:
                    region = alike[-1]
                    open_regions[g].remove(region)
                else:
                    start = born.get(g, (0, self.first))
                    region = {"g": g, "name": event["type"], "task": event["task"], "from": start[0], "begin": start[1]}
                    self.regions.append(region)
                region["to"], region["end"] = n, t
            elif kind == "TaskBegin":
                self.tasks[event["task"]] = {"name": event["type"], "begin": t, "end": self.last}
                ended_tasks.discard(event["task"])
            elif kind == "TaskEnd" and event["task"] not in ended_tasks:
                task = self.tasks.setdefault(event["task"], {"name": event["type"], "begin": self.first})
                task["end"] = t
                ended_tasks.add(event["task"])
            elif kind == "Label" and event["scope"] == "goroutine":
                self.labels.setdefault(event["scope_id"], []).append((n, event["label"]))
        for span in state.values():
            span["to"], span["end"] = len(self.events), self.last
        for region in self.regions:
            if "end" not in region:
                region["to"], region["end"] = len(self.events), self.last
        self.by_goroutine = {}
        for region in self.regions:
            self.by_goroutine.setdefault(region["g"], []).append(region)
        self.ended, self.begun, self.spans_of = {}, {}, {}
        for span in self.spans:
            self.ended[span["to"]] = span
            self.begun[span["from"]] = span
            self.spans_of.setdefault(span["g"], []).append(span)

    def transition(self, event, state, open_regions, born):
        g, t, n, old, new = event["id"], event["t"], event["seq"], event["from"], event["to"]
        if event.get("tstack") and g not in self.functions:
            self.functions[g] = event["tstack"][-1].rsplit(" ", 1)[0]
        if event["g"] not in (-1, g):
            if old == "NotExist":
                self.parents.add((event["g"], g))
            elif new == "Runnable" and old != "Runnable":
                self.wakes.add((event["g"], g))
        span = state.get(g)
        known = span["state"] if span else "Undetermined"
        if new == known and old in (new, "Undetermined"):
            return
        if span:
            span["to"], span["end"] = n, t
            del state[g]
        if old == "NotExist":
            born[g] = (n, t)
        if new == "NotExist":
            for region in open_regions.pop(g, []):
                region["to"], region["end"] = n, t
            return
        span = {"g": g, "state": new, "reason": event["reason"], "from": n, "begin": t}
        state[g] = span
        self.spans.append(span)

    def label(self, g, n):
        current = None
        for seq, label in self.labels.get(g, []):
            if seq <= n:
                current = label
        return current


class Query:
    """Options for the command, and the same as an expression: nested tuples."""

    def __init__(self, options, expression=None, start=None, end=None, around=None, margin=0, least=0, hops=0,
                 descendants=False, only=None):
        self.options, self.expression = options, expression or ("all",)
        self.start, self.end, self.around, self.margin, self.least = start, end, around, margin, least
        self.hops, self.descendants, self.only = hops, descendants, only or ("all",)

    def windows(self, trace):
        low = trace.first if self.start is None else max(self.start, trace.first)
        high = trace.last + 1 if self.end is None else self.end
        if self.around is None:
            return [(low, high)]
        matches = glob(self.around)
        times = sorted(
            (r["begin"] - self.margin, r["end"] + self.margin + 1)
            for r in trace.regions if matches(r["name"]) and r["end"] - r["begin"] >= self.least)
        merged = []
        for begin, end in times:
            begin = max(begin, trace.first)
            if merged and begin <= merged[-1][1]:
                merged[-1][1] = max(merged[-1][1], end)
            else:
                merged.append([begin, end])
        return [(max(a, low), min(b, high)) for a, b in merged if max(a, low) < min(b, high)]


class Selection:
    def __init__(self, trace, query):
        self.trace, self.query = trace, query
        self.windows = query.windows(trace)
        self.added = self.closure()

    def holds(self, expression, event, n, g, span):
        kind = expression[0]
        if kind == "all":
            return all(self.holds(part, event, n, g, span) for part in expression[1:])
        if kind == "any":
            return any(self.holds(part, event, n, g, span) for part in expression[1:])
        if kind == "not":
            return not self.holds(expression[1], event, n, g, span)
        values, least = expression[1], expression[2] if len(expression) > 2 else 0
        trace = self.trace
        if kind == "kind":
            return event["kind"] in values
        if kind == "before":
            return event["t"] < values
        if kind == "goroutine":
            return g in values
        if kind == "function":
            return g in trace.functions and glob(values)(trace.functions[g]) is not None
        if kind == "region":
            return any(
                glob(values)(r["name"]) and r["from"] <= n <= r["to"] and r["end"] - r["begin"] >= least
                for r in trace.by_goroutine.get(g, []))
        if kind == "task":
            tasks = {i for i, task in trace.tasks.items()
                     if glob(values)(task["name"]) and task["end"] - task["begin"] >= least}
            return event.get("task") in tasks or any(
                r["task"] in tasks and r["from"] <= n <= r["to"] for r in trace.by_goroutine.get(g, []))
        if kind == "label":
            label = trace.label(g, n)
            return label is not None and glob(values)(label) is not None
        if span is None or span["end"] - span["begin"] < least:
            return False
        return span["state"] in values if kind == "state" else glob(values)(span["reason"]) is not None

    def passes(self, event, n, g, span):
        who = g in self.added or self.holds(self.query.expression, event, n, g, span)
        return who and self.holds(self.query.only, event, n, g, span)

    def bindings(self, event):
        """The goroutines that an event belongs to, each with a span of its own that the event bounds."""
        n, found = event["seq"], []
        if event["g"] != -1:
            found.append((event["g"], None))
        if event["kind"] == "StateTransition" and event["resource"] == "goroutine":
            spans = [s for s in (self.trace.ended.get(n), self.trace.begun.get(n)) if s]
            found += [(event["id"], span) for span in spans or [None]]
        return found or [(None, None)]

    def closure(self):
        query, trace = self.query, self.trace
        if not query.hops and not query.descendants:
            return set()
        seeds = {
            g for event in trace.events for g, span in self.bindings(event)
            if g is not None and self.holds(query.expression, event, event["seq"], g, span)}
        reached = set()
        if query.descendants:
            reached |= self.reach(seeds, trace.parents, len(trace.parents))
        reached |= self.reach(seeds, trace.wakes | {(b, a) for a, b in trace.wakes}, query.hops)
        return reached - seeds

    @staticmethod
    def reach(seeds, edges, hops):
        reached = set(seeds)
        for _ in range(hops):
            more = {b for a, b in edges if a in reached} - reached
            if not more:
                break
            reached |= more
        return reached

    def inside(self, t):
        return any(a <= t < b for a, b in self.windows)

    def events(self):
        return [
            event for event in self.trace.events
            if self.inside(event["t"]) and any(self.passes(event, event["seq"], g, s) for g, s in self.bindings(event))]

    def places(self, g):
        """When what is selected of a goroutine may change: numbers of events."""
        numbers = {0}
        for region in self.trace.by_goroutine.get(g, []):
            numbers |= {region["from"], region["to"]}
        numbers |= {n for n, _ in self.trace.labels.get(g, [])}
        return sorted(numbers)

    def spans(self):
        """Spans of goroutines, clipped to when they are selected."""
        result, events = [], self.trace.events
        for g, spans in self.trace.spans_of.items():
            places = self.places(g)
            for span in spans:
                cuts = [span["from"]] + [n for n in places if span["from"] < n < span["to"]] + [span["to"]]
                pieces = []
                for a, b in zip(cuts, cuts[1:]):
                    begin, end = events[a]["t"], span["end"] if b == span["to"] else events[b]["t"]
                    if not self.passes({"kind": "StateTransition", "t": begin}, a + 0.5, g, span):
                        continue
                    if pieces and pieces[-1][1] == begin:
                        pieces[-1][1] = end
                    else:
                        pieces.append([begin, end])
                for begin, end in pieces:
                    for low, high in self.windows:
                        a, b = max(begin, low), min(end, high)
                        if a < b:
                            result.append((g, span["state"], span["reason"], a, b))
        return sorted(result)

    def states(self, time):
        """The states of goroutines just before the events at a time, as far as they are selected."""
        before = [event for event in self.trace.events if event["t"] < time]
        n = before[-1]["seq"] + 0.5 if before else -1
        return sorted(
            (span["g"], span["state"], span["reason"]) for span in self.trace.spans
            if span["from"] < n < span["to"]
            and self.passes({"kind": "StateTransition", "t": time}, n, span["g"], span))


def queries(trace):
    """The questions: windows, every option, closures, expressions."""
    at = trace.time
    ms = lambda t: f"{t - trace.first}ns"
    end = lambda t: f"-{trace.last - t}ns"
    busy = sorted(trace.spans_of, key=lambda g: (-len(trace.spans_of[g]), g))
    some = busy[:3] or [1]
    functions = sorted(set(trace.functions.values()))
    function = functions[len(functions) // 2] if functions else None
    regions = sorted({r["name"] for r in trace.regions if glob(r["name"])(r["name"])})
    tasks = sorted({task["name"] for task in trace.tasks.values() if task["name"]})
    lengths = sorted(r["end"] - r["begin"] for r in trace.regions)
    longest = lambda names: sorted(names, key=len)[-1] if names else None
    region, task = longest(regions), longest(tasks)
    middle = lengths[len(lengths) // 2] if lengths else 0
    reasons = sorted({s["reason"] for s in trace.spans if s["reason"]})
    reason = reasons[0] if reasons else "sync"
    a, b, c = at(0.3), at(0.31), at(0.8)
    window = ["--from", ms(a), "--to", ms(c)]
    yield Query(["--from", ms(a), "--to", ms(b)], start=a, end=b)
    yield Query(window, start=a, end=c)
    yield Query(["--from", ms(c)], start=c)
    yield Query(["--to", ms(b)], end=b)
    yield Query(["--from", end(c)], start=c)
    yield Query(["--from", ms(a), "--to", end(c)], start=a, end=c)
    # A window that begins exactly with an event.
    exact = trace.events[len(trace.events) // 2]["t"]
    yield Query(["--from", ms(exact)], start=exact)
    yield Query(["--goroutine", str(some[0])], ("goroutine", {some[0]}))
    yield Query(["--goroutine", ",".join(map(str, some))] + window, ("goroutine", set(some)), a, c)
    yield Query(["--goroutine", "2-9"] + window, ("goroutine", set(range(2, 10))), a, c)
    if function:
        yield Query(["--function", function], ("function", function))
        yield Query(["--function", "main.*"] + window, ("function", "main.*"), a, c)
        yield Query(["--function", "*.?*"], ("function", "*.?*"))
    yield Query(["--state", "waiting"], only=("state", {"Waiting"}))
    yield Query(["--state", "running,syscall"] + window, None, a, c, only=("state", {"Running", "Syscall"}))
    yield Query(["--state", "waiting", "--min-duration", "100us"], only=("state", {"Waiting"}, 100_000))
    yield Query(["--reason", reason], only=("reason", reason))
    yield Query(["--state", "runnable", "--goroutine", str(some[0])] + window, ("goroutine", {some[0]}), a, c,
                only=("state", {"Runnable"}))
    yield Query(["--kind", "StateTransition,log"], only=("kind", {"StateTransition", "Log"}))
    yield Query(["--kind", "RegionBegin"] + window, None, a, c, only=("kind", {"RegionBegin"}))
    yield Query(["--label", "GC*"], ("label", "GC*"))
    if region:
        yield Query(["--region", region], ("region", region))
        yield Query(["--region", "*", "--min-duration", f"{middle}ns"], ("region", "*", middle))
        yield Query(["--region", region] + window, ("region", region), a, c)
        yield Query(["--around", region], around=region)
        yield Query(["--around", region, "--margin", "10us", "--goroutine", ",".join(map(str, some))],
                    ("goroutine", set(some)), around=region, margin=10_000)
        yield Query(["--around", "*", "--min-duration", f"{middle}ns"] + window, None, a, c, around="*", least=middle)
        yield Query(["--region", region, "--descendants"], ("region", region), descendants=True)
        yield Query(["--where", f"region == '{region}' and not state in (running, runnable)"],
                    ("all", ("region", region), ("not", ("state", {"Running", "Runnable"}))))
        yield Query(["--where", f"not region == '*' and goroutine in ({some[0]}, {some[-1]})"],
                    ("all", ("not", ("region", "*")), ("goroutine", {some[0], some[-1]})))
    if task:
        yield Query(["--task", task], ("task", task))
        yield Query(["--task", "*", "--min-duration", "1ms"] + window, ("task", "*", 1_000_000), a, c)
    yield Query(["--goroutine", str(some[0]), "--descendants"], ("goroutine", {some[0]}), descendants=True)
    yield Query(["--goroutine", str(some[0]), "--related"], ("goroutine", {some[0]}), hops=1)
    yield Query(["--goroutine", str(some[0]), "--related=3"] + window, ("goroutine", {some[0]}), a, c, hops=3)
    yield Query(["--goroutine", str(some[0]), "--related=2", "--descendants", "--state", "waiting"],
                ("goroutine", {some[0]}), hops=2, descendants=True, only=("state", {"Waiting"}))
    yield Query(["--where", f"time >= {ms(a)} and time < {ms(c)} and state == waiting for 50us"],
                ("state", {"Waiting"}, 50_000), a, c)
    yield Query(["--where", f"state == waiting and reason == '{reason}' or goroutine == {some[0]} # both"],
                ("any", ("all", ("state", {"Waiting"}), ("reason", reason)), ("goroutine", {some[0]})))
    yield Query(["--where", f"(kind != Metric) and (function == 'main.*' or label == 'GC*')"] + window,
                ("all", ("not", ("kind", {"Metric"})), ("any", ("function", "main.*"), ("label", "GC*"))), a, c)


FIELDS = ["t", "kind", "g", "p", "m", "resource", "id", "from", "to", "reason", "task", "type", "name", "value", "scope",
          "scope_id", "label", "category", "message"]


def essence(event):
    return tuple((f, event[f]) for f in FIELDS if f in event)


class Check:
    def __init__(self, vestige, trace_file, trace):
        self.vestige, self.file, self.trace, self.failures = vestige, str(trace_file), trace, 0

    def run(self, query, to, *more):
        command = [self.vestige, "convert", "-q", self.file, "--to", to, "-o", "-", *more, *query.options]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"exit {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def check(self, query):
        selection = Selection(self.trace, query)
        try:
            lines = [json.loads(line) for line in self.run(query, "jsonl").splitlines()]
            events = [line for line in lines if line["kind"] not in ("Header", "Stack", "Trailer")]
            self.compare(query, "events", [essence(e) for e in selection.events()],
                         [essence(e) for e in events if not e.get("synthetic")])
            if selection.windows and selection.windows[0][0] > self.trace.first:
                self.states(query, selection, events)
            if query.only[0] == "kind" and "StateTransition" not in query.only[1]:
                return
            spans = selection.spans()
            self.compare(query, "CSV spans", spans, self.csv_spans(query))
            if events:
                shown = [(f"G{g}", f"waiting: {r}" if s == "Waiting" and r else s.lower() if s != "Syscall" else "syscall", a, b)
                         for g, s, r, a, b in spans]
                self.compare(query, "viewer spans", sorted(shown), self.viewer_spans(query, events[0]["t"]))
        except (RuntimeError, ValueError, KeyError) as error:
            self.fail(query, str(error))

    def states(self, query, selection, events):
        start = selection.windows[0][0]
        expected = selection.states(start)
        established = sorted(
            (e["id"], e["to"], e["reason"]) for e in events
            if e.get("synthetic") and e["t"] == start and e["kind"] == "StateTransition"
            and e["resource"] == "goroutine" and e["from"] == "Undetermined" and e["to"] != "Undetermined")
        self.compare(query, "states at the start", expected, established)

    def csv_spans(self, query):
        rows = csv.DictReader(self.run(query, "csv", "--table", "spans").splitlines())
        spans = []
        for row in rows:
            if row["state"] != "Undetermined":
                begin = int(row["start_clock_ns"])
                spans.append((int(row["goroutine"]), row["state"], row["reason"], begin, begin + int(row["duration_ns"])))
        return sorted(spans)

    def viewer_spans(self, query, origin):
        content = json.loads(self.run(query, "chrome"))["traceEvents"]
        names, spans = {}, []
        for entry in content:
            if entry["ph"] == "M" and entry["name"] == "thread_name" and entry["pid"] == 2:
                names[entry["tid"]] = entry["args"]["name"].split(" ")[0]
        for entry in content:
            known = re.match(r"(waiting|running|runnable|syscall)", entry.get("name", ""))
            if entry["ph"] == "X" and entry["pid"] == 2 and known:
                begin = origin + round(entry["ts"] * 1000)
                spans.append((names[entry["tid"]], entry["name"], begin, begin + round(entry["dur"] * 1000)))
        return sorted(spans)

    def compare(self, query, what, expected, found):
        if expected == found:
            return
        missing = [x for x in expected if x not in set(found)][:3]
        extra = [x for x in found if x not in set(expected)][:3]
        self.fail(query, f"{what}: {len(expected)} expected, {len(found)} found; missing {missing}; too many {extra}")

    def fail(self, query, text):
        self.failures += 1
        print(f"{self.file} {' '.join(query.options)}: {text}")


def main():
    vestige, corpus = sys.argv[1], Path(sys.argv[2])
    count = failures = 0
    for name in sys.argv[3:] or TRACES:
        trace = Trace(corpus / f"{name}.events.jsonl.gz")
        check = Check(vestige, corpus / f"{name}.trace", trace)
        for query in queries(trace):
            check.check(query)
            count += 1
        failures += check.failures
    print(f"{count} queries, {failures} failures")
    sys.exit(1 if failures or count == 0 else 0)


if __name__ == "__main__":
    main()
