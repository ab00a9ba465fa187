# SPDX-License-Identifier: Apache-2.0
"""/metrics in the OpenMetrics format: what prometheus-nats-exporter makes of the documents when it is started with -varz -connz
-subz -accstatz -healthz -prefix=nats -use_internal_server_id, as dashboards know it; then a real Prometheus that scrapes it."""

from __future__ import annotations

import json
import socket
import subprocess
import urllib.parse
import urllib.request
from datetime import datetime

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from e2e.accounts.lines import pub
from harness import eventually

pytestmark = pytest.mark.ours

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PREFIX = "nats"
DOCUMENTS = ["/varz", "/connz", "/subsz", "/accstatz", "/healthz"]
TEXTS = ("server_id", "server_name", "version", "domain", "leader", "name")  # become labels; all other strings are left out
TIMES = ("start", "config_load_time")  # [ms] since 1970
LEFT_OUT = {"leaf", "trusted_operators_claim", "cluster_tls_timeout", "cluster_cluster_port", "cluster_auth_timeout", "gateway_port",
            "gateway_auth_timeout", "gateway_tls_timeout", "gateway_connect_retries"}
CONNZ = ["num_connections", "total", "offset", "limit", "pending_bytes", "subscriptions", "in_bytes", "out_bytes", "in_msgs", "out_msgs"]
ACCSTATZ = ["current_connections", "total_connections", "subscriptions", "leaf_nodes", "sent_messages", "sent_bytes", "received_messages",
            "received_bytes", "slow_consumers"]
FIXED = {"connz_" + name for name in CONNZ} | {"accstatz_" + name for name in ACCSTATZ} | {"healthz_status", "healthz_status_value"}
PAGING = {"connz_offset", "connz_limit", "subsz_total", "subsz_offset", "subsz_limit", "subsz_server_id"}  # of its requests: not of the server
ODD = 'a"b\\c{d}'  # an account whose name needs escapes
ACCOUNTS = f"accounts {{ A {{ users: [ {{user: a, password: pw}} ] }}, '{ODD}' {{ users: [ {{user: b, password: pw}} ] }} }}\n"


def flat(document: dict, *path: str) -> dict:
    """{name: value} of numbers at any depth of objects, of times, and of the few texts that count."""
    found = {}
    for key, value in document.items():
        name = "_".join([*path, key]).replace("/", "_").strip("_")
        while "__" in name:
            name = name.replace("__", "_")
        if name in LEFT_OUT or isinstance(value, (bool, list)):
            continue
        if isinstance(value, dict):
            found.update(flat(value, *path, key))
        elif key in TIMES:
            found[name] = datetime.fromisoformat(value[:19] + "+00:00").timestamp() * 1000
        elif not isinstance(value, str) or key in TEXTS:
            found[name] = value
    return found


def scrape(w, base: str = "") -> dict:
    """{name without prefix: {labels as a sorted tuple: value}} of the exporter's metrics; strictly parsed, as are our own."""
    answer = w.get(base + "/metrics")
    assert (answer.status, answer.type) == (200, OPENMETRICS)
    assert answer.text.endswith("# EOF\n")
    samples = {}
    for family in text_string_to_metric_families(answer.text):
        if family.name.startswith("gnatwren_"):
            continue
        assert family.name.startswith(PREFIX + "_")
        assert family.type in ("gauge", "unknown"), family.name  # counters would have to be called …_total
        for sample in family.samples:
            assert sample.name == family.name
            assert sample.timestamp is None
            values = samples.setdefault(family.name.removeprefix(PREFIX + "_"), {})
            labels = tuple(sorted(sample.labels.items()))
            assert labels not in values, f"twice: {sample}"
            values[labels] = sample.value
    assert all(samples.values()), "a family without samples"
    return samples


def value_of(samples: dict, name: str, **labels: str) -> float:
    """Of the only sample with these labels (and server_id)."""
    found = [value for has, value in samples[name].items() if dict(has).items() >= labels.items()]
    assert len(found) == 1, f"{name} {labels}: {samples[name]}"
    return found[0]


