"""Fetching from the server: over TLS that trusts its own certificate authority, with limits, errors as faults."""

from __future__ import annotations

import hashlib
import http.client
import json
import socket
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import BinaryIO, Callable

from .faults import Fault
from .version import VERSION

CHUNK = 64 * 1024  # bytes
TIMEOUT_S = 20  # for a connection, and for each read
MAX_DOCUMENT = 1 << 20  # bytes

# OpenSSL's X509_V_ERR_… (x509_vfy.h)
NOT_YET_VALID, EXPIRED = 9, 10


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Following one could leave the server that the owner chose."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        raise Fault("redirected", newurl)


def trusting(ca_pem: str) -> ssl.SSLContext:
    """Public authorities, and the server's own."""
    context = ssl.create_default_context()
    try:
        import certifi  # of requests; Pythons from python.org have no authorities of their own

        context.load_verify_locations(cafile=certifi.where())
    except (ImportError, OSError, ssl.SSLError):
        pass
    if ca_pem:
        try:
            context.load_verify_locations(cadata=ca_pem)
        except (ssl.SSLError, ValueError) as err:
            raise Fault("tls_untrusted", "the server's certificate authority is malformed") from err
    return context


def believing_anything() -> ssl.SSLContext:
    """Only for what is compared with something known afterwards."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def normal_address(address: str) -> str:
    """The address of a server as a person types it, as https://host or http://host:port; Fault bad_url, has_path."""
    address = address.strip()
    if "://" not in address:
        address = "https://" + address
    try:
        parts = urllib.parse.urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError as err:
        raise Fault("bad_url") from err
    spaces = any(c.isspace() for c in address)
    if parts.scheme.lower() not in ("http", "https") or not host or parts.username is not None or spaces:
        raise Fault("bad_url")
    if parts.path.strip("/") or parts.query:
        raise Fault("has_path", parts.path)
    if ":" in host:
        host = f"[{host}]"
    return f"{parts.scheme.lower()}://{host}" + (f":{port}" if port else "")


def get(url: str, context: ssl.SSLContext | None, limit: int = MAX_DOCUMENT) -> bytes:
    """A small document."""
    with _open(url, context) as answer:
        body = _read(answer, limit + 1)
        if len(body) > limit:
            raise Fault("too_large", url)
        return body


def download(
    url: str,
    context: ssl.SSLContext | None,
    out: BinaryIO,
    limit: int,
    cancelled: Callable[[], bool] = lambda: False,
    slowest_s: float = 1800,
) -> str:
    """Writes a file to out and gives its SHA-256. Fault too_large above the limit, server_unreachable when it drags."""
    digest, size, end = hashlib.sha256(), 0, time.monotonic() + slowest_s
    with _open(url, context) as answer:
        while True:
            chunk = _read(answer, CHUNK)
            if not chunk:
                return digest.hexdigest()
            size += len(chunk)
            if size > limit:
                raise Fault("too_large", url)
            if cancelled() or time.monotonic() > end:
                raise Fault("server_unreachable", "the transfer was ended")
            digest.update(chunk)
            out.write(chunk)


def _open(url: str, context: ssl.SSLContext | None):
    handlers: list = [_NoRedirect()]
    if url.startswith("https://"):
        handlers.append(urllib.request.HTTPSHandler(context=context or trusting("")))
    elif not url.startswith("http://"):
        raise Fault("bad_url", url)
    request = urllib.request.Request(url, headers={"User-Agent": f"factor_mqtt/{VERSION}"})
    try:
        return urllib.request.build_opener(*handlers).open(request, timeout=TIMEOUT_S)
    except urllib.error.HTTPError as err:
        with err:
            raise _refusal(err) from err
    except (OSError, ValueError, http.client.HTTPException) as err:
        raise as_fault(err) from err


def _read(answer, size: int) -> bytes:
    try:
        return answer.read(size)
    except (OSError, http.client.HTTPException) as err:
        raise as_fault(err) from err


def _refusal(err: urllib.error.HTTPError) -> Fault:
    try:
        code = json.loads(err.read(MAX_DOCUMENT).decode("utf-8"))["code"]
    except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException):
        code = ""
    if code == "no_agent_for_platform":
        return Fault("no_agent_for_platform")
    if err.code >= 500 or code == "slow_down":
        return Fault("server_unreachable", f"it answered with status {err.code}")
    return Fault("not_factor", f"it answered with status {err.code}")


def as_fault(err: BaseException) -> Fault:
    """The fault behind an error of the network."""
    if isinstance(err, urllib.error.URLError) and isinstance(err.reason, BaseException):
        err = err.reason
    if isinstance(err, Fault):
        return err
    if isinstance(err, ssl.SSLCertVerificationError):
        if err.verify_code == EXPIRED:
            return Fault("tls_expired")
        if err.verify_code == NOT_YET_VALID:
            return Fault("clock_wrong")
        return Fault("tls_untrusted", err.verify_message)
    if isinstance(err, socket.gaierror):
        return Fault("name_not_found")
    if isinstance(err, ssl.SSLError):
        return Fault("not_factor", "no TLS is spoken there")
    if isinstance(err, (http.client.InvalidURL, ValueError)):
        return Fault("bad_url")
    if isinstance(err, http.client.HTTPException):
        return Fault("not_factor", type(err).__name__)
    return Fault("server_unreachable", type(err).__name__)
