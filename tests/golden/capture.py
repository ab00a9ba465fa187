# SPDX-License-Identifier: Apache-2.0
"""python3 -m tests.golden.capture --server PATH --out DIR [SCENARIO…]: play scenarios and write down what the server says.

Without SCENARIO: all of them.  README.md describes the files.
"""

import argparse
import os
import shutil
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from golden import event_scenarios, http_scenarios, request_scenarios  # noqa: E402, F401  (they register)
from golden.recorder import SCENARIOS, Recorder  # noqa: E402


def play(binary, out, name):
    """Play one scenario; how many captures there are below out/name then."""
    shutil.rmtree(Path(out) / name, ignore_errors=True)
    recorder, complaints = Recorder(os.path.abspath(binary), out, name), []
    try:
        SCENARIOS[name](recorder)
    except BaseException:
        for server in recorder.servers:
            sys.stderr.write(f"--- log of the server:\n{server.log()[-8000:]}\n")
        raise
    finally:
        complaints = [server.stop() for server in recorder.servers]
    assert not any(complaints), "\n".join(filter(None, complaints))
    return recorder.count


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", required=True, help="path of the server binary, started as PATH -c FILE")
    parser.add_argument("--out", required=True, help="folder for the captures")
    parser.add_argument("scenarios", nargs="*", choices=[[], *SCENARIOS], metavar="SCENARIO", help=", ".join(SCENARIOS))
    args = parser.parse_args()
    for name in args.scenarios or SCENARIOS:
        begin = time.monotonic()
        n = play(args.server, args.out, name)
        print(f"{name:18} {n:3} captures {time.monotonic() - begin:5.1f} s", flush=True)


if __name__ == "__main__":
    main()
