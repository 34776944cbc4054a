"""A FACTOR server as the plugin sees it: version.json, the zip, the agents. Faults are what a test puts into it."""

from __future__ import annotations

import base64
import hashlib
import http.server
import io
import json
import sys
import threading
import zipfile
from pathlib import Path

import signing

from octoprint_factor_mqtt import release

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parent / "octoprint_factor_mqtt"
SECRET = bytes(range(32))
KEY = signing.public_key(SECRET)


def agent_program(version: str = "1.0.0", fault: str = "") -> bytes:
    """An agent that runs on this machine."""
    source = (HERE / "fake_agent.py").read_text()
    source = source.replace('VERSION = "1.0.0"', f'VERSION = "{version}"').replace('FAULT = ""', f'FAULT = "{fault}"')
    return f"#!{sys.executable}\n{source}".encode()


def plugin_zip(version: str, server: dict | None = None, changes: dict | None = None) -> bytes:
    """The plugin as a server makes it, with another version; changes replaces files of the package, None removes one."""
    out = io.BytesIO()
    changes = changes or {}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(HERE.parent / "setup.py", "setup.py")
        for path in sorted(PACKAGE.rglob("*")):
            name = path.relative_to(PACKAGE).as_posix()
            if path.is_dir() or "__pycache__" in name or name == "server.json" or (name in changes and changes[name] is None):
                continue
            content = path.read_bytes()
            if name == "version.py":
                content = f'VERSION = "{version}"\n'.encode()
            archive.writestr(f"octoprint_factor_mqtt/{name}", changes.get(name, content))
        if server is not None:
            archive.writestr("octoprint_factor_mqtt/server.json", json.dumps(server))
    return out.getvalue()


def signed(content: dict, secret: bytes = SECRET) -> bytes:
    """A version.json. What is outside of the signed part says the same, as a server's does."""
    inner = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    outer = {
        **content,
        "signed": base64.b64encode(inner).decode(),
        "signature": base64.b64encode(signing.sign(secret, inner)).decode(),
    }
    return json.dumps(outer).encode()


class FactorDouble:
    """Answers on loopback. files: path → (status, content); offer() fills it as a server would."""

    def __init__(self, context=None):
        self.files: dict = {}
        self.requests: list = []
        double = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *arguments):
                pass

            def do_GET(self):
                double.requests.append(self.path)
                status, content = double.files.get(self.path, (404, b'{"code":"not_found"}'))
                self.send_response(status)
                if status in (301, 302, 307, 308):
                    self.send_header("Location", content.decode())
                    content = b""
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        scheme = "http"
        if context is not None:
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
            scheme = "https"
        self.url = f"{scheme}://127.0.0.1:{self._http.server_address[1]}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._http.shutdown()
        self._http.server_close()

    def offer(self, version: str = "0.1.0", agent: bytes | None = None, zip_content: bytes = b"", **more) -> dict:
        """Hands out a version with an agent for this machine, and gives what is signed."""
        platform = release.this_platform()
        agents = {}
        if agent is not None:
            agents[platform] = {"sha256": hashlib.sha256(agent).hexdigest(), "size": len(agent)}
            self.files[f"/plugin/agent/{platform}"] = (200, agent)
        if zip_content:
            self.files["/plugin/factor.zip"] = (200, zip_content)
        content = {
            "version": version,
            "zip_url": self.url + "/plugin/factor.zip",
            "zip_sha256": hashlib.sha256(zip_content).hexdigest(),
            "agent_version": more.pop("agent_version", "1.0.0"),
            "agents": agents,
            **more,
        }
        self.files["/plugin/version.json"] = (200, signed(content))
        return content

    def document(self, plugin_version: str = "0.1.0", ca_pem: str = "") -> dict:
        """server.json as this server puts it into its zip."""
        return {
            "url": self.url,
            "ca_pem": ca_pem,
            "signing_key": base64.b64encode(KEY).decode(),
            "plugin_version": plugin_version,
            "agents": {},
        }
