# SPDX-License-Identifier: Apache-2.0
"""verbose, pedantic, and the order of replies."""


def test_ok_after_every_accepted_operation(connect, subject):
    """+OK follows CONNECT, SUB, UNSUB, PUB and HPUB, also a duplicate SUB and an UNSUB of nothing; never PING or PONG."""
    c = connect()
    c.send(b'CONNECT {"verbose":true,"headers":true}\r\n')
    c.expect(b"+OK\r\n")
    for line in (b"SUB %s 1", b"SUB %s 1", b"UNSUB 1", b"UNSUB 1", b"UNSUB 99", b"PUB %s 1\r\nx", b"HPUB %s 12 12\r\nNATS/1.0\r\n\r\n"):
        c.send((line % subject if b"%s" in line else line) + b"\r\n")
        c.expect(b"+OK\r\n")
        c.fence()
    c.send(b"PONG\r\n")
    c.fence()


def test_ok_comes_with_the_whole_payload(connect, subject):
    """The +OK of a PUB waits for its payload."""
    c = connect().connect(verbose=True)
    c.send(b"PUB %s 5\r\nhel" % subject)
    c.send(b"lo\r\nPING\r\n")
    c.expect(b"+OK\r\nPONG\r\n")


def test_refused_operations_get_no_ok(connect):
    """A refused operation yields only -ERR."""
    c = connect().connect(verbose=True)
    c.send(b"SUB foo..bar 1\r\n")
    c.expect(b"-ERR 'Invalid Subject'\r\n")
    c.fence()
    c.send(b"PUB _GR_.x 1\r\nx\r\n")
    c.expect(b"-ERR 'Permissions Violation for Publish to \"_GR_.x\"'\r\n")
    c.fence()


def test_ok_precedes_the_message_it_caused(connect, subject):
    """The +OK of a PUB precedes the MSG that same PUB causes to the same client."""
    c = connect().connect(verbose=True)
    c.send(b"SUB %s 1\r\n" % subject + b"PUB %s 1\r\nx\r\n" % subject * 3)
    c.expect(b"+OK\r\n" + b"+OK\r\nMSG %s 1 1\r\nx\r\n" % subject * 3)
    c.fence()


def test_pong_follows_the_messages_before_it(connect, subject):
    """A PONG follows all messages caused by that client's earlier publishes."""
    c = connect().connect()
    c.send(b"SUB %s 1\r\n" % subject)
    c.send(b"PUB %s 1\r\nx\r\nPING\r\n" % subject * 200)
    c.expect(b"MSG %s 1 1\r\nx\r\nPONG\r\n" % subject * 200)
    c.fence()


def test_silence_without_verbose(connect, subject):
    """verbose:false: no +OK for anything."""
    c = connect()
    c.send(b'CONNECT {"verbose":false}\r\nSUB %s 1\r\nUNSUB 1\r\nUNSUB 1\r\nPUB %s 1\r\nx\r\n' % (subject, subject))
    c.fence()


def test_p25_pedantic_publish(connect, subject):
    """Pedantic invalid publish subject: -ERR, message still delivered, stays open."""
    c = connect().connect(pedantic=True)
    c.send(b"SUB %s.> 1\r\n" % subject)
    for token in (b"*", b">", b"*.x"):
        c.send(b"PUB %s.%s 1\r\nx\r\n" % (subject, token))
        c.expect(b"-ERR 'Invalid Publish Subject'\r\nMSG %s.%s 1 1\r\nx\r\n" % (subject, token))
        c.fence()


def test_p25_pedantic_publish_with_empty_tokens(connect, subject):
    """Empty tokens are refused by the pedantic check, and match no subscription."""
    c = connect().connect(pedantic=True)
    c.send(b"SUB %s.> 1\r\n" % subject)
    for bad in (subject + b"..bar", subject + b".", subject + b"..", b"." + subject, b"."):
        c.send(b"PUB %s 1\r\nx\r\n" % bad)
        c.expect(b"-ERR 'Invalid Publish Subject'\r\n")
        c.fence()


def test_p25_error_and_ok_in_verbose(connect):
    """A pedantic bad subject yields -ERR and +OK."""
    c = connect().connect(pedantic=True, verbose=True)
    c.send(b"PUB foo.* 1\r\nx\r\n")
    c.expect(b"-ERR 'Invalid Publish Subject'\r\n+OK\r\n")
    c.fence()


def test_p25_hpub_is_checked_too(connect, subject):
    """The check covers HPUB."""
    c = connect().connect(pedantic=True, headers=True)
    c.send(b"HPUB %s.> 12 12\r\nNATS/1.0\r\n\r\n\r\n" % subject)
    c.expect(b"-ERR 'Invalid Publish Subject'\r\n")
    c.fence()


def test_p25_literals_with_wildcard_letters(connect, subject):
    """Only a token that is exactly * or > is a wildcard: foo* and a>b pass."""
    c = connect().connect(pedantic=True)
    c.send(b"PUB %s.foo* 1\r\nx\r\nPUB %s.a>b.**.>> 1\r\nx\r\n" % (subject, subject))
    c.fence()


def test_p25_not_pedantic_is_not_checked(connect):
    """Without pedantic no publish subject is refused."""
    c = connect().connect(pedantic=False)
    c.send(b"".join(b"PUB %s 1\r\nx\r\n" % bad for bad in (b"foo.*", b"foo..bar", b">", b".", b"foo.")))
    c.fence()


def test_pedantic_does_not_change_sub(connect):
    """SUB subject validity is checked regardless of pedantic."""
    for pedantic in (False, True):
        c = connect().connect(pedantic=pedantic)
        c.send(b"SUB foo..bar 1\r\n")
        c.expect(b"-ERR 'Invalid Subject'\r\n")
        c.fence()
