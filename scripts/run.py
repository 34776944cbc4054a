#!/usr/bin/env python3
"""`make run`: FACTOR on this machine with a virtual printer that prints, for looking and for developing.

Everything it makes is under .run (RUN_FOLDER): data/ of the server, agent/, octoprint/, logs/, login.json. A second
start keeps all of it; removing the folder starts anew. It stays in the foreground; Ctrl-C or SIGTERM ends what it
started, the agent first, so that the server hears the printer say goodbye, and the server last.

    PRINTER=none      without OctoPrint, agent and print
    HTTP_PORT=8080 HTTPS_PORT=8443 MQTTS_PORT=8883 OCTOPRINT_PORT=5000 CAMERA_PORT=8081
                      other ports, all on 127.0.0.1
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable

import needs
from child import Child, die_with_parent
from factor_api import Factor
from needs import ROOT, Missing, say
from octoprint import USER as OCTOPRINT_USER
from octoprint import OctoPrint

EMAIL, NAME, PRINTER_NAME = "owner@factor.example", "Owner", "Virtual MK3"
SAMPLE = ROOT / "testdata/sample.gcode"
LITTLE_MEBIBYTES = 20
READY = "FACTOR is running · FACTOR 실행 중"


class Stop(Exception):
    """The person, or the system, wants it to end."""


class Run:
    """One `make run`: what it started, in order."""

    def __init__(self, folder: Path, ports: dict[str, int], with_printer: bool):
        self.folder, self.ports, self.with_printer = folder, ports, with_printer
        self.url = f"http://127.0.0.1:{ports['HTTP']}"
        self.login: dict[str, Any] = {}
        self.server: Child | None = None
        self.agent: Child | None = None
        self.octoprint: OctoPrint | None = None
        self.camera: Child | None = None
        self.factor = Factor(self.url)

    # Before anything starts

    def prepare(self) -> None:
        needs.need_build_tools()
        first = not (ROOT / "web/node_modules").is_dir() or not needs.OCTOPRINT_VENV.is_dir()
        needs.need_space(2000 if first else 200)
        needs.need_space(100, self.folder)
        if first:
            say("First start: about five minutes of set-up.", "처음 실행이라 준비에 5분쯤 걸립니다.")
        for name, port in self.ports.items():
            if name not in ("OCTOPRINT", "CAMERA") or self.with_printer:
                need_port(name, port)
        needs.node_modules(ROOT / "web")
        if self.with_printer:
            needs.octoprint_venv()
        needs.run_logged("build", ["make", "--no-print-directory", "build"])

    # The server, its account

    def start_server(self) -> None:
        p = self.ports
        command = [
            str(ROOT / "bin/factor"), "serve", "--data", str(self.folder / "data"), "--http", f"127.0.0.1:{p['HTTP']}",
            "--https", f"127.0.0.1:{p['HTTPS']}", "--mqtts", f"127.0.0.1:{p['MQTTS']}",
            "--webrtc", "127.0.0.1:0", "--rtsp", "127.0.0.1:0",
        ]  # fmt: skip
        self.server = Child("factor", command, self.log("factor"))
        self.wait(self.server, "FACTOR", self.factor.ready, 30)

    def need_account(self) -> None:
        """Makes the local account once; its password is random and stays in login.json, readable by its owner only."""
        path = self.folder / "login.json"
        if path.is_file():
            self.login = json.loads(path.read_text())
        else:
            self.login = {"url": self.url, "email": EMAIL, "password": secrets.token_urlsafe(12)}
            command = [
                str(ROOT / "bin/factor"), "user", "add", "--data", str(self.folder / "data"), "--email", EMAIL,
                "--name", NAME, "--admin", "--password-stdin",
            ]  # fmt: skip
            done = subprocess.run(command, input=self.login["password"], capture_output=True, text=True)
            if done.returncode != 0:
                if needs.says_full(done.stderr):
                    raise needs.full_disk(self.folder)
                raise Missing(
                    f"The local account could not be made: {done.stderr.strip()}\n"
                    f"If login.json was lost, remove {self.folder / 'data'} to start anew.",
                    f"로컬 계정을 만들지 못했습니다: {done.stderr.strip()}\n"
                    f"login.json을 잃어버렸다면 {self.folder / 'data'} 폴더를 지우고 새로 시작하세요.",
                )
        self.login["url"] = self.url
        if self.with_printer:
            octoprint = self.login.setdefault("octoprint", {"user": OCTOPRINT_USER, "password": self.login["password"]})
            octoprint["url"] = f"http://127.0.0.1:{self.ports['OCTOPRINT']}"
        write_private(path, json.dumps(self.login, indent=2, ensure_ascii=False) + "\n")
        if not self.factor.log_in(self.login["email"], self.login["password"]):
            raise Missing(
                f"The account in {path} cannot log in: its password was changed in the pages. Put the new one there.",
                f"{path}의 계정으로 로그인할 수 없습니다. 웹에서 비밀번호를 바꿨다면 이 파일에도 새 비밀번호를 적어 주세요.",
            )

    # The printer

    def start_printer(self) -> None:
        folder = self.folder / "octoprint"
        folder.mkdir(parents=True, exist_ok=True)
        program = needs.OCTOPRINT_VENV / "bin/octoprint"
        password = self.login["octoprint"]["password"]
        self.octoprint = OctoPrint(program, folder, self.ports["OCTOPRINT"], self.log("octoprint"), password)
        self.octoprint.start()
        self.octoprint.wait_ready()

    def start_camera(self) -> None:
        """A simulated camera beside the virtual printer."""
        command = [
            str(ROOT / "bin/factor"), "sim-camera", "--listen", f"127.0.0.1:{self.ports['CAMERA']}",
            "--width", "960", "--height", "540",
        ]  # fmt: skip
        self.camera = Child("camera", command, self.log("camera"))

    def need_camera(self) -> None:
        """Gives the printer that camera unless it has one of its own; a moved port moves its address."""
        url = f"http://127.0.0.1:{self.ports['CAMERA']}/?action=stream"
        for printer in self.factor.printers():
            cameras = printer.get("cameras") or []
            if not cameras:
                self.factor.set_cameras(printer["uuid"], [{"name": "Camera", "stream_url": url}])
            elif len(cameras) == 1 and cameras[0]["stream_url"] != url and is_ours(cameras[0]["stream_url"]):
                self.factor.set_cameras(printer["uuid"], [{**cameras[0], "stream_url": url}])

    def start_agent(self) -> None:
        """Enrols once; again, with the same UUID, if the printer was removed in the pages or something has moved."""
        assert self.octoprint
        data, program = self.folder / "agent", str(ROOT / "bin/factor-agent")
        enrolled, now = self.folder / "agent.enrolled", f"{self.url} {self.octoprint.url}"
        if not enrolled.is_file() or enrolled.read_text() != now or not self.factor.printers():
            command = [
                program, "enrol", "--data", str(data), "--server", self.url, "--octoprint", self.octoprint.url,
                "--api-key", self.octoprint.api_key, "--name", PRINTER_NAME, "--email", self.login["email"],
            ]  # fmt: skip
            done = subprocess.run(command, input=self.login["password"], capture_output=True, text=True, timeout=60)
            if done.returncode != 0:
                if needs.says_full(done.stderr):
                    raise needs.full_disk(self.folder)
                raise Missing(
                    f"The printer could not be enrolled. {done.stderr.strip()}",
                    f"프린터를 등록하지 못했습니다. {done.stderr.strip()}",
                )
            enrolled.write_text(now)
        self.agent = Child("factor-agent", [program, "run", "--data", str(data)], self.log("factor-agent"))
        self.wait(self.agent, "factor-agent", lambda: any(p["online"] for p in self.factor.printers()), 30)

    def start_print(self) -> None:
        assert self.octoprint
        if not self.octoprint.print_once(SAMPLE):
            say("  a print is running already", "  이미 출력 중입니다")

    # All of it

    def start(self) -> None:
        self.prepare()
        step("FACTOR", self.start_server)
        self.need_account()
        if self.with_printer:
            step("OctoPrint", self.start_printer)
            step("camera", self.start_camera)
            step("factor-agent", self.start_agent)
            self.need_camera()
            self.start_print()
        self.factor.log_out()

    def show(self) -> None:
        folder = self.folder.relative_to(ROOT) if self.folder.is_relative_to(ROOT) else self.folder
        lines = [
            READY,
            "",
            f"  open · 주소           {self.url}",
            f"  e-mail · 이메일       {self.login['email']}",
            f"  password · 비밀번호   {self.login['password']}",
        ]
        if self.octoprint:
            login = self.login["octoprint"]
            lines.append(f"  OctoPrint             {self.octoprint.url}   {login['user']} / {login['password']}")
        lines += [
            "",
            f"  Also in · 저장 위치: {folder}/login.json    logs · 로그: {folder}/logs/",
            "  Ctrl-C ends everything, data stays · Ctrl-C로 모두 끝나며 데이터는 남습니다",
        ]
        print("\n" + "\n".join(lines) + "\n", flush=True)

    def watch(self) -> None:
        """Until one of the programs ends by itself, which is a failure. Says once when the disk is about to be full."""
        said = False
        while True:
            for child in self.children():
                if not child.running():
                    raise ended(child)
            short = needs.free_mebibytes(self.folder) < LITTLE_MEBIBYTES
            if short and not said:
                say(
                    f"The disk of {self.folder} is nearly full: make room. Until then nothing new is stored.",
                    f"{self.folder} 디스크가 거의 찼습니다. 공간을 비우세요. 그때까지 새로 저장되지 않습니다.",
                )
            said = short
            time.sleep(0.5)

    def stop(self) -> None:
        for child in self.children():
            if child.running():
                print(f"  {'✓' if child.stop() else '✗'} {child.name}", flush=True)
            else:
                child.stop()

    def children(self) -> list[Child]:
        """In the order in which they end."""
        octoprint = self.octoprint.child if self.octoprint else None
        return [c for c in (self.agent, self.camera, octoprint, self.server) if c]

    def log(self, name: str) -> Path:
        return self.folder / "logs" / f"{name}.log"

    def wait(self, child: Child, name: str, ready: Callable[[], bool], limit_s: float) -> None:
        end = time.monotonic() + limit_s
        while not ready():
            if not child.running():
                raise ended(child)
            if time.monotonic() > end:
                raise Missing(
                    f"{name} was not ready within {limit_s:.0f} s. The end of {child.log}:\n{child.last_lines()}",
                    f"{name}이(가) {limit_s:.0f}초 안에 준비되지 않았습니다. {child.log}의 끝부분:\n{child.last_lines()}",
                )
            time.sleep(0.1)


def step(name: str, do: Callable[[], None]) -> None:
    started = time.monotonic()
    print(f"  … {name}", end="" if needs.TERMINAL else "\n", flush=True)
    try:
        do()
    except BaseException:
        print(f"{needs.BACK}  ✗ {name}", flush=True)
        raise
    print(f"{needs.BACK}  ✓ {name} ({time.monotonic() - started:.1f} s)", flush=True)


def ended(child: Child) -> Missing:
    said = child.last_lines()
    if needs.says_full(said):
        return needs.full_disk(child.log.parent)
    return Missing(
        f"{child.name} ended by itself. The end of {child.log}:\n{said}",
        f"{child.name}이(가) 스스로 끝났습니다. {child.log}의 끝부분:\n{said}",
    )


def is_ours(url: str) -> bool:
    """An earlier address of the simulated camera."""
    return url.startswith("http://127.0.0.1:") and url.endswith("/?action=stream")


def need_port(name: str, port: int) -> None:
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError as err:
            who = holder(port)
            cure = f"{name}_PORT={port + 1 if port > 1023 else port + 8000} make run"
            if err.errno == errno.EACCES:
                raise Missing(
                    f"Port {port} may not be used without root. Take another: {cure}",
                    f"{port} 포트는 root 권한이 필요합니다. 다른 포트로 실행하세요: {cure}",
                ) from None
            raise Missing(
                f"Port {port} is taken{f' by {who}' if who else ''}. End that program, or take another port: {cure}",
                f"{port} 포트를 {who or '다른 프로그램'}이(가) 쓰고 있습니다. 끝내거나 다른 포트로 실행하세요: {cure}",
            ) from None


def holder(port: int) -> str:
    """Who listens there, as far as this user may know: 'nginx (pid 12)', or ''."""
    if not shutil.which("ss"):
        return ""
    out = subprocess.run(["ss", "-ltnpH", f"sport = :{port}"], capture_output=True, text=True).stdout
    name, _, rest = out.partition('users:(("')[2].partition('"')
    pid = rest.partition("pid=")[2].partition(",")[0]
    return f"{name} (pid {pid})" if name else ""


def write_private(path: Path, text: str) -> None:
    """Never readable by others, not even for a moment."""
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as f:
        f.write(text)
    part.replace(path)


def only_one(folder: Path) -> Any:
    """Holds the folder for this process; the open file must be kept."""
    lock = (folder / "lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        pid = lock.read().strip()
        raise Missing(
            f"`make run` runs already (pid {pid}). Look at {folder / 'login.json'}, or end it: kill {pid}",
            f"`make run`이 이미 실행 중입니다(pid {pid}). {folder / 'login.json'}을 보거나 끝내세요: kill {pid}",
        ) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def settings() -> tuple[dict[str, int], bool]:
    ports = {}
    for name, default in (("HTTP", 8080), ("HTTPS", 8443), ("MQTTS", 8883), ("OCTOPRINT", 5000), ("CAMERA", 8081)):
        text = os.environ.get(f"{name}_PORT") or str(default)
        if not text.isdigit() or not 0 < int(text) < 65536:
            raise Missing(f"{name}_PORT={text}: not a port (1 to 65535)", f"{name}_PORT={text}: 포트가 아닙니다(1~65535)")
        ports[name] = int(text)
    printer = os.environ.get("PRINTER", "virtual")
    if printer not in ("virtual", "none"):
        raise Missing(f"PRINTER={printer}: virtual or none", f"PRINTER={printer}: virtual 또는 none")
    return ports, printer == "virtual"


def main() -> int:
    def on_signal(number: int, _: Any) -> None:
        raise Stop(signal.Signals(number).name)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
    die_with_parent()
    run, folder = None, ROOT
    try:
        ports, with_printer = settings()
        folder = Path(os.environ.get("RUN_FOLDER") or ROOT / ".run").resolve()
        folder.mkdir(parents=True, exist_ok=True)
        lock = only_one(folder)
        run = Run(folder, ports, with_printer)
        run.start()
        run.show()
        run.watch()
    except Stop:
        print(flush=True)
        return 0
    except Missing as missing:
        print(f"\n{missing}", file=sys.stderr, flush=True)
        return 1
    except (TimeoutError, ChildProcessError) as err:
        print(f"\n{err}", file=sys.stderr, flush=True)
        return 1
    except OSError as err:
        if err.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        print(f"\n{needs.full_disk(folder, ROOT, Path(tempfile.gettempdir()))}", file=sys.stderr, flush=True)
        return 1
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        if run and run.children():
            say("Ending …", "끝내는 중 …")
            run.stop()
        lock = None  # noqa: F841  held until here
    return 0


if __name__ == "__main__":
    sys.exit(main())
