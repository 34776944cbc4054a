"""Programs that a script starts and must end: in order when it stops, by the kernel when it is killed."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1
# Looked up before any fork: loading a library between fork and exec is not safe.
_prctl = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None


def die_with_parent() -> None:
    """SIGTERM to this process when its parent dies, however that dies."""
    if _prctl:
        _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Child:
    """A running program with its output in a log file. It has a session of its own, so that Ctrl-C in the terminal
    reaches the script alone, which then ends its children one after the other."""

    def __init__(self, name: str, command: list[str], log: Path, env: dict[str, str] | None = None, cwd: Path | None = None):
        self.name, self.log = name, log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as out:
            out.write(f"--- {name} started {time.strftime('%Y-%m-%d %H:%M:%S')} ---\n".encode())
            out.flush()
            self._begin = out.tell()
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                env={**os.environ, **(env or {})},
                start_new_session=True,
                preexec_fn=die_with_parent,
            )

    def running(self) -> bool:
        return self.process.poll() is None

    def said(self) -> str:
        """What it has written since this start."""
        with self.log.open("rb") as f:
            f.seek(self._begin)
            return f.read().decode(errors="replace")

    def last_lines(self, count: int = 15) -> str:
        return "\n".join("    " + line for line in self.said().splitlines()[-count:])

    def stop(self, patience_s: float = 10) -> bool:
        """Asks it to end and waits; what then remains of its process group is killed. False if it had to be."""
        asked = True
        if self.running():
            self.process.terminate()
            try:
                self.process.wait(patience_s)
            except subprocess.TimeoutExpired:
                asked = False
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        return asked
