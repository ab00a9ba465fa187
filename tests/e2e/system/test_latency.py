# SPDX-License-Identifier: Apache-2.0
"""How long services take, as an event of the account that offers them (spec 06 §5.13).  All of it is in accounts/test_latency.py."""

from e2e.accounts.lines import account, accounts, imported
from e2e.system.events import golden, shape

CONFIG = "system_account: SYS\n" + accounts(
    account("SYS"), exports='{service: echo, latency: {sampling: "100%", subject: lat.echo}}', imports=imported("service", "echo"))


def test_e41_metric(system):
    """E-41: one for each request that is answered; the system account does not hear of it."""
    w = system(CONFIG)
    hearer, sys, a = w("s", "lat.>"), w("sys", "lat.>", "$SYS.LATENCY.>"), w("a")
    s = w("s", "echo", name="app", lang="go", version="1.40.0")
    for _ in range(3):
        a.send("echo", b"?", reply=b"_J")
        s.send(s.next_message().reply.decode(), b"!")
        metric = hearer.event("lat.echo")
        assert shape(metric) == golden("service_latency")
        assert (metric["type"], metric["status"]) == ("io.nats.server.metric.v1.service_latency", 200)
        assert (metric["requestor"]["acc"], metric["responder"]["acc"], metric["responder"]["user"]) == ("A", "S", "s")
    assert hearer.events() == sys.events() == []
