#!/usr/bin/env python3
"""An OctoPrint as an owner has it at home: a person's account, a virtual environment of its own that its Plugin Manager
installs into, and a restart that its pages can ask for.

    owners_octoprint.py --program .run/octoprint-venv/bin/octoprint --folder DIR --port 5000

It says "answers 1" on a line of standard output once its page can be loaded and "up 1" once the printer is connected,
"answers 2" and "up 2" after the first restart, and so on. It ends on SIGTERM, or when standard input does.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import select
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import venv
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from child import Child  # noqa: E402
from layer import layer  # noqa: E402

NAME, PASSWORD, KEY = "owner", "owner", "0123456789ABCDEF0123456789ABCDEF"
NOWHERE = "http://127.0.0.1:1/"
EARLIER = {
    "instance_id": "7d0f9a52-1c3e-4b68-9d27-5e8a4c6b1f03",
    "camera": {"stream_url": "http://127.0.0.1:8080/?action=stream"},
}
HIDDEN = ("ffmpeg", "ffprobe")
LIMIT_S = 240


def config(pid_file: Path) -> dict:
    """Set up by its owner a while ago, and it calls nobody but the servers under test. JSON is YAML, too."""
    return {
        "server": {
            "firstRun": False,
            "onlineCheck": {"enabled": False},
            "pluginBlacklist": {"enabled": False},
            "seenWizards": {"corewizard": 4, "classicwebcam": 1, "backup": 2, "tracking": 2, "softwareupdate": 1},
            "commands": {"serverRestartCommand": f"kill -TERM $(cat {pid_file})"},
        },
        "serial": {"autoconnect": True, "port": "VIRTUAL", "baudrate": 115200},
        "accessControl": {"defaultReauthenticationTimeout": 0},  # the person keeps typing his password otherwise
        "plugins": {
            "virtual_printer": {"enabled": True, "simulated_errors": []},
            "octoprint_factor": EARLIER,  # which was there before, and is gone
            "pluginmanager": {"repository": NOWHERE, "notices": NOWHERE},
            "softwareupdate": {
                "check_overlay_url": NOWHERE,
                "checks": {name: {"type": "always_current", "current": "1"} for name in ("octoprint", "pip")},
            },
            "_disabled": [
                "announcements", "discovery", "errortracking", "tracking", "backup", "healthcheck", "achievements",
                "file_check", "firmware_check", "pi_support",
            ],
        },
    }  # fmt: skip


def path_without_ffmpeg(folder: Path) -> str:
    """The programs of this machine as a computer has them on which nobody has installed ffmpeg."""
    places = []
    for place in map(Path, os.get_exec_path()):
        if any((place / name).exists() for name in HIDDEN):
            copy = folder / f"bin{len(places)}"
            copy.mkdir()
            for program in place.iterdir():
                if program.name not in HIDDEN:
                    (copy / program.name).symlink_to(program)
            place = copy
        places.append(str(place))
    return os.pathsep.join(places)


class Home:
    """The folder, the environment on top of the one that holds OctoPrint, and OctoPrint when it runs."""

    def __init__(self, program: Path, folder: Path, port: int):
        self.folder, self.port = folder, port
        self.base, self.pid_file = folder / "octoprint", folder / "octoprint.pid"
        above = folder / "venv"
        venv.create(above, with_pip=False, symlinks=True)  # pip is there from below
        self.program = layer(above, program.parent.parent)
        keys = self.base / "data/appkeys/keys.yaml"
        keys.parent.mkdir(parents=True)
        keys.write_text(json.dumps({NAME: [{"api_key": KEY, "app_id": "e2e"}]}))
        (self.base / "config.yaml").write_text(json.dumps(config(self.pid_file)))
        # Loopback is not behind a proxy that the machine may have; pip has all it needs.
        self.env = {k: "" for k in os.environ if k.lower().endswith("_proxy")} | {"PATH": path_without_ffmpeg(folder)}
        subprocess.run(
            [str(self.program), "--basedir", str(self.base), "user", "add", NAME, "--password", PASSWORD, "--admin"],
            check=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
        )

    def start(self) -> Child:
        command = [str(self.program), "serve", "--iknowwhatimdoing", "--basedir", str(self.base)]
        command += ["--host", "127.0.0.1", "--port", str(self.port)]
        child = Child("OctoPrint", command, self.folder / "out.log", self.env)
        self.pid_file.write_text(str(child.process.pid))
        return child

    def state(self) -> str | None:
        """Of its printer; None while a stand-in of OctoPrint's own answers, or nobody."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/api/connection", headers={"X-Api-Key": KEY})
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as answer:
                return str(json.load(answer)["current"]["state"])
        except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException):
            return None


def wait_ended_stdin(seconds: float) -> bool:
    readable, _, _ = select.select([sys.stdin], [], [], seconds)
    return bool(readable) and not sys.stdin.buffer.read1(1024)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    home = Home(arguments.program, arguments.folder, arguments.port)
    starts, child = 0, home.start()
    try:
        while True:
            starts += 1
            end, answers = time.monotonic() + LIMIT_S, False
            while (state := home.state()) != "Operational":
                if state is not None and not answers:
                    answers = True
                    print(f"answers {starts}", flush=True)
                if not child.running() or time.monotonic() > end:
                    sys.exit(f"OctoPrint did not come up:\n{child.last_lines(60)}")
                if wait_ended_stdin(0.2):
                    return
            print(f"up {starts}" if answers else f"answers {starts}\nup {starts}", flush=True)
            while child.running():
                if wait_ended_stdin(0.2):
                    return
            if child.process.returncode:
                sys.exit(f"OctoPrint ended by itself:\n{child.last_lines(60)}")
            child.stop()
            child = home.start()
    finally:
        child.stop(30)


if __name__ == "__main__":
    main()
