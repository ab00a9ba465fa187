# SPDX-License-Identifier: Apache-2.0
"""How error texts quote the names a client used.  (The texts themselves: with the rules that cause them.)"""

import pytest


@pytest.mark.parametrize("raw, quoted", [
    (b'"', b'\\"'), (b"\\", b"\\\\"), (b"'", b"'"), (b"`<>&", b"`<>&"),
    (b"\x00\x01\x1b\x1f", b"\\x00\\x01\\x1b\\x1f"), (b"\x7f", b"\\x7f"), (b"\x07\x08\x0b\x0c", b"\\a\\b\\v\\f"),
    ("é中😀".encode(), "é中😀".encode()), ("\ufffd".encode(), "\ufffd".encode()),
    (b"\xff\xc3(\xe4\xb8", b"\\xff\\xc3(\\xe4\\xb8"), (b"\xc0\xaf\xed\xa0\x80", b"\\xc0\\xaf\\xed\\xa0\\x80"),
    ("\u0080\u00ad\u00a0".encode(), b"\\u0080\\u00ad\\u00a0"), ("\u200b\u2028\ufeff\ue000".encode(), b"\\u200b\\u2028\\ufeff\\ue000"),
    ("\u0378\U000e0001".encode(), b"\\u0378\\U000e0001"),
], ids=lambda value: repr(value)[2:-1])
def test_quoting_in_error_texts(connect, raw, quoted):
    """Names in error texts are quoted as Go does: escapes for quote, backslash, non-printables and invalid UTF-8."""
    c = connect().connect()
    c.send(b"PUB _GR_.%s 1\r\nx\r\n" % raw)
    c.expect(b"-ERR 'Permissions Violation for Publish to \"_GR_.%s\"'\r\n" % quoted)
    c.send(b"PUB a _GR_.%s 1\r\nx\r\n" % raw)
    c.expect(b"-ERR 'Permissions Violation for Publish with Reply of \"_GR_.%s\"'\r\n" % quoted)
    c.send(b"SUB a%s _sys_ 1\r\n" % raw)
    c.expect(b"-ERR 'Permissions Violation for Subscription to \"a%s\" using queue \"_sys_\"'\r\n" % quoted)
    c.fence()
