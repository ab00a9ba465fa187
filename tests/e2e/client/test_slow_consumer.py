# SPDX-License-Identifier: Apache-2.0
"""Readers that do not keep up."""

import re

from harness import eventually

MEGABYTE = 1 << 20
SIZE = 32_000  # payload of every message here


def message(verb: bytes, subject: bytes, sid: bytes = b"") -> bytes:
    return verb + b" " + subject + b" " + sid + b"%d\r\n" % SIZE + b"x" * SIZE + b"\r\n"


def flood(publisher, subject: bytes, until, n_batch: int = 50) -> None:
    """Publish until the condition holds.  The server may stall us, so every batch is waited for."""
    publisher.timeout = 60.0

    def batch():
        publisher.send(message(b"PUB", subject) * n_batch)
        publisher.fence()
        return until()

    eventually(batch, timeout=60.0)


def test_p55_pending_bytes(connect, start_server, subject):
    """Reader that stops reading is closed with reason Slow Consumer (Pending Bytes), no -ERR, INF log line."""
    server = start_server("-D", options={"max_pending": MEGABYTE, "max_payload": 64_000})
    slow, publisher = connect(server, rcvbuf=4096).connect(), connect(server).connect()
    slow.send(b"SUB %s 1\r\n" % subject)
    slow.fence()
    flood(publisher, subject, lambda: "Slow Consumer Detected" in server.log())
    server.wait_log(rf"\[INF\] .* - cid:{slow.cid} - .*Slow Consumer Detected: MaxPending of {MEGABYTE} Exceeded")
    assert server.closed_reason(slow.cid) == "Slow Consumer (Pending Bytes)"
    slow.timeout = 30.0
    received = slow.read_to_eof()
    whole = message(b"MSG", subject, b"1 ")
    assert received == (whole * (len(received) // len(whole) + 1))[:len(received)]
    publisher.fence()


def test_p55_write_deadline(connect, start_server, subject):
    """Reader that stops reading is closed with reason Slow Consumer (Write Deadline), no -ERR, INF log line."""
    server = start_server("-D", options={"write_deadline": "1s"})
    slow, publisher = connect(server, rcvbuf=4096).connect(), connect(server).connect()
    slow.send(b"SUB %s 1\r\n" % subject)
    slow.fence()
    publisher.timeout = 60.0
    publisher.send(message(b"PUB", subject) * 600)  # 19 MB: more than the kernel buffers, less than max_pending
    publisher.fence()
    server.wait_log(rf"\[INF\] .* - cid:{slow.cid} - .*Slow Consumer Detected: WriteDeadline of 1s exceeded with \d+ chunks "
                    rf"of \d+ total bytes\.", timeout=30.0)
    assert server.closed_reason(slow.cid) == "Slow Consumer (Write Deadline)"
    slow.timeout = 30.0
    assert not re.search(rb"-ERR", slow.read_to_eof())
    publisher.fence()


def test_p55_others_are_served(connect, start_server, subject):
    """A reader that keeps up gets every message, while a slow one beside it is thrown out."""
    server = start_server("-D", options={"max_pending": MEGABYTE, "max_payload": 64_000})
    slow, quick, publisher = connect(server, rcvbuf=4096).connect(), connect(server).connect(), connect(server).connect()
    for c in (slow, quick):
        c.send(b"SUB %s 1\r\n" % subject)
        c.fence()
    publisher.timeout = quick.timeout = 60.0
    whole, n_batch = message(b"MSG", subject, b"1 "), 10

    def batch():
        publisher.send(message(b"PUB", subject) * n_batch)
        assert quick.read_exactly(len(whole) * n_batch) == whole * n_batch
        return "Slow Consumer Detected" in server.log()

    eventually(batch, timeout=60.0)
    assert server.closed_reason(slow.cid) == "Slow Consumer (Pending Bytes)"
    quick.fence()
    publisher.fence()


def test_p55_a_pause_is_no_offence(connect, start_server, subject):
    """Who pauses, but stays under max_pending and write_deadline, loses nothing."""
    server, n = start_server(options={"write_deadline": "60s"}), 600
    slow, publisher = connect(server, rcvbuf=4096).connect(), connect(server).connect()
    slow.send(b"SUB %s 1\r\n" % subject)
    slow.fence()
    publisher.timeout = slow.timeout = 60.0
    publisher.send(message(b"PUB", subject) * n)
    publisher.fence()
    whole = message(b"MSG", subject, b"1 ")
    for _ in range(n):
        assert slow.read_exactly(len(whole)) == whole
    slow.fence()


def test_p56_no_fast_producer_stall(connect, start_server, subject):
    """no_fast_producer_stall keeps slow reader connected and drops."""
    options = {"max_pending": MEGABYTE, "max_payload": 64_000, "no_fast_producer_stall": True, "write_deadline": "60s"}
    server, n = start_server("-D", options=options), 1000
    slow, publisher = connect(server, rcvbuf=4096).connect(), connect(server).connect()
    slow.send(b"SUB %s 1\r\n" % subject)
    slow.fence()
    publisher.timeout = slow.timeout = 60.0
    publisher.send(message(b"PUB", subject) * n)  # 32 MB
    publisher.fence()
    received, whole = slow.ping(), message(b"MSG", subject, b"1 ")
    n_received = len(received) // len(whole)
    assert received == whole * n_received
    assert MEGABYTE // 2 // SIZE < n_received < n
    assert "Slow Consumer" not in server.log()
    publisher.send(message(b"PUB", subject))
    slow.expect(whole)
    slow.fence()
