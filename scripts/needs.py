#!/usr/bin/env python3
"""What the tasks of the Makefile need on this machine: found, or installed, or named with its cure.

    needs.py pages    Node, npm, the Node packages of the pages
    needs.py run      the same and a virtual environment with OctoPrint
    needs.py test     the same and Chromium, Mosquitto, ffmpeg, two media servers, the Python and Node
                      packages of the tests
    needs.py long     the same, the other OctoPrints that the plugin is for, and what makes networks

What Debian packages is installed by name with apt-get, as root or by sudo. The rest has exact versions in
octoprint*-constraints.txt, test-requirements.txt, published-requirements.txt, plugin/tests/requirements.txt, the two
package-lock.json and PEERS below. What is there already costs nothing.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from layer import layer

ROOT = Path(__file__).resolve().parent.parent
OCTOPRINT = "octoprint==1.11.8"
OCTOPRINT_VENV = ROOT / ".run" / "octoprint-venv"
TEST_VENV = ROOT / ".cache" / "test-venv"
PUBLISHED_VENV = ROOT / ".cache" / "published-venv"
# What the plugin's tests need, on top of an OctoPrint.
PLUGIN_VENV = ROOT / ".cache" / "plugin-venv"
# The oldest and the newest that install on the Pythons of today.
OTHER_OCTOPRINTS = ("1.9.3", "2.0.0rc7")
LOGS = ROOT / ".cache" / "logs"
MEBIBYTE = 1 << 20

# What a step writes over its "…" with, where somebody looks.
TERMINAL = sys.stdout.isatty()
BACK = "\r" if TERMINAL else ""

# Debian package: what it puts on the machine. None of them is needed by `make run`.
TEST_PACKAGES = {
    "chromium": "chromium",
    "ffmpeg": "ffmpeg",
    "mosquitto": "mosquitto",
    "mosquitto-clients": "mosquitto_pub",
    "openssl": "openssl",
}
# The same of the network with faults (network.py).
NETWORK_PACKAGES = {"iproute2": "ip", "nftables": "nft", "procps": "sysctl"}


@dataclass(frozen=True)
class Peer:
    """A media server that cameras are tested with and measured beside: built from its Go module, never part of ours."""

    module: str
    version: str
    checksum: str  # of the module, as go.sum has it
    adds: dict[str, str] = field(default_factory=dict)  # what its own generator would have made
    without: tuple[str, ...] = ()  # files that need a C compiler

    @property
    def name(self) -> str:
        return self.module.rsplit("/", 1)[1]

    @property
    def program(self) -> Path:
        return ROOT / ".cache" / "peers" / f"{self.name}-{self.version}"


PEERS = (
    Peer(
        "github.com/bluenviron/mediamtx",
        "v1.20.1",
        "h1:nY/EAViwn1zN9krUOTCsuU7v+cAdJ62jdrcc8pI9grI=",
        # The script is for a page of its own, which no test opens.
        adds={"internal/core/VERSION": "v1.20.1", "internal/servers/hls/hls.min.js": "// left out\n"},
    ),
    Peer(
        "github.com/AlexxIT/go2rtc",
        "v1.9.14",
        "h1:HjaZ2pR64nTkoTZcKM8Zjybg7swyCZbA8Biru1mbqcY=",
        without=("*_arch.c",),
    ),
)

KOREAN = next((v for v in map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG")) if v), "").startswith("ko")


class Missing(Exception):
    """Something a task cannot do without; its words name the cure, in English and Korean."""

    def __init__(self, english: str, korean: str):
        super().__init__(f"{korean}\n{english}" if KOREAN else f"{english}\n{korean}")


def say(english: str, korean: str) -> None:
    print(korean if KOREAN else english, flush=True)


def run_logged(name: str, command: list[str], cwd: Path = ROOT, env: dict[str, str] | None = None) -> None:
    """Runs a command with its output in .cache/logs; says how long it took, shows the end of the log if it failed."""
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / (re.sub(r"\W+", "-", name).strip("-") + ".log")
    started = time.monotonic()
    print(f"  … {name}", end="" if TERMINAL else "\n", flush=True)
    with log.open("wb") as out:
        code = subprocess.run(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out).returncode
    print(f"{BACK}  {'✓' if code == 0 else '✗'} {name} ({time.monotonic() - started:.0f} s)", flush=True)
    if code == 0:
        return
    tail = log.read_text(errors="replace").splitlines()[-25:]
    print("\n".join("    " + line for line in tail), flush=True)
    if any(map(says_full, tail)):
        raise full_disk(ROOT, Path(tempfile.gettempdir()), Path.home())
    where = log.relative_to(ROOT)
    raise Missing(
        f"{name}: “{' '.join(command[:4])} …” failed. The lines above say why; all of them are in {where}.",
        f"{name}: “{' '.join(command[:4])} …” 명령이 실패했습니다. 이유는 위에, 전체 기록은 {where}에 있습니다.",
    )


def free_mebibytes(folder: Path) -> int:
    """Free on the disk of a folder, or of the nearest one above it that is there."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free // MEBIBYTE


