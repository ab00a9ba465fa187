# SPDX-License-Identifier: Apache-2.0
"""The workloads that bench.py measures, with their targets: one line each in SECTIONS.

A workload is a call of natsload (see `natsload --help`).  METHOD goes into docs/performance.md and says how to read
the figures.
"""

from __future__ import annotations

from dataclasses import dataclass


def show(value: float, unit: str) -> str:
    """A value with three digits and a readable unit."""
    steps = {"ns": [(1e6, "ms"), (1e3, "µs"), (1, "ns")], "/s": [(1e6, "M/s"), (1e3, "k/s"), (1, "/s")],
             "B": [(1 << 20, "MB"), (1 << 10, "KB"), (1, "B")]}.get(unit, [(1, unit)])
    factor, name = next((s for s in steps if abs(value) >= s[0]), steps[-1])
    scaled = value / factor
    digits = 0 if abs(scaled) >= 100 or (unit == "B" and factor == 1) else 1 if abs(scaled) >= 10 else 2
    return f"{scaled:.{digits}f} {name}".strip()


@dataclass(frozen=True)
class Target:
    """A bound on the ratio candidate/base, or on the candidate's own value."""

    bound: float
    is_ratio: bool = True
    at_least: bool = False

    def reached(self, value: float, ratio: float) -> bool:
        x = ratio if self.is_ratio else value
        return x >= self.bound if self.at_least else x <= self.bound

    def text(self, unit: str) -> str:
        bound = f"{self.bound:.2f} ×" if self.is_ratio else show(self.bound, unit)
        return ("≥ " if self.at_least else "≤ ") + bound


@dataclass(frozen=True)
class Metric:
    key: str    # field of a sample; for "index" the words that index_bench uses
    what: str
    unit: str   # see show()
    target: Target | None = None
    is_compared: bool = True  # whether a ratio says something


@dataclass(frozen=True)
class Row:
    name: str
    what: str
    load: str                                    # natsload's arguments; "start" is run_start(), "index" run_index()
    metrics: tuple[Metric, ...]
    pin: bool = False                            # server on one core, load on the others
    pair: tuple[str, str] = ("peer", "gnatwren")  # base and candidate
    quick: str = ""                              # more arguments under --quick
    config: str = ""                             # name of both servers' configuration, in CONFIGS
    n_idle: int = 0                              # connections beside the load


def cpu(bound: float | None, what: str = "CPU per message") -> Metric:
    return Metric("cpu_ns_per_msg", what, "ns", bound and Target(bound))


def cpu_row(name: str, what: str, load: str, bound: float) -> Row:
    return Row(name, what, load, (cpu(bound),), pin=True)


def rate_row(name: str, what: str, load: str) -> Row:
    return Row(name, what, load, (Metric("msgs_per_s", "messages in + out", "/s"),))


def figure(what: str, key: str, unit: str, bound: float, **more) -> Metric:
    """Not compared with anything but its bound."""
    return Metric(key, what, unit, Target(bound, is_ratio=False, **more))


def bytes_at_most(what: str, key: str, bound: float) -> Metric:
    return figure(what, key, "B", bound)


def latencies(p99: float | None = None) -> tuple[Metric, ...]:
    return (Metric("p50_ns", "p50", "ns"), Metric("p99_ns", "p99", "ns", p99 and Target(p99)),
            Metric("p999_ns", "p99.9", "ns"))


def workers_row(name: str, what: str, load: str, *metrics: Metric) -> Row:
    return Row(name, what, load, metrics, pair=("io_threads 1", "io_threads 2"))


def capacity(bound: float | None) -> Metric:
    return Metric("capacity", "capacity of the busiest worker", "/s", bound and Target(bound, at_least=True))


def tls_row(name: str, what: str, load: str, *metrics: Metric, **more) -> Row:
    return Row(name, f"{what}, TLS", f"{load} --tls", metrics, config="tls", **more)


def across_row(name: str, what: str, load: str, bound: float) -> Row:
    """From account to account: those who subscribe to a stream import, responders export."""
    sends, receives = ("importer", "exporter") if load.startswith("reqrep") else ("exporter", "importer")
    users = f"--user {sends} --pass load --sub-user {receives} --sub-pass load"
    return Row(name, what, f"{load} {users}", (cpu(bound),), pin=True, config="accounts")


def mappings_row(name: str, what: str, load: str) -> Row:
    return Row(name, what, load, (cpu(1.10),), pin=True, pair=("without mappings", "with mappings"))


