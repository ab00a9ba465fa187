# SPDX-License-Identifier: Apache-2.0
"""How the system account hears of the end of a server (spec 06 §5.5, 5.6)."""

import json
import signal
import socket

import pytest

from e2e.accounts.lines import messages
from e2e.system.talk import MONITORED, SYSTEM

SHUTDOWN, LAMEDUCK = "$SYS.SERVER.%s.SHUTDOWN", "$SYS.SERVER.%s.LAMEDUCK"
SLOW_END = MONITORED + 'lame_duck_duration: "2m"\nlame_duck_grace_period: "1m"\n' + SYSTEM
TOLD = ("$SYS.SERVER.*.SHUTDOWN", "$SYS.SERVER.*.LAMEDUCK", "$SYS.ACCOUNT.>")


def check_server_block(document, talker):
    """The document is nothing but that."""
    assert {"name", "host", "id", "ver", "jetstream", "flags", "seq", "time"} <= set(document)
    assert set(document) <= {"name", "host", "id", "ver", "jetstream", "flags", "seq", "time", "feature_flags"}
    assert (document["name"], document["id"], document["ver"]) == ("S1", talker.server_id, talker.client.info["version"])


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_e19_shutdown(system, sig):
    """E-19: one message, the last; nothing of the clients that it closes."""
    w = system()
    hearers = [w("sys", *TOLD) for _ in range(2)]
    clients = [w("a") for _ in range(5)]
    for hearer in hearers:
        hearer.events()
    w.server.signal(sig)
    for hearer in hearers:
        last = hearer.next_message()
        assert (last.subject.decode(), last.header, last.reply) == (SHUTDOWN % hearer.server_id, None, b"")
        check_server_block(json.loads(last.payload), hearer)
        hearer.client.expect_eof()
    for talker in clients:
        talker.client.expect_eof()
    assert w.server.wait_exit() in (0, 1)


def test_e19_last_number(system):
    """E-19: after everything else that was told."""
    w = system()
    hearer = w("sys", *TOLD)
    before = hearer.inquire("$SYS.REQ.SERVER.PING.VARZ")["server"]["seq"]
    w.server.signal(signal.SIGTERM)
    assert hearer.event(SHUTDOWN % "{id}")["seq"] > before
    w.server.wait_exit()


def test_e20_lame_duck(system, connect):
    """E-20: the system account hears first; clients are told to go; nobody may come; health says so."""
    w = system(SLOW_END)
    sys, client = w("sys", *TOLD), connect(w.server).connect(user="a", protocol=1, **{"pass": "pw"})
    sys.events()
    assert w.http("/healthz")[0] == 200
    w.server.signal(signal.SIGUSR2)
    message = sys.next_message()
    assert (message.subject.decode(), message.header, message.reply) == (LAMEDUCK % sys.server_id, None, b"")
    check_server_block(json.loads(message.payload), sys)
    assert client.read_info()["ldm"] is True
    client.fence()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", w.server.port), timeout=10)
    status, health = w.http("/healthz")
    assert (status, health["status"]) == (500, "error")
    w.server.signal(signal.SIGINT)
    assert w.server.wait_exit() == 0


def test_e20_once(system):
    """E-20: told once, however often it is asked for."""
    w = system(SLOW_END)
    sys = w("sys", *TOLD)
    for _ in range(3):
        w.server.signal(signal.SIGUSR2)
    assert sys.next_message().subject.endswith(b".LAMEDUCK")
    assert messages(sys.client) == []
    w.server.signal(signal.SIGINT)
    w.server.wait_exit()
