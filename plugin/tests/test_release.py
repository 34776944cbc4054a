import base64
import json

import pytest
from factor_double import KEY, signed

from octoprint_factor_mqtt import release
from octoprint_factor_mqtt.faults import Fault

SHA = "ab" * 32


def test_versions_are_ordered_as_people_mean_them():
    ordered = [
        "rubbish",
        "0.9",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-rc.2",
        "1.0.0-rc.10",
        "1.0.0",
        "v1.2",
        "1.10",
    ]
    assert sorted(set(ordered), key=release.version_key) == ordered
    assert release.version_key("1.2") == release.version_key("v1.2.0+build.7")


@pytest.mark.parametrize(
    ("system", "machine", "name"),
    [
        ("linux", "x86_64", "linux-amd64"),
        ("linux", "aarch64", "linux-arm64"),
        ("linux", "armv7l", "linux-armv7"),
        ("linux", "armv8l", "linux-armv7"),
        ("linux", "armv6l", "linux-armv6"),
        ("win32", "AMD64", "windows-amd64"),
        ("darwin", "arm64", "darwin-arm64"),
        ("linux", "riscv64", "linux-riscv64"),
        ("freebsd13", "amd64", "freebsd13-amd64"),
    ],
)
def test_this_platform(monkeypatch, system, machine, name):
    monkeypatch.setattr(release.sys, "platform", system)
    monkeypatch.setattr(release.platform, "machine", lambda: machine)
    assert release.this_platform() == name


def test_a_signed_list_is_read():
    agents = {"linux-arm64": {"sha256": SHA.upper(), "size": 7}, "x": {"sha256": "short"}, "y": 3}
    content = {"version": "1.2.0", "zip_url": "https://f/z", "zip_sha256": SHA, "agent_version": "1.1", "agents": agents}
    found = release.parse(signed(content), KEY)
    assert found == release.Release("1.2.0", "https://f/z", SHA, "1.1", {"linux-arm64": release.Program(SHA, 7)})


def test_only_what_is_signed_counts():
    document = json.loads(signed({"version": "1.2.0", "agents": {}}))
    document["version"] = "9.9.9"
    document["agents"] = {"linux-amd64": {"sha256": SHA, "size": 1}}
    found = release.parse(json.dumps(document).encode(), KEY)
    assert found.version == "1.2.0"
    assert found.agents == {}


def test_another_key_and_a_bent_list_are_refused():
    document = json.loads(signed({"version": "1.2.0"}))
    for name, value in {"signed": b'{"version":"1.2.1"}', "signature": bytes(64)}.items():
        bent = {**document, name: base64.b64encode(value).decode()}
        with pytest.raises(Fault) as refusal:
            release.parse(json.dumps(bent).encode(), KEY)
        assert refusal.value.code == "signature_wrong"
    with pytest.raises(Fault) as refusal:
        release.parse(signed({"version": "1.2.0"}, bytes(32)), KEY)
    assert refusal.value.code == "signature_wrong"
    with pytest.raises(Fault) as refusal:
        release.parse(signed({"version": "1.2.0"}), b"")  # no key is no trust
    assert refusal.value.code == "signature_wrong"


@pytest.mark.parametrize(
    "document",
    [b"", b"<html>", b"[]", b"null", b"{}", b'{"signed":1,"signature":2}', b'{"signed":"!","signature":""}', b"\xff\xfe",
     signed({}), signed({"version": "latest"}), signed({"version": None})],
)  # fmt: skip
def test_what_is_no_list_is_refused(document):
    with pytest.raises(Fault) as refusal:
        release.parse(document, KEY)
    assert refusal.value.code == "not_factor"
