"""`make run` as a newcomer types it, in a folder and on ports of its own."""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from factor_api import Factor
from needs import ROOT
from octoprint import free_port
from run import READY
from test_child import alive, wait_for


class RunTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name, "run")
        self.ports = {f"{name}_PORT": str(free_port()) for name in ("HTTP", "HTTPS", "MQTTS", "OCTOPRINT", "CAMERA")}

    def start(self, **env: str) -> subprocess.Popen:
        """Runs the script with its output in a file; it is killed with all it started at the end of the test."""
        log = Path(self.folder.parent, f"said-{time.monotonic_ns()}.txt")
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "scripts/run.py"],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env={**os.environ, "LANG": "C.UTF-8", "RUN_FOLDER": str(self.folder), **self.ports, **env},
            )
        process.said = log.read_text
        self.addCleanup(self.end, process)
        return process

    def end(self, process: subprocess.Popen) -> None:
        if process.poll() is None:
            process.terminate()
            process.wait(60)

    def started(self, **env: str) -> subprocess.Popen:
        process = self.start(**env)
        wait_for(lambda: READY in process.said() or process.poll() is not None, limit_s=300)
        self.assertIsNone(process.poll(), process.said())
        return process

    def login(self) -> dict:
        return json.loads((self.folder / "login.json").read_text())

    def children(self, process: subprocess.Popen) -> set[int]:
        """All processes below it, however deep."""
        parents = {}
        for status in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = status.read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            parents[int(status.parent.name)] = int(fields[1])
        below, grown = {process.pid}, True
        while grown:
            more = {pid for pid, parent in parents.items() if parent in below} - below
            below |= more
            grown = bool(more)
        return below - {process.pid}

    def assert_all_ended(self, pids: set[int]) -> None:
        wait_for(lambda: not any(alive(pid) for pid in pids), limit_s=60)
        wait_for(lambda: not any(answers(port) for port in self.ports.values()), limit_s=60)

    def test_a_print_is_live_and_a_second_start_keeps_everything(self):
        process = self.started()
        path, login = self.folder / "login.json", self.login()
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.assertIn(login["url"], process.said())
        factor = Factor(login["url"])
        self.assertTrue(factor.log_in(login["email"], login["password"]))
        wait_for(lambda: factor.printers()[0]["status"] in ("heating", "printing"))
        wait_for(lambda: (factor.printers()[0]["job"] or {}).get("file"))
        printer = factor.printers()[0]
        self.assertTrue(printer["online"])
        self.assertEqual(printer["job"]["file"]["name"], "sample.gcode")
        self.assertTrue(factor.call("GET", "/me")["admin"])
        self.assertEqual([c["name"] for c in printer["cameras"]], ["Camera"])
        self.assertTrue(factor.picture(printer["uuid"]).startswith(b"\xff\xd8\xff"))

        second = self.start()
        self.assertEqual(second.wait(60), 1)
        self.assertRegex(second.said(), f"runs already \\(pid {process.pid}\\)")

        pids = self.children(process)
        self.assertGreaterEqual(len(pids), 4)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(60), 0, process.said())
        ended = re.findall(r"✓ (\S+)$", process.said().partition("Ending")[2], re.M)
        self.assertEqual(ended, ["factor-agent", "camera", "OctoPrint", "factor"])
        self.assert_all_ended(pids)

        again = self.started()
        self.assertEqual(self.login(), login)
        self.assertTrue(factor.log_in(login["email"], login["password"]))
        self.assertEqual([p["uuid"] for p in factor.printers()], [printer["uuid"]])
        wait_for(lambda: factor.printers()[0]["status"] in ("heating", "printing"))
        pids = self.children(again)
        again.kill()
        self.assert_all_ended(pids)

    def test_without_a_printer(self):
        process = self.started(PRINTER="none")
        login = self.login()
        factor = Factor(login["url"])
        self.assertTrue(factor.log_in(login["email"], login["password"]))
        self.assertEqual(factor.printers(), [])
        self.assertFalse((self.folder / "octoprint").exists())
        pids = self.children(process)
        process.terminate()
        self.assertEqual(process.wait(60), 0, process.said())
        self.assert_all_ended(pids)

    def test_a_taken_port_is_named_with_its_cure(self):
        with socket.create_server(("127.0.0.1", int(self.ports["MQTTS_PORT"]))) as taken:
            port = taken.getsockname()[1]
            process = self.start()
            self.assertEqual(process.wait(120), 1)
        self.assertRegex(process.said(), f"Port {port} is taken.*MQTTS_PORT={port + 1} make run")
        self.assertRegex(process.said(), f"{port} 포트를")
        self.assertFalse((self.folder / "data").exists())

    def test_a_program_that_ends_by_itself_is_named(self):
        process = self.started(PRINTER="none")
        server = next(iter(self.children(process)))
        os.kill(server, signal.SIGKILL)
        self.assertEqual(process.wait(60), 1)
        self.assertIn("factor ended by itself", process.said())

    def test_a_full_disk_is_named(self):
        (self.folder / "logs").mkdir(parents=True)
        (self.folder / "logs/factor.log").symlink_to("/dev/full")  # where every write finds the disk full
        process = self.start(PRINTER="none")
        self.assertEqual(process.wait(300), 1, process.said())
        self.assertRegex(process.said(), r"(?s)The disk of .* is full .*make room.*nothing is lost.*공간을 비운 뒤")
        self.assertNotIn("Traceback", process.said())

    def test_wrong_settings_are_named(self):
        for env, said in (({"HTTP_PORT": "http"}, "HTTP_PORT=http: not a port"), ({"PRINTER": "ender"}, "PRINTER=ender")):
            process = self.start(**env)
            self.assertEqual(process.wait(60), 1)
            self.assertIn(said, process.said())


def answers(port: str) -> bool:
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", int(port))) == 0
