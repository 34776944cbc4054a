import tempfile
import unittest
from pathlib import Path

from octoprint import CONFIG, merged, read_key


class ReadKeyTest(unittest.TestCase):
    def read(self, text: str) -> str:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "keys.yaml")
            path.write_text(text)
            return read_key(path)

    def test_as_written_by_us(self):
        self.assertEqual(self.read('{"owner": [{"api_key": "AB12", "app_id": "FACTOR"}]}'), "AB12")

    def test_as_written_by_octoprint(self):
        self.assertEqual(self.read("owner:\n- api_key: AB12\n  app_id: FACTOR\n"), "AB12")

    def test_without_a_key(self):
        with self.assertRaisesRegex(ValueError, "no application key"):
            self.read("owner: []\n")


class MergedTest(unittest.TestCase):
    def test_settings_go_over_ours_and_leave_the_rest(self):
        both = merged(
            CONFIG, {"plugins": {"virtual_printer": {"throttle": 0}, "other": {"a": 1}}, "serial": {"autoconnect": False}}
        )
        self.assertEqual(both["plugins"]["virtual_printer"], {"enabled": True, "simulated_errors": [], "throttle": 0})
        self.assertEqual(both["plugins"]["other"], {"a": 1})
        self.assertIn("_disabled", both["plugins"])
        self.assertEqual(both["serial"], {**CONFIG["serial"], "autoconnect": False})
        self.assertEqual(both["server"], CONFIG["server"])
        self.assertTrue(CONFIG["serial"]["autoconnect"])
