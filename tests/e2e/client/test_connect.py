# SPDX-License-Identifier: Apache-2.0
"""CONNECT: its JSON, its fields, a second one, and doing without."""

import pytest

SERVER_ARGS = ["-D"]


def test_p09_connect_is_optional(connect, subject):
    """Without CONNECT, SUB+PUB yields +OK, +OK, MSG: the defaults are verbose and echo."""
    c = connect()
    c.send(b"SUB %s 1\r\nPUB %s 2\r\nhi\r\n" % (subject, subject))
    c.expect(b"+OK\r\n+OK\r\nMSG %s 1 2\r\nhi\r\n" % subject)
    c.fence()


def test_p09_default_is_pedantic(connect):
    """Without CONNECT the publish subject is checked."""
    c = connect()
    c.send(b"PUB foo.* 1\r\nx\r\n")
    c.expect(b"-ERR 'Invalid Publish Subject'\r\n+OK\r\n")
    c.fence()


@pytest.mark.parametrize("line", [
    b"CONNECT {}", b"CONNECT{}", b"CONNECT null", b"CONNECT \t {} \t", b'CONNECT {"tls_required":true}',
    b'CONNECT {"account":""}', b'CONNECT {"new_account":false}', b'CONNECT {"verbose":null,"name":null,"protocol":null}',
    b'CONNECT { "name" : "a\\u0062\\n" , "lang":"", "version" : "1" }',
    b'CONNECT {"import":{"allow":["a"]},"export":{},"remote_account":"x"}',
    b'CONNECT {"nested":{"verbose":false,"deep":[{"x":[1,2.5e3,true,null,"s"]}]}}',
])
def test_p10_accepted(connect, line):
    """`CONNECT{}`, `CONNECT null` and harmless fields are accepted."""
    c = connect()
    c.send(line + b"\r\n")
    c.expect(b"+OK\r\n")
    c.fence()


@pytest.mark.parametrize("json", [
    b"", b"[]", b"{bad}", b"1", b'"x"', b"true", b"{", b'{"verbose":false', b'{"verbose":false,}', b"{'verbose':false}",
    b"{} x", b"{}{}", b"null null", b'{"verbose":false} trailing',
    b'{"verbose":"x"}', b'{"verbose":1}', b'{"pedantic":"true"}', b'{"echo":0}', b'{"protocol":1.0}', b'{"protocol":"1"}',
    b'{"protocol":1e0}', b'{"protocol":99999999999999999999}', b'{"name":1}', b'{"lang":{}}', b'{"user":[]}',
])
def test_p10_refused_without_a_word(connect, server, json):
    """`CONNECT []`, `CONNECT {bad}`, trailing text, wrong types close without -ERR."""
    c = connect()
    c.send(b"CONNECT " + json + b"\r\n")
    c.expect_eof()
    assert server.closed_reason(c.cid) == "Protocol Violation"


def test_p10_verb_alone(connect):
    """CONNECT without anything closes without -ERR."""
    c = connect()
    c.send(b"CONNECT\r\n")
    c.expect_eof()


@pytest.mark.parametrize("key", [b"verbose", b"VERBOSE", b"Verbose", b"vErBoSe"])
def test_p11_keys_are_case_insensitive(connect, key):
    """CONNECT keys are case-insensitive, unknown keys ignored."""
    c = connect()
    c.send(b'CONNECT {"unknown":[1,{"verbose":true}],"%s":false,"Also_Unknown":"x"}\r\n' % key)
    c.fence()


def test_p11_last_duplicate_wins(connect):
    """Of duplicate keys the last one counts."""
    c = connect()
    c.send(b'CONNECT {"verbose":false,"verbose":true}\r\n')
    c.expect(b"+OK\r\n")
    c.send(b'CONNECT {"verbose":true,"Verbose":false}\r\n')
    c.fence()


def test_p11_null_leaves_a_field_alone(connect):
    """A null value leaves the field unchanged."""
    c = connect().connect()
    c.send(b'CONNECT {"verbose":null}\r\nCONNECT null\r\n')
    c.fence()


@pytest.mark.parametrize("protocol", [-1, 2, 1000])
def test_p12_invalid_protocol(connect, server, protocol):
    """protocol −1 or 2 → `-ERR 'invalid client protocol'`, close."""
    c = connect()
    c.send(b'CONNECT {"protocol":%d}\r\n' % protocol)
    c.expect_closed_with(b"-ERR 'invalid client protocol'\r\n")
    assert server.closed_reason(c.cid) == "Bad Client Protocol Version"


