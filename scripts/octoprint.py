#!/usr/bin/env python3
"""An OctoPrint with a virtual printer, in a folder of its own, reachable by an application key.

    octoprint.py --program .run/octoprint-venv/bin/octoprint --folder DIR --port 5000

As a script it says {"url", "api_key", "pid"} on a line of standard output when the printer is connected, and ends on
SIGTERM, or when standard input does: a test that dies leaves nothing behind. `make run` uses it as a module.
"""

from __future__ import annotations

import argparse
import http.client
import json
import secrets
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from child import Child

# Loopback: a proxy of the environment is not meant.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))

USER = "owner"
APPLICATION = "FACTOR"

# Nothing that calls home, nothing that asks a first-time visitor questions. JSON is YAML too, which spares a parser.
# The virtual printer's own default makes each print stumble at line 100: off, tests make their faults themselves.
CONFIG: dict[str, Any] = {
    "server": {
        "firstRun": False,
        "onlineCheck": {"enabled": False},
        "pluginBlacklist": {"enabled": False},
        "seenWizards": {},
    },
    "api": {"allowCrossOrigin": False},
    "serial": {"autoconnect": True, "port": "VIRTUAL", "baudrate": 115200},
    "plugins": {
        "virtual_printer": {"enabled": True, "simulated_errors": []},
        "_disabled": [
            "announcements", "discovery", "errortracking", "tracking", "backup", "healthcheck", "achievements",
            "softwareupdate",
        ],
    },
}  # fmt: skip


class OctoPrint:
    """One OctoPrint; its folder survives it, with files, history and the key."""

    def __init__(
        self, program: Path, folder: Path, port: int, log: Path, password: str = "", settings: dict[str, Any] | None = None
    ):
        self.program, self.folder, self.port, self.log = program, folder, port, log
        self.settings = settings or {}
        self.password = password or secrets.token_urlsafe(16)
        self.url = f"http://127.0.0.1:{port}"
        self.api_key = ""
        self.child: Child | None = None

    def start(self) -> None:
        self._configure()
        command = [str(self.program), "serve", "--iknowwhatimdoing", "--basedir", str(self.folder)]
        self.child = Child("OctoPrint", [*command, "--host", "127.0.0.1", "--port", str(self.port)], self.log)

    def wait_ready(self, limit_s: float = 120) -> None:
        """Until the printer is connected; TimeoutError or ChildProcessError otherwise."""
        end = time.monotonic() + limit_s
        while True:
            assert self.child
            if not self.child.running():
                raise ChildProcessError(f"OctoPrint ended by itself:\n{self.child.last_lines()}")
            try:
                if self.call("GET", "/api/connection")["current"]["state"] in ("Operational", "Printing", "Paused"):
                    return
            except (OSError, ValueError, http.client.HTTPException):
                pass  # while it starts, a stand-in of its own answers on the port
            if time.monotonic() > end:
                raise TimeoutError(f"OctoPrint's printer did not connect within {limit_s:.0f} s:\n{self.child.last_lines()}")
            time.sleep(0.2)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """OctoPrint's REST API; None for an empty answer."""
        data = None if body is None else json.dumps(body).encode()
        return self._send(urllib.request.Request(self.url + path, data, self._headers("application/json"), method=method))

    def upload_and_print(self, file: Path) -> None:
        boundary = secrets.token_hex(16)
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{file.name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n".encode()
            + file.read_bytes()
            + b"\r\n",
            f'--{boundary}\r\nContent-Disposition: form-data; name="print"\r\n\r\ntrue\r\n--{boundary}--\r\n'.encode(),
        ]
        headers = self._headers(f"multipart/form-data; boundary={boundary}")
        self._send(urllib.request.Request(f"{self.url}/api/files/local", b"".join(parts), headers, method="POST"))

    def print_once(self, file: Path) -> bool:
        """Starts the file unless something prints already; uploads it only once. Says whether it started it."""
        flags = self.call("GET", "/api/printer?exclude=temperature,sd")["state"]["flags"]
        if any(flags.get(f) for f in ("printing", "paused", "pausing", "cancelling", "finishing", "resuming")):
            return False
        try:
            self.call("POST", f"/api/files/local/{file.name}", {"command": "select", "print": True})
        except urllib.error.HTTPError as err:
            if err.code != 404:
                raise
            self.upload_and_print(file)
        return True

    def stop(self) -> None:
        if self.child:
            self.child.stop()

    def _headers(self, content_type: str) -> dict[str, str]:
        return {"X-Api-Key": self.api_key, "Content-Type": content_type}

    def _send(self, request: urllib.request.Request) -> Any:
        with _DIRECT.open(request, timeout=20) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def _configure(self) -> None:
        """The first start writes user, key and settings; later ones keep what the person made of them."""
        keys = self.folder / "data/appkeys/keys.yaml"
        if not keys.is_file():
            keys.parent.mkdir(parents=True, exist_ok=True)
            (self.folder / "config.yaml").write_text(json.dumps(merged(CONFIG, self.settings), indent=2))
            subprocess.run(
                [str(self.program), "--basedir", str(self.folder), "user", "add", USER, "--password", self.password, "--admin"],
                check=True, capture_output=True, stdin=subprocess.DEVNULL,
            )  # fmt: skip
            key = secrets.token_hex(16).upper()
            keys.touch(mode=0o600)
            keys.write_text(json.dumps({USER: [{"api_key": key, "app_id": APPLICATION}]}))
        self.api_key = read_key(keys)


def merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Both, key by key; where they differ, what is above."""
    both = {**below, **above}
    for key in below.keys() & above.keys():
        if isinstance(below[key], dict) and isinstance(above[key], dict):
            both[key] = merged(below[key], above[key])
    return both


def read_key(keys: Path) -> str:
    """OctoPrint rewrites the file as block YAML once it has used it; one key in it is ours."""
    for line in keys.read_text().replace("{", "\n").replace(",", "\n").replace("}", "\n").splitlines():
        name, _, value = line.strip().lstrip("- ").partition(":")
        if name.strip('"') == "api_key":
            return value.strip().strip("\"'")
    raise ValueError(f"{keys} holds no application key")


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--settings", type=json.loads, default={}, help="JSON over the first start's config.yaml")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    port = arguments.port or free_port()
    log = arguments.folder / "octoprint.log"
    printer = OctoPrint(arguments.program, arguments.folder, port, log, settings=arguments.settings)
    try:
        printer.start()
        printer.wait_ready()
        assert printer.child
        print(json.dumps({"url": printer.url, "api_key": printer.api_key, "pid": printer.child.process.pid}), flush=True)
        while printer.child.running():
            readable, _, _ = select.select([sys.stdin], [], [], 1)
            if readable and not sys.stdin.buffer.read1(1024):
                return
        sys.exit(f"OctoPrint ended by itself:\n{printer.child.last_lines()}")
    finally:
        printer.stop()


if __name__ == "__main__":
    main()
