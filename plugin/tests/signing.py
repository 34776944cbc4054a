"""Ed25519 signatures, made (RFC 8032, section 5.1.6): the plugin itself only verifies."""

from __future__ import annotations

import hashlib

from octoprint_factor_mqtt.ed25519 import BASE, L, P, _multiply


def _compress(p: tuple) -> bytes:
    z = pow(p[2], P - 2, P)
    return (p[1] * z % P | (p[0] * z % P & 1) << 255).to_bytes(32, "little")


def _expand(secret: bytes) -> tuple:
    h = hashlib.sha512(secret).digest()
    a = int.from_bytes(h[:32], "little") & ((1 << 254) - 8) | 1 << 254
    return a, h[32:]


def public_key(secret: bytes) -> bytes:
    return _compress(_multiply(_expand(secret)[0], BASE))


def sign(secret: bytes, message: bytes) -> bytes:
    a, prefix = _expand(secret)
    r = int.from_bytes(hashlib.sha512(prefix + message).digest(), "little") % L
    point = _compress(_multiply(r, BASE))
    h = int.from_bytes(hashlib.sha512(point + public_key(secret) + message).digest(), "little") % L
    return point + ((r + h * a) % L).to_bytes(32, "little")