def visit(w) -> None:
    """Everything that /varz counts visits of is counted from now on."""
    for path in [*DOCUMENTS, "/", "/metrics"]:
        w.get(path)


def test_metrics_have_the_names_of_the_exporter(world):
    w = world(ACCOUNTS)
    visit(w)
    samples = scrape(w)
    varz, subsz = w.document("/varz"), w.document("/subsz")
    wanted = {f"varz_{name}" for name in flat(varz)} | {f"subsz_{name}" for name in flat(subsz)} | FIXED
    assert set(samples) - PAGING == wanted - PAGING
    for name in ("varz_in_msgs", "varz_http_req_stats_varz", "varz_slow_consumer_stats_clients", "varz_start", "varz_version", "subsz_num_subscriptions"):
        assert name in samples  # so much for flat() itself


def test_metrics_have_the_labels_of_the_exporter(world):
    """server_id everywhere; the texts of a document as `value`; accounts by id and name."""
    w = world(ACCOUNTS)
    samples, varz = scrape(w), w.document("/varz")
    for name, values in samples.items():
        labels = {"server_id"}
        if name.startswith("accstatz_"):
            labels |= {"account", "account_id", "account_name"}
        elif name == "healthz_status_value" or name.split("_", 1)[1] in TEXTS:
            labels.add("value")
        for has in values:
            assert {key for key, _ in has} == labels, name
            assert dict(has)["server_id"] == varz["server_id"]
        assert name.startswith("accstatz_") or len(values) == 1, name
    accounts = {entry["acc"] for entry in w.document("/accstatz?unused=1")["account_statz"]}
    assert {dict(has)["account"] for has in samples["accstatz_subscriptions"]} == accounts
    assert {"A", ODD} <= accounts
    assert value_of(samples, "varz_version", value=varz["version"]) == 1
    assert value_of(samples, "accstatz_total_connections", account=ODD, account_id=ODD, account_name=ODD) == 0


def test_metrics_have_the_values_of_the_documents(world):
    w = world(ACCOUNTS)
    a, _ = w("a", b"s", b"t"), w("b")
    a.send(pub(b"s", b"1234567") * 5 + pub(b"u", b"12"))
    a.ping()
    samples, varz, connz, subsz = scrape(w), w.document("/varz"), w.document("/connz"), w.document("/subsz")
    moving = ("cpu", "mem", "now", "http_req_stats", "start", "config_load_time", "num_matches", "cache_hit_rate", "num_cache")
    for document, prefix in [(varz, "varz_"), (subsz, "subsz_")]:
        for name, value in flat(document).items():
            if isinstance(value, (int, float)) and not name.startswith(moving) and prefix + name not in PAGING:
                assert value_of(samples, prefix + name) == value, name
    assert abs(value_of(samples, "varz_start") - flat(varz)["start"]) < 1000
    for name in ("num_connections", "total"):
        assert value_of(samples, "connz_" + name) == connz[name], name
    for name in CONNZ[4:]:
        assert value_of(samples, "connz_" + name) == sum(entry[name] for entry in connz["connections"]), name
    assert value_of(samples, "connz_in_bytes") == 5 * 7 + 2
    of_a = {name: value_of(samples, "accstatz_" + name, account="A") for name in ACCSTATZ}
    assert (of_a["received_messages"], of_a["received_bytes"], of_a["sent_messages"], of_a["sent_bytes"]) == (6, 37, 5, 35)
    assert (of_a["current_connections"], of_a["total_connections"], of_a["leaf_nodes"], of_a["slow_consumers"]) == (1, 1, 0, 0)
    assert value_of(samples, "healthz_status") == 0
    assert value_of(samples, "healthz_status_value", value="ok") == 1