@pytest.mark.parametrize("json", [b'{"no_responders":true}', b'{"no_responders":true,"headers":false}'])
def test_p13_no_responders_without_headers(connect, server, json):
    """no_responders without headers → `-ERR 'no responders requires headers support'`, close."""
    c = connect()
    c.send(b"CONNECT " + json + b"\r\n")
    c.expect_closed_with(b"-ERR 'no responders requires headers support'\r\n")
    assert server.closed_reason(c.cid) == "No Responders Requires Headers"


def test_p13_server_without_headers(connect, start_server):
    """headers:true is accepted by a server without header support, but is not enough for no_responders."""
    server = start_server("-D", options={"no_header_support": True})
    connect(server).connect(headers=True)
    c = connect(server)
    c.send(b'CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\n')
    c.expect_closed_with(b"-ERR 'no responders requires headers support'\r\n")


@pytest.mark.parametrize("json", [b'{"account":"A"}', b'{"new_account":true}', b'{"account":"$G"}'])
def test_p14_account_fields_are_obsolete(connect, server, json):
    """account or new_account → `-ERR 'Authorization Violation'`, close."""
    c = connect()
    c.send(b"CONNECT " + json + b"\r\n")
    c.expect_closed_with(b"-ERR 'Authorization Violation'\r\n")
    assert server.closed_reason(c.cid) == "Authentication Failure"


def test_account_is_checked_before_protocol(connect):
    """Processing order: account fields, then the protocol range, then no_responders."""
    c = connect()
    c.send(b'CONNECT {"no_responders":true,"protocol":7,"account":"A"}\r\n')
    c.expect_closed_with(b"-ERR 'Authorization Violation'\r\n")
    c = connect()
    c.send(b'CONNECT {"no_responders":true,"protocol":7}\r\n')
    c.expect_closed_with(b"-ERR 'invalid client protocol'\r\n")


def test_p16_second_connect_merges_options(connect, subject):
    """Second CONNECT merges options: fields it does not mention keep their values."""
    c = connect().connect(verbose=True, headers=True, echo=False)
    c.send(b'CONNECT {"pedantic":true}\r\nSUB %s 1\r\nPUB %s 1\r\nx\r\n' % (subject, subject))
    c.send(b"HPUB %s 12 12\r\nNATS/1.0\r\n\r\n\r\n" % subject)
    c.expect(b"+OK\r\n" * 4)
    c.fence()
    c.send(b'CONNECT {"verbose":false,"echo":true}\r\nSUB %s 1\r\nPUB %s 1\r\nx\r\n' % (subject, subject))
    c.expect(b"MSG %s 1 1\r\nx\r\n" % subject)
    c.fence()


def test_p16_second_connect_drops_subscriptions(connect, subject):
    """Second CONNECT drops all subscriptions, without a word; their sids are free again."""
    c, other = connect().connect(), connect().connect()
    c.send(b"SUB %s 1\r\nSUB %s q 2\r\n" % (subject, subject))
    c.fence()
    c.send(b'CONNECT {"verbose":false}\r\n')
    c.fence()
    other.send(b"PUB %s 1\r\na\r\n" % subject)
    other.fence()
    c.fence()
    c.send(b"SUB %s 2\r\n" % subject)
    c.fence()
    other.send(b"PUB %s 1\r\nb\r\n" % subject)
    c.expect(b"MSG %s 2 1\r\nb\r\n" % subject)
    c.fence()


def test_p16_a_refused_second_connect_closes(connect):
    """The rules for fields hold for the second CONNECT too."""
    c = connect().connect()
    c.send(b'CONNECT {"protocol":3}\r\n')
    c.expect_closed_with(b"-ERR 'invalid client protocol'\r\n")


def test_ping_before_connect(connect):
    """PING is answered before CONNECT too."""
    connect().fence()


def test_name_in_the_log(connect, server):
    """After CONNECT the log prefix shows "v<version>:<lang>:<name>"."""
    c = connect().connect(name="weaver", lang="c", version="1.2.3")
    c.half_close()
    c.expect_eof()
    assert '"v1.2.3:c:weaver"' in server.wait_log(rf"cid:{c.cid} - .*Client connection closed")[0]
