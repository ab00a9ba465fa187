# SPDX-License-Identifier: Apache-2.0
"""What happens below $SYS stays in its account, unless the configuration shares it (spec 06 §1)."""

from e2e.accounts.lines import account, accounts


def test_e04_system_subjects_are_private(system):
    """E-04: $SYS.X is a subject like any other in each account."""
    w = system()
    sys, a, other, b = w("sys", "$SYS.X"), w("a"), w("a", "$SYS.X"), w("b", "$SYS.X")
    for sender, hearer, strangers in ((a, other, (sys, b)), (w("sys"), sys, (other, b))):
        sender.send("$SYS.X", '"mine"')
        sender.settle()
        assert hearer.events() == [("$SYS.X", "mine")]
        assert [stranger.events() for stranger in strangers] == [[], []]


def test_e04_forged_events(system):
    """E-04: who is in the system account may publish there; events with nothing in them do no harm."""
    w = system()
    forger, sys = w("sys"), w("sys", "$SYS.SERVER.X.>", "$SYS.SERVER.ACCOUNT.>")
    for subject in ("$SYS.SERVER.X.SHUTDOWN", "$SYS.SERVER.ACCOUNT.A.CONNS", "$SYS.SERVER.X.STATSZ"):
        forger.send(subject, b"")
        assert sys.next_message().subject.decode() == subject
    sys.settle()


def test_e04_an_account_imports_its_own(system):
    """E-04: what concerns it, if the system account exports that."""
    w = system("system_account: SYS\n" + accounts(
        account("SYS", exports='{stream: "$SYS.ACCOUNT.*.>", account_token_position: 3}'), account("B"),
        imports='{stream: {account: SYS, subject: "$SYS.ACCOUNT.A.>"}, to: "ev.>"}'))
    a = w("a", "ev.>")
    w("b")
    assert a.events() == []
    other = w("a")
    assert a.event("ev.SERVER.CONNS")["conns"] == 2
    assert a.event("ev.CONNECT")["client"]["id"] == other.cid