def test_metrics_of_many_connections(world):
    """The sums are over all of them, though /connz lists 1024 unless asked for more."""
    w = world()
    clients = [w(name=f"c{i}") for i in range(40)]
    for client in clients:
        client.send(pub(b"x", b"123"))
        client.ping()
    samples = scrape(w)
    assert value_of(samples, "connz_in_msgs") == 40
    assert value_of(samples, "connz_total") == value_of(samples, "varz_connections") == 40


def test_m06_metrics_below_the_base_path(world):
    w = world('http_base_path: "/mon"\n')
    assert scrape(w, "/mon")
    assert w.get("/metrics").status == 404


def test_metrics_are_refused_for_nobody(world):
    """Whatever a scraper says that it accepts, and however it asks: there is one format."""
    w = world()
    for head in ("", "Accept: text/plain;version=0.0.4\r\n", "Accept: application/openmetrics-text;version=1.0.0,*/*;q=0.1\r\n", "Accept-Encoding: gzip\r\n"):
        with w.open() as connection:
            connection.send(f"GET /metrics HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode())
            answer = connection.read()
        assert (answer.status, answer.type) == (200, OPENMETRICS)
        assert "content-encoding" not in answer.headers
    head = w.get("/metrics", "HEAD")
    assert (head.status, head.type, head.body) == (200, OPENMETRICS, b"")


# ---- Prometheus itself

class Prometheus:
    """Scrapes one server each second, and answers queries."""

    def __init__(self, target: int, folder):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{probe.getsockname()[1]}"
        config = folder / "prometheus.yml"
        config.write_text(json.dumps({  # JSON is YAML
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "scrape_configs": [{"job_name": "wren", "static_configs": [{"targets": [f"127.0.0.1:{target}"]}]}]}))
        self._api = f"http://{address}/api/v1/"
        self.process = subprocess.Popen(["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}",
                                         f"--web.listen-address={address}", "--log.level=warn"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()

    def query(self, expression: str) -> list[dict]:
        """[{metric: labels, value: [time, text]}]; none while it is starting."""
        return self._ask("query?" + urllib.parse.urlencode({"query": expression}), {"result": []})["result"]

    def targets(self) -> list[dict]:
        return self._ask("targets", {"activeTargets": []})["activeTargets"]

    def _ask(self, path: str, otherwise: dict) -> dict:
        try:
            with urllib.request.urlopen(self._api + path, timeout=10) as answer:
                return json.load(answer)["data"]
        except OSError:
            return otherwise


@pytest.fixture
def prometheus(tmp_path):
    """prometheus(world) -> Prometheus that scrapes its server."""
    started = []

    def start(w):
        started.append(Prometheus(w.port, tmp_path))
        return started[-1]

    yield start
    for one in started:
        one.stop()


def test_metrics_reach_prometheus(world, prometheus):
    """It takes every sample, has an account's name as it is, and sees rates rise."""
    w = world(ACCOUNTS)
    b = w("b")
    visit(w)
    n_samples = sum(len(values) for values in scrape(w).values())
    p = prometheus(w)
    eventually(lambda: [target for target in p.targets() if target["health"] == "up"], 60)
    eventually(lambda: [one for one in p.query(f'count({{__name__=~"{PREFIX}_.*"}})') if int(one["value"][1]) == n_samples], 30)
    assert [target["lastError"] for target in p.targets()] == [""]

    def value(name):
        return [(one["metric"], float(one["value"][1])) for one in p.query(f"{PREFIX}_{name}")]

    labels, before = value("varz_in_msgs")[0]
    assert (labels["job"], labels["server_id"], before) == ("wren", w.document("/varz")["server_id"], 0)
    b.send(pub(b"x", b"12345") * 100)
    b.fence()
    eventually(lambda: value("varz_in_msgs")[0][1] == 100, 30)
    received = {one["account"]: n for one, n in value("accstatz_received_bytes")}
    assert received == {**dict.fromkeys(received, 0), ODD: 500}
    eventually(lambda: [one for one in p.query(f"rate({PREFIX}_varz_in_msgs[20s])") if float(one["value"][1]) > 0], 30)
