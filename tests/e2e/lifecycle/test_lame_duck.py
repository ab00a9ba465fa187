# SPDX-License-Identifier: Apache-2.0
"""Lame duck mode: its course and its end.  What clients see of it is in client/test_lame_duck.py."""

import re
import signal
import socket
import time
from datetime import datetime

import pytest

OPTIONS = {"lame_duck_duration": "30s", "lame_duck_grace_period": "1s"}
LONG_GRACE = {"lame_duck_duration": "2m", "lame_duck_grace_period": "1m"}
ENTERED = ("INF", "Entering lame duck mode, stop accepting new clients")


def enter(server) -> None:
    server.signal(signal.SIGUSR2)
    server.wait_log("Entering lame duck mode, stop accepting new clients")


def close_times(server) -> list[float]:
    """[s] when clients were closed, in the order of the log."""
    closed = r"^\[\d+\] (\S+ \S+) \[DBG\] .* - Client connection closed: Server Shutdown$"
    found = re.findall(closed, server.log(), re.MULTILINE)
    return [datetime.strptime(text, "%Y/%m/%d %H:%M:%S.%f").timestamp() for text in found]


@pytest.mark.parametrize("options", [None, OPTIONS, LONG_GRACE])
def test_l17_without_clients(start_server, messages, options):
    """SIGUSR2 without clients: exit 0 at once."""
    server = start_server(options=options)
    server.signal(signal.SIGUSR2)
    assert server.wait_exit() == 0
    assert messages(server)[-4:] == [("INF", 'Trapped "user defined signal 2" signal'), ENTERED,
                                     ("INF", "Initiating Shutdown..."), ("INF", "Server Exiting..")]


def test_l17_after_the_last_client_went(connect, start_server):
    """Clients that are gone do not count; those that are going may, for one grace period."""
    server = start_server("-D", options=OPTIONS)
    c = connect(server).connect()
    c.close()
    server.closed_reason(c.cid)
    server.signal(signal.SIGUSR2)
    assert server.wait_exit() == 0


def test_l18_course(connect, start_server, messages):
    """SIGUSR2 with clients: new connects refused, service during grace, closes 0.5–1 s apart, exit 0."""
    server = start_server("-D", options=OPTIONS)
    clients = [connect(server, timeout=30).connect() for _ in range(4)]
    entered = time.time()
    enter(server)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=10)
    for c in clients:
        c.send(b"SUB a 1\r\n")
        c.fence()
    clients[0].send(b"PUB a 2\r\nhi\r\n")
    for c in clients:
        c.expect(b"MSG a 1 2\r\nhi\r\n")
        c.expect_eof()
    assert server.wait_exit() == 0
    said = messages(server)
    order = [said.index(ENTERED), *(said.index(("INF", text)) for text in (
        "Closing existing clients", "Initiating Shutdown...", "Server Exiting.."))]
    assert order == sorted(order)
    times = close_times(server)
    assert len(times) == 4
    assert times[0] - entered >= 0.95
    for earlier, later in zip(times, times[1:]):
        assert 0.45 <= later - earlier <= 5.0


@pytest.mark.parametrize("options", [{**OPTIONS, "lame_duck_grace_period": "0s"}, None])
def test_l18_default_grace(connect, start_server, options):
    """The grace period is 10 s by default, which 0 stands for as well."""
    server = start_server(options=options)
    c = connect(server).connect()
    enter(server)
    time.sleep(2)  # it would be closed at once
    c.fence()
    server.signal(signal.SIGINT)
    assert server.wait_exit() == 0
    assert "Closing existing clients" not in server.log()


def test_l18_queued_data_is_delivered(connect, start_server):
    """Clients are closed with a flush."""
    server, size, n = start_server(options={**OPTIONS, "write_deadline": "60s"}), 64_000, 320
    subscriber, publisher = connect(server, rcvbuf=4096, timeout=60).connect(), connect(server, timeout=60).connect()
    subscriber.send(b"SUB a 1\r\n")
    subscriber.fence()
    publisher.send((b"PUB a %d\r\n" % size + b"x" * size + b"\r\n") * n)
    publisher.fence()
    enter(server)
    publisher.expect_eof()
    assert subscriber.read_to_eof() == (b"MSG a 1 %d\r\n" % size + b"x" * size + b"\r\n") * n
    assert server.wait_exit() == 0