def full_disk(*folders: Path, needed: int = 0) -> Missing:
    """Words for the folder with the least room of those where it may have run out; needed is in MiB."""
    free, folder = min((free_mebibytes(f), f) for f in folders)
    more, too = (f", {needed} MiB needed", f", 필요한 공간 {needed} MiB") if needed else ("", "")
    return Missing(
        f"The disk of {folder} is full ({free} MiB free{more}): make room, then try again; nothing is lost.",
        f"{folder} 디스크에 공간이 부족합니다(남은 공간 {free} MiB{too}). 공간을 비운 뒤 다시 실행하세요. 잃은 것은 없습니다.",
    )


def says_full(text: str) -> bool:
    """Whether a program says, in the system's, SQLite's or FACTOR's words, that there is no room."""
    return any(words in text.lower() for words in ("no space left", "disk is full", "disk_full", "enospc"))


def need_space(mebibytes: int, folder: Path = ROOT) -> None:
    if free_mebibytes(folder) < mebibytes:
        raise full_disk(folder, needed=mebibytes)


def version_of(command: list[str]) -> tuple[int, ...]:
    """The first dotted number that a program says about itself, () if it is not there."""
    try:
        out = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ()
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", out)
    return tuple(int(n) for n in found.groups() if n) if found else ()


def need_build_tools() -> None:
    if sys.version_info < (3, 9):  # noqa: UP036  this is where an older one is told
        raise Missing("Python 3.9 or newer is needed.", "Python 3.9 이상이 필요합니다.")
    for name, command, oldest, cure in (
        ("Go", ["go", "version"], (1, 26), "https://go.dev/dl/"),
        ("Node.js", ["node", "--version"], (20, 19), "https://nodejs.org/"),
        ("npm", ["npm", "--version"], (9,), "https://nodejs.org/"),
    ):
        found = version_of(command)
        wanted = ".".join(map(str, oldest))
        if not found:
            raise Missing(
                f"{name} is not installed (“{command[0]}” is not on the PATH): get {wanted} or newer from {cure}",
                f"{name}이(가) 없습니다(PATH에 “{command[0]}”가 없음). {cure} 에서 {wanted} 이상을 설치하세요.",
            )
        if found < oldest:
            have = ".".join(map(str, found))
            raise Missing(
                f"{name} {have} is too old: get {wanted} or newer from {cure}",
                f"{name} {have}은(는) 너무 오래되었습니다. {cure} 에서 {wanted} 이상을 설치하세요.",
            )


