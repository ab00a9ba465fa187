# SPDX-License-Identifier: Apache-2.0
"""Attacks on the borders between accounts: whatever is not exported to somebody stays out of his reach (spec 05 §2).

S and B do business with each other, SYS is the system account.  A may ask S a little; C has nothing to do with any of them.  Both try
whatever comes to mind.  More: tests/e2e/auth/test_isolation.py."""

import re

import pytest

from e2e.accounts.lines import CAPABLE, account, accounts, heard, hpub, imported, messages, no_responders, pub, read_message
from e2e.accounts.requests import answer, ask, is_reply, offered

TRICKS = """mappings: { m1: secret.x, m2: only.b, m3: part.b, m4: pos.B.x, m5: only.ev, m6: "$SYS.REQ.USER.S.INFO",
    "m7.>": ">", "m8.*": "$1", "back.*.*": "_R_.$1.$2" }"""

BORDERS = "system_account: SYS\naccounts {\n%s}\n" % "".join([
    account("S", exports=offered("req") + offered("part.>") + offered("only.b", "accounts: [B]")
            + offered("pos.*.x", "account_token_position: 2")
            + '{stream: "ev.>"}\n{stream: only.ev, accounts: [B]}\n'),
    account("B", imports=imported("service", "req") + imported("service", "only.b") + imported("stream", "only.ev")),
    account("A", TRICKS, imports=imported("service", "req") + imported("service", "part.a") + imported("service", "pos.A.x")
            + imported("stream", "ev.pub.*", "prefix: in")),
    account("C", TRICKS),
    account("SYS"),
])

EVERYTHING = [b">", b"*", b"*.*", b"*.*.*", b"secret.x", b"secret.>", b"secret.x workers", b"only.b", b"only.ev", b"only.ev workers",
              b"req", b"ev.>", b"in.>", b"in.ev.*.x", b"in.*.other.x", b"part.*", b"pos.*.x", b"_R_.>", b"_R_.*.*", b"_INBOX.>",
              b"_INBOX.b.1", b"$SYS.>", b"$SYS.REQ.>", b"$SYS.ACCOUNT.*.CONNECT", b"$SYS.REQ.USER.*.INFO", b"$SYS._INBOX.>", b"S.>",
              b"$G.>"]
FOREIGN = [b"secret.x", b"only.b", b"only.ev", b"ev.x", b"ev.pub.x", b"in.ev.pub.x", b"part", b"part.b", b"part.a.b", b"part.*",
           b"part.>", b"*", b">", b"*.a", b"*.*", b"part..a", b"part.a.", b".part.a", b"PART.a", b"part.a\x00", b"pos.B.x", b"pos.*.x",
           b"pos.>", b"pos.A.y", b"pos.A", b"_INBOX.b.1", b"_R_", b"_R_.", b"_R_.x", b"_R_.aaaaaa.bbbbbb", b"_R_.>", b"_R_.*.*",
           b"_GR_.x", b"$GR.x", b"$SYS", b"$SYS.>", b"$SYS.REQ.USER.S.INFO", b"$SYS.REQ.USER.B.INFO", b"$SYS.REQ.ACCOUNT.S.INFO",
           b"$SYS.ACCOUNT.S.CONNECT", b"$SYS.SERVER.x", b"$SYS._INBOX.x.y", b"$SYS.DEBUG.SUBSCRIBERS", b"S.secret.x", b"S", b"$G",
           b"$G.secret.x", b"SYS.x", b"m1", b"m2", b"m3", b"m4", b"m5", b"m6", b"m7.secret.x", b"m7.only.b", b"m7._R_.aaaaaa.bbbbbb",
           b"m8.req.x", b"back.aaaaaa.bbbbbb", b"back.*.>"]
ALLOWED_TO_A = [b"req", b"part.a", b"pos.A.x", b"m7.req", b"m7.part.a", b"m8.req"]

FORGED = [
    b'NATS/1.0\r\nNats-Request-Info: {"acc":"S","user":"s"}\r\n\r\n',
    b"NATS/1.0\r\nNats-Trace-Dest: secret.x\r\n\r\n",
    b"NATS/1.0\r\nNats-Trace-Dest: secret.x\r\nNats-Trace-Only: true\r\n\r\n",
    b"NATS/1.0\r\nNats-Trace-Dest: $SYS.ACCOUNT.S.CONNECT\r\nNats-Trace-Only: 1\r\n\r\n",
    b"NATS/1.0\r\nNats-Trace-Origin-Account: S\r\nNats-Trace-Dest: secret.x\r\n\r\n",
    b"NATS/1.0\r\nNats-Subject: secret.x\r\nNats-Account: S\r\nNats-Reply-To: secret.x\r\n\r\n",
    b"NATS/1.0 503\r\n\r\n",
]


