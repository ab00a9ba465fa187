# SPDX-License-Identifier: Apache-2.0
"""auto_reload, an option of ours: no signal is needed."""

import os

import pytest

from harness import eventually

pytestmark = pytest.mark.ours
TEXT = "auto_reload: true\nmax_payload: %d\n"


@pytest.fixture
def conf(tmp_path):
    path = tmp_path / "server.conf"
    path.write_text(TEXT % 1000)
    return path


def max_payload(connect, server) -> int:
    return connect(server).info["max_payload"]


def test_file_written_and_replaced(start_server, connect, conf):
    """However an editor does it; after each reload it watches on."""
    server = start_server("-c", conf)
    conf.write_text(TEXT % 2000)
    eventually(lambda: max_payload(connect, server) == 2000)
    new = conf.with_suffix(".new")
    new.write_text(TEXT % 3000)
    os.replace(new, conf)
    eventually(lambda: max_payload(connect, server) == 3000)
    conf.write_text(TEXT % 4000)
    eventually(lambda: max_payload(connect, server) == 4000)


def test_linked_folder(start_server, connect, tmp_path):
    """As Kubernetes does it: a link to a folder is replaced."""
    for n in (1000, 2000):
        (tmp_path / str(n)).mkdir()
        (tmp_path / str(n) / "server.conf").write_text(TEXT % n)
    (tmp_path / "data").symlink_to("1000")
    (tmp_path / "server.conf").symlink_to("data/server.conf")
    server = start_server("-c", tmp_path / "server.conf")
    (tmp_path / "new").symlink_to("2000")
    os.replace(tmp_path / "new", tmp_path / "data")
    eventually(lambda: max_payload(connect, server) == 2000)


def test_bad_file_then_good_one(start_server, connect, conf):
    """What cannot be used is said, and changes nothing; the next try counts."""
    server = start_server("-c", conf)
    conf.write_text("auto_reload: true\nmax_paylod: 5\n")
    server.wait_log(r"\[ERR\] Failed to reload server configuration: .*unknown field \"max_paylod\"")
    assert max_payload(connect, server) == 1000
    conf.write_text(TEXT % 2000)
    eventually(lambda: max_payload(connect, server) == 2000)


def test_switched_off_by_a_reload(start_server, connect, conf):
    """The option itself may change."""
    server = start_server("-c", conf)
    conf.write_text("max_payload: 2000\n")
    eventually(lambda: max_payload(connect, server) == 2000)
    conf.write_text("max_payload: 3000\n")
    server.signal(1)
    eventually(lambda: max_payload(connect, server) == 3000)
    assert server.log().count("changed, reloading") == 1
