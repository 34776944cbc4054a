"""The FACTOR server that this plugin belongs to: its address, whom to trust for it, and what it signs with.

A zip that a server made has all of it inside, as server.json beside this file. In a zip from elsewhere it is missing:
then the owner types the address, and what that server puts into its own zip is taken at this first use and kept in the
plugin's data folder.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import os
import ssl
import threading
import zipfile
from dataclasses import dataclass, field

from . import durable, fetch, release
from .faults import Fault

FILE = "server.json"
IN_ZIP = "octoprint_factor_mqtt/" + FILE
MAX_ZIP = 20 << 20  # bytes


@dataclass(frozen=True)
class Server:
    """Where agent and updates come from. url has no slash at its end."""

    url: str
    ca_pem: str = ""
    signing_key: bytes = b""
    plugin_version: str = ""
    agents: dict = field(default_factory=dict)  # platform → release.Program

    @classmethod
    def of(cls, document: object) -> Server | None:
        """Reads server.json's content; None when it has no usable address."""
        if not isinstance(document, dict):
            return None
        try:
            url = fetch.normal_address(str(document.get("url") or ""))
            key = base64.b64decode(document.get("signing_key") or "", validate=True)
        except (Fault, binascii.Error, TypeError, ValueError):
            return None
        return cls(
            url=url,
            ca_pem=str(document.get("ca_pem") or ""),
            signing_key=key,
            plugin_version=str(document.get("plugin_version") or ""),
            agents=release.programs(document.get("agents")),
        )

    def trust(self) -> ssl.SSLContext | None:
        """How to know the server; None for plain HTTP."""
        return fetch.trusting(self.ca_pem) if self.url.startswith("https://") else None

    def release(self) -> release.Release:
        """The server's list of versions of now, its signature checked."""
        return release.parse(fetch.get(self.url + "/plugin/version.json", self.trust()), self.signing_key)


class Home:
    """Knows the server, and keeps what is known. May be used by any thread."""

    def __init__(self, package_folder: str, data_folder: str):
        self._package_file = os.path.join(package_folder, FILE)
        self._kept_file = os.path.join(data_folder, FILE)
        self._lock = threading.Lock()
        self._server: Server | None = None
        self.load()

    def load(self) -> None:
        packaged = Server.of(durable.read_json(self._package_file))
        with self._lock:
            self.packaged = packaged is not None
            self._server = packaged or Server.of(durable.read_json(self._kept_file))

    @property
    def server(self) -> Server | None:
        with self._lock:
            return self._server

    def require(self) -> Server:
        server = self.server
        if server is None:
            raise Fault("no_server")
        return server

    def choose(self, address: str, fingerprint: str = "", unencrypted: bool = False) -> dict:
        """Makes an address the server, in one or two steps: {"state": "chosen", "url"}, or {"state": "confirm", "url",
        "fingerprint"} when the server has a certificate authority of its own, or plain HTTP (fingerprint ""), which the
        owner is to confirm by a second call. Not for a plugin that came with its server's address.
        """
        if self.packaged:
            raise Fault("bad_url", "this plugin came with its server's address")
        url = fetch.normal_address(address)
        if url.startswith("http://"):
            if not unencrypted:
                fetch.get(url + "/plugin/version.json", None)
                return {"state": "confirm", "url": url, "fingerprint": ""}
            context, ca_pem = None, ""
        else:
            context, ca_pem = fetch.trusting(""), ""
            try:
                fetch.get(url + "/plugin/version.json", context)
            except Fault as fault:
                if fault.code != "tls_untrusted":
                    raise
                ca_pem = own_authority(url)
                found = authority_fingerprint(ca_pem)
                if not fingerprint:
                    return {"state": "confirm", "url": url, "fingerprint": found}
                if found != fingerprint:
                    raise Fault("fingerprint_wrong") from None
                context = fetch.trusting(ca_pem)
        document = packaged_by(fetch.get(url + "/plugin/factor.zip", context, MAX_ZIP))
        server = Server.of(document)
        if server is None or len(server.signing_key) != 32:
            raise Fault("not_factor", "its plugin zip is not made for a server")
        # The address that the owner typed is the one that works from here; the zip's may be another way to the server.
        document.update(url=url, ca_pem=server.ca_pem or ca_pem)
        durable.write_json(self._kept_file, document)
        self.load()
        return {"state": "chosen", "url": url}


def own_authority(url: str) -> str:
    """The server's own certificate authority as PEM, from nobody in particular: the owner compares its fingerprint.

    It is one certificate, encoded anew from the bytes that the fingerprint is made of. Of several in a row Python decodes
    the first, but trusts them all: whoever is in between would add his own to the one that the owner knows.
    """
    content = fetch.get(url + "/ca.crt", fetch.believing_anything())
    try:
        if b"-----BEGIN" in content:
            if content.count(b"-----BEGIN") != 1:
                raise ValueError("more than one certificate")
            content = ssl.PEM_cert_to_DER_cert(content.decode("ascii").strip())
        pem = ssl.DER_cert_to_PEM_cert(content)
        fetch.trusting(pem)
        return pem
    except (ValueError, Fault) as err:
        raise Fault("tls_untrusted", "it has no certificate authority of its own") from err


def authority_fingerprint(pem: str) -> str:
    """SHA-256 as browsers show it: AA:BB:…"""
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem.strip())).hexdigest().upper()
    return ":".join(digest[i : i + 2] for i in range(0, len(digest), 2))


def packaged_by(content: bytes) -> dict:
    """What a server's zip says about that server."""
    import json

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for info in archive.infolist():
                if info.filename == IN_ZIP or info.filename.endswith("/" + IN_ZIP):
                    if info.file_size > fetch.MAX_DOCUMENT:
                        raise Fault("too_large", FILE)
                    document = json.loads(archive.read(info).decode("utf-8"))
                    if isinstance(document, dict):
                        return document
    except (zipfile.BadZipFile, ValueError, OSError, RuntimeError, NotImplementedError) as err:
        raise Fault("not_factor", "its plugin zip is damaged") from err
    raise Fault("not_factor", "its plugin zip is not made for a server")
