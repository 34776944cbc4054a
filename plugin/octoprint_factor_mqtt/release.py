"""What the server hands out: its signed list of versions, and which agent this machine takes."""

from __future__ import annotations

import base64
import binascii
import json
import platform
import re
import sys
from dataclasses import dataclass

from . import ed25519
from .faults import Fault

# platform.machine() by the name that the server gives its agents. The agent is one static program: on a 64-bit kernel
# it may be a 64-bit one, whatever Python is.
MACHINES = {
    "x86_64": "amd64",
    "amd64": "amd64",
    "aarch64": "arm64",
    "arm64": "arm64",
    "armv8l": "armv7",  # a 64-bit processor that runs a 32-bit system
    "armv7l": "armv7",
    "armv6l": "armv6",
}
SYSTEMS = {"linux": "linux", "win32": "windows", "darwin": "darwin"}

SHA256 = re.compile("[0-9a-f]{64}")
VERSION = re.compile(r"v?(\d+(?:\.\d+)*)(?:-([0-9A-Za-z.-]+))?(?:\+.*)?")


def this_platform() -> str:
    """Such as linux-arm64; a machine that we do not know is named as it names itself."""
    system = SYSTEMS.get(sys.platform, sys.platform)
    machine = platform.machine().lower()
    return f"{system}-{MACHINES.get(machine, machine or 'unknown')}"


def version_key(version: str) -> tuple:
    """Orders versions as semver.org does: 1.2.0-rc.1 < 1.2.0 < 1.10.0. What is no version comes first."""
    match = VERSION.fullmatch(version.strip())
    if not match:
        return ((), 0, ())
    numbers = [int(n) for n in match.group(1).split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    before = match.group(2)
    parts = tuple((0, int(p), "") if p.isdigit() else (1, 0, p) for p in before.split(".")) if before else ()
    return (tuple(numbers), 0 if before else 1, parts)


@dataclass(frozen=True)
class Program:
    """An agent as the server's list has it."""

    sha256: str
    size: int  # bytes; 0 when the list does not say


@dataclass(frozen=True)
class Release:
    """A list of versions whose signature was right. Nothing outside of the signed bytes is in it."""

    version: str
    zip_url: str
    zip_sha256: str
    agent_version: str
    agents: dict  # platform → Program


def programs(entries: object) -> dict:
    """Reads {"linux-amd64": {"sha256", "size"}}; what is malformed is left out."""
    found = {}
    for name, entry in entries.items() if isinstance(entries, dict) else ():
        if isinstance(entry, dict) and SHA256.fullmatch(str(entry.get("sha256", "")).lower()):
            size = entry.get("size")
            found[str(name)] = Program(str(entry["sha256"]).lower(), size if isinstance(size, int) and size > 0 else 0)
    return found


def parse(document: bytes, signing_key: bytes) -> Release:
    """The release of a version.json; Fault signature_wrong, or not_factor when it is no such document."""
    try:
        outer = json.loads(document.decode("utf-8"))
        signed = base64.b64decode(outer["signed"], validate=True)
        signature = base64.b64decode(outer["signature"], validate=True)
    except (ValueError, KeyError, TypeError, binascii.Error) as err:
        raise Fault("not_factor", "the list of versions is malformed") from err
    if not ed25519.verify(signing_key, signed, signature):
        raise Fault("signature_wrong")
    try:
        inner = json.loads(signed.decode("utf-8"))
        release = Release(
            version=str(inner["version"]),
            zip_url=str(inner.get("zip_url") or ""),
            zip_sha256=str(inner.get("zip_sha256") or "").lower(),
            agent_version=str(inner.get("agent_version") or ""),
            agents=programs(inner.get("agents")),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as err:
        raise Fault("not_factor", "the signed list of versions is malformed") from err
    if not VERSION.fullmatch(release.version):
        raise Fault("not_factor", "the list of versions has no version")
    return release