def apt_install(packages: list[str]) -> None:
    if not packages:
        return
    command = f"apt-get install {' '.join(packages)}"
    if not shutil.which("apt-get"):
        raise Missing(
            f"Needed and not here: {', '.join(packages)}. This machine has no apt-get: install them its own way.",
            f"필요한 프로그램이 없습니다: {', '.join(packages)}. apt-get이 없는 기기이니 직접 설치하세요.",
        )
    sudo: list[str] = []
    if os.geteuid() != 0:
        if not shutil.which("sudo"):
            raise Missing(f"As root, run: {command}", f"root 권한으로 실행하세요: {command}")
        sudo = ["sudo"]
        # The password is asked for here, where the terminal is still ours.
        if subprocess.run(["sudo", "-v"]).returncode != 0:
            raise Missing(f"As root, run: {command}", f"root 권한으로 실행하세요: {command}")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run_logged("apt-get update", [*sudo, "apt-get", "update"], env=env)
    run_logged(command, [*sudo, "apt-get", "install", "-y", "--no-install-recommends", *packages], env=env)


def stamped(folder: Path, *inputs: str) -> tuple[Path, str, bool]:
    """A stamp file in folder, what it must say for these inputs, and whether it says so already."""
    stamp, want = folder / ".factor-stamp", hashlib.sha256("\n".join(inputs).encode()).hexdigest()
    return stamp, want, stamp.is_file() and stamp.read_text() == want


def make_venv(folder: Path, name: str, *pip: str, locked: Path) -> None:
    """A virtual environment with exactly what the locked file says; kept while that file and Python stay the same."""
    stamp, want, fresh = stamped(folder, sys.version, locked.read_text(), *pip)
    if fresh:
        return
    packages = []
    if not importlib.util.find_spec("ensurepip"):
        packages.append("python3-venv")
    if "octoprint" in folder.name:  # one of its packages is C and has no wheel
        if not shutil.which("gcc") and not shutil.which("cc"):
            packages.append("build-essential")
        if not Path(sysconfig.get_path("include"), "Python.h").is_file():
            packages.append("python3-dev")
    apt_install(packages)
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    run_logged(f"virtual environment {folder.relative_to(ROOT)}", [sys.executable, "-m", "venv", str(folder)])
    run_logged(name, [str(folder / "bin/python"), "-m", "pip", "install", "--no-input", *pip])
    stamp.write_text(want)


def octoprint_venv() -> Path:
    """The octoprint program of its own virtual environment, made on first use (under a minute)."""
    if sys.version_info >= (3, 14):
        raise Missing(
            "OctoPrint 1.11 runs on Python 3.9 to 3.13: start with one of these, as in “PYTHON=python3.13 make run”.",
            "OctoPrint 1.11은 Python 3.9~3.13에서 실행됩니다. “PYTHON=python3.13 make run”처럼 그중 하나로 시작하세요.",
        )
    locked = ROOT / "scripts/octoprint-constraints.txt"
    make_venv(OCTOPRINT_VENV, OCTOPRINT, "-c", str(locked), OCTOPRINT, locked=locked)
    return OCTOPRINT_VENV / "bin/octoprint"


def published_venv() -> Path:
    """The same OctoPrint with the published plugin beside it, in an environment on top of the other one."""
    octoprint_venv()
    locked = ROOT / "scripts/published-requirements.txt"
    make_venv(PUBLISHED_VENV, "the published plugin", "--no-deps", "-r", str(locked), locked=locked)
    return layer(PUBLISHED_VENV, OCTOPRINT_VENV)


def plugin_venv(version: str = "") -> Path:
    """The Python of the plugin's own tests, with the usual OctoPrint or another one below it."""
    locked = ROOT / "plugin/tests/requirements.txt"
    if version:
        folder, below = ROOT / ".cache" / f"plugin-{version}-venv", other_octoprint_venv(version)
    else:
        folder, below = PLUGIN_VENV, octoprint_venv().parent.parent
    make_venv(folder, f"packages of the plugin's tests {version}".strip(), "--no-deps", "-r", str(locked), locked=locked)
    layer(folder, below)
    return folder / "bin/python"


