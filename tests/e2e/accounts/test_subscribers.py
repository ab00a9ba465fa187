# SPDX-License-Identifier: Apache-2.0
"""$SYS.DEBUG.SUBSCRIBERS: how many subscriptions of the asking account a subject reaches, or a pattern covers (spec 05 §13)."""

import pytest

from e2e.accounts.lines import CAPABLE, account, imported, no_responders, pub, read_message
from e2e.accounts.vectors import rows
from harness import Server

SERVICE = "$SYS.DEBUG.SUBSCRIBERS"
SUBSETS = rows("subset_match.tsv")
CONFIG = "system_account: SYS, accounts { %s %s %s }" % (
    account("SYS", exports=f'{{service: "{SERVICE}"}}'), account("A", imports=imported("service", SERVICE, account="SYS")),
    account("B", imports=imported("service", SERVICE, "to: count", account="SYS")))


@pytest.fixture(scope="module", autouse=True)
def configured(request, tmp_path_factory):
    """The module's server has CONFIG."""
    path = tmp_path_factory.mktemp("subscribers") / "server.conf"
    path.write_text(CONFIG)
    request.module.SERVER_ARGS = ["-c", path]


@pytest.fixture
def count(connect):
    """count(subscriptions, question, user="a") -> the answer, when another connection of the user has these subscriptions"""
    def run(subscriptions, question, user="a", service=SERVICE):
        subscriber, asker = (connect().connect(user=user, **{"pass": "pw"}) for _ in range(2))
        subscriber.send(b"".join(b"SUB %s %d\r\n" % (what, sid) for sid, what in enumerate(subscriptions, 1)))
        subscriber.fence()
        asker.send(b"SUB inbox 1\r\n" + pub(service.encode(), question, b"inbox"))
        answer = read_message(asker)
        assert answer.header is None
        for client in (subscriber, asker):
            client.send(b"".join(b"UNSUB %d\r\n" % sid for sid in range(1, len(subscriptions) + 2)))
            client.ping()
        return int(answer.payload)

    return run


@pytest.mark.parametrize("question, n", [(b"foo.a", 3), (b"foo.a q", 2), (b"foo.*", 3), (b"foo.b", 1), (b"", 0), (b"foo.a other", 0),
                                         (b"bar", 0), (b"foo.* q", 2), (b"foo.>", 3)])
def test_x030_subscribers(count, question, n):
    """Of a literal those that it reaches, plain or in a queue; of a pattern those within it; of one queue, if that is named, too."""
    assert count([b"foo.*", b"foo.a q", b"foo.a q"], question) == n


@pytest.mark.parametrize("row", SUBSETS, ids=[row.id for row in SUBSETS])
def test_patterns(count, row):
    """Every row of subset_match.tsv, the asker's own subscription apart.  A token like `*x` is plain text to us (`wildcard-in-token`)."""
    is_plain = any(len(token) > 1 and token.startswith(b"*") for token in row.filter.split(b".")) and not Server.peer_by_default
    expected = row.subset == b"yes" and (not is_plain or row.filter == row.subject)
    assert count([row.subject], row.filter) - count([], row.filter) == expected


def test_the_own_account(count):
    """Others are not counted; the service may have another name."""
    assert count([b"foo", b"foo"], b"foo", "b", "count") == 2
    assert count([], b"foo", "b", "count") == 0


def test_only_where_it_is_imported(connect, world):
    """By default nobody may ask."""
    c = world("")(None, b"inbox", **CAPABLE)
    c.send(pub(SERVICE.encode(), b"foo", b"inbox"))
    c.expect(no_responders(b"inbox", 1, SERVICE.encode()))
