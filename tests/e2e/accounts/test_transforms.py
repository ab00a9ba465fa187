# SPDX-License-Identifier: Apache-2.0
"""X-055: transforms of subjects (spec 05 §6), by every row of transforms.tsv and partitions.tsv.

One server has the accounts of all rows that work: M<n>, or S<n> and A<n> for imports.
"""

import re

import pytest

from e2e.accounts.lines import account, heard, imported, pub
from e2e.accounts.vectors import quoted, rows
from e2e.config.conftest import judge  # noqa: F401  (a fixture)
from harness import Server

TRANSFORMS = rows("transforms.tsv")
PARTITIONS = rows("partitions.tsv")
for _row in PARTITIONS:  # its `form` is like "partition(N,1) of a.*"
    _function, _row.source = _row.form.split(b" of ")
    _row.context, _row.destination = b"mapping", b"p.{{%s}}" % _function.replace(b"N", _row.n)
    _row.input, _row.expected, _row.kind = _row.subject, b"p." + _row.partition, b"ok"
PLACE = r"t\.conf:\d+:\d+: "
# What the Go server accepts and gnatwren refuses (import-to in docs/differences.md), as (context, source, destination): a wildcard
# twice, wildcards in `to` of a stream that has none, a `to` that is no subject.
ONLY_GO = {(b"service-import", b"foo.*", b"bar.$1.$1"), (b"stream-import", b"foo.*", b"bar.$1.$1"), (b"stream-import", b"foo", b"bar.*"),
           (b"stream-import", b"foo", b"..x")}


def is_only_go(row) -> bool:
    return (row.context, row.source, row.destination) in ONLY_GO


def is_random(row) -> bool:
    """A partition of a literal: beside other mappings the Go server hashes nothing, or the subject, which depends on their order."""
    return b"{{partition" in row.destination and not set(b"*>") & set(row.source)


def world_of(row, n) -> str:
    """The accounts of a row."""
    source, dest = quoted(row.source), quoted(row.destination)
    if row.context == b"mapping":
        return account(f"M{n}", f"mappings: {{ {source}: {dest} }}")
    kind, _, prefix = row.context.decode().partition("-import")
    to = f"{'prefix' if prefix else 'to'}: {dest}" if row.destination else ""
    return (account(f"S{n}", exports=f"{{ {kind}: {source} }}") +
            account(f"A{n}", imports=imported(kind, row.source.decode(), to, account=f"S{n}")))


def numbered(table):
    return pytest.mark.parametrize("n, row", list(table), ids=[row.id for _, row in table])


ROWS = list(enumerate(TRANSFORMS + PARTITIONS))
WORKING = [(n, row) for n, row in ROWS if row.kind != b"error" and not is_random(row) and (Server.peer_by_default or not is_only_go(row))]


@pytest.fixture(scope="module", autouse=True)
def configured(request, tmp_path_factory):
    """The module's server has the accounts of all rows."""
    path = tmp_path_factory.mktemp("transforms") / "server.conf"
    path.write_text("accounts {\n%s}\n" % "".join(world_of(row, n) for n, row in WORKING))
    request.module.SERVER_ARGS = ["-c", path]


@pytest.fixture
def travel(connect):
    """travel(publisher, listener, subject) -> what the listener, who hears everything, is sent."""
    def enter(user):
        return connect().connect(user=user, **{"pass": "pw"})

    def run(publisher, listener, subject):
        there = enter(listener)
        there.send(b"SUB > 1\r\n")
        there.fence()
        here = there if publisher == listener else enter(publisher)
        here.send(pub(subject, b"x"))
        if here is not there:
            here.fence()
        return heard(there)

    return run


@numbered(WORKING)
def test_x055_transform(travel, n, row):
    """What is published to `input` has the subject `expected`, or goes nowhere."""
    publisher, listener = {b"map": (f"m{n}", f"m{n}"), b"ser": (f"a{n}", f"s{n}"), b"str": (f"s{n}", f"a{n}")}[row.context[:3]]
    assert travel(publisher, listener, row.input) == ([] if row.kind == b"drop" else [(row.expected, b"x")])


@numbered([(n, row) for n, row in ROWS if row.kind == b"error"])
def test_x055_bad_transform(judge, n, row):  # pylint: disable=redefined-outer-name
    """The configuration is refused."""
    verdict = judge("accounts {\n%s}\n" % world_of(row, n))
    assert verdict.code == 1
    assert re.sub(PLACE, "", verdict.message) == row.expected.decode()


@pytest.mark.ours
@numbered([(n, row) for n, row in ROWS if is_only_go(row)])
def test_x055_transform_that_cannot_work(judge, n, row):  # pylint: disable=redefined-outer-name
    """What the Go server accepts is refused where it cannot do what was meant."""
    assert judge("accounts {\n%s}\n" % world_of(row, n)).code == 1


@pytest.mark.parametrize("source, arguments", [("g", "10"), ("foo.x", "10"), ("foo.x", "10,7")])
def test_x055_partition_of_a_literal(world, source, arguments):
    """Without wildcards there is nothing to choose it by: it is that of the empty text."""
    c = world('mappings { "%s": "p.{{partition(%s)}}" }' % (source, arguments))(None, b">")
    c.send(pub(source.encode(), b"x"))
    assert heard(c) == [(b"p.1", b"x")]
