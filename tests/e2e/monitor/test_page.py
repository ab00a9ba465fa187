# SPDX-License-Identifier: Apache-2.0
"""The page at / in a real browser: headless Chromium, driven through chromedriver by plain WebDriver requests."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import subprocess
import threading
import urllib.error
import urllib.request

import pytest

from e2e.accounts.lines import pub
from harness import eventually

pytestmark = pytest.mark.ours  # the reference has links only

ACCOUNTS = "accounts { A { users: [ {user: a, password: pw} ] }, B { users: [ {user: b, password: pw} ] } }\n"
HOSTILE = "<img src=x onerror=alert(1)>"
PATIENCE = 30.0  # [s] for what the page shows a second later on an idle machine
ENDPOINTS = ["/varz", "/jsz", "/connz", "/accountz", "/accstatz", "/subsz", "/routez", "/leafz", "/gatewayz", "/raftz", "/healthz", "/debug/vars"]


class Browser:
    """A window of headless Chromium."""

    def __init__(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._driver = f"http://127.0.0.1:{probe.getsockname()[1]}"
        self.process = subprocess.Popen(["chromedriver", "--port=" + self._driver.rsplit(":", 1)[1]],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._session = ""
        eventually(self._is_ready, PATIENCE)
        options = {"args": ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--window-size=1280,900"]}
        self._session = "/session/" + self._call("POST", "/session", {"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": options, "goog:loggingPrefs": {"performance": "ALL", "browser": "ALL"},
            "unhandledPromptBehavior": "ignore"}}})["sessionId"]

    def close(self) -> None:
        try:
            self._call("DELETE", "")
        finally:
            self.process.terminate()
            self.process.wait()

    def open(self, port: int, path: str = "/") -> None:
        self.origin = f"http://127.0.0.1:{port}"
        self._call("POST", "/url", {"url": "about:blank"})  # or a change of the fragment alone would not load the page
        self._call("POST", "/url", {"url": self.origin + path})

    def js(self, body: str, *args):
        """What a function with this body returns."""
        return self._call("POST", "/execute/sync", {"script": body, "args": list(args)})

    def cdp(self, command: str, **params):
        """A command of Chromium's own."""
        return self._call("POST", "/goog/cdp/execute", {"cmd": command, "params": params})

    def text(self, selector: str) -> str:
        """What one sees of the first such element; "" without any."""
        return self.js("return document.querySelector(arguments[0])?.innerText ?? ''", selector)

    def texts(self, selector: str) -> list[str]:
        return self.js("return [...document.querySelectorAll(arguments[0])].map(node => node.innerText)", selector)

    def wait(self, selector: str, pattern: str) -> str:
        """Wait until the text of an element matches."""
        def matching():
            return re.search(pattern, self.text(selector), re.S) and self.text(selector)
        try:
            return eventually(matching, PATIENCE)
        except AssertionError:
            raise AssertionError(f"no {pattern!r} in {selector}; the page: {self.text('body')}; log: {self.log('browser')}") from None

    def click(self, selector: str, text: str = "") -> None:
        """On the first such element with this text."""
        assert self.js("""const node = [...document.querySelectorAll(arguments[0])].find(node => node.innerText.includes(arguments[1]));
                          node?.click(); return !!node""", selector, text), f"no {selector} {text!r}: {self.text('body')}"

    def keys(self, *keys: str) -> None:
        """Press and release each."""
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self._call("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def dialog(self) -> str | None:
        """The text of an open alert."""
        try:
            return self._call("GET", "/alert/text")
        except urllib.error.HTTPError:
            return None

    def log(self, kind: str) -> list[dict]:
        """What is new in a log."""
        return self._call("POST", "/se/log", {"type": kind})

    def traffic(self) -> list[tuple[str, dict]]:
        """(method, parameters) of new events of the network."""
        events = [json.loads(entry["message"])["message"] for entry in self.log("performance")]
        return [(event["method"], event["params"]) for event in events if event["method"].startswith("Network.")]

    def prefer(self, scheme: str) -> None:
        self.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    # ---- inside

    def _is_ready(self) -> bool:
        try:
            return self._call("GET", "/status")["ready"]
        except OSError:
            return False

    def _call(self, method: str, path: str, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._driver + self._session + path, data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]


@pytest.fixture(scope="module")
def chromium():
    started = Browser()
    yield started
    started.close()


@pytest.fixture
def browser(chromium):
    """As new: no storage, light, wide, everything in the logs is of this test; and no script failed in the end."""
    chromium.prefer("light")
    chromium.cdp("Emulation.clearDeviceMetricsOverride")
    chromium.cdp("Storage.clearDataForOrigin", origin="*", storageTypes="all")
    chromium.log("browser")
    chromium.log("performance")
    yield chromium
    failures = [entry for entry in chromium.log("browser") if entry["source"] in ("javascript", "security")]
    chromium.cdp("Network.emulateNetworkConditions", offline=False, latency=0, downloadThroughput=-1, uploadThroughput=-1)
    chromium._call("POST", "/url", {"url": "about:blank"})
    assert not failures


@pytest.fixture
def load():
    """load(client, subject) -> a function that sets how many messages are published each tenth of a second."""
    stops = []

    def start(client, subject):
        done, rate = threading.Event(), [0]

        def run():
            while not done.wait(0.1):
                client.send(pub(subject, b"x" * 100) * rate[0])

        thread = threading.Thread(target=run)
        thread.start()
        stops.append((done, thread))
        return lambda n: rate.__setitem__(0, n)

    yield start
    for done, thread in stops:
        done.set()
        thread.join()


def number(text: str) -> float:
    """7.51 k -> 7510; nothing known is 0."""
    match = re.match(r"([\d.]+) ?([kKMG]?)", text)
    return float(match[1]) * {"": 1, "k": 1e3, "K": 1024, "M": 1e6, "G": 1e9}[match[2]] if match else 0


# ---- the file

def test_page_is_one_small_file(world):
    """At most 60 KB, complete, and nothing that would be loaded from elsewhere."""
    answer = world().get("/")
    assert (answer.status, answer.type) == (200, "text/html; charset=utf-8")
    assert len(answer.body) <= 60 * 1024
    assert "{{" not in answer.text
    assert not re.search(r"\ssrc=|@import|\burl\(|<link rel=(?!icon href=.data:)", answer.text)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", answer.text)


def test_page_names_the_hash_of_its_script(world):
    """Without it browsers refuse to run the script: page.html has to say this."""
    page = world().get("/").text
    script = re.search(r"<script>(.*?)</script>", page, re.S)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page
    assert page.count("<script") == 1


@pytest.mark.parametrize("base", ["", "/mon"])
def test_m06_links_without_a_script(world, base):
    page = world(f'http_base_path: "{base}"\n').get(base or "/").text
    assert re.findall(r"<a href=(\./\S*?)[ >]", page) == ["." + base + path for path in ENDPOINTS]


# ---- what it shows

def test_page_shows_throughput_that_rises(world, browser, load):
    w = world()
    receiver, publish = w(None, b"t.>"), load(w(), b"t.x")
    draining = threading.Thread(target=receiver.read_to_eof)
    draining.start()
    browser.open(w.port)
    browser.wait("#health", "^Healthy$")

    def reads():
        return [number(text) for text in browser.texts(".read b")]  # messages in, out, bytes in, out

    publish(10)
    few = eventually(lambda: reads()[0] >= 20 and reads(), PATIENCE)
    publish(1000)
    many = eventually(lambda: reads()[0] >= 10 * few[0] and reads()[1] >= 10 * few[1] and reads(), PATIENCE)
    assert many[2] > 50 * many[0] and many[3] > 50 * many[1]  # payloads of 100 bytes
    assert "L" in browser.js("return document.querySelector('.chart .in path:last-child').getAttribute('d')")
    eventually(lambda: number(browser.text(".facts dd").replace(",", "")) > 1000, PATIENCE)  # since the start
    publish(0)
    eventually(lambda: reads()[:2] == [0, 0], PATIENCE)
    receiver.half_close()
    draining.join()


def test_page_lists_connections_and_drills_down(world, browser):
    w = world(ACCOUNTS)
    a, b = w("a", b"orders.*", b"bills.>", name="first", lang="c", version="9.8.7"), w("b", name=HOSTILE)
    b.send(pub(b"x", b"12345") * 3)
    b.fence()
    browser.open(w.port, "/#/connections")
    browser.wait("tbody", "first.*" + re.escape(HOSTILE))
    assert browser.texts("td.lead a") == ["first", HOSTILE]
    browser.click("td.lead a", "first")
    browser.wait("h1", "^first$")
    facts = browser.wait("main", "orders\\.\\*")
    for fact in ("Account\\s+A", "User\\s+a", "Library\\s+c 9\\.8\\.7", f"Address\\s+127.0.0.1:{a.sock.getsockname()[1]}", "Round trip", "TLS\\s+no", "bills\\.>"):
        assert re.search(fact, facts), fact
    browser.js("location.hash = '#/connection/' + arguments[0]", b.cid)
    browser.wait("h1", re.escape(HOSTILE))
    browser.wait("main", "Messages in\\s+3")
    b.close()
    browser.wait("main small.warn", "closed .*: (Client Closed|Read Error)")


def test_page_filters_sorts_and_pages(world, browser):
    w = world(ACCOUNTS)
    clients = [w("a", name=f"client {i:02}") for i in range(30)]
    other = w("b", b"s1", b"s2", name="another")
    browser.open(w.port, "/#/connections?size=25")
    browser.wait(".pager", "1–25 of 31")
    browser.click(".pager button", "Next")
    browser.wait(".pager", "26–31 of 31")
    assert browser.texts("td.lead a") == [f"client {i:02}" for i in range(25, 30)] + ["another"]
    browser.click("th button", "Id")  # the other way round, from the first page
    browser.wait("td.lead a", "another")
    assert browser.texts("th[aria-sort=descending]") == ["Id"]
    assert browser.texts("td.lead a")[1:] == [f"client {i:02}" for i in range(29, 5, -1)]
    browser.click("th button", "Subs")
    browser.wait("th[aria-sort]", "Subs")
    browser.wait("td.lead a", "another")
    browser.js("""const input = document.querySelector('input[type=search]');
                  input.value = 'CLIENT 1'; input.dispatchEvent(new Event('input'))""")
    browser.wait(".pager", "1–10 of 10")
    browser.js("location.hash = '#/connections?acc=B'")
    browser.wait(".pager", "1–1 of 1")
    assert browser.texts("td.lead a") == ["another"]
    assert len({client.cid for client in [*clients, other]}) == 31


def test_page_shows_subscriptions_accounts_and_server(world, browser):
    w = world('server_name: "a<b>name</b>"\n' + ACCOUNTS)
    client = w("a", b"orders.*", b"bills.>", b"orders.eu work")
    browser.open(w.port, "/#/subscriptions?acc=A")
    browser.wait("tbody", "bills\\.>")
    browser.js("location.hash = '#/subscriptions?acc=A&test=orders.eu'")
    browser.wait(".pager", "1–2 of 2")
    assert sorted(browser.texts("td.lead")) == ["orders.*", "orders.eu"]
    browser.js("location.hash = '#/subscriptions?test=orders.*'")
    browser.wait("#notice", "invalid test subject")
    browser.click("nav a", "Accounts")
    browser.wait("tbody", "A.*B")
    browser.click("td.lead a", "A")
    browser.wait("h1", "^A$")
    browser.wait("main", "Client connections\\s+1")
    browser.click("nav a", "Server")
    facts = browser.wait("main", "Max|Payload")
    varz = w.document("/varz")
    for fact in ("a<b>name</b>", varz["server_id"], varz["version"], "Payload\\s+1.00 MiB", f"Clients\\s+127.0.0.1:{varz['port']}", "/varz"):
        assert re.search(fact, facts), fact
    client.fence()


def test_page_shows_slow_consumers(world, browser):
    w = world("max_pending: 100KB\nmax_payload: 50KB\nwrite_deadline: 2s\n")
    slow, publisher = w(None, b"s", name="sleeper", lang="snail", version="1"), w()
    while slow.cid in [row["cid"] for row in w.connections()]:
        publisher.send(pub(b"s", b"x" * 50000) * 20)
        publisher.fence()
    browser.open(w.port, "/#/slow")
    browser.wait("main section:last-child tbody", "sleeper.*Slow Consumer")
    browser.wait(".tiles", "Slow consumers\\s+[1-9]")


# ---- how it behaves

def test_page_escapes_everything(world, browser):
    """Names of connections, accounts and subjects are text, and nothing else."""
    w = world('accounts { "%s": { users: [ {user: a, password: pw} ] } }\n' % HOSTILE.replace(" ", "/"))
    client = w("a", b"<svg/onload=alert(2)>", b"{{base}}", name=HOSTILE, lang="<b>l</b>", version="<script>alert(3)</script>")
    for view in ("overview", "connections", f"connection/{client.cid}", "subscriptions", "accounts", "slow", "connections?filter=%3Cb%3E"):
        browser.open(w.port, "/#/" + view)
        browser.wait("#health", "^Healthy$")
        if view not in ("slow", "overview"):
            browser.wait("main", "<(img|svg)|img/src")
        assert browser.js("return document.querySelectorAll('main img, main script, main b b, main svg[onload], [onerror]').length") == 0
        assert browser.dialog() is None


def test_page_is_dark_and_light(world, browser):
    """As the system prefers, until the switch says otherwise; that is remembered."""
    w = world()

    def is_dark():
        return int(re.search(r"\d+", browser.js("return getComputedStyle(document.body).backgroundColor"))[0]) < 100

    browser.open(w.port)
    assert not is_dark()
    browser.prefer("dark")
    assert is_dark()
    browser.wait("#theme", "^Light$")
    browser.click("#theme")
    assert not is_dark()
    browser.open(w.port)
    assert not is_dark()
    browser.click("#theme")
    assert is_dark()
    browser.prefer("light")
    assert not is_dark()


def test_page_survives_a_restart(start_server, world, connect, tmp_path, browser):
    w = world()
    client = w()
    client.send(pub(b"x", b"y") * 5000)
    client.fence()
    browser.open(w.port)
    browser.wait("#health", "^Healthy$")
    browser.js("document.mark = 1")
    first = browser.wait("main", "Messages in\\s+5,000") and w.document("/varz")["server_id"]
    w.server.stop()
    browser.wait("#health", "^No answer$")
    browser.wait("#notice", "No answer from the server since")
    assert "stale" in browser.js("return document.getElementById('main').className")
    path = tmp_path / "again.conf"
    path.write_text(f'http: "127.0.0.1:{w.port}"\n')
    again = start_server("-c", path)
    browser.wait("#health", "^Healthy$")
    browser.wait("#notice", "started again")
    browser.wait("main", "Messages in\\s+0")
    connect(again).connect(name="newcomer")
    browser.wait("main", "newcomer")
    assert browser.js("return document.mark") == 1  # the same page all the time
    assert w.document("/varz")["server_id"] != first
    assert not [text for text in browser.texts(".read b") if "-" in text]
    browser.log("browser")  # Chromium's own words on refused connections


def test_page_asks_nobody_else(world, browser):
    w = world()
    browser.open(w.port)
    for view in ("overview", "connections", "subscriptions", "slow", "accounts", "server"):
        browser.js("location.hash = '#/' + arguments[0]", view)
        browser.wait("nav a[aria-current]", "(?i)" + view)
    eventually(lambda: w.document("/varz")["http_req_stats"].get("/accstatz"), PATIENCE)
    asked = {params["request"]["url"] for method, params in browser.traffic() if method == "Network.requestWillBeSent"}
    assert {url for url in asked if not url.startswith((browser.origin + "/", "data:", "about:"))} == set()
    assert browser.origin + "/varz" in asked


def test_page_does_not_pile_up_requests(world, browser):
    """However slow answers are, nothing is asked again before they came."""
    w = world()
    browser.open(w.port)
    browser.wait("#health", "^Healthy$")
    browser.cdp("Network.emulateNetworkConditions", offline=False, latency=1500, downloadThroughput=-1, uploadThroughput=-1)
    browser.traffic()
    open_, most, n_done = set(), 0, 0
    while n_done < 3:
        for method, params in browser.traffic():
            if method == "Network.requestWillBeSent" and params["request"]["url"].endswith("/varz"):
                open_.add(params["requestId"])
            elif method in ("Network.loadingFinished", "Network.loadingFailed") and params["requestId"] in open_:
                open_.discard(params["requestId"])
                n_done += 1
            most = max(most, len(open_))
    assert most == 1


def test_page_rests_while_paused(world, browser):
    w = world()
    browser.open(w.port)
    browser.wait("#health", "^Healthy$")

    def asked():
        return w.document("/varz")["http_req_stats"]["/healthz"]

    seen = asked()
    eventually(lambda: asked() > seen, PATIENCE)
    browser.click("#pause", "Pause")
    eventually(lambda: browser.js("return polling === null"), PATIENCE)
    seen = asked()
    browser.js("return new Promise(done => setTimeout(done, 2.5 * PERIOD))")  # there is nothing else to see
    assert asked() == seen
    browser.click("#pause", "Resume")
    eventually(lambda: asked() > seen, PATIENCE)


def test_m06_page_below_a_base_path(world, browser):
    w = world('http_base_path: "/mon"\n')
    client = w(name="somebody")
    browser.open(w.port, "/mon")
    browser.wait("#health", "^Healthy$")
    browser.click("nav a", "Connections")
    browser.wait("tbody", "somebody")
    assert browser.js("return [...document.querySelectorAll('footer a')].slice(1, 3).map(a => a.href)") == [
        browser.origin + "/mon/varz", browser.origin + "/mon/jsz"]
    client.fence()


def test_page_by_keyboard(world, browser):
    """What can be clicked can be reached and pressed; the focus stays where it is when figures change."""
    tab, enter = "\ue004", "\ue007"
    w = world()
    client = w(name="somebody")
    browser.open(w.port, "/#/connections")
    browser.wait("tbody", "somebody")
    browser.keys(tab)
    assert browser.js("return document.activeElement.innerText") == "Skip to the content"
    browser.keys(enter)
    assert browser.js("return document.activeElement.id") == "main"
    browser.wait("tbody", "somebody")
    browser.js("document.querySelector('th:last-child button').focus()")
    browser.keys(enter)
    browser.wait("th[aria-sort]", "Bytes out")
    uptime = browser.text("#facts")
    eventually(lambda: browser.text("#facts") != uptime, PATIENCE)
    assert browser.js("return document.activeElement.innerText") == "Bytes out"
    browser.js("document.querySelector('td.lead a').focus()")
    browser.keys(enter)
    browser.wait("h1", "^somebody$")
    client.fence()


def test_page_fits_a_phone(world, browser):
    w = world(ACCOUNTS)
    client = w("a", b"a.rather.long.subject.that.does.not.end." + b"x" * 60, name="a-rather-long-name-without-a-space" * 3)
    browser.cdp("Emulation.setDeviceMetricsOverride", width=390, height=844, deviceScaleFactor=2, mobile=True)
    browser.open(w.port)
    for view, sign in [("overview", "Messages in"), ("connections", "a-rather"), (f"connection/{client.cid}", "a.rather"),
                       ("subscriptions?acc=A", "a.rather"), ("slow", "Everybody"), ("accounts", "A\\s"), ("account/A", "Imports"), ("server", "Payload")]:
        browser.js("location.hash = '#/' + arguments[0]", view)
        browser.wait("main", sign)
        assert browser.js("return document.scrollingElement.scrollWidth") == 390, view