def watched_row(name: str, what: str, load: str, n_idle: int) -> Row:
    return Row(name, f"{what}, {n_idle:,} idle connections beside", load,
               (cpu(None), Metric("msgs_per_s", "messages in + out", "/s", Target(0.95, at_least=True))),
               pair=("not polled", "polled"), n_idle=n_idle)


def _rules(n: int) -> str:
    """n allow and n deny rules, of which only the last that allows has to do with the load."""
    allow = [f"other.{i}.*" for i in range(n - 1)] + ["load.>"]
    deny = [f"other.{i}.secret.>" for i in range(n)]
    return "{allow: [%s], deny: [%s]}" % tuple(", ".join(f'"{subject}"' for subject in side) for side in (allow, deny))


CONFIGS: dict[str, str] = {  # by name; OUT is bench.py's folder, where the certificate is
    "tls": 'tls { cert_file: "OUT/cert.pem", key_file: "OUT/key.pem" }\n',
    "rules": 'authorization { users: [ {user: load, password: load, permissions: {publish: %s, subscribe: %s}} ] }\n'
             % (_rules(20), _rules(20)),
    "accounts": """accounts {
  EXPORTER { users: [ {user: exporter, password: load} ]
             exports: [ {service: "load.service"}, {stream: "load.s.*"}, {stream: "there.s.*"} ] }
  IMPORTER { users: [ {user: importer, password: load} ]
             imports: [ {service: {account: EXPORTER, subject: "load.service"}},
                        {stream: {account: EXPORTER, subject: "load.s.*"}},
                        {stream: {account: EXPORTER, subject: "there.s.*"}, to: "here.s.$1"} ] }
}
""",
    # Beside the subjects of the load: none of them can be left out by its first tokens.
    "mappings": "mappings {\n%s}\n" % "".join(f'  "load.m.a{i % 31}.other{i}.*": "load.there.{i}.$1"\n' for i in range(100)),
}

CONTENDERS: dict[str, str] = {  # our server: the arguments of each; OUT as in CONFIGS, HTTP is a free port
    "gnatwren": "",
    "without rules": "",
    "with rules": "-c OUT/rules.conf",
    "without mappings": "",
    "with mappings": "-c OUT/mappings.conf",
    "not polled": "-m HTTP",
    "polled": "-m HTTP",
    "io_threads 1": "--io_threads 1",
    "io_threads 2": "--io_threads 2",
}

INDEXES: dict[str, str] = {  # index_bench, likewise
    "1,000 subscriptions": "1000",
    "1,000,000 subscriptions": "1000000",
}

SECOND_SHARE = Metric("second_share", "second worker's part of the CPU", "%", is_compared=False)
WALL = (Metric("msgs_per_s", "messages in + out on the wall clock", "/s"),
        Metric("all_cores", "cores busy, server + load", "", is_compared=False), SECOND_SHARE)

