#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compares gnatwren with the Go server: the workload table of docs/performance.md, measured in turn on both.

Every sample is a fresh server process loaded by natsload (tests/bench/natsload.c), which also checks the deliveries.
Each round visits every row, and in a row the two contenders one after the other in random order; what is compared are
medians over the rounds.  Numbers never make this fail; lost or corrupt messages and servers that do not start do.

The workloads and their targets are in workloads.py.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import os
import platform
import random
import re
import resource
import select
import shlex
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from workloads import CONFIGS, CONTENDERS, INDEXES, METHOD, ROWS, SECTIONS, Metric, Row, show

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
OUT = ROOT / "build" / "bench"
NATSLOAD = OUT / "natsload"
DOC = ROOT / "docs" / "performance.md"
NOTES_BEGIN, NOTES_END = "<!-- notes: begin (kept when this file is written again) -->", "<!-- notes: end -->"

# ---------------------------------------------------------------- running a server


class RunError(Exception):
    """A run that gave no result; the text says why."""


@contextlib.contextmanager
def on_cores(cores: set[int]):
    """Processes started inside run on these cores only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A server process on a free port of 127.0.0.1; its log goes to stderr_fd."""

    def __init__(self, command: list[str], stderr_fd: int, cores: set[int] | None = None):
        self.port = free_port()
        argv = [*command, "-a", "127.0.0.1", "-p", str(self.port)]
        files = [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                 (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0),
                 (os.POSIX_SPAWN_DUP2, stderr_fd, 2)]
        with on_cores(cores or os.sched_getaffinity(0)):
            self.start_ns = time.monotonic_ns()
            try:
                # Not subprocess: it takes about a millisecond more, a part of what is measured.
                self.pid = os.posix_spawnp(argv[0], argv, os.environ, file_actions=files,
                                           setsigdef=[signal.SIGPIPE, signal.SIGXFSZ])  # Python ignores these
            except OSError as e:
                raise RunError(f"{argv[0]}: {e.strerror}") from None
        self.is_running = True

    def _check_running(self) -> None:
        if self.is_running and os.waitpid(self.pid, os.WNOHANG)[0]:
            self.is_running = False
        if not self.is_running:
            raise RunError("the server exited")

    def wait_info(self, timeout: float = 10) -> int:
        """Nanoseconds from exec to the first INFO."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout) as s:
                if s.recv(5) == b"INFO ":
                    return time.monotonic_ns() - self.start_ns
            self._check_running()
            time.sleep(0.00005)
        raise RunError("the server does not answer")

    def rss(self) -> int:
        """Resident memory in bytes."""
        return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.pid}/status").read_text())[1]) * 1024

    def threads_ns(self) -> dict[str, int]:
        """CPU time of each thread."""
        times = {}
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            with contextlib.suppress(OSError):  # a thread may end meanwhile
                times[task.name] = int((task / "schedstat").read_text().split()[0])
        return times

    def stop(self, timeout: float = 5) -> None:
        if not self.is_running:
            return
        os.kill(self.pid, signal.SIGTERM)
        end = time.monotonic() + timeout
        while not os.waitpid(self.pid, os.WNOHANG)[0]:
            if time.monotonic() > end:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                break
            time.sleep(0.005)
        self.is_running = False


# ---------------------------------------------------------------- what goes on beside the load


@contextlib.contextmanager
def idle_connections(port: int, n: int):
    """So many clients that have logged in and do nothing."""
    with contextlib.ExitStack() as stack:
        for i in range(n):
            # A port of ours is good for one connection to each address; there are more addresses than that.
            s = stack.enter_context(socket.create_connection(("127.0.0.1", port), 10, (f"127.0.1.{i // 10000 + 1}", 0)))
            s.sendall(b'CONNECT {"verbose":false}\r\nPING\r\n')
            answer = b""
            while b"PONG\r\n" not in answer:
                answer += s.recv(4096) or b"PONG\r\n"
        yield


def poll(port: int, stop: threading.Event) -> None:
    """Asks for the large documents, each second."""
    while not stop.wait(1):
        for path in ("/connz?limit=100000", "/varz", "/subsz?subs=1"):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
                while answer.read(1 << 20):
                    pass


@contextlib.contextmanager
def polled(port: int | None):
    """Polls a monitoring port meanwhile; None: does not."""
    stop = threading.Event()
    poller = threading.Thread(target=poll, args=(port, stop)) if port else None
    if poller:
        poller.start()
    try:
        yield
    finally:
        stop.set()
        if poller:
            poller.join()


# ---------------------------------------------------------------- taking a sample


@dataclass
class Bench:
    """What all samples have in common."""

    commands: dict[str, list[str]]  # contender: its command line
    secs: float
    is_quick: bool
    http_port: int = 0  # of the server at hand, if it has one

    def sample(self, row: Row, contender: str) -> dict:
        """Runs a row once on one contender; a dict with the row's metrics, or with "error"."""
        self.http_port = free_port()
        try:
            command = self.command(row, contender)
            if row.load == "index":
                return run_index(command)
            if row.load == "start":
                return self.run_start(command)
            return self.run_load(row, command, self.http_port if contender == "polled" else None)
        except RunError as e:
            return {"error": str(e)}

    def command(self, row: Row, contender: str) -> list[str]:
        command = [str(self.http_port) if arg == "HTTP" else arg for arg in self.commands[contender]]
        return [*command, "-c", str(OUT / f"{row.config}.conf")] if row.config else command

    def load_command(self, row: Row, server: Server) -> list[str]:
        sizes = ["--warmup", "0.2", *shlex.split(row.quick)] if self.is_quick else []
        return [str(NATSLOAD), "-a", "127.0.0.1", "-p", str(server.port), "--server-pid", str(server.pid), "--json",
                "-d", str(self.secs), *shlex.split(row.load), *sizes]

    def cores(self, row: Row) -> tuple[set[int], set[int]]:
        """The cores of the server and those of the load."""
        cores = sorted(os.sched_getaffinity(0))
        return (set(cores[:1]), set(cores[1:] or cores)) if row.pin else (set(cores), set(cores))

    def run_load(self, row: Row, command: list[str], polled_port: int | None) -> dict:
        server_cores, load_cores = self.cores(row)
        log = OUT / "server.log"
        with open(log, "wb") as f:
            server = Server(command, f.fileno(), server_cores)
        try:
            server.wait_info()
            time.sleep(0.2)  # lets that connection go, and a garbage collector settle
            with idle_connections(server.port, row.n_idle // (10 if self.is_quick else 1)), on_cores(load_cores):
                before = server.threads_ns()
                with polled(polled_port):
                    done = subprocess.run(self.load_command(row, server), capture_output=True, text=True, check=False,
                                          timeout=300)
            if done.returncode:
                raise RunError((done.stderr.strip() or f"natsload: status {done.returncode}").splitlines()[0])
            after = server.threads_ns()
        except (RunError, subprocess.TimeoutExpired, OSError) as e:
            last = log.read_text(errors="replace").strip().splitlines()[-1:]
            raise RunError(" | ".join([str(e), *last])) from None
        finally:
            server.stop()
        return derive(json.loads(done.stdout), [ns - before.get(tid, 0) for tid, ns in after.items()], len(load_cores))

    def run_start(self, command: list[str]) -> dict:
        ready, info, rss = [], [], []
        for _ in range(3 if self.is_quick else 5):
            ready.append(time_to_ready(command))
            with open(os.devnull, "wb") as null:
                server = Server(command, null.fileno())
            try:
                info.append(server.wait_info())
                time.sleep(0.3)
                rss.append(server.rss())
            finally:
                server.stop()
        return {key: statistics.median(v) for key, v in (("ready_ns", ready), ("info_ns", info), ("rss", rss))}


def derive(sample: dict, threads_ns: list[int], n_load_cores: int) -> dict:
    """Adds to natsload's figures what follows from them and from the CPU time of the server's threads."""
    shares = sorted((ns / max(sum(threads_ns), 1) for ns in threads_ns), reverse=True)
    sample["msgs_per_s"] = sample["in_per_s"] + sample["out_per_s"]
    sample["capacity"] = 1e9 / max(sample["cpu_ns_per_msg"] * shares[0], 1e-9)
    sample["second_share"] = 100 * (shares[1] if len(shares) > 1 else 0)
    sample["all_cores"] = sample["server_cores"] + sample["load_cores"]
    sample["is_load_bound"] = sample["load_cores"] > 0.95 * n_load_cores
    for p in ("p50", "p99", "p999"):
        if f"{p}_us" in sample:
            sample[f"{p}_ns"] = sample[f"{p}_us"] * 1000
    return sample


def run_index(command: list[str]) -> dict:
    """What index_bench prints: nanoseconds by its words."""
    try:
        text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout
    except (OSError, subprocess.SubprocessError) as e:
        raise RunError(str(e)) from None
    return {what: float(ns) for what, ns in re.findall(r"^(\S.*?) +(\d+) ns$", text, re.MULTILINE)}


def time_to_ready(command: list[str], timeout: float = 10) -> int:
    """Nanoseconds from exec to "Server is ready" in the log."""
    read_end, write_end = os.pipe()
    try:
        server = Server(command, write_end)
    except RunError:
        os.close(read_end)
        raise
    finally:
        os.close(write_end)
    try:
        log = b""
        while b"Server is ready" not in log:
            more = select.select([read_end], [], [], timeout)[0] and os.read(read_end, 65536)
            if not more:
                raise RunError('no "Server is ready" in the log')
            log += more
        return time.monotonic_ns() - server.start_ns
    finally:
        server.stop()
        os.close(read_end)


# ---------------------------------------------------------------- the report


def good(samples: list[dict], key: str) -> list[float]:
    return [s[key] for s in samples if key in s]


def table_line(row: Row, metric: Metric, samples: dict[str, list[dict]]) -> list[str]:
    """The cells workload, base, candidate, ratio, target, reached."""
    sides = [good(samples[who], metric.key) for who in row.pair]
    middle = [statistics.median(side) if side else None for side in sides]
    cells = []
    for who, value in zip(row.pair, middle):
        bound = row.pin and sum(s.get("is_load_bound", False) for s in samples[who]) * 2 > len(samples[who])
        cells.append("failed" if value is None else show(value, metric.unit) + ("¹" if bound else ""))
    ratio_text, reached = "–", "–"
    if middle[1] is not None and metric.is_compared:
        ratio = middle[1] / middle[0] if middle[0] else float("nan")
        each = [s[1][metric.key] / s[0][metric.key] for s in zip(*(samples[who] for who in row.pair))
                if metric.key in s[0] and metric.key in s[1] and s[0][metric.key]]
        if ratio == ratio:  # not NaN
            ratio_text = f"{ratio:.2f}" + (f" ({min(each):.2f}–{max(each):.2f})" if len(each) > 1 else "")
        if metric.target and (ratio == ratio or not metric.target.is_ratio):
            reached = "yes" if metric.target.reached(middle[1], ratio) else "no"
    target = metric.target.text(metric.unit) if metric.target else "–"
    name = f"{row.what}: {metric.what} (`{row.load}`)" if metric is row.metrics[0] else f"… {metric.what}"
    return [name, *cells, ratio_text, target, reached]


def tables(rows: list[Row], results: dict[str, dict[str, list[dict]]]) -> str:
    """One table per section, as Markdown."""
    text = []
    for title, members in SECTIONS.items():
        shown = [r for r in members if r in rows and all(results[r.name].values())]
        if shown:
            text += [f"\n## {title}\n", f"| workload | {' | '.join(shown[0].pair)} | ratio | target | reached? |",
                     "|---|---|---|---|---|---|"]
            text += ["| " + " | ".join(table_line(r, m, results[r.name])) + " |" for r in shown for m in r.metrics]
    return "\n".join(text) + "\n"


def output_of(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT).stdout.strip()
    except OSError:
        return ""


def machine(commands: dict[str, list[str]], rounds: int, secs: float) -> dict[str, str]:
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    commit = output_of("git", "describe", "--always", "--dirty")
    return {
        "date": datetime.date.today().isoformat(),
        "machine": f"{model[1] if model else platform.machine()}, {len(os.sched_getaffinity(0))} cores, "
                   f"{memory / 2**30:.0f} GB",
        "kernel": platform.release(),
        "compiler of the load": (output_of("cc", "--version").splitlines() or [""])[0],
        "peer": output_of(*commands["peer"], "--version"),
        "gnatwren": f"{output_of(*commands['gnatwren'], '--version')}, commit {commit or 'unknown'}",
        "rounds": f"{rounds} of {secs:g} s each, load average at the start {os.getloadavg()[0]:.2f}",
    }


def write_doc(facts: dict[str, str], table_text: str) -> None:
    """Writes docs/performance.md; keeps what stands between the notes markers."""
    notes = "\n"
    if DOC.exists():
        kept = re.search(re.escape(NOTES_BEGIN) + "(.*)" + re.escape(NOTES_END), DOC.read_text(), re.DOTALL)
        notes = kept[1] if kept else notes
    head = "\n".join(f"* {key}: {value}" for key, value in facts.items())
    DOC.parent.mkdir(exist_ok=True)
    DOC.write_text(f"# Performance\n\n{METHOD}\n{head}\n{table_text}\n## Notes\n\n{NOTES_BEGIN}{notes}{NOTES_END}\n")


# ---------------------------------------------------------------- profiling


def profile(bench: Bench, row: Row) -> None:
    """Runs a row once on gnatwren under perf, or else callgrind, and prints the hottest functions."""
    command = bench.command(row, row.pair[1])
    data = OUT / "perf.data"
    is_perf = bool(shutil.which("perf")) and not subprocess.run(
        ["perf", "record", "-o", data, "true"], capture_output=True, check=False).returncode
    if not is_perf:
        data = OUT / "callgrind.out"
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={data}", *command]
    server_cores, load_cores = bench.cores(row)
    with open(OUT / "server.log", "wb") as f:
        server = Server(command, f.fileno(), server_cores)
    recorder = None
    try:
        server.wait_info(60)
        if is_perf:
            recorder = subprocess.Popen(["perf", "record", "-q", "-g", "-F", "1999", "-o", data,
                                         "-p", str(server.pid)])
            time.sleep(0.5)
        with on_cores(load_cores):
            subprocess.run([*bench.load_command(row, server), "--drain", "60"], check=False, stdout=subprocess.DEVNULL)
    finally:
        if recorder:
            recorder.send_signal(signal.SIGINT)
            recorder.wait()
        server.stop(60)
    if is_perf:
        report = output_of("perf", "report", "-i", str(data), "--stdio", "--no-children", "-g", "none",
                           "-F", "overhead,dso,sym", "--percent-limit", "0.5")
        report = "\n".join(line for line in report.splitlines() if line and not line.startswith("#"))
    else:
        report = output_of("callgrind_annotate", "--auto=no", str(data))
    print("\n".join(report.splitlines()[:60]))
    print(f"\nwith callers: {'perf report -g -i' if is_perf else 'callgrind_annotate --tree=caller'} {data}")


# ---------------------------------------------------------------- main


def our_commands(server: str) -> dict[str, list[str]]:
    """The command lines of all contenders but the peer; index_bench is that of the server's build."""
    index_bench = Path(server).parent / "tests/unit/broker/index_bench"
    programs = [(server, CONTENDERS), (str(index_bench), INDEXES)]
    return {who: [program, *shlex.split(args.replace("OUT", str(OUT)))] for program, table in programs
            for who, args in table.items()}


def write_configs() -> None:
    """The configuration files of the rows that need one, and the certificate that they name."""
    for name, text in CONFIGS.items():
        (OUT / f"{name}.conf").write_text(text.replace("OUT", str(OUT)))
    if not (OUT / "cert.pem").exists():
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650",
                        "-subj", "/CN=localhost", "-keyout", OUT / "key.pem", "-out", OUT / "cert.pem"], check=True, capture_output=True)


