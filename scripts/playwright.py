"""What Playwright's JSON report tells: the counts, and of each test that failed, if only once, what it said."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class Report:
    passed: int
    failed: int
    skipped: int
    seconds: float
    flaky: list[str] = field(default_factory=list)
    """Titles of the tests that failed and then passed."""
    failures: list[str] = field(default_factory=list)


def read(report: str) -> Report:
    told = json.loads(report)
    stats = told["stats"]
    found = Report(stats["expected"], stats["unexpected"], stats["skipped"], stats["duration"] / 1000)
    for title, test in tests(told["suites"]):
        if test["status"] == "flaky":
            found.flaky.append(title)
        for result in test["results"] if test["status"] in ("flaky", "unexpected") else []:
            said = "\n".join(COLOURS.sub("", e.get("message", e.get("value", ""))) for e in result.get("errors", []))
            if said:
                found.failures.append(f"✗ {title}, try {result['retry'] + 1}\n{said}")
    # What is wrong outside of a test, such as a file that does not load.
    found.failures += [COLOURS.sub("", e.get("message", "")) for e in told.get("errors", [])]
    return found


def tests(suites: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each test of the report with its file and title; describe blocks are suites within suites."""
    for suite in suites:
        for spec in suite.get("specs", []):
            for test in spec["tests"]:
                yield f"{spec['file']} › {spec['title']}", test
        yield from tests(suite.get("suites", []))
