# SPDX-License-Identifier: Apache-2.0
"""Clients that ask the server, and hear what it tells of itself (spec 06); the text of a configuration with accounts for them.

Subjects and payloads are text here.  `{id}` in a subject is replaced with the id of the server.
"""

from __future__ import annotations

import itertools
import json

from e2e.accounts.lines import Message, account, accounts, hpub, pub, read_message

SYSTEM = "server_name: S1\nsystem_account: SYS\n" + accounts(account("SYS"), account("B"))  # besides S and A
MONITORED = 'http: "127.0.0.1:-1"\n'
SERVICES = ["IDZ", "STATSZ", "VARZ", "SUBSZ", "CONNZ", "ROUTEZ", "GATEWAYZ", "LEAFZ", "ACCOUNTZ", "JSZ", "HEALTHZ", "PROFILEZ",
            "EXPVARZ", "IPQUEUESZ", "RAFTZ"]
# Whoever asks all of these is answered to each, if only with a 503, by every thread of the Go server.
_FENCES = ["$SYS.REQ.SERVER.{id}.IDZ", "$SYS.REQ.SERVER.{id}.STATSZ", "$SYS.REQ.ACCOUNT.PING.CONNZ"]


class Talker:
    """A client, logged in, that asks and hears.

    Messages are either answers to what it asks (they come to its inboxes) or events, which wait here until somebody wants them.
    """

    def __init__(self, client):
        self.client = client
        self._events: list[Message] = []
        self._numbers = itertools.count(1)
        client.send(b"SUB _I.%d.* inbox\r\n" % self.cid)
        client.fence()

    @property
    def cid(self) -> int:
        return self.client.cid

    @property
    def server_id(self) -> str:
        return self.client.info["server_id"]

    def hear(self, *subjects: str) -> None:
        """Subscribe, without the events that are under way: those of its own login among them."""
        self.settle()
        self.client.send(b"".join(b"SUB %s %d\r\n" % (subject.encode(), next(self._numbers)) for subject in subjects))
        self.settle()

    # ---- asking

    def send(self, subject: str, payload: str | bytes | dict = b"", *, reply: bytes = b"", header: bytes | None = None) -> None:
        """Publish; `header` is a block with its empty line."""
        data = json.dumps(payload) if isinstance(payload, dict) else payload
        data = data.encode() if isinstance(data, str) else data
        to = subject.replace("{id}", self.server_id).encode()
        self.client.send(pub(to, data, reply) if header is None else hpub(to, header, data, reply))

    def ask(self, subject: str, payload: str | bytes | dict = b"", **how) -> Message:
        """The first answer."""
        inbox = self._inbox()
        self.send(subject, payload, reply=inbox, **how)
        answer = self._next_answer()
        assert answer.subject == inbox, answer
        return answer

    def inquire(self, subject: str, payload: str | bytes | dict = b""):
        """What the first answer says: JSON, plain."""
        answer = self.ask(subject, payload)
        assert answer.header is None, answer.header
        assert answer.reply == b""
        return json.loads(answer.payload)

    def data(self, subject: str, payload: str | bytes | dict = b""):
        """What a service has to say beside the server's block."""
        said = self.inquire(subject, payload)
        assert list(said) == ["server", "data"], said
        assert said["server"]["id"] == self.server_id
        return said["data"]

    def error(self, subject: str, payload: str | bytes | dict = b"") -> dict:
        """A failure, as {"code", "description"}, and whether there was a "data" beside it, which was null then."""
        said = self.inquire(subject, payload)
        assert sorted({*said, "data"}) == ["data", "error", "server"], said
        assert said.get("data") is None
        return {**said["error"], "has_data": "data" in said}

    def answers(self, subject: str, payload: str | bytes | dict = b"") -> list[Message]:
        """All answers, of a server that answers in the order in which it is asked."""
        inbox = self._inbox()
        self.send(subject, payload, reply=inbox)
        found = self._fence()
        assert {answer.subject for answer in found} <= {inbox}, found
        return found

    # ---- hearing

    def next_message(self) -> Message:
        """The next event, as it came."""
        got = self._events.pop(0) if self._events else read_message(self.client)
        assert got.sid != b"inbox", got
        return got

    def event(self, subject: str) -> dict:
        """What the next event says; it has this subject."""
        got = self.next_message()
        assert got.subject.decode() == subject.replace("{id}", self.server_id), got
        return json.loads(got.payload)

    def event_later(self, subject: str) -> dict:
        """What the next one with this subject says; others are read over."""
        while (got := self.next_message()).subject.decode() != subject.replace("{id}", self.server_id):
            pass
        return json.loads(got.payload)

    def events(self) -> list[tuple[str, dict]]:
        """Everything else that has happened until now, as subjects and what they say."""
        self.settle()
        self._events, heard = [], self._events
        return [(got.subject.decode(), json.loads(got.payload)) for got in heard]

    def settle(self) -> None:
        """What has happened until now has been told: the server tells of it, and answers, in order."""
        found = self._fence()
        assert not found, found

    # ---- inside

    def _inbox(self) -> bytes:
        return b"_I.%d.%d" % (self.cid, next(self._numbers))

    def _fence(self) -> list[Message]:
        """Ask what is answered for sure; answers that come before those, or between them."""
        awaited, found = {}, []
        for subject in _FENCES:
            inbox = self._inbox()
            awaited[inbox] = subject
            self.send(subject, reply=inbox)
        while awaited:
            got = self._next_answer()
            if not awaited.pop(got.subject, None):
                found.append(got)
        return found

    def _next_answer(self) -> Message:
        while (got := read_message(self.client)).sid != b"inbox":
            self._events.append(got)
        return got


def is_refused(answer: Message) -> bool:
    """Nobody is there for the request."""
    return answer.header is not None and answer.header.startswith(b"NATS/1.0 503\r\n") and not answer.payload
