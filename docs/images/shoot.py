#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Takes monitor-light.png and monitor-dark.png, beside this file: the page at / of a server that has been busy for two minutes.
    /usr/bin/python3 docs/images/shoot.py      GNATWREN_BIN names the server, as for the tests; looks best with fonts-inter installed
"""
import base64
import math
import random
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "tests"))

from e2e.monitor.test_page import Browser  # noqa: E402
from harness import Client, Server  # noqa: E402

BUSY = 125  # [s] charts show the last two minutes
CONFIG = """
server_name: "wren-1"
http: "127.0.0.1:-1"
accounts {
    ORDERS { users: [ {user: orders, password: pw} ], exports: [ {stream: "ticks.>"} ] }
    BILLING { users: [ {user: billing, password: pw} ], imports: [ {stream: {account: ORDERS, subject: "ticks.>"}} ] }
    SYS { users: [ {user: sys, password: pw} ] }
}
system_account: SYS
"""
NAMES = ["order-router", "price-feed", "ledger-writer", "risk-engine", "invoice-printer", "stock-sync", "mail-gateway", "audit-log"]
LIBRARIES = [("go", "1.48.0"), ("python3", "2.11.0"), ("rust", "0.42.0"), ("nats.js", "3.2.0"), ("c", "3.11.0")]


def connect(port: int, i: int) -> Client:
    user, (lang, version) = ("orders" if i % 3 else "billing"), LIBRARIES[i % 8 % len(LIBRARIES)]
    client = Client(port, auto_pong=True, timeout=10 * BUSY).connect(name=f"{NAMES[i % 8]}-{i // 8 + 1}", user=user, lang=lang, version=version, **{"pass": "pw"})
    subjects = [f"ticks.{i % 5}.>", f"orders.*.{i % 7}", f"_INBOX.{i:04x}.*"][: i % 4]
    client.send(b"".join(b"SUB %s %d\r\n" % (subject.encode(), sid) for sid, subject in enumerate(subjects, 1)))
    client.fence()
    threading.Thread(target=drain, args=[client], daemon=True).start()
    return client


def drain(client: Client) -> None:
    """Read and forget, answering PINGs, until the server is gone."""
    while data := client.sock.recv(1 << 18):
        if b"PING\r\n" in data:
            client.send(b"PONG\r\n")


def work(publishers: list[Client], done: threading.Event) -> None:
    """A day in two minutes, and so on."""
    start = time.monotonic()
    while not done.wait(0.05):
        now = time.monotonic() - start
        level = 1.4 + math.sin(now / 19) + 0.3 * math.sin(now / 4.1)
        for i, client in enumerate(publishers):
            size = 40 + 37 * i
            n = int(level * random.uniform(14, 18))
            client.send(b"PUB ticks.%d.eur %d\r\n%s\r\n" % (i % 5, size, b"x" * size) * n)


def shoot(browser: Browser, name: str, scheme: str) -> None:
    browser.prefer(scheme)
    shot = base64.b64decode(browser.cdp("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"])
    (HERE / name).write_bytes(shot)
    print(f"{name}: {len(shot) // 1000} kB")


def main() -> None:
    config = Path(tempfile.mkdtemp()) / "wren.conf"
    config.write_text(CONFIG)
    with Server("-c", config) as server:
        clients = [connect(server.port, i) for i in range(56)]
        publishers, done = [client for i, client in enumerate(clients) if i % 3 and i % 4 == 1], threading.Event()
        worker, browser = threading.Thread(target=work, args=[publishers, done]), Browser()
        try:
            browser.cdp("Emulation.setDeviceMetricsOverride", width=1200, height=900, deviceScaleFactor=1.25, mobile=False)
            browser.open(int(server.wait_log(r"Starting http monitor on .*:(\d+)")[1]))
            worker.start()
            browser.wait("#health", "Healthy")
            time.sleep(BUSY)
            shoot(browser, "monitor-light.png", "light")
            shoot(browser, "monitor-dark.png", "dark")
        finally:
            done.set()
            worker.join()
            browser.close()


main()
