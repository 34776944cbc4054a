"""One run of the agent: a process below normal priority that ends with this one."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import re
import shutil
import subprocess
import sys
import threading
import time

from .faults import Fault
from .local_api import LocalAPI

LINES_A_MINUTE = 40  # of the agent's log into OctoPrint's, which owners send to others and cards wear out from
END_S = 8  # until the agent is no longer asked but ended

LEVELS = {"DEBUG": logging.DEBUG, "INFO": logging.INFO, "WARN": logging.WARNING, "ERROR": logging.ERROR}
# log/slog's text: time=… level=INFO msg="…" key=value
LOG_LINE = re.compile(r"(?:time=\S+ )?level=([A-Z]+)(?:[+-]\d+)? msg=(.*)")


def command(program: str, folder: str, api: LocalAPI) -> list:
    """nice and ionice set the priority before the agent starts: on Linux it belongs to each thread of its own."""
    words: list = []
    if sys.platform != "win32":
        if shutil.which("nice"):
            words += ["nice", "-n", "10"]
        if shutil.which("ionice"):
            words += ["ionice", "-c", "2", "-n", "7"]
    return [*words, program, "run", "--data", folder, "--stdin-watch", *api.arguments()]


class Process:
    """The running agent. Its standard input is a pipe that nobody writes to: it closes with OctoPrint, however that
    ends, and the agent then ends by itself.
    """

    def __init__(self, program: str, folder: str, api: LocalAPI, logger: logging.Logger):
        api.clear()
        below_normal = 0
        if sys.platform == "win32":
            below_normal = subprocess.BELOW_NORMAL_PRIORITY_CLASS | subprocess.CREATE_NO_WINDOW
        try:
            self._child = subprocess.Popen(
                command(program, folder, api),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                creationflags=below_normal,
                env={**os.environ, "LC_ALL": "C"},  # its log in one language
                cwd=folder,
            )
        except OSError as err:
            if err.errno == errno.ENOSPC:
                raise Fault("no_space") from err
            raise Fault("agent_crashed", f"{type(err).__name__} {err.errno}") from err
        self.started = time.monotonic()
        self.last_line = ""
        self._logger = logger
        self._reader = threading.Thread(target=self._read, name="factor_mqtt.agent_log", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._child.pid

    def ended(self, within_s: float = 0) -> int | None:
        """The exit code once it has ended, else None."""
        try:
            return self._child.wait(within_s) if within_s else self._child.poll()
        except subprocess.TimeoutExpired:
            return None

    def fault(self) -> Fault:
        """Why it ended."""
        self._reader.join(2)
        code = self._child.returncode
        if code == 126:  # of nice: found, but could not be run
            return Fault("noexec")
        if "uses this folder" in self.last_line:
            return Fault("agent_busy")
        return Fault("agent_crashed", f"exit {code}" + (f": {self.last_line}" if self.last_line else ""))

    def end(self) -> None:
        """Asks it to end, then makes it."""
        for step in (self._child.stdin.close, self._child.terminate, self._child.kill):
            with contextlib.suppress(OSError):
                step()
            if self.ended(END_S) is not None:
                break
        self._reader.join(2)

    def _read(self) -> None:
        """The agent's log goes into OctoPrint's, with MQTT in each line so that grep finds it."""
        left, minute = LINES_A_MINUTE, time.monotonic()
        with self._child.stderr as stream:
            for raw in iter(lambda: stream.readline(4096), b""):
                line = raw.decode("utf-8", "replace").rstrip()
                match = LOG_LINE.match(line)
                level, text = (LEVELS.get(match.group(1), logging.INFO), match.group(2)) if match else (logging.WARNING, line)
                if not text:
                    continue
                self.last_line = text[:300]
                if time.monotonic() - minute > 60:
                    if left < 0:
                        self._logger.info("MQTT agent: %d more lines", -left)
                    left, minute = LINES_A_MINUTE, time.monotonic()
                left -= 1
                if left >= 0:
                    self._logger.log(level, "MQTT agent: %s", text)
