import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from child import Child

# Starts a child of its own, says both process ids and waits to be killed.
PARENT = """
import sys, time
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from child import Child
c = Child("sleeper", ["sleep", "600"], Path(sys.argv[2]))
print(c.process.pid, flush=True)
time.sleep(600)
"""


class ChildTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.log = Path(scratch.name, "child.log")

    def child(self, *command: str) -> Child:
        child = Child("child", list(command), self.log)
        self.addCleanup(child.stop, 0)
        return child

    def test_stop_asks_first(self):
        child = self.child("sh", "-c", "trap 'echo goodbye; exit 0' TERM; echo hello; while :; do sleep 0.05; done")
        wait_for(lambda: "hello" in child.said())
        self.assertTrue(child.stop())
        self.assertIn("goodbye", child.said())
        self.assertEqual(child.process.returncode, 0)

    def test_stop_kills_what_does_not_listen(self):
        child = self.child("sh", "-c", "trap '' TERM; echo hello; while :; do sleep 0.05; done")
        wait_for(lambda: "hello" in child.said())
        self.assertFalse(child.stop(patience_s=0.2))
        self.assertEqual(child.process.returncode, -signal.SIGKILL)

    def test_stop_ends_grandchildren(self):
        child = self.child("sh", "-c", "sleep 600 & echo $!; exit 0")
        wait_for(lambda: not child.running())
        grandchild = int(child.said())
        child.stop()
        wait_for(lambda: not alive(grandchild))

    def test_said_leaves_out_earlier_starts(self):
        for word in ("first", "second"):
            child = self.child("echo", word)
            child.process.wait()
        self.assertEqual(child.said().strip(), "second")
        self.assertIn("first", self.log.read_text())

    def test_dies_with_a_killed_parent(self):
        command = [sys.executable, "-c", PARENT, str(Path(__file__).parent), str(self.log)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
            pid = int(parent.stdout.readline())
            self.assertTrue(alive(pid))
            parent.kill()
        wait_for(lambda: not alive(pid))


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(condition, limit_s: float = 30):
    end = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.02)
