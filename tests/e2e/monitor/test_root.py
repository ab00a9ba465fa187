# SPDX-License-Identifier: Apache-2.0
"""The page with links to the others, and what all paths have in front."""

import re

import pytest

from e2e.monitor.web import HTML, JSON, PLAIN

LINKS = [("General", "/varz"), ("JetStream", "/jsz"), ("Connections", "/connz"), ("Accounts", "/accountz"), ("Account Stats", "/accstatz"),
         ("Subscriptions", "/subsz"), ("Routes", "/routez"), ("LeafNodes", "/leafz"), ("Gateways", "/gatewayz"),
         ("Raft Groups", "/raftz"), ("Health Probe", "/healthz"), ("Expvar", "/debug/vars")]


def links(page: str) -> list[tuple[str, str]]:
    """(text, href) of every link within the server."""
    found = re.findall(r"""<a href=["']?([^\s"'>]+)["']?[^>]*>\s*([^<]*?)\s*<""", page)
    return [(text, href) for href, text in found if "://" not in href]


def test_m01_root(world):
    """Links to all that one may want to look at; versions and help are elsewhere."""
    w = world()
    answer = w.get("/")
    assert (answer.status, answer.type) == (200, HTML)
    assert links(answer.text) == [(text, "." + path) for text, path in LINKS]
    outside = re.findall(r"""<a href=["']?(https?://[^\s"'>]+)""", answer.text)
    assert len(outside) >= 2  # source code, documentation
    for path in ("stacksz", "ipqueuesz"):
        assert path not in answer.text


def test_m01_links_of_root_lead_somewhere(world):
    w = world()
    for _, href in links(w.get("/").text):
        assert w.get(href[1:]).status == (404 if href == "./raftz" else 200)  # that has nothing to tell without Raft


@pytest.mark.parametrize("value, base", [
    ("/mon", "/mon"), ("mon", "/mon"), ("/mon/", "/mon"), ("/a/b", "/a/b"), ("a/b/", "/a/b"), ("//mon", "/mon"), ("/", ""), ("", "")])
def test_m06_base_path(world, value, base):
    """Other ways to write it lead to the same paths; /varz shows it as it was written."""
    w = world(f'http_base_path: "{value}"\n')
    root = w.get(base or "/")
    assert (root.status, root.type) == (200, HTML)
    assert links(root.text) == [(text, "." + base + path) for text, path in LINKS]
    for path in ("/connz", "/subscriptionsz", "/debug/vars", "/healthz", "/stacksz", "/ipqueuesz"):
        assert w.get(base + path).status == 200
    varz = w.document(base + "/varz")
    assert varz["http_base_path"] == value
    assert varz["http_req_stats"] == {"/": 1, "/connz": 1, "/subsz": 1, "/healthz": 1, "/varz": 1}


@pytest.mark.parametrize("path", [
    "/", "/mon/", "/varz", "/connz", "/healthz", "/debug/vars", "/mon/mon", "/mon/mon/varz", "/Mon/varz", "/monvarz", "/mo", "/mon2",
    "/mon/varz/"])
def test_m06_nothing_beside_the_base_path(world, path):
    answer = world('http_base_path: "/mon"\n').get(path)
    assert (answer.status, answer.type, answer.text) == (404, PLAIN, "404 page not found\n")


@pytest.mark.parametrize("path, location", [
    ("//mon/varz", "/mon/varz"), ("/mon//varz", "/mon/varz"), ("//varz", "/varz"), ("/mon/../varz", "/varz")])
def test_m06_path_that_is_not_clean(world, path, location):
    answer = world('http_base_path: "/mon"\n').get(path)
    assert (answer.status, answer.headers["location"]) == (301, location)


def test_m06_errors_below_the_base_path(world):
    w = world('http_base_path: "/mon"\n')
    answer = w.get("/mon/connz?auth=x")
    assert (answer.status, answer.type) == (400, PLAIN)
    answer = w.get("/mon/healthz?stream=S")
    assert (answer.status, answer.type) == (400, JSON)
