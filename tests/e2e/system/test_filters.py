# SPDX-License-Identifier: Apache-2.0
"""Which servers a request is for (spec 06 §6.3), and how they may write their answers (§6.2)."""

import gzip
import json
import re

import pytest

from e2e.system.talk import SERVICES, SYSTEM
from golden.snappy import unframe

CONFIG = 'server_tags: ["region:eu", "Tier:Gold"]\n' + SYSTEM
FILTERED = [name for name in SERVICES if name != "IDZ"]
NOT_ME = {"server_name": "other"}


@pytest.fixture(scope="module", autouse=True)
def configured(request, tmp_path_factory):
    """The module's server has CONFIG."""
    path = tmp_path_factory.mktemp("filters") / "server.conf"
    path.write_text(CONFIG)
    request.module.SERVER_ARGS = ["-c", path]


@pytest.fixture
def sys(talk, server):
    """A client of the system account."""
    return talk(server, "sys")


# ---- filters

@pytest.mark.parametrize("options, is_meant", [
    ({}, True), ({"server_name": "S1"}, True), ({"server_name": "S"}, True), ({"server_name": "1"}, True), ({"server_name": ""}, True),
    ({"server_name": "s1"}, False), ({"server_name": "S12"}, False), ({"Server_Name": "S2"}, False), ({"SERVER_NAME": "S1"}, True),
    ({"server_name": "S", "exact_match": True}, False), ({"server_name": "S1", "exact_match": True}, True),
    ({"server_name": "S", "exact_match": False}, True), ({"exact_match": True}, True),
    ({"host": "127.0.0.1"}, True), ({"host": "127."}, True), ({"host": "127.", "exact_match": True}, False), ({"host": "10."}, False),
    ({"host": "127.0.0.1", "exact_match": True}, True), ({"cluster": "c"}, False), ({"cluster": ""}, True), ({"domain": "d"}, False),
    ({"domain": ""}, True), ({"tags": []}, True), ({"tags": ["region:eu"]}, True), ({"tags": ["REGION:EU"]}, True),
    ({"tags": ["tier:gold", "region:eu"]}, True), ({"tags": ["tier:gold", "x"]}, False), ({"tags": ["region"]}, False),
    ({"server_name": "S1", "host": "10."}, False), ({"server_name": "S1", "host": "127.", "tags": ["tier:gold"]}, True),
], ids=json.dumps)
def test_e24_filters(sys, options, is_meant):
    """E-24: who is not meant does not answer."""
    for name in ("VARZ", "STATSZ", "CONNZ"):
        for form in ("{id}", "PING"):
            assert len(sys.answers(f"$SYS.REQ.SERVER.{form}.{name}", options)) == is_meant, (form, name)
    assert len(sys.answers("$SYS.REQ.SERVER.PING", options)) == is_meant


@pytest.mark.parametrize("name", FILTERED)
def test_e24_every_service(sys, name):
    """E-24: all services have them."""
    for form in ("{id}", "PING"):
        assert sys.answers(f"$SYS.REQ.SERVER.{form}.{name}", NOT_ME) == []


def test_e24_idz(sys):
    """E-24: but for IDZ."""
    assert len(sys.answers("$SYS.REQ.SERVER.PING.IDZ", NOT_ME)) == 1


def test_e24_before_errors(sys):
    """E-24: who is not meant does not object either."""
    assert sys.answers("$SYS.REQ.SERVER.PING.CONNZ", {**NOT_ME, "sort": "zzz"}) == []


def test_e24_without_reply(talk, server, sys):
    """E-24: no broadcast of who is not meant."""
    hearer = talk(server, "sys", "$SYS.SERVER.*.STATSZ")
    hearer.event("$SYS.SERVER.{id}.STATSZ")
    for _ in range(5):
        sys.send("$SYS.REQ.SERVER.PING", NOT_ME)
    sys.settle()
    assert len(hearer.events()) <= 1  # its time had come


def test_e24_reload(system):
    """E-24: RELOAD can be filtered as well."""
    sys = system()("sys")
    assert sys.answers("$SYS.REQ.SERVER.{id}.RELOAD", NOT_ME) == []
    assert len(sys.answers("$SYS.REQ.SERVER.{id}.RELOAD", {"server_name": "S1"})) == 1