def everybody(w, *users):
    """One who listens to all he can, for each user; what the server itself has told them by now does not count."""
    clients = {user: w(user, **CAPABLE) for user in users}
    for client in clients.values():
        client.send(b"".join(b"SUB %s %d\r\n" % (what, sid) for sid, what in enumerate(EVERYTHING, 1)))
        client.ping()
    return clients


def traces(clients, mark):
    """What they heard with this mark, in payload or header; the server's own events and traces do not have it unless they tell of it."""
    return [(name, m.subject) for name, client in clients.items() for m in messages(client)
            if mark in m.payload or mark in (m.header or b"")]


# ---- speaking where one is not meant to

@pytest.mark.parametrize("attacker", ["a", "c"])
def test_no_publish_reaches_another_account(world, attacker):
    """Not by its subject, nor as a wildcard, nor by way of a mapping, nor with anybody's reply subject."""
    w = world(BORDERS)
    victims, enemy = everybody(w, "s", "b", "sys"), w(attacker, **CAPABLE)
    subjects = FOREIGN + (ALLOWED_TO_A if attacker == "c" else [])
    for reply in (b"", b"secret.x", b"only.b", b"_INBOX.b.1", b"$SYS.REQ.USER.S.INFO", b">", b"_R_"):
        enemy.send(b"".join(pub(subject, b"attack", reply) for subject in subjects))
        enemy.ping()
    assert not traces(victims, b"attack")


@pytest.mark.parametrize("attacker", ["a", "c"])
@pytest.mark.parametrize("header", FORGED, ids=repr)
def test_no_header_opens_a_way(world, attacker, header):
    """Whatever it pretends; also the traces that it asks for stay at home."""
    w = world(BORDERS)
    victims, enemy = everybody(w, "s", "b", "sys"), w(attacker, **CAPABLE)
    marked = header[:-2] + b"X-Mark: attack\r\n\r\n"
    for reply in (b"", b"secret.x"):
        enemy.send(b"".join(hpub(subject, marked, b"attack", reply) for subject in FOREIGN))
        enemy.ping()
    assert not traces(victims, b"attack")


def test_what_is_allowed_works(world):
    """So the attacks above failed for a reason."""
    w = world(BORDERS)
    s, a = w("s", b">", **CAPABLE), w("a", **CAPABLE)
    a.send(b"".join(pub(subject, b"x") for subject in ALLOWED_TO_A))
    a.fence()
    assert [subject for subject, _ in heard(s)] == [b"req", b"part.a", b"pos.A.x", b"req", b"part.a", b"req"]


@pytest.mark.parametrize("published", [b"my.*", b"my.>", b"my.a.b", b"my", b"my.", b"my..", b"my.a.", b"*.a", b"*.*", b">", b"my.*.a"],
                         ids=repr)
def test_wildcards_in_a_published_subject_are_no_wildcards(world, published):
    """They address neither several services nor one that is deeper."""
    w = world(accounts(exports=offered("req.*") + offered("req.a.b"), imports=imported("service", "req.*", "to: 'my.*'")))
    s, a = w("s", b"req.a", b"req.b", b"req.a.b", b"req.*.*", b"req", b"req.*.a", b"my.>", **CAPABLE), w("a", **CAPABLE)
    a.send(pub(published, b"attack", b"_I.1"))
    a.ping()
    s.fence()


@pytest.mark.parametrize("reply", [b"secret.x", b"req", b"only.b", b"*", b">", b"$SYS.REQ.USER.S.INFO", b"_INBOX.b.1"])
def test_reply_subjects_are_the_requestors(world, reply):
    """What S answers goes to that subject in A, whoever listens to it in S, B or SYS."""
    w = world(BORDERS)
    others, a = everybody(w, "b", "sys"), w("a", b">", **CAPABLE)
    s = w("s", b"req", b"secret.>", b"only.b", b"_INBOX.>", b"$SYS.>", **CAPABLE)
    a.send(pub(b"req", b"?", reply))
    to_s = read_message(s)
    assert is_reply(to_s.reply)
    answer(s, to_s.reply, b"attack")
    assert b"attack" in {m.payload for m in messages(a)}
    assert not traces(others, b"attack")


