"""FACTOR's own API, as far as the scripts need it: a session by e-mail and password."""

from __future__ import annotations

import http.client
import http.cookiejar
import json
import urllib.error
import urllib.request
from typing import Any


class Factor:
    def __init__(self, url: str):
        self.url = url
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),  # loopback: a proxy of the environment is not meant
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()),
        )

    def ready(self) -> bool:
        try:
            with self._opener.open(self.url + "/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (OSError, http.client.HTTPException):
            return False

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Under /api/v1; None for an empty answer, urllib.error.HTTPError for a refusal."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + "/api/v1" + path, data, {"Content-Type": "application/json"}, method=method)
        with self._opener.open(request, timeout=20) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def log_in(self, email: str, password: str) -> bool:
        """False if the server does not know them; any other refusal is the caller's."""
        try:
            self.call("POST", "/session", {"email": email, "password": password})
        except urllib.error.HTTPError as err:
            if err.code == 401:
                return False
            raise
        return True

    def log_out(self) -> None:
        self.call("DELETE", "/session")

    def picture(self, uuid: str) -> bytes:
        """The newest picture of the printer's first camera, as JPEG."""
        with self._opener.open(f"{self.url}/api/v1/printers/{uuid}/camera/snapshot.jpg", timeout=40) as answer:
            return answer.read()

    def set_cameras(self, uuid: str, cameras: list[dict[str, Any]]) -> None:
        self.call("PUT", f"/printers/{uuid}/cameras", {"items": cameras})

    def printers(self) -> list[dict[str, Any]]:
        return list(self.call("GET", "/printers")["items"])
