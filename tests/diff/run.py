# SPDX-License-Identifier: Apache-2.0
"""python3 -m tests.diff.run [--peer] [--quiet] SCRIPT…: play scripts by hand and print both transcripts.

A script is a file, or theme/name, or a theme. --peer plays against the Go server only; --quiet prints differences only.
"""

import argparse
import difflib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from diff.pair import Pairs  # noqa: E402
from diff.script import SCRIPTS, load  # noqa: E402
from harness import Server  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scripts", nargs="+")
    parser.add_argument("--peer", action="store_true", help="the Go server in both places; one transcript is printed")
    parser.add_argument("--quiet", action="store_true", help="print only what differs")
    args = parser.parse_args()
    Server.peer_by_default = args.peer
    pairs, n_different = Pairs(), 0
    try:
        for path in _files(args.scripts):
            script = load(path)
            ours, peer, _ = pairs.play(script)
            n_different += ours != peer
            _show(script, ours, peer, args)
    finally:
        pairs.stop()
    return 1 if n_different else 0


def _files(names):
    for name in names:
        path = Path(name) if Path(name).exists() else SCRIPTS / name
        if path.is_dir():
            yield from sorted(path.rglob("*.txt"))
        else:
            yield path if path.suffix else path.with_suffix(".txt")


def _show(script, ours, peer, args):
    if ours != peer:
        print(f"==== {script.name}: DIFFERENT")
        if not args.quiet:
            print("---- ours", *ours, "---- peer", *peer, sep="\n")
        print(*difflib.unified_diff(peer, ours, "peer", "ours", lineterm="", n=6), sep="\n")
    elif not args.quiet:
        print(f"==== {script.name}: same", *peer, sep="\n")


if __name__ == "__main__":
    sys.exit(main())
