import os
import shutil
import stat
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import needs


class NeedsTest(unittest.TestCase):
    def setUp(self):
        self.scratch = Path(self.enter(tempfile.TemporaryDirectory()))

    def enter(self, context):
        value = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        return value

    def program(self, name: str, says: str) -> None:
        path = self.scratch / name
        path.write_text(f"#!/bin/sh\necho '{says}'\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def only_these_programs(self, **says: str) -> None:
        for name, text in says.items():
            self.program(name, text)
        self.enter(mock.patch.dict(os.environ, {"PATH": f"{self.scratch}:/bin:/usr/bin" if not says else str(self.scratch)}))

    def test_missing_go_is_named_with_its_cure(self):
        self.only_these_programs(node="v20.20.2", npm="11.0.0")
        with self.assertRaisesRegex(needs.Missing, "(?s)Go is not installed.*go.dev/dl.*설치하세요"):
            needs.need_build_tools()

    def test_old_node_is_named_with_its_version(self):
        self.only_these_programs(go="go version go1.26.8 linux/amd64", node="v18.19.0", npm="9.2.0")
        with self.assertRaisesRegex(needs.Missing, "Node.js 18.19.0 is too old: get 20.19 or newer"):
            needs.need_build_tools()

    def test_what_is_here_is_enough(self):
        self.only_these_programs(go="go version go1.26.8 linux/amd64", node="v20.20.2", npm="11.0.0")
        needs.need_build_tools()

    def test_full_disk_is_named(self):
        usage = shutil.disk_usage("/")._replace(free=100 * needs.MEBIBYTE)
        self.enter(mock.patch("shutil.disk_usage", return_value=usage))
        with self.assertRaisesRegex(needs.Missing, "(?s)full \\(100 MiB free, 2000 MiB needed\\): make room.*공간"):
            needs.need_space(2000)

    def test_of_several_disks_the_fullest_is_named(self):
        whole = shutil.disk_usage("/")

        def usage(folder):
            return whole._replace(free=(3 if "small" in str(folder) else 3000) * needs.MEBIBYTE)

        small = self.scratch / "small"
        small.mkdir()
        self.enter(mock.patch("shutil.disk_usage", usage))
        self.assertIn(f"The disk of {small} is full (3 MiB free)", str(needs.full_disk(needs.ROOT, small)))
        missing = small / "not" / "yet"
        with self.assertRaisesRegex(needs.Missing, f"The disk of {missing} is full \\(3 MiB free, 100 MiB needed\\)"):
            needs.need_space(100, missing)
        needs.need_space(100)

    def test_apt_without_root_and_sudo_says_the_command(self):
        self.only_these_programs(**{"apt-get": ""})
        self.enter(mock.patch("os.geteuid", return_value=1000))
        with self.assertRaisesRegex(needs.Missing, "As root, run: apt-get install chromium mosquitto"):
            needs.apt_install(["chromium", "mosquitto"])

    def test_nothing_missing_touches_nothing(self):
        self.only_these_programs(**{"apt-get": ""})
        with mock.patch("subprocess.run") as run:
            needs.apt_install([])
        run.assert_not_called()

    def test_stamp_changes_with_its_inputs(self):
        stamp, want, fresh = needs.stamped(self.scratch, "a", "b")
        self.assertFalse(fresh)
        stamp.write_text(want)
        self.assertTrue(needs.stamped(self.scratch, "a", "b")[2])
        self.assertFalse(needs.stamped(self.scratch, "a", "c")[2])

    def test_failed_command_shows_its_end(self):
        with (
            mock.patch.object(needs, "LOGS", needs.ROOT / ".cache/logs"),
            self.assertRaisesRegex(needs.Missing, "a trial.*failed"),
        ):
            needs.run_logged("a trial", ["sh", "-c", "echo why; exit 3"])

    def test_locks_are_exact_and_hold_no_addresses(self):
        locks = [*needs.ROOT.glob("scripts/*-constraints.txt"), *needs.ROOT.glob("scripts/*-requirements.txt")]
        locks.append(needs.ROOT / "plugin/tests/requirements.txt")
        self.assertGreater(len(locks), 4)
        for lock in locks:
            for line in lock.read_text().splitlines():
                self.assertRegex(line, r"^(#.*|[A-Za-z0-9._-]+==[A-Za-z0-9.]+)$", lock.name)
        for folder in ("web", "e2e"):
            lock = (needs.ROOT / folder / "package-lock.json").read_text()
            self.assertNotIn('"resolved"', lock, folder)