SECTIONS: dict[str, list[Row]] = {
    "CPU: the server on one core, the load on the others": [
        cpu_row("pub-16", "publish only, 16 B", "pub -s 16", 0.20),
        cpu_row("1to1-16", "1:1, 16 B", "pubsub -s 16", 0.28),
        cpu_row("4to4-16", "4:4 pairs, 16 B", "pubsub --pubs 4 --subs 4 -s 16", 0.30),
        cpu_row("4to4-one-16", "4:4 one subject, 16 B", "pubsub --pubs 4 --subs 4 --subjects one -s 16", 0.35),
        cpu_row("fanout-16", "fan-out 1:100, 16 B", "fanout -s 16", 0.40),
        cpu_row("fanin-16", "fan-in 16:1, 16 B", "fanin -s 16", 0.27),
        cpu_row("queue-16", "queue 4:4, 16 B", "queue -s 16", 0.30),
        cpu_row("1to1-128", "1:1, 128 B", "pubsub -s 128", 0.33),
        cpu_row("1to1-128-hdr", "1:1, 128 B + 64 B headers", "pubsub -s 128 -H 64", 0.30),
        cpu_row("1to1-5000", "1:1, 128 B over 5,000 subjects", "pubsub -s 128 --subjects 5000", 0.40),
        cpu_row("fanout-128", "fan-out 1:100, 128 B", "fanout -s 128", 0.40),
        cpu_row("1to1-1k", "1:1, 1 KiB", "pubsub -s 1024", 0.60),
        cpu_row("1to1-16k", "1:1, 16 KiB", "pubsub -s 16384", 0.70),
        cpu_row("reqrep-1", "request-reply, 1 connection", "reqrep -s 16", 0.70),
        cpu_row("reqrep-64", "request-reply, 64 connections", "reqrep --conns 64 -s 16", 0.50),
        cpu_row("reqrep-64-fresh", "request-reply, 64 connections, each reply subject used once",
                "reqrep --conns 64 -s 16 --fresh", 0.50),
        cpu_row("open-loop", "open loop, 100 k msg/s", "latency -r 100k", 0.65),
        Row("churn", "connect + SUB + PING + close", "churn", (cpu(0.40, "CPU per cycle"),), pin=True),
        Row("pub-miss", "publish only, 16 B, over 1,000,000 subjects among 1,000,000 subscriptions, 10 % wildcards",
            "pub -s 16 --subjects 1000000 --extra-subs 1000000 --wild 10",
            (figure("CPU per message", "cpu_ns_per_msg", "ns", 1000),), pin=True, quick="--subjects 100000 --extra-subs 100000"),
    ],
    "Accounts: the server on one core, the load on the others": [
        across_row("reqrep-1-service", "request-reply across accounts, 1 connection", "reqrep -s 16", 0.50),
        across_row("reqrep-64-service", "request-reply across accounts, 64 connections", "reqrep --conns 64 -s 16", 0.50),
        across_row("reqrep-64-service-fresh", "request-reply across accounts, 64 connections, each reply subject used once",
                   "reqrep --conns 64 -s 16 --fresh", 0.50),
        across_row("1to1-16-stream", "1:1, 16 B, stream import", "pubsub -s 16", 0.40),
        across_row("1to1-16-stream-to", "1:1, 16 B, stream import to another subject",
                   "pubsub -s 16 --prefix there --sub-prefix here", 0.40),
    ],
    "Mappings: gnatwren with 100 that do not match against gnatwren without, the server on one core": [
        mappings_row("mappings-16", "1:1, 16 B", "pubsub -s 16"),
        mappings_row("mappings-5000", "1:1, 16 B over 5,000 subjects", "pubsub -s 16 --subjects 5000"),
        mappings_row("mappings-miss", "publish only, 16 B, over 100,000 subjects: no cached match", "pub -s 16 --subjects 100000"),
    ],
    "Index: one with 1,000,000 subscriptions against one with 1,000, 10 % wildcards, without a server": [
        Row("index", "random subjects", "index",
            (figure("match, not cached", "index_match + match_free, random subjects", "ns", 1000),
             Metric("index_add", "add", "ns"), Metric("index_remove, random", "remove", "ns")),
            pair=("1,000 subscriptions", "1,000,000 subscriptions")),
    ],
    "Security: the server on one core, the load on the others": [
        Row("1to1-16-rules", "1:1, 16 B, 20 allow and 20 deny rules", "pubsub -s 16 --user load --pass load", (cpu(0.28),),
            pin=True, config="rules"),
        tls_row("1to1-1k-tls", "1:1, 1 KiB", "pubsub -s 1024", cpu(0.80), pin=True),
    ],
    "Permissions: gnatwren with 20 allow and 20 deny rules against gnatwren without, the server on one core": [
        Row("rules-16", "1:1, 16 B", "pubsub -s 16 --user load --pass load", (cpu(1.10),), pin=True,
            pair=("without rules", "with rules")),
    ],
    "Monitoring: gnatwren with /connz (all connections), /varz and /subsz polled each second against gnatwren left alone, "
    "all cores for both": [
        watched_row("watched-16", "1:1, 16 B", "pubsub -s 16 -t 2", 19000),
        watched_row("watched-fanout", "fan-out 1:100, 128 B", "fanout -s 128", 19000),
    ],
    "Latency: all cores for both": [
        Row("reqrep-1-latency", "request-reply, 1 connection", "reqrep -s 16", latencies()),
        Row("reqrep-64-latency", "request-reply, 64 connections", "reqrep --conns 64 -s 16", latencies(0.50)),
        Row("open-loop-latency", "open loop, 100 k msg/s", "latency -r 100k", latencies()),
    ],
    "Throughput: all cores for both": [
        rate_row("1to1-16-rate", "1:1, 16 B", "pubsub -s 16 -t 2"),
        rate_row("1to1-128-rate", "1:1, 128 B", "pubsub -s 128 -t 2"),
        rate_row("4to4-16-rate", "4:4 pairs, 16 B", "pubsub --pubs 4 --subs 4 -s 16 -t 2"),
        rate_row("fanout-128-rate", "fan-out 1:100, 128 B", "fanout -s 128"),
        rate_row("1to1-16k-rate", "1:1, 16 KiB", "pubsub -s 16384 -t 2"),
    ],
    "Memory, subscriptions, start: all cores for both": [
        Row("conns", "idle connections", "conns --conns 8000",
            (bytes_at_most("RSS each", "rss_bytes_per_unit", 2048),), quick="--conns 1000"),
        tls_row("conns-tls", "idle connections", "conns --conns 4000", Metric("rss_bytes_per_unit", "RSS each", "B", Target(0.33)),
                quick="--conns 500"),
        Row("subs", "subscriptions, unique subjects, 10 % wildcards", "subs -n 1000000 --wild 10",
            (bytes_at_most("RSS each", "rss_bytes_per_unit", 250),
             Metric("units_per_s", "SUB rate, one connection", "/s", Target(1.5, at_least=True)),
             figure("SUB rate, its least", "units_per_s", "/s", 400e3, at_least=True),
             cpu(None, "CPU per SUB")), quick="-n 100000"),
        Row("start", "idle process", "start",
            (bytes_at_most("RSS", "rss", 6 << 20),
             Metric("ready_ns", 'exec to "Server is ready"', "ns", Target(5e6, is_ratio=False)),
             Metric("info_ns", "exec to first INFO", "ns"))),
    ],
    "Workers: gnatwren with two against gnatwren with one, all cores for both": [
        workers_row("workers-apart", "4:4 pairs, publishers on one worker, subscribers on the other",
                    "pubsub --pubs 4 --subs 4 -s 16 -t 2 --sink --order turn",
                    capacity(1.5), *WALL),
        workers_row("workers-swap", "4:4 pairs, both kinds on both workers, no publisher with its subscriber",
                    "pubsub --pubs 4 --subs 4 -s 16 -t 2 --sink --order swap", capacity(1.5), *WALL),
        workers_row("workers-pairs", "4:4 pairs, every publisher with its subscriber",
                    "pubsub --pubs 4 --subs 4 -s 16 -t 2 --sink --order subs", capacity(None), *WALL),
        workers_row("crossing-16", "1:1, 16 B, crossing workers", "pubsub -s 16", cpu(None), SECOND_SHARE),
        workers_row("crossing-128", "1:1, 128 B, crossing workers", "pubsub -s 128", cpu(None), SECOND_SHARE),
        workers_row("crossing-fanout", "fan-out 1:100, 128 B, half of it crossing", "fanout -s 128",
                    cpu(None), SECOND_SHARE),
    ],
}
ROWS = [row for rows in SECTIONS.values() for row in rows]

