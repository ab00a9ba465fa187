# SPDX-License-Identifier: Apache-2.0
"""The monitoring port as a web server: what is a request, what are answers like, and when connections end."""

import re
import ssl
import time
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from e2e.monitor.web import HTML, JSON, PLAIN, request

SERVER_ARGS = ["-m", "-1"]

OK_BODY = b'{"status":"ok"}'  # of /healthz
HEADER_TIMEOUT = 5.0  # [s]
PATHS = {
    "/": HTML, "/varz": JSON, "/connz": JSON, "/routez": JSON, "/gatewayz": JSON, "/leafz": JSON, "/subsz": JSON,
    "/subscriptionsz": JSON, "/accountz": JSON, "/accstatz": JSON, "/jsz": JSON, "/healthz": JSON, "/ipqueuesz": JSON,
    "/stacksz": JSON, "/debug/vars": "application/json; charset=utf-8",
}
WITHOUT_CORS = {"/", "/debug/vars"}
GOOD = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"  # without its end


def rows(name: str) -> list[list[str]]:
    lines = (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]


# ---- paths

@pytest.mark.parametrize("path", PATHS)
def test_m01_every_path(monitor, path):
    """200, content type, and whether pages of other origins may read it."""
    answer = monitor.get(path)
    assert (answer.status, answer.type) == (200, PATHS[path])
    assert answer.headers.get("access-control-allow-origin") == (None if path in WITHOUT_CORS else "*")
    assert answer.body
    if JSON in PATHS[path] and path != "/stacksz":
        answer.json()


@pytest.mark.parametrize("path", PATHS)
def test_m01_headers(monitor, path):
    """Nothing is said of caching, and the date is right."""
    headers = monitor.get(path).headers
    assert set(headers) <= {"date", "content-type", "content-length", "transfer-encoding", "access-control-allow-origin"}
    assert abs(parsedate_to_datetime(headers["date"]).timestamp() - time.time()) < 5


@pytest.mark.parametrize("path", [
    "/nope", "/varz/", "/Varz", "/VARZ", "/varz.json", "/varz/x", "/debug", "/debug/", "/debug/vars/", "/debug/pprof", "/debug/pprof/",
    "/index.html", "/favicon.ico", "/varz%20", "/varz%3Fx", "/varz%00", "/subscriptions", "/statsz", "/idz", "/%ff", "/varz;x",
    "/profilez"])
def test_m01_unknown_path(monitor, path):
    answer = monitor.get(path)
    assert (answer.status, answer.type, answer.body) == (404, PLAIN, b"404 page not found\n")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path, location", [
    ("//varz", "/varz"), ("/a/../varz", "/varz"), ("/./varz", "/varz"), ("/varz/.", "/varz"), ("/varz/./", "/varz/"),
    ("/a/%2e%2e/varz", "/varz"), ("//varz?a=1&b=%20", "/varz?a=1&b=%20"),
    ("//", "/"), ("/../..", "/"), ("/a//b/", "/a/b/"), ("///debug//vars", "/debug/vars")])
def test_m01_path_that_is_not_clean(monitor, path, location):
    """Whether or not there is something at the clean one."""
    answer = monitor.get(path)
    assert (answer.status, answer.headers["location"]) == (301, location)
    assert answer.type == HTML
    href = location.replace("&", "&amp;")
    assert answer.text == f'<a href="{href}">Moved Permanently</a>.\n\n'


@pytest.mark.parametrize("path", ["/health%7a", "/%68ealthz", "/debug%2Fvars", "http://elsewhere/healthz", "http://elsewhere:80/healthz?x"])
def test_m01_other_spellings(monitor, path):
    """Escapes mean what they stand for; who asks a proxy names the host."""
    assert monitor.get(path).status == 200


@pytest.mark.parametrize("path, status, content_type, origin, location, text", rows("answers.tsv"))
def test_m02_table(monitor, path, status, content_type, origin, location, text):
    answer = monitor.get(path)
    assert (answer.status, answer.type) == (int(status), content_type)
    assert answer.headers.get("access-control-allow-origin", "") == origin
    assert answer.headers.get("location", "") == location
    if text != "?":
        assert answer.text == text.replace("\\n", "\n")


# ---- methods

@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW", "get", "X-y.z!"])
@pytest.mark.parametrize("path", ["/healthz", "/connz?auth=x", "/nope", "/healthz?stream=S"])
def test_m03_methods(monitor, method, path):
    """None is refused; HEAD has the length of the others, and no body."""
    get, answer = monitor.get(path), monitor.get(path, method)
    assert answer.status == get.status
    for name in ("content-type", "content-length", "access-control-allow-origin"):
        assert answer.headers.get(name) == get.headers.get(name)
    assert int(answer.headers["content-length"]) == len(get.body)
    assert answer.body == (b"" if method == "HEAD" else get.body)