def brief(row: Row, sample: dict) -> str:
    return sample.get("error") or ", ".join(show(sample[m.key], m.unit) for m in row.metrics if m.key in sample)


def measure(bench: Bench, rows: list[Row], rounds: int) -> dict[str, dict[str, list[dict]]]:
    """All samples: row, contender, round.  An interrupt ends it early with what there is."""
    results = {row.name: {who: [] for who in row.pair} for row in rows}
    try:
        for n in range(rounds):
            for row in rows:
                taken = {who: bench.sample(row, who) for who in random.sample(row.pair, 2)}
                for who in row.pair:
                    results[row.name][who].append(taken[who])
                text = "  ".join(f"{who}: {brief(row, taken[who])}" for who in row.pair)
                print(f"[{n + 1}/{rounds}] {row.name:18} {text}", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
    return results


def parse_args() -> argparse.Namespace:
    p = argparse.ArgumentParser(description="Compare gnatwren with the Go server and write docs/performance.md.")
    p.add_argument("--server", default=str(ROOT / "build" / "gnatwren"), help="our server (default: build/gnatwren)")
    p.add_argument("--peer", help="the Go server (default: what tests/peer.sh prints)")
    p.add_argument("--rows", metavar="REGEX", default="", help="only rows whose name or load matches; writes nothing")
    p.add_argument("--rounds", type=int, help="default 5")
    p.add_argument("--secs", type=float, help="measured time of a run (2)")
    p.add_argument("--quick", action="store_true", help="one round of short runs; writes nothing")
    p.add_argument("--json", metavar="FILE", help="write all samples")
    p.add_argument("--no-write", action="store_true", help="print the tables, leave docs/performance.md alone")
    p.add_argument("--profile", metavar="ROW", help="only run gnatwren on this row and print its hottest functions")
    p.add_argument("--list", action="store_true", help="list the rows")
    return p.parse_args()


def main() -> int:
    args = parse_args()
    rows = [r for r in ROWS if re.search(args.rows, r.name) or re.search(args.rows, r.load)]
    if args.list:
        print("\n".join(f"{r.name:18} {r.what} ({r.load})" for r in rows))
        return 0
    OUT.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cc", "-std=gnu17", "-O2", "-o", NATSLOAD, HERE / "natsload.c", "-lssl", "-lcrypto", "-lpthread"],
                   check=True)
    write_configs()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    commands = our_commands(os.path.abspath(args.server))
    bench = Bench(commands, args.secs or (0.5 if args.quick else 2), args.quick)
    if args.profile:
        row = next((r for r in ROWS if r.name == args.profile and r.load not in ("start", "index")), None)
        if not row:
            print(f"no such row: {args.profile} (see --list)", file=sys.stderr)
            return 2
        try:
            profile(bench, row)
        except RunError as e:
            print(f"{e}; see {OUT / 'server.log'}", file=sys.stderr)
            return 1
        return 0

    commands["peer"] = [args.peer or subprocess.check_output([ROOT / "tests/peer.sh"], text=True).strip()]
    rounds = args.rounds or (1 if args.quick else 5)
    facts = machine(commands, rounds, bench.secs)
    results = measure(bench, rows, rounds)
    table_text = tables(rows, results)
    print(table_text + ("\nShort runs, with fewer connections and subscriptions than the table says.\n" if args.quick else ""))
    if args.json:
        Path(args.json).write_text(json.dumps({"facts": facts, "results": results}, indent=1) + "\n")
    samples = [s for by_name in results.values() for taken in by_name.values() for s in taken]
    is_whole = not args.rows and not args.quick and len(samples) == 2 * rounds * len(ROWS)
    if is_whole and not args.no_write:
        write_doc(facts, table_text)
    errors = [(name, who, s["error"]) for name, by_name in results.items() for who, taken in by_name.items()
              for s in taken if "error" in s]
    for name, who, error in errors:
        print(f"failed: {name}, {who}: {error}", file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
