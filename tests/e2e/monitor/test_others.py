# SPDX-License-Identifier: Apache-2.0
"""Documents about what a lone server does not have, and those that look into it."""

import json

import pytest

from e2e.monitor.shapes import GATEWAYZ, JSZ_OFF, LEAFZ, ROUTEZ, Map, check
from e2e.monitor.web import JSON, PLAIN

SERVER_ARGS = ["-m", "-1"]


@pytest.mark.parametrize("query", ["", "?subs=1", "?subs=detail", "?subs=0"])
def test_m31_no_routes(monitor, query):
    document = monitor.document("/routez" + query)
    check(document, ROUTEZ)
    assert document["server_name"] == document["server_id"]


@pytest.mark.parametrize("query", [
    "", "?accs=1", "?acc_name=A", "?gw_name=x", "?gw_name=", "?subs=1", "?subs=detail", "?accs=1&acc_name=A&gw_name=x&subs=1"])
def test_m32_no_gateways(monitor, query):
    """Where gateways are off, none that one asks for is unknown."""
    check(monitor.document("/gatewayz" + query), GATEWAYZ)


@pytest.mark.parametrize("query", ["", "?subs=1", "?subs=0", "?acc=$G", "?acc=NOPE"])
def test_m31_no_leafs(monitor, query):
    check(monitor.document("/leafz" + query), LEAFZ)


@pytest.mark.parametrize("query", [
    "", "?accounts=1", "?streams=1", "?consumers=1", "?config=1", "?raft=1", "?direct-consumers=1", "?stream-leader-only=1", "?acc=$G",
    "?acc=NOPE",
    "?offset=5&limit=7", "?accounts=true&streams=true&consumers=true&config=true&raft=true&acc=$G", "?leader-only=0"])
def test_m33_no_jetstream(monitor, query):
    document = monitor.document("/jsz" + query)
    check(document, JSZ_OFF)
    assert document["server_id"] == monitor.document("/varz")["server_id"]


@pytest.mark.parametrize("query", ["leader-only=1", "leader-only=true&accounts=1", "accounts=1&leader-only=T"])
def test_m33_leader_only(monitor, query):
    """Nobody leads."""
    answer = monitor.get("/jsz?" + query)
    assert (answer.status, answer.type, answer.text) == (400, PLAIN, "filtered response: not leader")


@pytest.mark.parametrize("query", ["", "?acc=$G", "?group=_meta_", "?acc=$SYS&group=x"])
def test_m02_raftz(monitor, query):
    answer = monitor.get("/raftz" + query)
    assert (answer.status, answer.type, answer.text) == (404, PLAIN, "No Raft nodes registered")


@pytest.mark.parametrize("query", ["", "?all=1", "?all=0", "?queues=no-such-queue", "?all=1&queues=no-such-queue"])
def test_m01_ipqueuesz(monitor, query):
    """What queues there are is the server's own affair."""
    document = monitor.document("/ipqueuesz" + query)
    check(document, Map({"pending": int, "in_progress?": int}))
    if "no-such-queue" in query:
        assert not document


def test_m01_stacksz(monitor):
    """A text, whatever the label says."""
    answer = monitor.get("/stacksz")
    assert (answer.status, answer.type) == (200, JSON)
    assert len(answer.text) > 20


def test_m01_debug_vars(monitor):
    answer = monitor.get("/debug/vars")
    assert (answer.status, answer.type) == (200, "application/json; charset=utf-8")
    document = json.loads(answer.body)
    assert {"cmdline", "memstats"} <= set(document)
    check(document["cmdline"], [str])
    assert "-m" in document["cmdline"]
    assert isinstance(document["memstats"], dict)
