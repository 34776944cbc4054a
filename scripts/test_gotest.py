import json
import unittest

from gotest import GoTests

PACKAGE = "github.com/kangbyounggwan/factor/internal/wire"


class GoTestsTest(unittest.TestCase):
    def take(self, *events: dict) -> list[str]:
        self.tests = GoTests()
        said = [self.tests.take(json.dumps({"Package": PACKAGE, **e})) for e in events]
        return [s for s in said if s]

    def test_a_table_counts_by_its_rows(self):
        self.take(
            {"Action": "run", "Test": "TestTopic"},
            {"Action": "run", "Test": "TestTopic/short"},
            {"Action": "run", "Test": "TestTopic/long"},
            {"Action": "pass", "Test": "TestTopic/short"},
            {"Action": "fail", "Test": "TestTopic/long"},
            {"Action": "fail", "Test": "TestTopic"},
            {"Action": "fail"},
        )
        self.assertEqual(self.tests.count(), (1, 1, 0))

    def test_a_table_that_fails_beside_its_rows_counts(self):
        self.take(
            {"Action": "run", "Test": "TestTopic"},
            {"Action": "run", "Test": "TestTopic/short"},
            {"Action": "pass", "Test": "TestTopic/short"},
            {"Action": "fail", "Test": "TestTopic"},
        )
        self.assertEqual(self.tests.count(), (1, 1, 0))

    def test_a_failed_test_is_shown_with_what_it_said(self):
        said = self.take(
            {"Action": "output", "Test": "TestTopic", "Output": "topic_test.go:9: wrong\n"},
            {"Action": "fail", "Test": "TestTopic"},
            {"Action": "output", "Output": "FAIL\n"},
            {"Action": "fail", "Elapsed": 0.25},
        )
        self.assertEqual(said, ["✗ internal/wire TestTopic\ntopic_test.go:9: wrong", "FAIL\n✗ internal/wire (0.2 s)"])

    def test_a_test_that_never_ends_is_named(self):
        said = self.take(
            {"Action": "output", "Test": "TestHang", "Output": "panic: test timed out\n"},
            {"Action": "fail", "Elapsed": 900},
        )
        self.assertIn("TestHang had not ended\npanic: test timed out", said[-1])

    def test_skips_say_why(self):
        said = self.take(
            {"Action": "output", "Test": "TestPaho", "Output": "    paho_test.go:3: no Python\n"},
            {"Action": "output", "Test": "TestPaho", "Output": "--- SKIP: TestPaho (0.00s)\n"},
            {"Action": "skip", "Test": "TestPaho"},
        )
        self.assertEqual(said, ["  skipped internal/wire TestPaho: paho_test.go:3: no Python"])
        self.assertEqual(self.tests.count(), (0, 0, 1))

    def test_what_does_not_compile_is_shown(self):
        said = self.take({"Action": "build-output", "Output": "wire.go:1: undefined: x\n"}, {"Action": "fail"})
        self.assertIn("wire.go:1: undefined: x", said[0])
        self.assertEqual(self.tests.packages_failed, 1)

    def test_a_failed_test_is_worth_a_second_try(self):
        self.take(
            {"Action": "fail", "Test": "TestTopic/long"},
            {"Action": "fail", "Test": "TestTopic"},
            {"Action": "fail"},
        )
        self.assertEqual(self.tests.worth_a_second_try(), {PACKAGE: ["TestTopic"]})

    def test_many_failed_tests_are_not(self):
        self.take(*({"Action": "fail", "Test": f"Test{n}"} for n in range(4)), {"Action": "fail"})
        self.assertEqual(self.tests.worth_a_second_try(), {})

    def test_a_hang_and_what_does_not_compile_are_not(self):
        self.take(
            {"Action": "fail", "Test": "TestTopic"},
            {"Action": "output", "Test": "TestHang", "Output": "panic: test timed out\n"},
            {"Action": "fail"},
        )
        self.assertEqual(self.tests.worth_a_second_try(), {})
        self.take({"Action": "build-output", "Output": "wire.go:1: undefined: x\n"}, {"Action": "fail"})
        self.assertEqual(self.tests.worth_a_second_try(), {})
