# SPDX-License-Identifier: Apache-2.0
"""Who asks is the server's to say: a requestor cannot get a Nats-Request-Info past it in disguise, or make its own fall off the block.

nats-server lets some of these through (docs/differences.md, request-info-disguised, request-info-unended).
"""

import pytest

from e2e.accounts.lines import CAPABLE, hpub, read_message
from e2e.accounts.requests import SERVICE

FORGED = b'{"acc":"ROOT"}'


def headers_of(block):
    """As a lenient library reads it: lines end in LF, names without letter case and without blanks; all values of Nats-Request-Info."""
    head, _, _ = block.replace(b"\r\n", b"\n").partition(b"\n\n")
    pairs = [line.partition(b":") for line in head.split(b"\n")[1:]]
    return [value.strip() for name, _, value in pairs if name.strip().lower() == b"nats-request-info"]


def delivered(world, block):
    w = world(SERVICE)
    s, a = w("s", b"req", **CAPABLE), w("a", **CAPABLE)
    a.send(hpub(b"req", block, b"payload", b"_I.1"))
    a.fence()
    got = read_message(s)
    assert got.payload == b"payload"
    assert got.header.endswith(b"\r\n\r\n")
    return got


@pytest.mark.ours
@pytest.mark.parametrize("line", [b"nats-request-info: %s\r\n", b"NATS-REQUEST-INFO:%s\r\n", b"Nats-Request-Info : %s\r\n",
                                  b" Nats-Request-Info: %s\r\n", b"A: 1\nNats-Request-Info: %s\r\n", b"Nats-Request-Info: %s\n"])
def test_disguised(world, line):
    """Another letter case, blanks around the name, a mere LF before or after it: libraries are lenient."""
    got = delivered(world, b"NATS/1.0\r\nX: y\r\n" + line % FORGED + b"Z: 1\r\n\r\n")
    values = headers_of(got.header)
    assert len(values) == 1 and values[0].startswith(b'{"acc":"A"')
    assert b"ROOT" not in got.header
    assert b"\r\nX: y\r\n" in got.header and b"Z: 1\r\n" in got.header


@pytest.mark.ours
@pytest.mark.parametrize("block", [b"NATS/1.0\r\nNats-Request-Info: " + FORGED + b"\r\n", b"NATS/1.0\r\nNats-Request-Info: " + FORGED,
                                   b"NATS/1.0\r\nX: y", b"NATS/1.0\r\n", b"NATS/1.0", b"\r\n", b"x", b"NATS/1.0\r\n\r\nX: y\r\n\r\n",
                                   b"NATS/1.0\r\n\r\nNats-Request-Info: " + FORGED + b"\r\n\r\n"])
def test_unended(world, block):
    """A block that does not end as it should, or too early, is ended where it should; payload and header stay apart."""
    got = delivered(world, block)
    assert len(headers_of(got.header)) == 1
    assert got.info["acc"] == "A"
    assert b"ROOT" not in got.header


@pytest.mark.parametrize("block", [b"NATS/1.0\r\nNats-Request-Info: " + FORGED + b"\r\n\r\n",
                                   b"NATS/1.0 200 OK\r\nNats-Request-Info: " + FORGED + b"\r\nNats-Request-Info:" + FORGED + b"\r\n\r\n"])
def test_plain(world, block):
    """No disguise: both servers remove it."""
    got = delivered(world, block)
    assert len(headers_of(got.header)) == 1 and b"ROOT" not in got.header
