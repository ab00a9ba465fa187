# SPDX-License-Identifier: Apache-2.0
"""/healthz: whether all is well."""

import json
import re
import signal
import socket

import pytest

from e2e.monitor.web import JSON, PLAIN
from harness import eventually

NO_ACCOUNT = '"account" must not be empty when checking stream health'
NO_STREAM = '"stream" must not be empty when checking consumer health'
NOT_READY = "failed to be ready for connections after 1ms: server"
LAME_DUCK = 'lame_duck_duration: "30s", lame_duck_grace_period: "4s"\n'


@pytest.fixture
def lame_duck(world):
    """A server that is about to end, and a client that keeps it up."""
    w = world(LAME_DUCK)
    client = w()
    w.server.signal(signal.SIGUSR2)
    w.server.wait_log("Entering lame duck mode, stop accepting new clients")
    yield w
    client.close()
    assert w.server.wait_exit() == 0


def told(answer) -> tuple[int, dict]:
    """Status and document, which is written without blanks."""
    assert (answer.type, answer.headers["access-control-allow-origin"]) == (JSON, "*")
    document = json.loads(answer.body)
    assert answer.text == json.dumps(document, separators=(",", ":"))
    return answer.status, document


@pytest.mark.parametrize("query", [
    "", "?js-enabled=1", "?js-enabled-only=1", "?js-server-only=1", "?js-meta-only=1", "?js-enabled-only=0", "?details=1", "?details=0",
    "?account=A", "?account=NOPE&stream=S", "?account=A&stream=S&consumer=C", "?account=A&stream=S&details=1", "?stream=",
    "?consumer=&details=",
    "?js-enabled=true&js-server-only=true&js-meta-only=true&details=true"])
def test_m29_healthy(world, query):
    """Without JetStream there is nothing that could be missing."""
    assert told(world().get("/healthz" + query)) == (200, {"status": "ok"})


@pytest.mark.parametrize("query, text", [
    ("stream=S", NO_ACCOUNT), ("stream=S&consumer=C", NO_ACCOUNT), ("consumer=C", NO_STREAM), ("account=A&consumer=C", NO_STREAM),
    ("js-enabled-only=1&stream=S", NO_ACCOUNT), ("js-server-only=1&stream=S", NO_ACCOUNT), ("js-meta-only=1&consumer=C", NO_STREAM)])
def test_m29_bad_requests(world, query, text):
    """Whatever else is asked for; with details the kind of error is told."""
    w = world()
    assert told(w.get(f"/healthz?{query}")) == (400, {"status": "error", "error": text})
    assert told(w.get(f"/healthz?{query}&details=1")) == (400, {"status": "error", "errors": [{"type": "BAD_REQUEST", "error": text}]})


def test_m30_lame_duck(lame_duck):
    """New clients are not let in any more, which is what load balancers want to know."""
    error = {"status": "error", "error": NOT_READY}
    details = {"status": "error", "errors": [{"type": "CONNECTION", "error": NOT_READY}]}
    eventually(lambda: lame_duck.get("/healthz").status != 200)
    for query in ("?", "?js-server-only=1", "?js-enabled-only=1", "?js-meta-only=1", "?js-enabled=1", "?account=A&stream=S"):
        assert told(lame_duck.get(f"/healthz{query}")) == (500, error)
        assert told(lame_duck.get(f"/healthz{query}&details=1")) == (500, details)
    assert told(lame_duck.get("/healthz?stream=S")) == (400, {"status": "error", "error": NO_ACCOUNT})
    answer = lame_duck.get("/healthz?details=x")
    assert (answer.status, answer.type) == (400, PLAIN)  # what is wrong with the request is told first


def test_m30_others_during_lame_duck(lame_duck):
    """One can still look at everything, on new connections and on old ones."""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", lame_duck.server.port))
    with lame_duck.open() as c:
        for path in ("/varz", "/connz?auth=1", "/connz?state=closed", "/subsz", "/accountz", "/"):
            assert c.ask(path).status == 200
            assert lame_duck.get(path).status == 200
    assert lame_duck.document("/varz")["connections"] == 1


def test_m30_until_the_end(world):
    """The port closes when the server has ended."""
    w = world(LAME_DUCK.replace("4s", "100ms"))
    client = w(protocol=1)
    with w.open() as c:
        w.server.signal(signal.SIGUSR2)
        assert client.read_info()["ldm"] is True
        assert c.ask("/varz").status == 200
        client.close()
        assert w.server.wait_exit() == 0
        c.expect_eof()
    with pytest.raises(ConnectionRefusedError):
        w.get("/healthz")


def test_m29_head(world):
    """Probes like it."""
    answer = world().get("/healthz", "HEAD")
    assert (answer.status, answer.headers["content-length"]) == (200, "15")


def test_m29_ready_when_it_says_so(world):
    """From the first moment on."""
    for _ in range(3):
        w = world()
        assert w.get("/healthz").status == 200
        assert re.search("Server is ready", w.server.log())