@pytest.mark.parametrize("path", PATHS)
def test_m03_head(monitor, path):
    """Of every path; the length may be left out when the answer would come in chunks.  The next answer is a good one."""
    with monitor.open() as c:
        answer = c.ask(path, "HEAD")
        assert (answer.status, answer.type) == (200, PATHS[path])
        get = c.ask(path)
        if "content-length" in answer.headers and path in ("/leafz", "/gatewayz", "/jsz", "/"):  # the others grow or change
            assert abs(int(answer.headers["content-length"]) - len(get.body)) <= 3  # digits of a time
        assert c.ask("/healthz").body == OK_BODY


@pytest.mark.parametrize("method", ["POST", "PUT", "GET", "DELETE", "HEAD"])
@pytest.mark.parametrize("lines, body", [
    (["Content-Length: 5"], b"hello"), (["Content-Length: 0"], b""), (["Content-Length: 100000"], b"x" * 100_000),
    (["Transfer-Encoding: chunked"], b"5\r\nhello\r\n0\r\n\r\n"),
    (["Transfer-Encoding: chunked"], b"1;ext=1\r\nx\r\nA\r\n0123456789\r\n0\r\nTrailer: y\r\n\r\n"),
], ids=["five", "none", "many", "chunk", "chunks"])
def test_m03_body_of_a_request(monitor, method, lines, body):
    """Is read and forgotten: the next request begins behind it."""
    with monitor.open() as c:
        c.send(request("/healthz", method, *lines) + body + request("/nope"))
        assert c.read(method).status == 200
        assert c.read().status == 404


# ---- connections

@pytest.mark.parametrize("path", [path for path in PATHS if path != "/stacksz"])
def test_m04_keep_alive(monitor, path):
    """Answers say where they end; a connection is good for many."""
    with monitor.open() as c:
        for _ in range(5):
            assert c.ask(path).status == 200
        assert c.ask("/nope").status == 404
        assert c.ask("/connz?auth=x").status == 400
        assert c.ask("/healthz").body == OK_BODY


@pytest.mark.parametrize("n", [2, 100])
def test_m04_pipelined(monitor, n):
    """Answers come in the order of requests, whether these come in one piece or in many."""
    paths = [("/healthz", 200), ("/nope", 404), ("/connz?auth=x", 400), ("/varz", 200)]
    wanted = (paths * n)[:n]
    data = b"".join(request(path) for path, _ in wanted)
    with monitor.open() as c:
        c.send(data)
        assert [c.read().status for _ in wanted] == [status for _, status in wanted]
        for i in range(0, len(data), 97):
            c.send(data[i:i + 97])
        assert [c.read().status for _ in wanted] == [status for _, status in wanted]


def test_m04_pipelined_then_close(monitor):
    with monitor.open() as c:
        c.send(request("/healthz") + request("/healthz", "GET", "Connection: close") + request("/healthz"))
        assert c.read().body == OK_BODY
        answer = c.read()
        assert (answer.body, answer.headers["connection"]) == (OK_BODY, "close")
        c.expect_eof()


@pytest.mark.parametrize("value", ["close", "Close", "CLOSE", "foo, close", "keep-alive, close"])
def test_m04_close(monitor, value):
    with monitor.open() as c:
        c.send(request("/healthz", "GET", f"Connection: {value}"))
        assert c.read().headers["connection"] == "close"
        c.expect_eof()


@pytest.mark.parametrize("path", PATHS)
def test_m04_http_1_0(monitor, path):
    """Is answered in its own way, and closed: no chunks."""
    with monitor.open() as c:
        c.send(b"GET %s HTTP/1.0\r\n\r\n" % path.encode())
        head, body = c.read_to_eof().split(b"\r\n\r\n", 1)
        assert head.startswith(b"HTTP/1.0 200 OK\r\n")
        assert b"chunked" not in head
        assert body


