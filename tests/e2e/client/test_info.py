# SPDX-License-Identifier: Apache-2.0
"""The INFO line: when it comes, what it says."""

import base64
import json

import pytest

ALWAYS = {"server_id": str, "server_name": str, "version": str, "proto": int, "go": str, "host": str, "port": int,
          "headers": bool, "max_payload": int, "client_id": int, "client_ip": str, "api_lvl": int, "xkey": str}
ONLY_WHEN_TRUE = ["auth_required", "tls_required", "tls_verify", "tls_available", "jetstream", "nonce", "cluster", "domain",
                  "connect_urls", "ldm", "connect_info", "remote_account", "acc_is_sys"]
NEVER = ["ip", "ws_connect_urls", "cluster_dynamic", "compression", "import", "export", "lnoc"]
ORDER = ["server_id", "server_name", "version", "proto", "git_commit", "go", "host", "port", "headers", "auth_required",
         "max_payload", "client_id", "client_ip", "connect_info", "remote_account", "api_lvl", "xkey"]


def crc16_xmodem(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


def assert_nkey(text: str, first_letter: str, prefix: int) -> None:
    assert len(text) == 56 and text[0] == first_letter
    raw = base64.b32decode(text)
    assert len(raw) == 35
    assert raw[0] == prefix
    assert int.from_bytes(raw[33:], "little") == crc16_xmodem(raw[:33])


def test_p01_info_arrives_unsolicited(connect):
    """INFO arrives unsolicited, starts `INFO {`, ends `} CRLF`, and contains every "always" field of §5."""
    c = connect()
    assert c.info_raw.startswith(b"INFO {")
    assert c.info_raw.endswith(b"} \r\n")
    for field, kind in ALWAYS.items():
        assert type(c.info.get(field)) is kind, field
    c.connect()
    c.fence()


def test_p01_values_of_a_default_server(connect, server):
    """INFO describes a server that was given nothing but its address."""
    info = connect().info
    assert info["server_name"] == info["server_id"]
    assert info["proto"] == 1
    assert info["host"] == "127.0.0.1"
    assert info["port"] == server.port
    assert info["headers"] is True
    assert info["max_payload"] == 1048576
    assert info["client_ip"] == "127.0.0.1"
    assert info["api_lvl"] == 5
    major, minor, _patch = info["version"].split("-")[0].split(".")
    assert (int(major), int(minor)) >= (2, 15)


def test_info_omits_what_does_not_apply(connect):
    """Fields that are sent only when true, and those never sent to clients, are absent."""
    c = connect().connect(protocol=1)
    for field in ONLY_WHEN_TRUE + NEVER:
        assert field not in c.info, field
    for field in NEVER:
        assert field not in c.async_info, field


def test_info_field_order(connect):
    """Fields appear in the order of §5."""
    c = connect().connect(protocol=1)
    for info in (c.info, c.async_info):
        names = [name for name in info if name in ORDER]
        assert names == sorted(names, key=ORDER.index)


def test_info_is_one_line_of_json_escaped_as_go_does(connect, start_server):
    """JSON strings escape <, > and & as \\u003c, \\u003e and \\u0026."""
    c = connect(start_server("-n", "a<b>&c"))
    assert b'"server_name":"a\\u003cb\\u003e\\u0026c"' in c.info_raw
    assert c.info["server_name"] == "a<b>&c"
    assert json.loads(c.info_raw[5:]) == c.info


def test_p02_server_keys(connect):
    """server_id is 56 base32 chars starting N, xkey 56 starting X, with nkey prefix 0x68/0xB8, 35 decoded bytes, CRC."""
    info = connect().info
    assert_nkey(info["server_id"], "N", 0x68)
    assert_nkey(info["xkey"], "X", 0xB8)


def test_client_ids_differ(connect):
    """client_id is unique per connection and grows."""
    ids = [connect().cid for _ in range(5)]
    assert ids == sorted(set(ids))
    assert ids[0] >= 1


def test_info_shows_unspecified_host_literally(connect, start_server):
    """On 0.0.0.0 INFO shows host 0.0.0.0."""
    assert connect(start_server("-a", "0.0.0.0")).info["host"] == "0.0.0.0"


def test_info_shows_client_advertise(connect, start_server):
    """client_advertise replaces host and port in INFO."""
    info = connect(start_server("--client_advertise", "nats.example.org:7777")).info
    assert (info["host"], info["port"]) == ("nats.example.org", 7777)


@pytest.mark.parametrize("size", [1024, 8 * 1024 * 1024])
def test_info_shows_max_payload(connect, start_server, size):
    """INFO carries the configured max_payload, in the connect_info INFO too."""
    c = connect(start_server(options={"max_payload": size})).connect(protocol=1)
    assert c.info["max_payload"] == size
    assert c.async_info["max_payload"] == size


def test_info_without_header_support(connect, start_server):
    """headers is false with no_header_support."""
    assert connect(start_server(options={"no_header_support": True})).info["headers"] is False


@pytest.mark.parametrize("args", [("--user", "u", "--pass", "p"), ("--auth", "secret")])
def test_info_shows_auth_required(connect, start_server, args):
    """auth_required is true, and no nonce is sent, with a user or a token."""
    info = connect(start_server(*args)).info
    assert info["auth_required"] is True
    assert "nonce" not in info


def test_p15_protocol_1_gets_info_after_first_pong(connect):
    """protocol 1 + first PING → PONG then INFO with connect_info and remote_account."""
    c = connect()
    c.send(b'CONNECT {"verbose":false,"protocol":1}\r\nPING\r\n')
    c.expect(b"PONG\r\n")
    info = c.read_info()
    assert info["connect_info"] is True
    assert info["remote_account"] == "$G"
    assert {name: info[name] for name in ALWAYS} == {name: c.info[name] for name in ALWAYS}
    c.fence()


def test_p15_only_the_first_ping_brings_info(connect):
    """Later PINGs of a protocol 1 client get only PONG, also after a second CONNECT."""
    c = connect().connect(protocol=1)
    c.fence()
    c.connect(protocol=1)
    c.fence()


def test_p15_protocol_0_gets_only_pong(connect):
    """protocol 0 gets only PONG; so does protocol 1 asked for after the first PONG, or without CONNECT."""
    c = connect()
    c.send(b'CONNECT {"verbose":false,"protocol":0}\r\nPING\r\n')
    c.expect(b"PONG\r\n")
    c.fence()
    c.send(b'CONNECT {"verbose":false,"protocol":1}\r\n')
    c.fence()
    c = connect()
    c.fence()
    c.fence()


def test_p15_connect_info_repeats_auth_required(connect, start_server):
    """The connect_info INFO of a server with authentication carries auth_required too."""
    c = connect(start_server("--user", "u", "--pass", "p")).connect(user="u", **{"pass": "p"}, protocol=1)
    assert c.async_info["auth_required"] is True
    assert c.async_info["remote_account"] == "$G"
