#!/usr/bin/env python3
"""Captures from a real program under a real Delve, and checks that the program does not notice. Captures
from net/http/pprof of a real program, and checks that what was fetched fits together.

    check.py VESTIGE [GO…]

The second is done with each GO (default go), the command of a toolchain.

Each case starts `dlv exec --headless` with Tests/live/program, lets `vestige capture delve` at it, and waits
until the program has done all its work. A proxy between the two cuts the connection where a case says so.
"""
import json, os, select, signal, socket, subprocess, sys, tempfile, threading, time

vestige = os.path.abspath(sys.argv[1])
here = os.path.dirname(os.path.abspath(__file__))
work = tempfile.mkdtemp(prefix="vestige-live-")
failures = 0


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Target:
    """The program under a headless Delve."""

    def __init__(self, rounds=150, *options):
        self.rounds, self.port = rounds, free_port()
        self.output = open(os.path.join(work, "program.out"), "w+")
        self.process = subprocess.Popen(
            ["dlv", "exec", "--headless", "--api-version=2", f"--listen=127.0.0.1:{self.port}", *options,
             os.path.join(work, "program"), "--", str(rounds)],
            stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT, start_new_session=True,
            env={**os.environ, "PROGRAM_TRACE": os.path.join(work, "program.trace")})
        self.wait_for("API server listening")
        time.sleep(0.5)

    def text(self):
        with open(self.output.name) as f:
            return f.read()

    def wait_for(self, words, seconds=40):
        end = time.time() + seconds
        while time.time() < end:
            if words in self.text():
                return True
            time.sleep(0.05)
        return False

    def call(self, method, **parameters):
        with socket.create_connection(("127.0.0.1", self.port), 10) as s:
            s.sendall((json.dumps({"method": "RPCServer." + method, "params": [parameters], "id": 1}) + "\n").encode())
            return json.loads(s.makefile().readline())

    def is_running(self):
        answer = self.call("State", NonBlocking=True)
        return bool(answer["result"]) and answer["result"]["State"]["Running"]

    def breakpoints(self):
        """Waits for a stop where the program runs, so it is halted for a moment."""
        was_running = self.is_running()
        if was_running:
            self.call("Command", name="halt")
        names = [b["name"] for b in self.call("ListBreakpoints", All=False)["result"]["Breakpoints"] if b["id"] > 0]
        if was_running:
            threading.Thread(target=self.go_on, daemon=True).start()
            while not self.is_running():
                time.sleep(0.02)
        return names

    def go_on(self):
        try:
            self.call("Command", name="continue")
        except (OSError, ValueError):
            pass

    def finished(self):
        """Whether the program has done all its work."""
        return self.wait_for(f"done {self.rounds * (self.rounds - 1)}")

    def end(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


class Proxy:
    """Hands bytes on, and cuts the connection when a request for a method goes by (once), before or after it."""

    def __init__(self, port, method, after_answer):
        self.port, self.target, self.method, self.after = free_port(), port, method.encode(), after_answer
        self.has_cut = False
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        server = socket.create_connection(("127.0.0.1", self.target))
        armed = False
        try:
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    data = ready.recv(1 << 16)
                    if not data:
                        return
                    if ready is client and self.method in data and not self.has_cut:
                        if not self.after:
                            self.has_cut = True
                            return
                        armed = True
                    if ready is server and armed:
                        self.has_cut = True
                        return
                    (server if ready is client else client).sendall(data)
        except OSError:
            pass
        finally:
            client.close()
            server.close()


def capture(port, *options, name="out.json"):
    path = os.path.join(work, name)
    process = subprocess.Popen(
        [vestige, "capture", "delve", f"127.0.0.1:{port}", "-f", "-o", path, *options], stderr=subprocess.PIPE, text=True)
    return process, path


def finish(process, seconds=60):
    try:
        return process.communicate(timeout=seconds)[1], process.returncode
    except subprocess.TimeoutExpired:
        process.kill()
        return "no end: " + process.communicate()[1], -1


def events(path):
    text = subprocess.run([vestige, "convert", path, "--to", "jsonl", "-o", "-", "-q"], capture_output=True, check=True).stdout
    return [json.loads(line) for line in text.splitlines()]


def check(condition, what):
    global failures
    if not condition:
        failures += 1
    print(("    ok: " if condition else "    FAILED: ") + what, flush=True)


def case(name):
    print("  " + name, flush=True)


def observed(path):
    return [e for e in events(path) if e["kind"] == "Observed" and e["g"] > 0]


def snapshot_of_running():
    case("a running program is captured and runs on")
    target = Target(500, "--accept-multiclient", "--continue")
    said, status = finish(capture(target.port)[0])
    check(status == 0 and "runs, as before" in said, said.strip())
    seen = observed(os.path.join(work, "out.json"))
    parked = [e for e in seen if any("main.parked" in f for f in e.get("stack", []))]
    check(len(parked) == 1 and parked[0]["state"] == "waiting" and parked[0]["reason"] == "chan receive", "it waits where it should")
    check(parked and parked[0].get("labels") == {"test": "live"}, "labels are there")
    check(all(e.get("stack") for e in seen) and len(seen) >= 5, f"{len(seen)} goroutines have stacks")
    check(target.is_running() and target.breakpoints() == [], "it runs, without breakpoints")
    check(target.finished(), "it does all its work")
    target.end()


def snapshot_of_stopped():
    case("a stopped program stays stopped")
    target = Target(30, "--accept-multiclient")
    said, status = finish(capture(target.port, "--break", "main.checkpoint")[0])
    check(status == 0 and "stopped, as before" in said, said.strip())
    hits = [e for e in events(os.path.join(work, "out.json")) if e["kind"] == "Breakpoint"]
    check([h["name"] for h in hits] == ["vestigeStop"], "the breakpoint is in the output")
    check(not target.is_running() and target.breakpoints() == [], "it is stopped, without breakpoints")
    threading.Thread(target=lambda: target.call("Command", name="continue"), daemon=True).start()
    check(target.finished(), "it does all its work once it is let go")
    target.end()


def lifecycle():
    case("births and deaths are recorded")
    target = Target(500, "--accept-multiclient", "--continue")
    said, status = finish(capture(target.port, "--lifecycle", "--for", "1")[0])
    check(status == 0 and "runs, as before" in said, said.strip())
    moves = [e for e in events(os.path.join(work, "out.json")) if e["kind"] == "StateTransition"]
    born = {e["id"] for e in moves if e["from"] == "NotExist"}
    died = {e["id"] for e in moves if e["to"] == "NotExist"}
    check(len(born) > 2 and len(born & died) > 1, f"{len(born)} born, {len(died)} ended, {len(born & died)} both")
    check(target.is_running() and target.breakpoints() == [], "it runs, without breakpoints")
    check(target.finished(), "it does all its work")
    target.end()


def interrupted(number):
    case(f"signal {number.name} leaves the program running")
    target = Target(500, "--accept-multiclient", "--continue")
    process, path = capture(target.port, "--lifecycle", "--for", "30")
    time.sleep(1.5)
    process.send_signal(number)
    said, status = finish(process)
    check(status == 130 and "runs, as before" in said, said.strip())
    check(target.is_running() and target.breakpoints() == [], "it runs, without breakpoints")
    check(target.finished(), "it does all its work")
    target.end()


def timed_out():
    case("a breakpoint that nobody reaches")
    target = Target(500, "--accept-multiclient", "--continue")
    said, status = finish(capture(target.port, "--break", "main.never", "--timeout", "1")[0])
    check(status == 3 and "was not called within" in said and "runs, as before" in said, said.strip())
    check(target.is_running() and target.breakpoints() == [] and target.finished(), "it runs and does all its work")
    target.end()


def cut(method, after, *options):
    case(f"the connection is cut {'after' if after else 'before'} {method}")
    target = Target(500, "--accept-multiclient", "--continue")
    proxy = Proxy(target.port, method, after)
    said, status = finish(capture(proxy.port, *options)[0])
    # What is cut while the program is put back as it was costs nothing: the snapshot was complete.
    check(proxy.has_cut and status == (0 if method == '"continue"' else 3) and ("runs, as before" in said or "was not touched" in said), said.strip())
    check(target.is_running() and target.breakpoints() == [], "it runs, without breakpoints")
    check(target.finished(), "it does all its work")
    target.end()


def single_client():
    case("a Delve for one client is refused, and the program that it is attached to goes on")
    with open(os.path.join(work, "attached.out"), "w+") as output:
        program = subprocess.Popen([os.path.join(work, "program"), "100"], stdout=output)
        port = free_port()
        delve = subprocess.Popen(
            ["dlv", "attach", "--headless", "--api-version=2", f"--listen=127.0.0.1:{port}", str(program.pid)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        delve.stdout.readline()
        said, status = finish(capture(port)[0])
        check(status == 3 and "--accept-multiclient" in said and "goes on without it" in said, said.strip())
        try:
            check(program.wait(40) == 0 and "done 9900" in open(output.name).read(), "it does all its work")
        except subprocess.TimeoutExpired:
            check(False, "it ends")
            program.kill()
        delve.kill()
        delve.wait()


def lifecycle_joins_the_trace():
    case("births and deaths that Delve saw are those of the trace")
    target = Target(500, "--accept-multiclient", "--continue")
    trace = os.path.join(work, "program.trace")
    said, status = finish(capture(target.port, "--lifecycle", "--for", "1", name="births.json")[0])
    check(status == 0, said.strip())
    check(target.finished() and target.wait_for("traced"), "it does all its work")
    target.end()
    log = os.path.join(work, "births.json")
    agreed = subprocess.run([vestige, "agree", trace, log, "--json"], capture_output=True, text=True)
    found = json.loads(agreed.stdout) if agreed.stdout else {"snapshots": []}
    kinds = [s["placed_by"] for s in found["snapshots"]]
    check(agreed.returncode == 0 and "lifecycle" in kinds and len(kinds) == 2, f"{kinds} {agreed.stderr.strip()}")
    check(all(s["compared"] > 1 for s in found["snapshots"]), f"{[s['compared'] for s in found['snapshots']]} compared")


def pprof(go):
    version = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=True).stdout.strip()
    case(f"a trace and profiles from net/http/pprof of {version} fit together")
    server, folder = os.path.join(work, "server"), os.path.join(work, f"pprof-{version}")
    build(go, "server", server)
    process = subprocess.Popen([server], stdout=subprocess.PIPE, text=True)
    address = process.stdout.readline().split()[0]
    time.sleep(0.5)
    said = subprocess.run([vestige, "capture", "pprof", address, "--seconds", "2.5", "-o", folder],
                          capture_output=True, text=True)
    check(said.returncode == 0 and process.poll() is None, said.stderr.strip().replace("\n", "\n        "))
    process.kill()
    process.wait()
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    has_leaks = tuple(int(n) for n in version[2:].split(".")[:2]) >= (1, 27)
    check(len(names) == (4 if has_leaks else 3), " ".join(names))
    inputs = [os.path.join(folder, name) for name in names]
    agreed = subprocess.run([vestige, "agree", *inputs], capture_output=True, text=True)
    check(agreed.returncode == 0, agreed.stdout.strip().replace("\n", "\n        ") + agreed.stderr)
    joined = subprocess.run([vestige, "convert", *inputs, "--to", "jsonl", "-o", "-", "-q"], capture_output=True, text=True)
    lines = [json.loads(line) for line in joined.stdout.splitlines()]
    sources = lines[-1].get("sources", []) if lines else []
    placed = {os.path.basename(s["path"]): s["alignment"][0] for s in sources if "alignment" in s}
    times = [line["t"] for line in lines if line.get("kind") == "StateTransition"]
    check(len(placed) == len(names) - 1 and all(min(times) < a["t"] < max(times) for a in placed.values()),
          "each is found within the trace: " + ", ".join(f"{n} by {a['by']}" for n, a in placed.items()))
    seen = [line for line in lines if line.get("kind") == "Observed" and line.get("leaked")]
    if has_leaks:
        check(sum(s.get("count", 1) for s in seen) == 3 and all("main.leaking" in str(s["stack"]) for s in seen),
              "the goroutines that leak are those that do")


def build(go, name, output):
    subprocess.run([go, "build", "-o", output, "."], cwd=os.path.join(here, name), check=True,
                   env={**os.environ, "CGO_ENABLED": "0", "GO111MODULE": "off", "GOFLAGS": "-gcflags=all=-N"})


for go in sys.argv[2:] or ["go"]:
    pprof(go)
build("go", "program", os.path.join(work, "program"))
snapshot_of_running()
snapshot_of_stopped()
lifecycle()
lifecycle_joins_the_trace()
interrupted(signal.SIGINT)
interrupted(signal.SIGTERM)
timed_out()
single_client()
cut("IsMulticlient", False)
cut('"halt"', True)
cut("ListGoroutines", False)
cut("Stacktrace", True)
cut("CreateBreakpoint", True, "--lifecycle", "--for", "1")
cut("ClearBreakpoint", False, "--lifecycle", "--for", "1")
cut('"continue"', False)
subprocess.run(["rm", "-rf", work])
print(f"{failures} failures")
sys.exit(1 if failures else 0)
