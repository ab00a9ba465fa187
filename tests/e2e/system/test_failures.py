# SPDX-License-Identifier: Apache-2.0
"""What is told of logins that fail (spec 06 §5.7, 5.8)."""

import json

import pytest

from e2e.system.events import ADVISORY, AUTH_ERR, DISCONNECT, EVERYTHING, GLOBAL, TOLD_IN_ACCOUNT, golden, shape
from e2e.system.talk import SYSTEM


def check_failure(event, client, **user):
    """Of a login that failed."""
    assert event["type"] == ADVISORY + "client_disconnect"
    assert event["reason"] == "Authentication Failure"
    assert (event["client"]["acc"], event["client"]["id"]) == ("$G", client.cid)
    assert {key: value for key, value in event["client"].items() if key == "user"} == user
    assert event["client"]["start"] and event["client"]["stop"]
    assert event["sent"] == event["received"] == {"msgs": 0, "bytes": 0}


def failure_events(sys):
    """What the system account is told next: of the failure, and of the end.  The Go server has no fixed order for them."""
    told = {message.subject.decode(): json.loads(message.payload) for message in (sys.next_message() for _ in range(2))}
    return [told[AUTH_ERR.replace("{id}", sys.server_id)], told[DISCONNECT % "$G"]]


@pytest.mark.parametrize("said, user", [
    (b'CONNECT {"user":"a","pass":"x","name":"n","lang":"l","version":"v"}\r\n', {"user": "a"}),
    (b'CONNECT {"user":"nobody","pass":"x"}\r\n', {"user": "nobody"}), (b"CONNECT {}\r\n", {})], ids=["password", "user", "nobody"])
def test_e10_failed_login(system, connect, said, user):
    """E-10: three events, one of them in the account $G."""
    w = system(GLOBAL + SYSTEM)
    sys, g, other = w("sys", *EVERYTHING), w("g"), w("a", *EVERYTHING)
    sys.events()
    g.hear(TOLD_IN_ACCOUNT)
    client = connect(w.server)
    client.send(said)
    client.expect_closed_with(b"-ERR 'Authorization Violation'\r\n")
    events = [*failure_events(sys), g.event(TOLD_IN_ACCOUNT)]
    for event in events:
        check_failure(event, client, **user)
    if b"version" in said:
        assert [shape(event) for event in events] == [
            golden("auth_error_server"), golden("auth_error_disconnect"), golden("auth_error_account")]
    assert sys.events() == g.events() == other.events() == []


@pytest.mark.parametrize("said", [b"PONG\r\n", b"SUB a 1\r\n", b"PUB a 1\r\nx\r\n"])
def test_e10_before_connect(system, connect, said):
    """E-10: who does not even try to log in fails as well, but its account is not told."""
    w = system(GLOBAL + SYSTEM)
    sys, g = w("sys", *EVERYTHING), w("g")
    sys.events()
    g.hear(TOLD_IN_ACCOUNT)
    client = connect(w.server)
    client.send(said)
    for event in failure_events(sys):
        check_failure(event, client)
    assert sys.events() == g.events() == []


def test_e10_order(system, connect):
    """E-10: the account is told first."""
    w = system(GLOBAL + SYSTEM)
    sys, g = w("sys", *EVERYTHING), w("g")
    sys.events()
    g.hear(TOLD_IN_ACCOUNT)
    client = connect(w.server)
    client.send(b'CONNECT {"user":"a","pass":"x"}\r\n')
    first = g.event(TOLD_IN_ACCOUNT)["server"]["seq"]
    assert sorted(event["server"]["seq"] for event in failure_events(sys)) == [first + 1, first + 2]


def test_e10_token_is_not_told(system, connect):
    """E-10: nobody hears of the secrets that were tried."""
    w = system(GLOBAL + SYSTEM)
    sys = w("sys", AUTH_ERR.replace("{id}", "*"))
    connect(w.server).send(b'CONNECT {"auth_token":"sesame"}\r\n')
    message = sys.next_message()
    assert b"sesame" not in message.payload
    assert json.loads(message.payload)["client"].get("user") in (None, "[REDACTED]")


def test_e11_timeout(system, connect):
    """E-11: no failure, only an end."""
    w = system("authorization { timeout: 0.3, users: [ {user: g, password: pw} ] }\n" + SYSTEM)
    sys, g = w("sys", *EVERYTHING), w("g")
    sys.events()
    g.hear(TOLD_IN_ACCOUNT)
    client = connect(w.server)
    event = sys.event(DISCONNECT % "$G")
    assert (event["reason"], event["client"]["id"]) == ("Authentication Timeout", client.cid)
    assert sys.events() == g.events() == []
