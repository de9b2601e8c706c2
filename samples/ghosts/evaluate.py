#!/usr/bin/env python3
"""Compares what `vestige ghosts` finds in the labelled programs with their labels, and prints the table of docs/ghosts.md.

    samples/ghosts/evaluate.py VESTIGE [--set tuning|heldout] [--misses]

Per class: precision and recall, over all goroutines of all recordings; and how many of the goroutines that are labelled
leaked or stuck Go's own goroutineleak profile has found in the runs that wrote one.
"""
import argparse
import collections
import json
import pathlib
import re
import subprocess

CLASSES = ["leaked", "stuck", "orphan", "piling up", "hog", "starved"]
HERE = pathlib.Path(__file__).parent


def found(vestige, trace):
    """By goroutine: the class that it is named under."""
    run = subprocess.run([vestige, "ghosts", trace, "--json", "-q"], capture_output=True, text=True)
    if run.returncode not in (0, 1):
        raise SystemExit(f"{trace}: {run.stderr}")
    classes = {}
    for finding in json.loads(run.stdout)["findings"]:
        assert len(finding["goroutines"]) == finding["count"], (str(trace), "not every goroutine is listed")
        for goroutine in finding["goroutines"]:
            assert goroutine not in classes, (str(trace), goroutine, "is named twice")
            classes[goroutine] = finding["class"]
    return classes


def labels(path):
    return {int(number): label for number, label in (line.split("\t") for line in path.read_text().splitlines())}


def leaks(path):
    text = path.read_text() if path.exists() else ""
    return {int(number) for number in re.findall(r"^goroutine (\d+) \[[^\]]*\(leaked\)", text, re.M)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("vestige")
    parser.add_argument("--set", default="*")
    parser.add_argument("--misses", action="store_true")
    arguments = parser.parse_args()
    right, wrong, missed, truth = (collections.Counter() for _ in range(4))
    blocked = profiled = healthy = profile_wrong = vestige_found = 0
    for trace in sorted(HERE.glob(f"{arguments.set}/*/*.trace.zst")):
        expected = labels(trace.with_name(trace.name.replace(".trace.zst", ".labels")))
        actual = found(arguments.vestige, trace)
        profile_path = trace.with_name(trace.name.replace(".trace.zst", ".leaks"))
        profile = leaks(profile_path)
        for goroutine in sorted(expected.keys() | actual.keys()):
            want, got = expected.get(goroutine, "healthy"), actual.get(goroutine, "healthy")
            if goroutine in expected and want == "healthy":
                healthy += 1
            truth[want] += want != "healthy"
            if want == got:
                right[want] += want != "healthy"
                continue
            wrong[got] += got != "healthy"
            missed[want] += want != "healthy"
            if arguments.misses:
                print(f"{trace.relative_to(HERE)} G{goroutine}: {want}, found {got}")
        if profile_path.exists():
            ever = {g for g, label in expected.items() if label in ("leaked", "stuck")}
            blocked += len(ever)
            profiled += len(ever & profile)
            profile_wrong += len(profile - ever)
            vestige_found += sum(actual.get(g) in ("leaked", "stuck") for g in ever)
    print("| class | goroutines | found | precision | recall |\n|---|---|---|---|---|")
    for name in CLASSES:
        reported = right[name] + wrong[name]
        precision = right[name] / reported if reported else float("nan")
        recall = right[name] / truth[name] if truth[name] else float("nan")
        print(f"| {name} | {truth[name]} | {right[name]} | {precision:.3f} | {recall:.3f} |")
    print(f"\nhealthy: {healthy}; wrongly named: {sum(wrong.values())}")
    print(f"Go's profile: {profiled} of {blocked} blocked for ever, {profile_wrong} wrong; Vestige there: {vestige_found}")


if __name__ == "__main__":
    main()