def test_reply_of_a_stream_leads_nowhere(world):
    """The reply subject of an imported message is told to A, who cannot reach it."""
    w = world(BORDERS)
    victims, s, a = everybody(w, "b", "sys"), w("s", b"secret.>", **CAPABLE), w("a", b"in.>", **CAPABLE)
    s.send(pub(b"ev.pub.x", b"public", b"secret.x"))
    got = read_message(a)
    assert (got.subject, got.reply) == (b"in.ev.pub.x", b"secret.x")
    a.send(pub(got.reply, b"attack") + pub(b"in." + got.reply, b"attack") + pub(b"req", b"?", got.reply))
    a.ping()
    s.fence()
    assert not traces(victims, b"attack")


# ---- hearing what one is not meant to

@pytest.mark.parametrize("attacker", ["a", "c"])
def test_no_subscription_reaches_another_account(world, attacker):
    """Neither business of S and B, nor inboxes, nor events: only the stream that A has imported."""
    w = world(BORDERS)
    enemies = everybody(w, attacker)
    s, b, system = w("s", b"req", b"only.b", **CAPABLE), w("b", b"_INBOX.b.*", b"only.ev", **CAPABLE), w("sys", b"_INBOX.b.1", **CAPABLE)
    for speaker in (s, b, system):
        speaker.send(b"".join(pub(subject, b"secret", b"_INBOX.b.2") for subject in FOREIGN if subject not in (b"ev.pub.x", b"_R_.")))
        speaker.ping()
    for service in (b"req", b"only.b"):
        b.send(pub(service, b"secret", b"_INBOX.b.1"))
        b.ping()
        answer(s, messages(s)[-1].reply, b"secret")
        assert heard(b)[-1] == (b"_INBOX.b.1", b"secret")
    s.send(pub(b"ev.pub.x", b"secret only to c"))
    s.fence()
    assert {subject for _, subject in traces(enemies, b"secret")} == ({b"in.ev.pub.x"} if attacker == "a" else set())


@pytest.mark.parametrize("pattern", [b">", b"in.>", b"in.ev.*.*", b"in.ev.*.x", b"*.ev.>", b"in.*.pub.x", b"in.ev.secret.x", b"in.ev.>",
                                     b"ev.>", b"ev.secret.x", b"*.*.*.*", b"in.ev.> workers"], ids=repr)
def test_part_of_a_stream(world, pattern):
    """Of an export A hears the part that it imports, however wide its subscription."""
    w = world(accounts(exports='{stream: "ev.>"}', imports=imported("stream", "ev.pub.*", "prefix: in")))
    s, a = w("s"), w("a", pattern)
    s.send(b"".join(pub(subject, b"secret") for subject in (b"ev.secret.x", b"ev.secret.y", b"ev.pub", b"ev.pub.x.y", b"in.ev.pub.x",
                                                            b"in.ev.secret.x", b"ev.*.x", b"ev.>", b"ev", b"pub.x")))
    s.fence()
    a.fence()


def test_queue_groups_steal_nothing(world):
    """A group of the same name and subject in A or C takes none of the messages of that in S."""
    w = world(BORDERS)
    thieves = [w(user, *[b"secret.x workers"] * 10, b"> workers", b"req workers", **CAPABLE) for user in "ac"]
    worker, b, s = w("s", b"secret.x workers", b"req workers", **CAPABLE), w("b", **CAPABLE), w("s", **CAPABLE)
    s.send(pub(b"secret.x", b"x") * 100)
    b.send(pub(b"req", b"x", b"_INBOX.b.1") * 100)
    s.fence()
    b.fence()
    assert len(messages(worker)) == 200
    for thief in thieves:
        thief.fence()


def test_ids_of_subscriptions_are_the_clients_own(world):
    """Those of S and A who hear the same stream by the same sid, and end it, do not end that of the other."""
    w = world(BORDERS)
    speaker = w("s")
    for first, second in ((0, 1), (1, 0)):
        pair = [w("s", b"ev.pub.x"), w("a", b"in.ev.pub.x")]
        pair[first].send(b"UNSUB 1\r\nUNSUB 2\r\n")
        pair[first].fence()
        speaker.send(pub(b"ev.pub.x", b"x"))
        speaker.fence()
        assert len(heard(pair[second])) == 1
        pair[first].fence()
        pair[second].close()


# ---- reply subjects of the server's