def test_l18_clients_that_leave(connect, start_server):
    """Clients that leave by themselves during the grace period do not disturb the course."""
    server = start_server("-D", options=OPTIONS)
    clients = [connect(server, timeout=30).connect() for _ in range(5)]
    enter(server)
    for c in clients[1:]:
        c.half_close()
        c.expect_eof()
    clients[0].expect_eof()
    assert server.wait_exit() == 0
    assert [server.closed_reason(c.cid) for c in clients] == ["Server Shutdown"] + ["Client Closed"] * 4


def test_l19_signals_in_lame_duck_mode(connect, start_server, messages):
    """In LDM: SIGUSR2/SIGTERM ignored, SIGINT exits at once."""
    server = start_server(options=LONG_GRACE)
    c = connect(server).connect()
    enter(server)
    server.signal(signal.SIGUSR2)
    server.wait_log('Trapped "user defined signal 2" signal')
    server.signal(signal.SIGTERM)
    server.wait_log('Trapped "terminated" signal')
    server.signal(signal.SIGUSR1)  # answered after SIGTERM was
    server.wait_log("File log re-open ignored")
    c.fence()
    server.signal(signal.SIGINT)
    c.expect_eof()
    assert server.wait_exit() == 0
    said = [text for _, text in messages(server)]
    assert said.count('Trapped "user defined signal 2" signal') == 2
    assert said.count('Trapped "terminated" signal') == 1
    assert said.count("Entering lame duck mode, stop accepting new clients") == 1
    assert said[-3:] == ['Trapped "interrupt" signal', "Initiating Shutdown...", "Server Exiting.."]


def test_l19_sigint_while_closing(connect, start_server):
    """SIGINT ends the closing one by one as well."""
    server = start_server(options=OPTIONS)
    clients = [connect(server).connect() for _ in range(60)]
    enter(server)
    server.wait_log("Closing existing clients")
    server.signal(signal.SIGINT)
    for c in clients:
        c.expect_eof()
    assert server.wait_exit() == 0


@pytest.mark.parametrize("duration, shown", [
    ("29s", "29s"), ("10s", "10s"), ("29.999s", "29.999s"), ("0s", "0s"), ("-1m", "-1m0s"), ("500ms", "500ms"),
])
def test_l20_short_duration(refused, duration, shown):
    """lame_duck_duration < 30 s → exit 1."""
    log = refused(options={"lame_duck_duration": duration, "lame_duck_grace_period": "0s"})
    assert f"invalid lame_duck_duration of {shown}, minimum is 30 seconds" in log


@pytest.mark.parametrize("grace", ["-1s", "-1ns", "-2m"])
def test_l20_negative_grace(refused, grace):
    """Negative grace → exit 1."""
    assert "invalid lame_duck_grace_period, needs to be positive" in refused(options={"lame_duck_grace_period": grace})


@pytest.mark.parametrize("options, shown", [
    ({"lame_duck_duration": "30s", "lame_duck_grace_period": "30s"}, ("30s", "30s")),
    ({"lame_duck_duration": "30s", "lame_duck_grace_period": "90s"}, ("1m30s", "30s")),
    ({"lame_duck_grace_period": "2m"}, ("2m0s", "2m0s")),
])
def test_l20_grace_not_below_duration(refused, program, options, shown):
    """Grace ≥ duration → exit 1."""
    log = refused(options=options)
    assert log == (f"{program}: lame duck grace period ({shown[0]}) should be strictly lower than "
                   f"lame duck duration ({shown[1]})\n")


@pytest.mark.parametrize("options", [
    {"lame_duck_duration": "30s"}, {"lame_duck_duration": "30s", "lame_duck_grace_period": "29.999999s"},
    {"lame_duck_duration": "1h"}, {"lame_duck_grace_period": "0s"}, {"lame_duck_grace_period": "1m59s"},
])
def test_l20_accepted(start_server, options):
    """What is just within the limits is accepted."""
    start_server(options=options)


@pytest.mark.parametrize("option", ["lame_duck_duration", "lame_duck_grace_period"])
@pytest.mark.parametrize("value", ["", "soon", "40", "1 m", "1x"])
def test_l20_not_a_duration(refused, option, value):
    """Both are durations with a unit."""
    assert refused(options={option: value})
