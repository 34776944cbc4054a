"""OctoPrint's webcams and what the earlier plugin left."""

import sys
import types

import pytest

from octoprint_factor_mqtt import published, webcams


class Settings:
    def __init__(self, tree):
        self.tree = tree

    def global_get(self, path):
        value = self.tree
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return value


@pytest.mark.parametrize(
    ("stream", "snapshot", "found"),
    [
        ("/webcam/?action=stream", "http://127.0.0.1:8080/?action=snapshot", "http://127.0.0.1:8080/?action=stream"),
        ("/webcam/?action=stream", "", "http://127.0.0.1/webcam/?action=stream"),
        ("webcam/stream", "", "http://127.0.0.1/webcam/stream"),
        ("//cam.local/stream", "", "http://cam.local/stream"),
        ("http://cam:8080/stream", "http://127.0.0.1:8080/?action=snapshot", "http://cam:8080/stream"),
        ("rtsp://cam/live", "", "rtsp://cam/live"),
        ("webrtc://cam:8889/live", "", "webrtc://cam:8889/live"),
        ("", "", ""),
    ],
)
def test_addresses_for_a_program_on_this_machine(stream, snapshot, found):
    assert webcams.reachable(stream, snapshot) == found


def test_the_one_webcam_of_older_versions(monkeypatch):
    monkeypatch.setitem(sys.modules, "octoprint.webcams", None)
    webcam = {
        "stream": "/webcam/?action=stream",
        "snapshot": "http://127.0.0.1:8080/?action=snapshot",
        "rotate90": True,
        "flipH": 1,
    }
    assert webcams.found(Settings({"webcam": webcam})) == [
        {
            "name": "Webcam",
            "stream_url": "http://127.0.0.1:8080/?action=stream",
            "snapshot_url": "http://127.0.0.1:8080/?action=snapshot",
            "rotation": 270,
            "flip_h": True,
            "flip_v": False,
        }
    ]
    assert webcams.found(Settings({})) == []


def test_several_webcams_with_the_default_one_first(monkeypatch):
    def webcam(name, stream):
        compat = types.SimpleNamespace(stream=stream, snapshot=None) if stream else None
        config = types.SimpleNamespace(displayName=name, compat=compat, rotate90=False, flipH=False, flipV=True)
        return types.SimpleNamespace(config=config)

    module = types.ModuleType("octoprint.webcams")
    known = {"a": webcam("위", "http://a/"), "b": webcam("Bed", "http://b/"), "c": webcam("Without a stream", None)}
    module.get_webcams = lambda: known
    monkeypatch.setitem(sys.modules, "octoprint.webcams", module)
    found = webcams.found(Settings({"webcam": {"defaultWebcam": "b"}}))
    assert [(w["name"], w["flip_v"]) for w in found] == [("Bed", True), ("위", True)]


UUID = "3f2b8c1e-9a4d-4e7b-8c21-5d6f7a8b9c0d"


@pytest.mark.parametrize(
    ("left", "enabled", "found"),
    [
        ({}, [], None),
        ({}, ["octoprint_factor"], {"uuid": "", "stream_url": "", "enabled": True}),
        ({"instance_id": UUID.upper()}, [], {"uuid": UUID, "stream_url": "", "enabled": False}),
        (
            {"instance_id": "x", "camera": {"stream_url": " http://cam/ "}},
            [],
            {"uuid": "", "stream_url": "http://cam/", "enabled": False},
        ),
        ({"instance_id": "6ba7b810-9dad-11d1-80b4-00c04fd430c8"}, [], None),
        ({"instance_id": 5, "camera": {"stream_url": 6}}, [], None),
    ],
)
def test_what_the_earlier_plugin_left(left, enabled, found):
    manager = types.SimpleNamespace(enabled_plugins=dict.fromkeys(enabled))
    assert published.found(Settings({"plugins": {"octoprint_factor": left}}), manager) == found
