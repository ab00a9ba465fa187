# SPDX-License-Identifier: Apache-2.0
"""What tests of services have in common: S exports them, A imports them and asks, and what goes between the two."""

import re

from e2e.accounts.lines import Message, accounts, imported, pub, read_message

__all__ = ["REPLY", "SERVICE", "answer", "ask", "is_reply", "offered", "service"]

REPLY = rb"_R_\.[0-9A-Za-z]{6}\.[0-9A-Za-z]{6}"  # the reply subject that a responder sees


# ---- configuration

def offered(subject: str, more: str = "") -> str:
    """An entry of `exports`.  `more` is what else it says: `response: stream`."""
    return f'{{ service: "{subject}", {more} }}\n'


def service(export: str = "", of_import: str = "", **others) -> str:
    """S exports the service req, with what else `export` says, and A imports it, with `of_import`; others: as for accounts()."""
    return accounts(exports=offered("req", export), imports=imported("service", "req", of_import), **others)


SERVICE = service()


# ---- protocol

def ask(asker, responder, subject: bytes = b"req", *, reply: bytes = b"_I.1", payload: bytes = b"?") -> Message:
    """Publish a request that the server has no objections to; what the responder gets of it."""
    asker.send(pub(subject, payload, reply))
    asker.fence()
    return read_message(responder)


def answer(responder, reply: bytes, *payloads: bytes) -> None:
    """Publish these to the reply subject; the server has no objections."""
    responder.send(b"".join(pub(reply, payload) for payload in payloads))
    responder.fence()


def is_reply(subject: bytes) -> bool:
    """Whether the server made it in place of a requestor's reply subject."""
    return re.fullmatch(REPLY, subject) is not None
