import json
import unittest

import playwright


def spec(title: str, status: str, *results: list[str]) -> dict:
    return {
        "file": "print.spec.ts",
        "title": title,
        "tests": [
            {
                "status": status,
                "results": [{"retry": n, "errors": [{"message": m} for m in said]} for n, said in enumerate(results)],
            }
        ],
    }


REPORT = json.dumps(
    {
        "stats": {"expected": 1, "unexpected": 1, "flaky": 1, "skipped": 2, "duration": 61500.5},
        "errors": [{"message": "no such file"}],
        "suites": [
            {
                "specs": [
                    spec("prints", "expected", []),
                    spec("stops", "unexpected", ["\x1b[31mno\x1b[39m"], ["still not"]),
                ],
                "suites": [{"specs": [spec("heats", "flaky", ["cold"], [])]}],
            }
        ],
    }
)


class PlaywrightTest(unittest.TestCase):
    def test_it_counts_and_tells_what_failed(self):
        told = playwright.read(REPORT)
        self.assertEqual((told.passed, told.failed, told.skipped, told.seconds), (1, 1, 2, 61.5005))
        self.assertEqual(told.flaky, ["print.spec.ts › heats"])
        self.assertEqual(
            told.failures,
            [
                "✗ print.spec.ts › stops, try 1\nno",
                "✗ print.spec.ts › stops, try 2\nstill not",
                "✗ print.spec.ts › heats, try 1\ncold",
                "no such file",
            ],
        )
