#!/usr/bin/env python3
"""`make bench`: the figures of docs/performance.md, one bench after the other.

    bench.py                every bench
    bench.py start push     these

Nothing else should run on the machine meanwhile. Mosquitto, beside which the gateway is measured, is installed as for
the tests. No figure passes or fails anything: read them beside docs/performance.md.
"""

from __future__ import annotations

import subprocess
import sys

import needs
from needs import ROOT, Missing

# What runs for each name, from the root of the tree.
BENCHES = {
    "start": ["go", "run", "./bench/start", "-factor", "bin/factor"],
    "push": ["go", "run", "./bench/push", "-factor", "bin/factor"],
    "command": ["go", "run", "./bench/command", "-factor", "bin/factor", "-agent", "bin/factor-agent"],
    "gcode": ["go", "run", "./bench/gcode"],
    "camera": ["go", "run", "./bench/camera", "-factor", "bin/factor"],
    "picture": ["npm", "--prefix", "e2e", "run", "--silent", "bench"],
    "uplink": ["go", "run", "./bench/uplink", "-agent", "bin/factor-agent"],
    "printcost": ["go", "run", "./bench/printcost", "-factor", "bin/factor"],
    "ingest": ["go", "run", "./bench/ingest", "-mode", "all"],
}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(f"no bench is called {unknown[0]}; there are {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    try:
        needs.need_build_tools()
        needs.test_packages()
        needs.published_venv()
        if "camera" in (names or BENCHES):
            needs.peer(needs.PEERS[0])
        if "picture" in (names or BENCHES):
            needs.node_modules(ROOT / "e2e")
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 1
    failed = [name for name in names or BENCHES if run(name) != 0]
    if failed:
        print(f"did not finish: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def run(name: str) -> int:
    print(f"\n== {name}", flush=True)
    return subprocess.run(BENCHES[name], cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
