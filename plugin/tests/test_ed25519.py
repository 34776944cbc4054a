"""Signatures: the vectors of RFC 8032, section 7.1, by both ways, and what must not pass."""

import sys
import types

import pytest
import signing

from octoprint_factor_mqtt import ed25519

ABC = (
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
)
VECTORS = {  # name: (secret, public, message, signature)
    "TEST 1": (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    "TEST 2": (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    "TEST 3": (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    "TEST SHA(abc)": (
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        ABC,
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
        "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
}


def in_python(key, message, signature):
    return ed25519._verify_in_python(key, message, signature)


def by_library(key, message, signature):
    pytest.importorskip("cryptography")
    return ed25519._verify_by_library(key, message, signature)


@pytest.fixture(params=[in_python, by_library])
def verify(request):
    return request.param


@pytest.mark.parametrize("name", VECTORS)
def test_vectors_of_the_rfc(name, verify):
    secret, key, message, signature = (bytes.fromhex(part) for part in VECTORS[name])
    assert verify(key, message, signature) is True
    assert verify(key, message + b"x", signature) is False
    for place in (0, 31, 32, 62):
        bent = bytearray(signature)
        bent[place] ^= 1
        assert verify(key, message, bytes(bent)) is False
    assert signing.public_key(secret) == key
    assert signing.sign(secret, message) == signature


def test_long_message(verify):
    secret = bytes(32)
    message = bytes(range(256)) * 4
    assert verify(signing.public_key(secret), message, signing.sign(secret, message))


def test_a_second_form_of_the_same_signature_is_refused(verify):
    _, key, message, signature = (bytes.fromhex(part) for part in VECTORS["TEST 2"])
    s = int.from_bytes(signature[32:], "little") + ed25519.L
    assert verify(key, message, signature[:32] + s.to_bytes(32, "little")) is False


@pytest.mark.parametrize(
    "key",
    [
        (2).to_bytes(32, "little"),  # y of no point
        ed25519.P.to_bytes(32, "little"),  # y = 0 written in another way
        (1 | 1 << 255).to_bytes(32, "little"),  # x = 0 with the sign of a negative one
    ],
)
def test_what_is_no_point_is_refused(key):
    assert ed25519._decompress(key) is None
    assert ed25519._verify_in_python(key, b"", bytes(64)) is False


@pytest.mark.parametrize(
    ("key", "signature"), [(b"", bytes(64)), (bytes(31), bytes(64)), (bytes(32), bytes(63)), (bytes(33), b"")]
)
def test_wrong_lengths_are_refused(key, signature):
    assert ed25519.verify(key, b"", signature) is False


def library(monkeypatch, verify):
    """A `cryptography` whose key does what a test wants."""

    class InvalidSignature(Exception):
        pass

    class UnsupportedAlgorithm(Exception):
        pass

    class Key:
        @classmethod
        def from_public_bytes(cls, _):
            return cls()

        def verify(self, signature, message):
            verify(InvalidSignature, UnsupportedAlgorithm)

    names = ["cryptography", "hazmat", "primitives", "asymmetric", "ed25519"]
    for end in range(1, len(names) + 1):
        monkeypatch.setitem(sys.modules, ".".join(names[:end]), types.ModuleType(names[end - 1]))
    exceptions = types.ModuleType("exceptions")
    exceptions.InvalidSignature, exceptions.UnsupportedAlgorithm = InvalidSignature, UnsupportedAlgorithm
    monkeypatch.setitem(sys.modules, "cryptography.exceptions", exceptions)
    sys.modules[".".join(names)].Ed25519PublicKey = Key


def test_the_library_decides_where_it_can(monkeypatch):
    _, key, message, signature = (bytes.fromhex(part) for part in VECTORS["TEST 1"])

    def refuses(invalid, _):
        raise invalid

    library(monkeypatch, refuses)
    assert ed25519.verify(key, message, signature) is False
    library(monkeypatch, lambda *_: None)
    assert ed25519.verify(key, message, bytes(64)) is True


def test_python_decides_where_the_library_cannot(monkeypatch):
    _, key, message, signature = (bytes.fromhex(part) for part in VECTORS["TEST 1"])

    def cannot(_, unsupported):
        raise unsupported

    library(monkeypatch, cannot)
    assert ed25519.verify(key, message, signature) is True
    assert ed25519.verify(key, message, bytes(64)) is False
    monkeypatch.setitem(sys.modules, "cryptography", None)
    monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)
    assert ed25519.verify(key, message, signature) is True
