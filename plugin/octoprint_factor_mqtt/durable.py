"""Files that are there as a whole or not at all, and readable by OctoPrint's user only."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import tempfile

from .faults import Fault


def write_json(path: str, value: object) -> None:
    write(path, (json.dumps(value, indent=1, sort_keys=True) + "\n").encode("utf-8"))


def read_json(path: str) -> object:
    """None when there is no such file, or one that was damaged."""
    try:
        with open(path, encoding="utf-8") as f:
            return json.load(f)
    except (OSError, ValueError):
        return None


def write(path: str, content: bytes) -> None:
    """Fault no_space or no_permission; the file that was there before then stays."""
    folder = os.path.dirname(path)
    temporary = None
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=".", dir=folder)  # 0600
        with os.fdopen(handle, "wb") as f:
            f.write(content)
            f.flush()
            os.fsync(f.fileno())
        os.replace(temporary, path)
    except OSError as err:
        if temporary:
            remove(temporary)
        raise as_fault(err) from err


def remove(path: str) -> None:
    with contextlib.suppress(OSError):
        os.remove(path)


def as_fault(err: OSError) -> Fault:
    """The fault behind an error of the file system."""
    full = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
    return Fault("no_space" if err.errno in full else "no_permission", f"{type(err).__name__} {err.errno}")
