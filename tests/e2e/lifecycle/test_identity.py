# SPDX-License-Identifier: Apache-2.0
"""Who a server says it is: id, name and key."""

import base64

import pytest

PREFIX_SERVER = 0x68
PREFIX_CURVE = 0xB8


def crc16(data: bytes) -> int:
    """CRC-16/XMODEM."""
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


def public_key(text: str, prefix: int) -> bytes:
    """The 32 bytes of an nkey that must have this prefix and a good checksum."""
    assert len(text) == 56
    raw = base64.b32decode(text)
    assert raw[0] == prefix
    assert int.from_bytes(raw[-2:], "little") == crc16(raw[:-2])
    return raw[1:-2]


def test_l04_id_is_a_fresh_key(connect, start_server):
    """server_id differs per start, starts `N`, equals default server_name."""
    infos = [connect(start_server()).info for _ in range(2)]
    assert infos[0]["server_id"] != infos[1]["server_id"]
    for info in infos:
        assert info["server_id"].startswith("N")
        assert info["server_id"] == info["server_name"]
        public_key(info["server_id"], PREFIX_SERVER)


def test_l04_xkey(connect, start_server):
    """xkey is a fresh x25519 nkey: prefix byte 0xB8, starts `X`."""
    infos = [connect(start_server()).info for _ in range(2)]
    assert infos[0]["xkey"] != infos[1]["xkey"]
    for info in infos:
        assert info["xkey"].startswith("X")
        assert public_key(info["xkey"], PREFIX_CURVE) != public_key(info["server_id"], PREFIX_SERVER)


def test_l04_banner_shows_id(connect, start_server, messages):
    """The banner shows the id that INFO has, as the name as well."""
    server = start_server()
    said, server_id = messages(server), connect(server).info["server_id"]
    assert ("INF", f"  ID:       {server_id}") in said
    assert ("INF", f"  Name:     {server_id}") in said


@pytest.mark.parametrize("args, options", [
    (("-n", "mine"), None), (("--name", "mine"), None), (("--server_name=mine",), None), ((), {"server_name": "mine"}),
    (("-n", "other", "-n", "mine"), None), (("-n", "mine"), {"server_name": "other"}),
], ids=["n", "name", "server_name", "option", "last", "flag beats option"])
def test_l04_name(connect, start_server, messages, args, options):
    """server_name is the configured one; the id is unchanged by it."""
    server = start_server(*args, options=options)
    info = connect(server).info
    assert info["server_name"] == "mine"
    public_key(info["server_id"], PREFIX_SERVER)
    said = messages(server)
    assert ("INF", "  Name:     mine") in said
    assert ("INF", f"  ID:       {info['server_id']}") in said


@pytest.mark.parametrize("args, options", [(("-n", "a b"), None), (("-n", " "), None), ((), {"server_name": "a b"})])
def test_l04_name_without_spaces(refused, program, args, options):
    """Spaces in the name → `server name cannot contain spaces`, exit 1."""
    log = refused(*args, options=options)
    assert log.startswith(f"{program}: ")
    assert log.rstrip("\n").endswith("server name cannot contain spaces")
    assert "Starting" not in log


def test_l04_empty_name_is_no_name(connect, start_server):
    """An empty name counts as none."""
    info = connect(start_server("-n", "")).info
    assert info["server_name"] == info["server_id"]
