"""A real OctoPrint with the plugin in its plugins folder, and people to log in as."""

from __future__ import annotations

import http.cookiejar
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parent / "octoprint_factor_mqtt"

WEBCAM = {"stream": "/webcam/?action=stream", "snapshot": "http://127.0.0.1:8080/?action=snapshot"}
# JSON is YAML, too. Nothing calls home, nothing asks a first-time visitor.
CONFIG = {
    "server": {
        "firstRun": False,
        "onlineCheck": {"enabled": False},
        "pluginBlacklist": {"enabled": False},
        "seenWizards": {"corewizard": 4, "classicwebcam": 1, "backup": 2, "tracking": 2, "softwareupdate": 1},
    },
    "serial": {"autoconnect": False},
    "webcam": WEBCAM,
    "plugins": {
        "virtual_printer": {"enabled": True},
        "classicwebcam": {**WEBCAM, "_config_version": 1},
        "_disabled": ["announcements", "discovery", "errortracking", "tracking", "backup", "healthcheck", "achievements"],
    },
}  # fmt: skip
LIMIT_S = 180


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class OctoPrint:
    """Started by `with`; ended with it, and with everything it started."""

    def __init__(self, folder: Path, program: str = "", plugin: bool = True, config: dict | None = None):
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.program = program or str(Path(sys.executable).parent / "octoprint")
        self.package = folder / "plugins/factor_mqtt"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.yaml").write_text(json.dumps(config or CONFIG))
        if plugin:
            shutil.copytree(PACKAGE, self.package, ignore=shutil.ignore_patterns("__pycache__", "server.json"))
        for name, *more in (("owner", "--admin"), ("guest",)):
            self._run("user", "add", name, "--password", name, *more)

    def _run(self, *arguments: str) -> None:
        subprocess.run(
            [self.program, "--basedir", str(self.folder), *arguments], check=True, capture_output=True, stdin=subprocess.DEVNULL
        )

    def __enter__(self) -> OctoPrint:
        command = [self.program, "serve", "--iknowwhatimdoing", "--basedir", str(self.folder)]
        with (self.folder / "out.log").open("ab") as out:
            self.process = subprocess.Popen(
                [*command, "--host", "127.0.0.1", "--port", str(self.port)], stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                env={k: v for k, v in os.environ.items() if "proxy" not in k.lower()},
            )  # fmt: skip
        end = time.monotonic() + LIMIT_S
        while True:
            try:
                if Person(self, "owner").get("/api/version")["server"]:
                    return self
            except (OSError, ValueError, KeyError, TypeError):
                pass  # while it starts, a stand-in of its own answers
            assert self.process.poll() is None and time.monotonic() < end, self.log()[-4000:]
            time.sleep(0.2)

    def __exit__(self, *_) -> None:
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def log(self) -> str:
        path = self.folder / "logs/octoprint.log"
        return path.read_text(errors="replace") if path.exists() else (self.folder / "out.log").read_text(errors="replace")


class Person:
    """Somebody with a browser: cookies, CSRF token, language. Without a name nobody is logged in."""

    def __init__(self, octoprint: OctoPrint, name: str = "", language: str = "en"):
        self.octoprint, self.language = octoprint, language
        self.cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.cookies)
        )
        if name:
            self.get("/", text=True)
            self.post("/api/login", {"user": name, "pass": name})

    def get(self, path: str, text: bool = False):
        return self._send(urllib.request.Request(self.octoprint.url + path), text)

    def post(self, path: str, body: object, csrf: bool = True, content_type: str = "application/json"):
        request = urllib.request.Request(self.octoprint.url + path, json.dumps(body).encode(), {"Content-Type": content_type})
        token = next((c.value for c in self.cookies if c.name.startswith("csrf_token")), "")
        if csrf and token:
            request.add_header("X-CSRF-Token", token)
        return self._send(request, False)

    def status(self, call, *arguments, **more) -> int:
        """The status code of a call that may be refused."""
        try:
            call(*arguments, **more)
            return 200
        except urllib.error.HTTPError as err:
            return err.code

    def errand(self, path: str, body: object = None) -> tuple:
        """The plugin's slow calls: (status, body)."""
        ticket = self.post("/plugin/factor_mqtt/" + path, body if body is not None else {})["ticket"]
        end = time.monotonic() + LIMIT_S
        while True:
            answer = self.get("/plugin/factor_mqtt/errand/" + ticket)
            if answer["done"]:
                return answer["status"], answer["body"]
            assert time.monotonic() < end
            time.sleep(0.05)

    def _send(self, request, text):
        request.add_header("Accept-Language", self.language)
        with self._opener.open(request, timeout=60) as answer:
            content = answer.read().decode()
        return content if text else json.loads(content or "null")