@pytest.mark.parametrize("user", ["a", "b", "c", "sys"])
def test_reply_subject_of_another_account(world, user):
    """Only S can answer there: not even the requestor's account, nor one that has a request of its own outstanding."""
    w = world(BORDERS)
    s, a, b, enemy = w("s", b"req", **CAPABLE), w("a", b">", **CAPABLE), w("b", b"_INBOX.b.>", **CAPABLE), w(user, **CAPABLE)
    a.send(pub(b"req", b"?", b"_INBOX.a.1"))
    reply_to_a = read_message(s).reply
    reply_to_b = ask(b, s, reply=b"_INBOX.b.1").reply
    messages(a)
    for reply in (reply_to_a, reply_to_b):
        _, group, one = reply.split(b".")
        enemy.send(b"".join(pub(subject, b"attack") for subject in (reply, b"back.%s.%s" % (group, one), b"m7." + reply, b"m8." + reply)))
        enemy.send(hpub(reply, FORGED[0], b"attack") + hpub(reply, FORGED[1], b"attack"))
        enemy.ping()
    heard_by_a = {m.subject for m in messages(a)}
    assert b"_INBOX.a.1" not in heard_by_a
    if user != "a":
        assert not heard_by_a
    b.fence()
    answer(s, reply_to_b, b"!")
    answer(s, reply_to_a, b"!")
    assert heard(b) == [(b"_INBOX.b.1", b"!")]
    assert heard(a) == [(b"_INBOX.a.1", b"!")]


def test_guessing_reply_subjects(world):
    """Whoever knows the server's prefix for S and tries its luck 20,000 times hits nothing; nobody objects."""
    w = world(BORDERS)
    s, a, b, c = w("s", b"req", **CAPABLE), w("a", b"_INBOX.>", **CAPABLE), w("b", b"_INBOX.>", **CAPABLE), w("c", **CAPABLE)
    replies = [ask(asker, s, reply=b"_INBOX.%d" % i).reply for asker in (a, b) for i in range(50)]
    group = replies[0].split(b".")[1]
    guesses = b"".join(pub(b"_R_.%s.%06d" % (group, i), b"attack") for i in range(20_000))
    for enemy in (c, a, b):
        enemy.send(guesses)
        assert enemy.ping() == b""
    for reply in replies:
        answer(s, reply, b"!")
    assert heard(a) == heard(b) == [(b"_INBOX.%d" % i, b"!") for i in range(50)]


def test_parts_of_reply_subjects(world):
    """In S, too, it must be the whole subject: what is shorter, longer or a wildcard answers nothing."""
    w = world(BORDERS)
    s, a = w("s", b"req", **CAPABLE), w("a", b"_I.>", **CAPABLE)
    reply = ask(a, s).reply
    _, group, one = reply.split(b".")
    for subject in (b"_R_." + group, reply + b".x", reply + b"x", reply[:-1], b"_R_.%s.*" % group, b"_R_.%s.>" % group, b"_R_.>",
                    b"_R_.*.*", b"_R_.%s." % group, reply + b".", b"_r_.%s.%s" % (group, one), b"_R_.*.%s" % one, reply.upper(), reply + b".T"):
        if subject != reply:
            s.send(pub(subject, b"attack"))
    s.fence()
    a.fence()
    answer(s, reply, b"!")
    assert heard(a) == [(b"_I.1", b"!")]


def test_reply_subjects_cannot_be_predicted(world):
    """Neither one token nor the next follows from those before: no common part longer than chance has it."""
    w = world(BORDERS)
    s, a = w("s", b"req", **CAPABLE), w("a", **CAPABLE)
    a.send(b"".join(pub(b"req", b"?", b"_I.%d" % i) for i in range(1000)))
    a.fence()
    tokens = [m.reply.split(b".")[2] for m in messages(s)]
    assert len(set(tokens)) == 1000
    for i in range(6):
        assert len({token[i] for token in tokens}) > 50, f"of 62 characters at {i}"
    following = sum(first[:3] == second[:3] or first[3:] == second[3:] for first, second in zip(tokens, tokens[1:]))
    assert following < 3


def test_listening_for_reply_subjects(world):
    """Nobody outside S hears what is published there; of those that A is given, B and C do not hear either."""
    w = world(BORDERS)
    spies = everybody(w, "b", "c", "sys")
    s, a = w("s", b"req", b"_I.s", **CAPABLE), w("a", b"_I.a", **CAPABLE)
    s.send(pub(ask(a, s, reply=b"_I.a").reply, b"secret", b"_I.s"))
    answer(a, read_message(a).reply, b"secret")
    s.expect(b"MSG _I.s 2 6\r\nsecret\r\n")
    assert not traces(spies, b"secret")


# ---- pretending to be somebody else

