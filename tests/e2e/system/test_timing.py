# SPDX-License-Identifier: Apache-2.0
"""What the server repeats by itself: STATSZ and the counts of accounts (spec 06 §5).

All of it is watched at the same time, for half a minute.  The times are the server's own, so a slow test does no harm.
"""

import time
from itertools import pairwise

import pytest

from e2e.accounts.lines import account, accounts
from e2e.system.talk import Talker
from e2e.system.times import instant
from harness import Client, Server

LONG = 36.0  # [s] until what is repeated every 30 s was heard once more
SCHEDULE = [0.25, 1.25, 3.25, 7.25, 15.25, 25.25, 35.25]  # [s] after the start
CONNS, OLD_CONNS = "$SYS.ACCOUNT.%s.SERVER.CONNS", "$SYS.SERVER.ACCOUNT.%s.CONNS"
CONFIG = "system_account: SYS\n" + accounts(account("SYS"), account("B"), account("C"), account("D"))


def enter(server, user) -> Talker:
    return Talker(Client(server.port, auto_pong=True, timeout=LONG + 30).connect(user=user, headers=True, no_responders=True, **{"pass": "pw"}))


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """What a client of the system account heard in LONG seconds, as (subject, document), while
    A had a client all the time, B one that left at once, C got a second one after 3 s, and D had nobody."""
    path = tmp_path_factory.mktemp("timing") / "server.conf"
    path.write_text(CONFIG)
    with Server("-c", path) as server:
        sys = enter(server, "sys")
        sys.hear("$SYS.SERVER.*.STATSZ", "$SYS.SERVER.ACCOUNT.*.CONNS", "$SYS.ACCOUNT.*.SERVER.CONNS")
        begin = time.monotonic()
        clients = [enter(server, user) for user in "abc"]
        clients.pop(1).client.close()
        heard, is_joined = [], False
        while time.monotonic() < begin + LONG:
            if not is_joined and time.monotonic() > begin + 3:
                clients.append(enter(server, "c"))
                is_joined = True
            heard += sys.events()
            time.sleep(0.2)
        for talker in [sys, *clients]:
            talker.client.close()
    return heard


def moments(story, subject, kind=""):
    """[s] when these were sent."""
    return [instant(document["server"]["time"]) for heard, document in story if heard == subject or kind and heard.endswith(kind)]


def test_e15_statsz(story):
    """E-15: soon after the start, then less and less often, at last every 10 s."""
    start = next(instant(document["statsz"]["start"]) for subject, document in story if subject.endswith("STATSZ"))
    sent = [moment - start for moment in moments(story, None, ".STATSZ")]
    expected = SCHEDULE[-len(sent):] if sent[-1] > 35 else SCHEDULE[-len(sent) - 1:-1]
    assert len(sent) >= 5
    assert sent == pytest.approx(expected, abs=0.3)


def test_e18_heartbeat(story):
    """E-18: an account with connections is counted every 30 s, on both subjects."""
    for subject in (OLD_CONNS, CONNS):
        login, again = moments(story, subject % "A")
        assert again - login == pytest.approx(30, abs=1)
    assert [document["conns"] for subject, document in story if subject == CONNS % "A"] == [1, 1]


def test_e18_restarts(story):
    """E-18: 30 s after the last count, whatever made it."""
    login, second, again = moments(story, CONNS % "C")
    assert 2.5 < second - login < 10
    assert again - second == pytest.approx(30, abs=1)
    assert [document["conns"] for subject, document in story if subject == CONNS % "C"] == [1, 2, 2]


def test_e18_the_last_one_left(story):
    """E-18: that is said, and nothing more."""
    for subject in (OLD_CONNS, CONNS):
        assert [document["total_conns"] for heard, document in story if heard == subject % "B"] == [1, 0]


def test_e18_nobody(story):
    """E-18: an account without clients is not mentioned, nor is the global one."""
    assert {subject.split(".")[2] for subject, _ in story if subject.startswith("$SYS.ACCOUNT.")} == {"A", "B", "C", "SYS"}


def test_e12_across_time(story):
    """E-12: the numbers grow all the time."""
    numbers = [document["server"]["seq"] for _, document in story]
    assert all(earlier < later for earlier, later in pairwise(numbers))
