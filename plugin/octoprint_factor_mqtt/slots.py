"""The agent's program on disk: two places, so that a new one that does not work gives way to the one before."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from typing import BinaryIO, Callable

from . import durable
from .faults import Fault
from .release import SHA256, Program

NAMES = ("a", "b")
PROGRAM = "factor-agent.exe" if sys.platform == "win32" else "factor-agent"
MAX_PROGRAM = 100 << 20  # bytes
SPARE = 20 << 20  # bytes that stay free for the agent's own queue
PROBE_TIMEOUT_S = 60  # a Pi Zero reads the program from a slow card first


@dataclass(frozen=True)
class Slot:
    path: str
    sha256: str
    version: str
    good: bool  # it has worked once


class Slots:
    """slots.json says what is where. Used by one thread only, the keeper's."""

    def __init__(self, folder: str):
        self.folder = folder
        self._file = os.path.join(folder, "slots.json")
        kept = durable.read_json(self._file)
        kept = kept if isinstance(kept, dict) else {}
        self._current = kept.get("current") if kept.get("current") in NAMES else None
        self._entries = {n: kept[n] for n in NAMES if _usable(kept.get(n))}
        self._bad = [b for b in kept.get("bad", []) if isinstance(b, str)] if isinstance(kept.get("bad"), list) else []

    def current(self) -> Slot | None:
        """The program to run; None when there is none. A file that was changed on disk is none."""
        slot = self._slot(self._current)
        if slot is None or self._sha256(slot.path) != slot.sha256:
            return None
        return slot

    def is_bad(self, sha256: str) -> bool:
        """Whether this program was tried and given up."""
        return sha256 in self._bad

    def last_bad(self) -> str:
        return self._bad[-1] if self._bad else ""

    def install(self, program: Program, fetch: Callable[[BinaryIO, int], str]) -> Slot:
        """Puts a program into the slot that is not in use and makes it the current one, after its checksum was found
        right and it has run on this machine. fetch writes it, at most so many bytes, and gives its SHA-256.
        """
        name = "b" if self._current == "a" else "a"
        path = os.path.join(self.folder, name, PROGRAM)
        self._room_for(program.size or 16 << 20)
        new = path + ".new"
        try:
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            with open(new, "wb") as out:
                found = fetch(out, program.size or MAX_PROGRAM)
                out.flush()
                os.fsync(out.fileno())
            if found != program.sha256:
                raise Fault("checksum_wrong")
            os.chmod(new, stat.S_IRUSR | stat.S_IWUSR | stat.S_IXUSR)
            self._forget(name)  # the one before stays for as long as the new one can still fail to arrive
            os.replace(new, path)
        except OSError as err:
            raise durable.as_fault(err) from err
        finally:
            durable.remove(new)
        version = probe(path)
        self._entries[name] = {"sha256": program.sha256, "version": version, "good": False}
        self._current = name
        self._save()
        return Slot(path, program.sha256, version, False)

    def works(self) -> None:
        """The current program has worked."""
        entry = self._entries.get(self._current)
        if entry and not entry.get("good"):
            entry["good"] = True
            self._save()

    def go_back(self) -> bool:
        """Gives up the current program for the one before, if that has worked once; False when there is none."""
        other = "b" if self._current == "a" else "a"
        before = self._slot(other)
        if before is None or not before.good or self._sha256(before.path) != before.sha256:
            return False
        given_up = self._entries.pop(self._current, None)
        if given_up:
            self._bad = (self._bad + [given_up["sha256"]])[-10:]
        self._current = other
        self._save()
        return True

    def retry_all(self) -> None:
        """Forgets which programs did not work: the owner wants another try."""
        if self._bad:
            self._bad = []
            self._save()

    def _slot(self, name: str | None) -> Slot | None:
        entry = self._entries.get(name)
        if entry is None:
            return None
        path = os.path.join(self.folder, name, PROGRAM)
        return Slot(path, entry["sha256"], str(entry.get("version", "")), bool(entry.get("good")))

    def _forget(self, name: str) -> None:
        if self._entries.pop(name, None):
            self._save()

    def _save(self) -> None:
        durable.write_json(self._file, {"current": self._current, "bad": self._bad, **self._entries})

    def _room_for(self, size: int) -> None:
        try:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            if shutil.disk_usage(self.folder).free < size + SPARE:
                raise Fault("no_space")
            flags = getattr(os, "statvfs", None) and os.statvfs(self.folder).f_flag
        except OSError as err:
            raise durable.as_fault(err) from err
        if flags and flags & getattr(os, "ST_NOEXEC", 0):
            raise Fault("noexec")

    @staticmethod
    def _sha256(path: str) -> str:
        digest = hashlib.sha256()
        try:
            with open(path, "rb") as f:
                for chunk in iter(lambda: f.read(1 << 20), b""):
                    digest.update(chunk)
        except OSError:
            return ""
        return digest.hexdigest()


def _usable(entry: object) -> bool:
    return isinstance(entry, dict) and bool(SHA256.fullmatch(str(entry.get("sha256", ""))))


def probe(path: str) -> str:
    """Runs `factor-agent version`: its version, or the fault that keeps it from running here."""
    try:
        answer = subprocess.run(
            [path, "version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=PROBE_TIMEOUT_S,
        )
    except OSError as err:
        if err.errno in (errno.EACCES, errno.EPERM):
            raise Fault("noexec") from err
        if err.errno == errno.ENOEXEC or getattr(err, "winerror", None) in (193, 216):
            raise Fault("wrong_platform") from err
        raise Fault("agent_crashed", f"{type(err).__name__} {err.errno}") from err
    except subprocess.TimeoutExpired as err:
        raise Fault("agent_silent", "it did not tell its version") from err
    if answer.returncode < 0 and -answer.returncode in (4, 11):  # SIGILL, SIGSEGV: instructions that are not there
        raise Fault("wrong_platform")
    if answer.returncode:
        raise Fault("agent_crashed", f"exit {answer.returncode}")
    return answer.stdout.decode("utf-8", "replace").strip().splitlines()[-1][:40] if answer.stdout.strip() else "?"