@pytest.mark.parametrize("user, name", [("a", "A"), ("b", "B")])
@pytest.mark.parametrize("header", [
    b'NATS/1.0\r\nNats-Request-Info: {"acc":"S","user":"root"}\r\n\r\n',
    b'NATS/1.0\r\nNats-Request-Info: {"acc":"S"}\r\nNats-Request-Info: {"acc":"SYS"}\r\nX: y\r\nNats-Request-Info: {}\r\n\r\n',
    b'NATS/1.0\r\nNats-Request-Info:{"acc":"S"}\r\n\r\n',
    b'NATS/1.0 100 Nats-Request-Info: {"acc":"S"}\r\nNats-Request-Info:\r\n\r\n',
], ids=["one", "many", "tight", "empty"])
def test_forged_identity(world, header, user, name):
    """S is told the truth, and only the truth."""
    w = world(BORDERS)
    s, enemy = w("s", b"req", **CAPABLE), w(user, **CAPABLE)
    enemy.send(hpub(b"req", header, b"?", b"_I.1"))
    got = read_message(s)
    assert got.info["acc"] == name
    assert len(re.findall(rb"\r\nNats-Request-Info:", got.header)) == 1


def test_forged_identity_in_a_chain(world):
    """Whoever passes requests on by hand speaks for himself."""
    w = world("accounts {%s %s %s}" % (account("C", exports=offered("req")),
                                       account("B", exports=offered("b"), imports=imported("service", "req", "share: true", account="C")),
                                       account("A", imports=imported("service", "b", account="B"))))
    c, b, a = w("c", b"req", **CAPABLE), w("b", b"b", **CAPABLE), w("a", **CAPABLE)
    got = ask(a, b, b"b")
    b.send(hpub(b"req", got.header, got.payload, b"_I.b"))
    info = read_message(c).info
    assert (info["acc"], info["user"], info["id"]) == ("B", "b", b.cid)


def test_answering_for_the_server(world):
    """Nobody but the system account can answer what is asked of the server, or hear it."""
    w = world(BORDERS)
    spies, asker = everybody(w, "s", "b", "c"), w("a", b"_I.1", **CAPABLE)
    enemy = w("a", b"$SYS.REQ.USER.A.INFO", b"$SYS.REQ.>", b"> q", **CAPABLE)
    asker.send(pub(b"$SYS.REQ.USER.INFO", b"attack", b"_I.1"))
    assert b'"account":"A"' in read_message(asker).payload
    assert {m.subject for m in messages(enemy)} <= {b"$SYS.REQ.USER.INFO", b"_I.1"}
    assert not traces(spies, b"attack")
    for user in "sbc":
        w(user).send(pub(b"_I.1", b"attack") + pub(b"$SYS.REQ.USER.A.INFO", b"attack", b"_I.1"))
    asker.fence()


# ---- what is open to one only

def test_who_is_not_on_the_list(world):
    """only.b is for B: A and C are answered that nobody is there, although B asks with success."""
    w = world(BORDERS)
    s, b, a, c = w("s", b"only.b", **CAPABLE), *(w(user, b"_I.1", **CAPABLE) for user in "bac")
    for enemy in (a, c):
        enemy.send(pub(b"only.b", b"attack", b"_I.1"))
        enemy.expect(no_responders(b"_I.1", 1, b"only.b"))
    answer(s, ask(b, s, b"only.b").reply, b"!")
    assert heard(b) == [(b"_I.1", b"!")]
    s.fence()


def test_positions_of_others(world):
    """A may ask pos.A.x; not by another name, even one that looks like it."""
    w = world(BORDERS)
    s, a = w("s", b"pos.>", **CAPABLE), w("a", b"_I.1", **CAPABLE)
    for subject in (b"pos.B.x", b"pos.*.x", b"pos.a.x", b"pos.A.x.x", b"pos.A", b"pos.A.X", b"pos.A.*", b"m4"):
        a.send(pub(subject, b"attack", b"_I.1"))
        a.expect(no_responders(b"_I.1", 1, b"pos.B.x" if subject == b"m4" else subject))
    s.fence()
    assert ask(a, s, b"pos.A.x").subject == b"pos.A.x"


def test_no_responders_tells_nothing(world):
    """Whether somebody listens in another account cannot be found out."""
    w = world(BORDERS)
    everybody(w, "s", "b", "sys")
    c = w("c", b"_I.1", **CAPABLE)
    for subject in (b"secret.x", b"req", b"only.b", b"pos.C.x", b"$SYS.REQ.USER.S.INFO", b"_R_.aaaaaa.bbbbbb"):
        c.send(pub(subject, b"?", b"_I.1"))
        c.expect(no_responders(b"_I.1", 1, subject))
