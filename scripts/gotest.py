"""What `go test -json` says, told shortly: a line a package, everything a failed test said, and the counts."""

from __future__ import annotations

import json

Test = tuple[str, str]  # package, test


class GoTests:
    def __init__(self) -> None:
        self.packages_passed = self.packages_failed = 0
        self._result: dict[Test, str] = {}
        self._output: dict[Test, list[str]] = {}
        self._parents: set[Test] = set()
        self.failures: dict[Test, str] = {}
        """What each failed test said, and with the test "" what a package said that failed without one."""

    def take(self, line: str) -> str:
        """One line of the stream; what to print about it, usually nothing."""
        try:
            event = json.loads(line)
        except ValueError:
            return line.rstrip()  # the go command itself, such as a missing module
        action, package, test = event.get("Action"), event.get("Package", ""), event.get("Test", "")
        if action == "build-output":
            return str(event["Output"]).rstrip()
        key = (package, test)
        if action == "run":
            if "/" in test:
                self._parents.add((package, test.rpartition("/")[0]))
        elif action == "output":
            self._output.setdefault(key, []).append(event["Output"])
        elif action in ("pass", "fail", "skip"):
            return self._end(key, action, event.get("Elapsed", 0.0))
        return ""

    def count(self) -> tuple[int, int, int]:
        """Passed, failed, skipped, of the innermost tests: a table counts by its rows."""
        leaves = [result for key, result in self._result.items() if key not in self._parents]
        # A test that fails beside its subtests has no leaf of its own.
        alone = [
            key for key in self._parents
            if self._result.get(key) == "fail"
            and not any(k[0] == key[0] and k[1].startswith(key[1] + "/") and r == "fail" for k, r in self._result.items())
        ]  # fmt: skip
        return leaves.count("pass"), leaves.count("fail") + len(alone), leaves.count("skip")

    def worth_a_second_try(self, most: int = 3) -> dict[str, list[str]]:
        """The failed tests by package, if they are few and nothing but tests failed: a hang, a panic or what does not
        compile gets no second try."""
        failed: dict[str, list[str]] = {}
        for package, test in self.failures:
            if not test:
                return {}
            name = test.partition("/")[0]
            if name not in failed.setdefault(package, []):
                failed[package].append(name)
        return failed if sum(map(len, failed.values())) <= most else {}

    def _end(self, key: Test, action: str, elapsed: float) -> str:
        package, test = key
        output = "".join(self._output.pop(key, [])).rstrip()
        if test:
            self._result[key] = action
            if action == "skip":
                return f"  skipped {short(package)} {test}: {last(output)}"
            if action != "fail":
                return ""
            self.failures[key] = f"✗ {short(package)} {test}\n{output}"
            return self.failures[key]
        if action == "fail":
            self.packages_failed += 1
            hung = [f"✗ {t} had not ended\n{''.join(o)}" for (p, t), o in self._output.items() if p == package and t]
            if hung or not any(p == package for p, _ in self.failures):
                self.failures[key] = "\n".join([*hung, output, f"✗ {short(package)}"])
            return "\n".join([*hung, output, f"✗ {short(package)} ({elapsed:.1f} s)"])
        self.packages_passed += action == "pass"
        return f"✓ {short(package)} ({elapsed:.1f} s)" if action == "pass" else ""


def short(package: str) -> str:
    return package.removeprefix("github.com/kangbyounggwan/factor/")


def last(output: str) -> str:
    """The reason in a skipped test's output: the line before the closing one."""
    lines = [line.strip() for line in output.splitlines() if not line.startswith(("=== ", "--- "))]
    return lines[-1] if lines else "no reason given"