# ---- encodings

def ask(sys, name, *lines, payload=b""):
    header = b"NATS/1.0\r\n" + b"".join(line.encode() + b"\r\n" for line in lines) + b"\r\n"
    return sys.ask("$SYS.REQ.SERVER.{id}." + name, payload, header=header)


def encoding(answer):
    """What the answer's header says, which is nothing else."""
    if answer.header is None:
        return None
    match = re.fullmatch(rb"NATS/1\.0\r\nContent-Encoding: ?(\w+)\r\n\r\n", answer.header)
    assert match, answer.header
    return match[1].decode()


DECODERS = {"snappy": unframe, "gzip": gzip.decompress, "identity": bytes, None: bytes}


@pytest.mark.parametrize("line, expected", [
    ("Accept-Encoding: snappy", "snappy"), ("Accept-Encoding: s2", "snappy"), ("Accept-Encoding: SNAPPY", "snappy"),
    ("Accept-Encoding: gzip", "gzip"), ("Accept-Encoding: GZip", "gzip"), ("Accept-Encoding: gzip, snappy", "snappy"),
    ("Accept-Encoding: x-s2-x", "snappy"), ("Accept-Encoding:gzip", "gzip"), ("Accept-Encoding: br", "identity"),
    ("Accept-Encoding: identity", "identity"), ("accept-encoding: gzip", None), ("Accept: gzip", None), ("Content-Encoding: gzip", None)])
def test_e25_encodings(sys, line, expected):
    """E-25: compressed as the request allows it, and the answer says how."""
    answer = ask(sys, "VARZ", line)
    assert encoding(answer) == expected
    said = json.loads(DECODERS[expected](answer.payload))
    assert said["data"]["server_id"] == sys.server_id


@pytest.mark.parametrize("name", [name for name in SERVICES if name not in ("IDZ", "STATSZ")])
@pytest.mark.parametrize("kind", ["snappy", "gzip"])
def test_e25_every_service(sys, name, kind):
    """E-25: all services do so."""
    answer = ask(sys, name, "Accept-Encoding: " + kind)
    assert encoding(answer) == kind
    assert {"server", "data"} <= set(json.loads(DECODERS[kind](answer.payload)))


@pytest.mark.parametrize("name, payload", [("IDZ", b""), ("STATSZ", b""), ("CONNZ", b'{"sort":"zzz"}'), ("VARZ", b"{bad"), ("STATSZ", b"{bad")])
@pytest.mark.parametrize("kind", ["snappy", "gzip", "identity"])
def test_e25_plain(sys, name, payload, kind):
    """E-25: but not these, nor errors."""
    answer = ask(sys, name, "Accept-Encoding: " + kind, payload=payload)
    assert answer.header is None
    assert json.loads(answer.payload)


@pytest.mark.parametrize("kind", ["snappy", "gzip"])
def test_e25_large(sys, connect, server, kind):
    """E-25: large ones become small, and whole again."""
    clients = [connect(server).connect(user="a", name="n" * 50 + str(i), **{"pass": "pw"}) for i in range(200)]
    for client in clients:
        client.send(b"".join(b"SUB some.subject.that.is.long.%d %d\r\n" % (i, i) for i in range(20)))
        client.fence()
    plain = sys.ask("$SYS.REQ.SERVER.{id}.CONNZ", '{"subscriptions":true}')
    answer = ask(sys, "CONNZ", "Accept-Encoding: " + kind, payload=b'{"subscriptions":true}')
    said = json.loads(DECODERS[kind](answer.payload))
    assert said["data"]["num_connections"] >= 200
    assert len(plain.payload) > 150_000 and len(answer.payload) < len(plain.payload) / 3


def test_e25_accounts_of_their_own(talk, server):
    """E-25: answers across accounts as well."""
    answer = talk(server, "a").ask("$SYS.REQ.ACCOUNT.PING.CONNZ", header=b"NATS/1.0\r\nAccept-Encoding: snappy\r\n\r\n")
    assert encoding(answer) == "snappy"
    assert json.loads(unframe(answer.payload))["data"]["num_connections"] >= 1
