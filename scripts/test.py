#!/usr/bin/env python3
"""`make test`: every test of the project, part by part, with the set-up they need.

    test.py                 every part; stops at the first that fails and names it
    test.py go browser      these parts
    test.py list            what the parts are
    test.py --long          what takes long instead: races, fuzzing, other OctoPrints, repeated browser tests (REPEAT, FUZZTIME)

A few tests of go and browser that fail are tried once more, since real programs race on a machine that others use, too:
what passes then is named with what it had said, and does not fail the run. Everything else that fails does.

The last lines repeat what failed and how each runner closed; the very last one counts all of them: "812 passed, 0 failed".
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

import fuzz
import needs
import network
import playwright
from gotest import GoTests
from needs import ROOT, Missing

WEB, E2E = ROOT / "web", ROOT / "e2e"
# The plugin runs on Python 3.8. Its annotations are never evaluated.
VERMIN = ["--target=3.8-", "--violations", "--no-tips", "--no-eval-annotations", "--quiet"]
RESULTS = ROOT / ".cache" / "results"
FAILURE = 3000
"""Characters of a failure that are repeated at the end."""


@dataclass
class Result:
    """What a part counted, and how its runner closed."""

    passed: int
    failed: int
    closing: str
    skipped: int = 0
    failures: list[str] = field(default_factory=list)
    """What each failed test said, of those that passed at the second try as well."""


class Runner:
    """Runs the parts, in the environment that makes a missing counterpart a failure instead of a skip."""

    def __init__(self) -> None:
        self.env = {
            **os.environ,
            "CI": "1",
            "FACTOR_TEST_REQUIRE": "1",
            "FACTOR_TEST_OCTOPRINT": str(needs.OCTOPRINT_VENV / "bin/octoprint"),
            "FACTOR_TEST_PUBLISHED": str(needs.PUBLISHED_VENV / "bin/octoprint"),
            "FACTOR_TEST_PYTHON": str(needs.TEST_VENV / "bin/python"),
            "FACTOR_TEST_NODE_MODULES": str(E2E / "node_modules"),
            **{f"FACTOR_TEST_{peer.name.upper()}": str(peer.program) for peer in needs.PEERS},
            "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin",  # Debian's mosquitto is there
        }

    # Parts

    def lint(self) -> Result:
        go_files = self.output("git", "ls-files", "--cached", "--others", "--exclude-standard", "*.go").split()
        files = [f for f in go_files if (ROOT / f).is_file()]
        checks: list[tuple[str, list[str], Path]] = [
            ("svelte-check", ["npm", "run", "--silent", "check"], WEB),
            ("staticcheck", ["go", "tool", "staticcheck", "./..."], ROOT),
            ("go vet", ["go", "vet", "./..."], ROOT),
            ("ruff check", [str(needs.TEST_VENV / "bin/ruff"), "check"], ROOT),
            ("ruff format", [str(needs.TEST_VENV / "bin/ruff"), "format", "--check"], ROOT),
            ("vermin", [str(needs.TEST_VENV / "bin/vermin"), *VERMIN, "plugin/octoprint_factor_mqtt", "plugin/setup.py"], ROOT),
            ("tsc of e2e", ["npm", "run", "--silent", "check"], E2E),
        ]
        failed = []
        unformatted = self.output("gofmt", "-l", *files)
        print(unformatted, end="")
        if unformatted:
            failed.append("gofmt")
        # Two at a time: half of them keep one core busy only.
        with ThreadPoolExecutor(2) as pool:
            for (name, _, _), done in zip(checks, pool.map(lambda check: self.quietly(check[1], check[2]), checks)):
                print(done.stdout, end="", flush=True)
                if done.returncode:
                    failed.append(name)
        closing = f"failed: {', '.join(failed)}" if failed else "nothing found"
        return Result(len(checks) + 1 - len(failed), len(failed), closing)

    def scripts(self) -> Result:
        return self.unittest("test_[!r]*.py")

    def go(self) -> Result:
        return self.go_test("./...", second_try=True)

    def pages(self) -> Result:
        report = self.report("vitest")
        command = ["npm", "test", "--silent", "--", "--reporter=default", "--reporter=json", f"--outputFile.json={report}"]
        code = self.run(command, WEB)
        if not report.is_file():
            return Result(0, 1, "vitest did not finish")
        counted = json.loads(report.read_text())
        passed, failed = counted["numPassedTests"], counted["numFailedTests"]
        return Result(passed, max(failed, 1) if code else failed, f"{passed} tests in {len(counted['testResults'])} files")

    def plugin(self) -> Result:
        return self.pytest(needs.plugin_venv())

    def octoprints(self) -> Result:
        """The plugin's tests with the other OctoPrints, each in a virtual environment of its own."""
        found = [self.pytest(needs.plugin_venv(version)) for version in needs.OTHER_OCTOPRINTS]
        closing = "; ".join(f"{version}: {r.closing}" for version, r in zip(needs.OTHER_OCTOPRINTS, found))
        return Result(sum(r.passed for r in found), sum(r.failed for r in found), closing, sum(r.skipped for r in found))

    def browser(self) -> Result:
        repeat = os.environ.get("REPEAT")
        command = [
            "npx",
            "playwright",
            "test",
            "--reporter=list,json",
            *(["--repeat-each", repeat] if repeat else ["--retries", "1"]),
        ]
        return self.playwright("playwright", command, "tests in Chromium")

    def network(self) -> Result:
        """Cameras across NAT, loss, a slow uplink and cuts, in Chromium behind a router of its own."""
        why = network.hindrance()
        if why:
            return Result(0, 0, f"skipped: {why}", 1)
        with network.Network() as net:
            command = net.command("npx", "playwright", "test", "--config", "network.config.ts", "--reporter=list,json")
            return self.playwright("network", command, "networks", net.env)

    def soak(self) -> Result:
        span = os.environ.setdefault("FACTOR_TEST_SOAK", "1h")
        return self.go_test(
            "-count=1", "-run=^TestSoak", "./internal/server/camera", env={"FACTOR_TEST_SOAK": span}, limit="3h"
        )

    def make_run(self) -> Result:
        return self.unittest("test_run.py")

    def build(self) -> Result:
        code = self.run(["make", "--no-print-directory", "build"], ROOT)
        return Result(0 if code else 1, 1 if code else 0, "failed" if code else "bin/factor, bin/factor-agent")

    def race(self) -> Result:
        return self.go_test("-race", "-count=1", "./...", env={"FACTOR_TEST_LONG": "1"}, limit="45m")

    def fuzzing(self) -> Result:
        passed, failed = fuzz.run_all(os.environ.get("FUZZTIME", "30s"), self.env)
        return Result(passed, failed, f"{passed + failed} fuzz tests")

    # How parts run

    def go_test(
        self, *arguments: str, env: dict[str, str] | None = None, limit: str = "15m", second_try: bool = False
    ) -> Result:
        tests, code = self.go_stream(*arguments, env=env, limit=limit)
        passed, failed, skipped = tests.count()
        closing = f"{tests.packages_passed} packages ok, {tests.packages_failed} failed"
        failures = list(tests.failures.values())
        again = tests.worth_a_second_try() if code and second_try else {}
        if not again:
            return Result(passed, max(failed, 1) if code else failed, closing, skipped, failures)
        for package, names in again.items():
            print(f"once more: {' '.join(names)}", flush=True)
            alone, code = self.go_stream("-count=1", f"-run=^({'|'.join(names)})$", package, env=env, limit=limit)
            failures += alone.failures.values()
            if code:
                return Result(passed, failed, f"{closing}; again: {' '.join(names)}", skipped, failures)
        names = [name for names in again.values() for name in names]
        return Result(passed + failed, 0, f"{closing}, passed at the second try: {' '.join(names)}", skipped, failures)

    def go_stream(self, *arguments: str, env: dict[str, str] | None, limit: str) -> tuple[GoTests, int]:
        command = ["go", "test", "-json", f"-timeout={limit}", *arguments]
        process = subprocess.Popen(command, cwd=ROOT, env={**self.env, **(env or {})}, stdout=subprocess.PIPE, text=True)
        assert process.stdout
        tests = GoTests()
        for line in process.stdout:
            said = tests.take(line)
            if said:
                print(said, flush=True)
        return tests, process.wait()

    def playwright(self, name: str, command: list[str], what: str, env: dict[str, str] | None = None) -> Result:
        report = self.report(name)
        code = self.run(command, E2E, {"PLAYWRIGHT_JSON_OUTPUT_NAME": str(report), **(env or {})})
        if not report.is_file():
            return Result(0, 1, "playwright did not finish")
        told = playwright.read(report.read_text())
        closing = f"{told.passed + len(told.flaky)} {what}, {told.seconds:.0f} s"
        if told.flaky:
            closing += f", passed at the second try: {', '.join(told.flaky)}"
        failed = max(told.failed, 1) if code else told.failed
        return Result(told.passed + len(told.flaky), failed, closing, told.skipped, told.failures)

    def unittest(self, pattern: str) -> Result:
        command = [
            sys.executable,
            "-W",
            "error::ResourceWarning",
            "scripts/unittests.py",
            pattern,
            str(self.report("unittest")),
        ]
        code = self.run(command, ROOT)
        report = RESULTS / "unittest.json"
        if not report.is_file():
            return Result(0, 1, "did not finish")
        counted = json.loads(report.read_text())
        failed = counted["failed"]
        return Result(counted["passed"], max(failed, 1) if code else failed, f"{counted['passed']} tests")

    def pytest(self, python: Path) -> Result:
        report = self.report("pytest").with_suffix(".xml")
        report.unlink(missing_ok=True)
        code = self.run([str(python), "-m", "pytest", "-q", f"--junitxml={report}"], ROOT / "plugin")
        if not report.is_file():
            return Result(0, 1, "pytest did not finish")
        suite = ET.parse(report).getroot().find("testsuite")
        assert suite is not None
        total, skipped = int(suite.get("tests", 0)), int(suite.get("skipped", 0))
        failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        passed = total - failed - skipped
        return Result(passed, max(failed, 1) if code else failed, f"{passed} tests", skipped)

    def run(self, command: list[str], folder: Path, env: dict[str, str] | None = None) -> int:
        return subprocess.run(command, cwd=folder, env={**self.env, **(env or {})}, stdin=subprocess.DEVNULL).returncode

    def quietly(self, command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
        """As run, what it says kept: what runs beside others is not to be mixed with what they say."""
        pipe, null = subprocess.PIPE, subprocess.DEVNULL
        return subprocess.run(command, cwd=folder, env=self.env, stdin=null, stdout=pipe, stderr=subprocess.STDOUT, text=True)

    def output(self, *command: str) -> str:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    def report(self, name: str) -> Path:
        RESULTS.mkdir(parents=True, exist_ok=True)
        path = RESULTS / f"{name}.json"
        path.unlink(missing_ok=True)
        return path


def parts(runner: Runner) -> dict[str, tuple[str, Callable[[], Result]]]:
    """Quick ones first: a slip is known in a minute."""
    return {
        "lint": ("gofmt, go vet, staticcheck, ruff, vermin, svelte-check, tsc", runner.lint),
        "scripts": ("the scripts of make run and make test themselves", runner.scripts),
        "pages": ("vitest", runner.pages),
        "plugin": ("pytest of the OctoPrint plugin, with a real OctoPrint", runner.plugin),
        "build": ("the pages and both programs", runner.build),
        "go": ("go test, with real OctoPrint, Mosquitto, paho and MQTT.js as counterparts", runner.go),
        "browser": ("Chromium, the real server, agent and OctoPrint", runner.browser),
        "run": ("make run as a newcomer types it", runner.make_run),
    }


def long_parts(runner: Runner) -> dict[str, tuple[str, Callable[[], Result]]]:
    os.environ.setdefault("REPEAT", "5")
    return {
        "build": ("the pages and both programs", runner.build),
        "race": ("go test -race, long variants included", runner.race),
        "octoprint": (f"the plugin's tests with OctoPrint {' and '.join(needs.OTHER_OCTOPRINTS)}", runner.octoprints),
        "fuzz": ("every fuzz test for FUZZTIME", runner.fuzzing),
        "browser": ("the browser tests, REPEAT times", runner.browser),
        "network": ("cameras across NAT, loss, 300 kbit/s and cuts (root; network namespaces)", runner.network),
        "soak": ("a camera for FACTOR_TEST_SOAK (1h): memory, goroutines, files", runner.soak),
    }


def main(arguments: list[str]) -> int:
    runner = Runner()
    long = "--long" in arguments
    known = long_parts(runner) if long else parts(runner)
    wanted = [a for a in arguments if a != "--long"]
    if wanted == ["list"]:
        print("\n".join(f"{name:8} {what}" for name, (what, _) in known.items()))
        return 0
    unknown = [w for w in wanted if w not in known]
    if unknown:
        sys.exit(f"no part {', '.join(unknown)}; there are: {', '.join(known)}")
    print("── set-up", flush=True)
    try:
        needs.main("long" if long else "test")
    except Missing as missing:
        sys.exit(f"\n{missing}\n\nfailed: set-up\n0 passed, 1 failed")
    results: dict[str, Result] = {}
    broken = ""
    for name in wanted or known:
        what, do = known[name]
        print(f"\n── {name}: {what}", flush=True)
        started = time.monotonic()
        result = results[name] = do()
        result.closing += f" ({time.monotonic() - started:.0f} s)"
        if result.failed:
            broken = name
            break
    for name, result in results.items():
        for failure in result.failures:
            print(f"\n── {name}\n{failure[:FAILURE]}")
    print("\n── closings")
    for name, result in results.items():
        skipped = f", {result.skipped} skipped" if result.skipped else ""
        mark = "✗" if result.failed else "✓"
        print(f"{mark} {name:8} {result.passed} passed, {result.failed} failed{skipped}: {result.closing}")
    if broken:
        print(f"\nfailed: {broken}. What comes after it was not run; `make test PART={broken}` runs it alone.")
    print(f"{sum(r.passed for r in results.values())} passed, {sum(r.failed for r in results.values())} failed", flush=True)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
