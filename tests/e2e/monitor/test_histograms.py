# SPDX-License-Identifier: Apache-2.0
"""The histograms of our own in /metrics: how much goes out at once, and how long turns of workers take."""

import re

import pytest

from e2e.accounts.lines import pub
from harness import eventually

pytestmark = pytest.mark.ours


def histogram(w, name: str) -> dict:
    """{labels but for server_id and le: {"buckets": [(limit, count)], "sum": …, "count": …}}"""
    found = {}
    for suffix, labels, value in re.findall(rf"^{name}_(bucket|sum|count){{(.*)}} (\S+)$", w.get("/metrics").text, re.M):
        own = dict(re.findall(r'(\w+)="([^"]*)"', labels))
        limit = own.pop("le", None)
        own.pop("server_id")
        one = found.setdefault(tuple(sorted(own.items())), {"buckets": []})
        if suffix == "bucket":
            one["buckets"].append((float(limit), int(value)))
        else:
            one[suffix] = float(value)
    return found


def test_metrics_histograms_are_well_formed(world):
    """Limits rise, counts do not fall, the last one is that of all."""
    w = world()
    c = w(None, b"x")
    c.send(pub(b"x", b"12345") * 100)
    c.ping()
    for name in ("gnatwren_write_bytes", "gnatwren_write_messages", "gnatwren_turn_seconds"):
        samples = histogram(w, name)
        assert samples, name
        for one in samples.values():
            limits, counts = zip(*one["buckets"])
            assert list(limits) == sorted(set(limits)) and limits[-1] == float("inf"), name
            assert list(counts) == sorted(counts) and counts[-1] == one["count"], name


def test_metrics_count_what_goes_out(world):
    """Messages as /varz has them; all bytes of the protocol."""
    w = world()
    c = w(None, b"x")
    before = histogram(w, "gnatwren_write_bytes")[()]["sum"]
    c.send(pub(b"x", b"12345") * 300)
    c.ping()
    messages = histogram(w, "gnatwren_write_messages")[()]
    assert messages["sum"] == w.document("/varz")["out_msgs"] == 300
    assert 1 <= messages["count"] <= 300
    assert histogram(w, "gnatwren_write_bytes")[()]["sum"] - before == 300 * len(b"MSG x 1 5\r\n12345\r\n") + len(b"PONG\r\n")


def test_metrics_time_turns(world):
    """One in sixteen of those that read something, by worker."""
    w = world()
    c = w()

    def turns() -> float:
        return sum(one["count"] for one in histogram(w, "gnatwren_turn_seconds").values())

    before = turns()
    for _ in range(160):
        c.ping()
    eventually(lambda: turns() - before >= 5)
    assert all(dict(labels).keys() == {"worker"} for labels in histogram(w, "gnatwren_turn_seconds"))
