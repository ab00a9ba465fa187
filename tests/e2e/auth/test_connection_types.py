# SPDX-License-Identifier: Apache-2.0
"""allowed_connection_types: by which way a user may come in."""

import pytest

from e2e.auth.lines import VIOLATION, connect_line
from e2e.auth.nkey import Nkey

KEYS = {types: Nkey("U", types) for types in ("STANDARD", "WEBSOCKET")}
LISTS = {"std": '["STANDARD"]', "lower": '["standard"]', "both": '["WEBSOCKET", "STANDARD"]', "none": "[]",
         "ws": '["WEBSOCKET"]', "others": '["LEAFNODE", "LEAFNODE_WS", "MQTT", "MQTT_WS", "IN_PROCESS"]'}
CONFIG = "authorization { users: [ %s ] }" % "\n".join(
    [f"{{user: {name}, password: pw, allowed_connection_types: {types}}}" for name, types in LISTS.items()]
    + [f"{{nkey: {key.public}, connection_types: [{types}]}}" for types, key in KEYS.items()])


@pytest.mark.parametrize("user", ["std", "lower", "both", "none"])
def test_a15_allowed(login, user):
    """STANDARD is TCP, in any case; an empty list allows all."""
    login(user).fence()


@pytest.mark.parametrize("user", ["ws", "others"])
def test_a15_not_allowed(refuse, server, user):
    """Authorization Violation."""
    c = refuse(user=user, **{"pass": "pw"})
    server.wait_log(rf"\[ERR\] .* - cid:{c.cid} - authentication error - User \"{user}\"")


def test_a15_nkeys(connect):
    """The same for nkeys."""
    c = connect()
    c.connect(**KEYS["STANDARD"].credentials(c.info["nonce"]))
    c = connect()
    c.send(connect_line(**KEYS["WEBSOCKET"].credentials(c.info["nonce"])))
    c.expect_closed_with(VIOLATION)


def test_a15_no_auth_user(serve, refuse, login):
    """What a no_auth_user may not, nobody may in its name."""
    server = serve("""no_auth_user: a
        authorization { users: [ {user: a, allowed_connection_types: [WEBSOCKET]}, {user: b, password: pw} ] }""")
    refuse(server)
    login("b", server)


def test_a15_unknown_type(start_server, configure):
    """A type that does not exist is an error of the configuration."""
    server = start_server("-c", configure("authorization { users: [ {user: a, allowed_connection_types: [STANDARD, X]} ] }"), wait=False)
    assert server.wait_exit() == 1
    assert 'invalid connection types ["X"]' in server.log()