def other_octoprint_venv(version: str) -> Path:
    folder, locked = ROOT / ".cache" / f"octoprint-{version}-venv", ROOT / "scripts" / f"octoprint-{version}-constraints.txt"
    make_venv(folder, f"octoprint {version}", "-c", str(locked), f"octoprint=={version}", "setuptools", locked=locked)
    return folder


def test_venv() -> Path:
    locked = ROOT / "scripts/test-requirements.txt"
    make_venv(TEST_VENV, "Python packages of the tests", "-r", str(locked), locked=locked)
    return TEST_VENV / "bin/python"


def node_modules(folder: Path) -> Path:
    """Exactly what package-lock.json of the folder says; kept while that file and Node stay the same."""
    modules = folder / "node_modules"
    node = ".".join(map(str, version_of(["node", "--version"])[:1]))
    stamp, want, fresh = stamped(modules, (folder / "package-lock.json").read_text(), node)
    if not fresh:
        name = f"Node packages of {folder.relative_to(ROOT)}"
        run_logged(name, ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts=false"], cwd=folder)
        stamp.write_text(want)
    return modules


def test_packages(more: dict[str, str] | None = None) -> None:
    wanted = {**TEST_PACKAGES, **(more or {})}
    apt_install([package for package, program in wanted.items() if not find_program(program)])


def peer(which: Peer) -> Path:
    """The program of a media server, built on first use (a minute each)."""
    if which.program.is_file():
        return which.program
    # Their owners' modules are not in the checksum database; what they must be stands in PEERS instead.
    env = {**os.environ, "GONOSUMDB": which.module, "GOFLAGS": "-buildvcs=false", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}
    command = ["go", "mod", "download", "-json", f"{which.module}@{which.version}"]
    told = subprocess.run(command, cwd=ROOT.anchor, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    got = json.loads(told.stdout or "{}")
    if told.returncode != 0 or got.get("Sum") != which.checksum:
        why = got.get("Error") or told.stderr.strip() or f"{got.get('Sum')} is not {which.checksum}"
        raise Missing(
            f"{which.name} {which.version} could not be fetched from the Go module proxy: {why}",
            f"{which.name} {which.version}을(를) Go 모듈 프록시에서 받지 못했습니다: {why}",
        )
    source = which.program.parent / "src" / which.name
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(got["Dir"], source, copy_function=shutil.copyfile)  # writable, unlike the module cache's files
    for folder in (source, *(p for p in source.rglob("*") if p.is_dir())):
        folder.chmod(0o755)
    for pattern in which.without:
        for path in list(source.rglob(pattern)):
            path.unlink()
    for name, content in which.adds.items():
        (source / name).write_text(content)
    unfinished = which.program.with_suffix(".part")
    run_logged(f"{which.name} {which.version}", ["go", "build", "-o", str(unfinished), "."], cwd=source, env=env)
    unfinished.rename(which.program)
    shutil.rmtree(source)
    return which.program


def find_program(name: str) -> str | None:
    """Also where daemons live: /usr/sbin is not on everybody's PATH."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")


def main(task: str) -> None:
    need_build_tools()
    if task == "pages":
        node_modules(ROOT / "web")
    if task in ("run", "test", "long"):
        need_space(2000)
        octoprint_venv()
    if task in ("test", "long"):
        test_packages(NETWORK_PACKAGES if task == "long" else None)
        for which in PEERS:
            peer(which)
        test_venv()
        published_venv()
        plugin_venv()
        node_modules(ROOT / "web")
        node_modules(ROOT / "e2e")
    if task == "long":
        for version in OTHER_OCTOPRINTS:
            plugin_venv(version)


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in ("pages", "run", "test", "long"):
        sys.exit(__doc__)
    try:
        main(sys.argv[1])
    except Missing as missing:
        sys.exit(f"\n{missing}")