def test_m04_http_1_0_keep_alive(monitor):
    """If the client asks for it."""
    with monitor.open() as c:
        for _ in range(2):
            c.send(b"GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            answer = c.read()
            assert (answer.version, answer.body, answer.headers["connection"]) == ("HTTP/1.0", OK_BODY, "keep-alive")
        c.send(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert c.read().body == OK_BODY
        c.expect_eof()


@pytest.mark.parametrize("data", [
    GOOD + b"\r\n", b"GET /healthz HTTP/1.1\nHost: x\n\n", b"GET /healthz HTTP/1.1\r\nhOsT:x\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost:\r\n\r\n", GOOD + b"Empty:\r\nOther: \xff\xfe\t x \r\n\r\n", GOOD + b"Accept-Encoding: gzip\r\n\r\n",
    GOOD + b"Connection: upgrade\r\nUpgrade: h2c\r\n\r\n", GOOD + b"Range: bytes=0-3\r\n\r\n", GOOD + b"If-None-Match: *\r\n\r\n",
    GOOD + b"".join(b"X-%d: y\r\n" % i for i in range(499)) + b"\r\n", GOOD + b"X: " + b"y" * 500_000 + b"\r\n\r\n",
    b"GET /healthz?" + b"y" * 500_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
], ids=["plain", "LF", "case", "no host name", "values", "gzip", "upgrade", "range", "match", "many headers", "long header", "long query"])
def test_m04_good_requests(monitor, data):
    """The connection stays, and what clients would prefer does not matter."""
    with monitor.open() as c:
        c.send(data)
        answer = c.read()
        assert (answer.status, answer.body) == (200, OK_BODY)
        assert "content-encoding" not in answer.headers
        assert c.ask("/healthz").body == OK_BODY


@pytest.mark.parametrize("data", [
    b"GET /healthz HTTP/1.1\r\n\r\n", b"GARBAGE\r\n\r\n", b"GET /healthz\r\n\r\n", b"GET /healthz http/1.1\r\nHost: x\r\n\r\n",
    b"GET /healthz HTTP/1.11\r\nHost: x\r\n\r\n", b"GET  /healthz HTTP/1.1\r\nHost: x\r\n\r\n", b"G(T /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    b" GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", b"GET healthz HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /health%zz HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /health\x01z HTTP/1.1\r\nHost: x\r\n\r\n", GOOD + b"Host: y\r\n\r\n", b"GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n",
    GOOD + b"foo\r\n\r\n", GOOD + b"foo : x\r\n\r\n", GOOD + b"f(o: x\r\n\r\n", GOOD + b": x\r\n\r\n", GOOD + b"foo: \x00\r\n\r\n",
    GOOD + b"foo: a\rb\r\n\r\n", GOOD + b"Content-Length: x\r\n\r\n", GOOD + b"Content-Length: -1\r\n\r\n",
    GOOD + b"Content-Length: 0\r\nContent-Length: 1\r\n\r\n", GOOD + b"Content-Length: 99999999999999999999\r\n\r\n",
    b"INFO {}\r\nPING\r\n\r\n", b"\x00\x01\x02\x03\r\n\r\n",
], ids=["no host", "one word", "0.9", "http", "1.11", "spaces", "method", "leading space", "no slash", "escape", "control", "two hosts",
        "host", "no colon", "space before colon", "name", "no name", "nul", "cr", "length", "negative length", "two lengths", "huge length",
        "nats", "binary"])
def test_m04_bad_requests(monitor, data):
    """400, and the end: what follows cannot be told from what was meant."""
    with monitor.open() as c:
        c.send(data)
        answer = c.read()
        assert (answer.version, answer.status, answer.headers["connection"]) == ("HTTP/1.1", 400, "close")
        assert answer.type == PLAIN
        assert answer.text.startswith("400 Bad Request")
        c.expect_eof()


@pytest.mark.parametrize("data, status", [
    (b"GET /healthz HTTP/2.0\r\nHost: x\r\n\r\n", 505), (b"GET /healthz HTTP/3.0\r\nHost: x\r\n\r\n", 505),
    (GOOD + b"Transfer-Encoding: gzip\r\n\r\n", 501)], ids=["2.0", "3.0", "gzip"])
def test_m04_not_supported(monitor, data, status):
    with monitor.open() as c:
        c.send(data)
        assert c.read().status == status
        c.expect_eof()


def test_m04_http_2(monitor):
    """The preface of HTTP/2 is a bad request as any."""
    with monitor.open() as c:
        c.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert c.read_to_eof().startswith(b"HTTP/1.1 400 Bad Request\r\n")


def of_size(n: int) -> bytes:
    """A request with a header of so many bytes."""
    return GOOD + b"X: " + b"y" * (n - len(GOOD) - len(b"X: \r\n\r\n")) + b"\r\n\r\n"


@pytest.mark.parametrize("n", [(1 << 20) - 4096, 1 << 20])
def test_header_that_is_large(monitor, n):
    """A MiB is well."""
    with monitor.open() as c:
        c.send(of_size(n))
        assert c.read().body == OK_BODY


@pytest.mark.parametrize("n", [(1 << 20) + 8192, 3 << 20, 20 << 20])
def test_header_that_is_too_large(monitor, n):
    """431 beyond a MiB, and the 4096 bytes that the Go server grants on top of it."""
    with monitor.open() as c:
        data = of_size(n)
        try:
            c.send(data)
        except ConnectionError:
            pass
        received = c.read_to_eof()  # empty if our rest made the kernel reset the connection first
        assert re.match(rb"HTTP/1\.1 431 |\Z", received)
    assert monitor.get("/healthz").body == OK_BODY


def test_headers_that_are_too_many(monitor):
    """431 beyond 500 lines."""
    with monitor.open() as c:
        c.send(GOOD + b"".join(b"X-%d: y\r\n" % i for i in range(500)) + b"\r\n")
        assert c.read().status == 431
        c.expect_eof()


def test_header_that_is_too_large_without_end(monitor):
    """431 does not wait for the end of the header."""
    with monitor.open() as c:
        c.send(GOOD + b"X: " + b"y" * ((1 << 20) + 4096 - len(GOOD) - 3))  # what the Go server reads before it gives up
        assert c.read().status == 431
        c.expect_eof()


def test_m04_half_closed(monitor):
    """A client that will not ask again gets its answer; one that did not finish asking gets none."""
    with monitor.open() as c:
        c.send(request("/varz"))
        c.half_close()
        assert c.read().status == 200
        c.expect_eof()
    with monitor.open() as c:
        c.send(GOOD)
        c.half_close()
        c.read_to_eof()


def test_m39_byte_by_byte(monitor):
    with monitor.open() as c:
        for byte in request("/healthz"):
            c.send(bytes([byte]))
        assert c.read().body == OK_BODY


@pytest.mark.parametrize("data", [b"", b"G", GOOD[:30], GOOD, GOOD + b"X: y"], ids=["nothing", "a byte", "a line", "lines", "half a line"])
def test_m39_header_that_is_not_completed(monitor, data):
    """Is given up after 5 s; the same goes for the first of a connection if it never begins."""
    with monitor.open() as c:
        begun = time.monotonic()
        c.send(data)
        received = c.read_to_eof()
        assert HEADER_TIMEOUT - 0.5 < time.monotonic() - begun < HEADER_TIMEOUT + 4
        assert received == b"" or received.startswith(b"HTTP/1.1 4")


def test_m39_trickle(monitor):
    """The time is that of the whole header: bytes that come now and then do not prolong it."""
    with monitor.open() as c:
        begun = time.monotonic()
        c.send(GOOD)
        try:
            while time.monotonic() < begun + HEADER_TIMEOUT + 4:
                c.send(b"X")
                if not c.silent_for(0.25):
                    break
        except ConnectionError:
            pass
        assert HEADER_TIMEOUT - 0.5 < time.monotonic() - begun < HEADER_TIMEOUT + 4


def test_m39_idle(monitor, connect):
    """Between requests a connection may be quiet for a minute at least.  After that uptimes have minutes in them (M-36)."""
    client = connect().connect()
    with monitor.open() as c:
        assert c.ask("/healthz").body == OK_BODY
        assert c.silent_for(61)
        assert c.ask("/healthz").body == OK_BODY
        entry = c.ask(f"/connz?cid={client.cid}").json()["connections"][0]
        for uptime in (c.ask("/varz").json()["uptime"], entry["uptime"], entry["idle"]):
            assert re.fullmatch(r"\d+m\d+s", uptime)


def test_m39_second_header_that_is_not_completed(monitor):
    """On a connection that was good for one request the next is given up as well."""
    with monitor.open() as c:
        assert c.ask("/healthz").body == OK_BODY
        begun = time.monotonic()
        c.send(GOOD)
        c.read_to_eof()
        assert time.monotonic() - begun < HEADER_TIMEOUT + 4


def test_m08_tls_to_the_http_port(monitor):
    """Is no HTTP."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with monitor.open() as c:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            context.wrap_socket(c.sock)


@pytest.mark.parametrize("path", [
    "/varz", "/connz", "/routez", "/gatewayz", "/leafz", "/subsz", "/accountz", "/accstatz", "/jsz", "/healthz"])
def test_m05_callback(monitor, path):
    """There is no JSONP: pages may read the answers as they are."""
    answer = monitor.get(path + "?callback=cb")
    assert answer.type == JSON
    assert set(answer.json()) == set(monitor.document(path))
