# SPDX-License-Identifier: Apache-2.0
"""Servers with a system account, and clients that ask it and hear what it tells.  talk.py has the rest."""

import json

import pytest

from e2e.accounts.conftest import world  # noqa: F401  (a fixture)
from e2e.accounts.lines import CAPABLE
from e2e.monitor.web import Monitor
from e2e.system.talk import SYSTEM, Talker


@pytest.fixture
def talk(connect):
    """talk(server, user=None, *subjects, **fields of CONNECT) -> Talker that is logged in (without user: anonymously), and hears of
    these subjects all that happens from now on."""
    def open_talker(server, user=None, *subjects, **fields):
        if user:
            fields = {"user": user, "pass": "pw", **fields}
        talker = Talker(connect(server).connect(**{**CAPABLE, **fields}))
        if subjects:
            talker.hear(*subjects)
        return talker

    return open_talker


class System:
    """A server with this configuration."""

    def __init__(self, world_of_it, talk_to):
        self.server = world_of_it.server
        self.path = world_of_it.path  # of its configuration file
        self._talk = talk_to

    def __call__(self, user=None, *subjects, **fields) -> Talker:
        """As `talk`."""
        return self._talk(self.server, user, *subjects, **fields)

    def http(self, path: str) -> tuple[int, dict]:
        """Status and document of the monitoring port; the configuration has MONITORED."""
        answer = Monitor(self.server).get(path)
        return answer.status, json.loads(answer.body)


@pytest.fixture
def system(world, talk):  # noqa: F811
    """system(text=SYSTEM, *args) -> System of this test alone: w = system(); sys = w("sys", "$SYS.ACCOUNT.>"); a = w("a")"""
    return lambda text=SYSTEM, *args: System(world(text, *args), talk)
