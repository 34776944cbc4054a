"""Talking to the agent: HTTP over a Unix socket that only this user may open, or over loopback with a secret."""

from __future__ import annotations

import http.client
import json
import os
import socket
import sys
from dataclasses import dataclass

from . import durable
from .faults import Fault

SOCKET = "agent.sock"
LOOPBACK = "local.json"
MAX_SOCKET_PATH = 100  # bytes; the kernel takes 107, some systems 103
MAX_ANSWER = 2 << 20  # bytes; a camera's picture is the largest, 200 KB


@dataclass(frozen=True)
class Answer:
    status: int
    content_type: str
    body: bytes

    def json(self) -> object:
        """None when it is not JSON."""
        try:
            return json.loads(self.body.decode("utf-8"))
        except ValueError:
            return None


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float):
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class LocalAPI:
    """The agent that serves a folder. May be used by any thread: each call has its own connection."""

    def __init__(self, folder: str):
        self.folder = folder
        self.socket = os.path.join(folder, SOCKET)
        self.by_socket = (
            sys.platform != "win32" and hasattr(socket, "AF_UNIX") and len(os.fsencode(self.socket)) <= MAX_SOCKET_PATH
        )

    def arguments(self) -> list:
        """What tells the agent where to serve."""
        return ["--socket", self.socket] if self.by_socket else ["--listen", "127.0.0.1:0"]

    def clear(self) -> None:
        """Before a start: an earlier agent's address is nobody's."""
        durable.remove(os.path.join(self.folder, LOOPBACK))

    def call(self, method: str, path: str, body: object = None, timeout: float = 10) -> Answer:
        """One call; Fault agent_away when nobody answers, agent_silent when not in time (seconds)."""
        content = None if body is None else json.dumps(body).encode("utf-8")
        headers = {} if body is None else {"Content-Type": "application/json"}
        connection = self._connection(headers, timeout)
        try:
            connection.request(method, path, content, headers)
            answer = connection.getresponse()
            read = answer.read(MAX_ANSWER + 1)
            if len(read) > MAX_ANSWER:
                raise Fault("too_large", path)
            return Answer(answer.status, answer.headers.get_content_type(), read)
        except socket.timeout as err:
            raise Fault("agent_silent", path) from err
        except (OSError, http.client.HTTPException) as err:
            raise Fault("agent_away", type(err).__name__) from err
        finally:
            connection.close()

    def _connection(self, headers: dict, timeout: float) -> http.client.HTTPConnection:
        if self.by_socket:
            return _UnixConnection(self.socket, timeout)
        where = durable.read_json(os.path.join(self.folder, LOOPBACK))
        try:
            port, secret = int(where["port"]), str(where["secret"])
        except (TypeError, KeyError, ValueError) as err:
            raise Fault("agent_away", "it has not said where it serves") from err
        headers["Authorization"] = f"Bearer {secret}"
        return http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
