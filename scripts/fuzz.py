#!/usr/bin/env python3
"""Every fuzz test of the tree, one after the other: fuzz.py 30s"""

from __future__ import annotations

import os
import re
import subprocess
import sys

from needs import ROOT


def targets() -> list[tuple[str, str]]:
    """Package folder and name of each fuzz test."""
    files = subprocess.run(["git", "ls-files", "*_test.go"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = []
    for file in files.split():
        path = ROOT / file
        if path.is_file():
            found += [
                (f"./{path.parent.relative_to(ROOT)}", name)
                for name in re.findall(r"^func (Fuzz\w+)\(", path.read_text(), re.M)
            ]
    return found


def run_all(time_each: str, env: dict[str, str] | None = None) -> tuple[int, int]:
    """Passed and failed. What a failing one found is left in the package's testdata/fuzz, to be committed with its cure."""
    failed = 0
    all_targets = targets()
    for package, name in all_targets:
        print(f"── {package} {name}", flush=True)
        command = ["go", "test", "-run=^$", f"-fuzz=^{name}$", f"-fuzztime={time_each}", package]
        failed += subprocess.run(command, cwd=ROOT, env=env or dict(os.environ)).returncode != 0
    return len(all_targets) - failed, failed


if __name__ == "__main__":
    good, bad = run_all(sys.argv[1] if len(sys.argv) > 1 else "30s")
    print(f"{good} passed, {bad} failed")
    sys.exit(1 if bad else 0)