METHOD = """\
Generated by `make bench` (tests/bench/bench.py); only the notes at the end are written by hand.

**Method.** Each round visits every row; in a row both contenders run one after the other in random order, each as a
fresh process with its default configuration. Figures are medians over the rounds; the ratio is that of the medians,
and in brackets stand the lowest and the highest ratio of a single round. tests/bench/natsload.c makes the load and
checks every delivery: count, order, content. *CPU per message* is user + system time of the server process, divided
by messages in + messages out (a request with its reply counts as four: each goes in and out once). RSS is the
resident memory of the process, without socket buffers. A target is a floor to pass, not a place to stop; without a
unit it is a ratio to the left column. ¹ marks figures for which the load generator used up its core: the server was
not at its limit.

**Throughput and latency** rows give server and load all cores. On two cores they compete, and the load holds a fast
server back: such ratios understate what differs in the server.

**Workers** rows must show what a second worker is worth although the load needs the same two cores, so that
throughput on the wall clock cannot double. *Capacity* is messages in + out per second of CPU time of the busiest
server thread: the throughput if each worker had a core to itself and the load ran elsewhere. It includes the
hand-over, and cache lines that move between the cores, since both workers do run at the same time; it does not
include waiting. For that, see *cores busy*: close to the number of cores, nobody waited. The load counts what
subscribers get and throws it away (`--sink`), to be cheap. Who connects when (`--order`) decides which worker gets
whom, as connections are dealt out in turn; that a flow 1:1 did cross shows in the second worker's part of the CPU.

**Index** rows time the subject index by itself (tests/bench/index_bench.c), with few subscriptions and with many.
"""
