"""The agent's program on disk."""

import hashlib
import os
import subprocess

import pytest
from factor_double import agent_program
from test_fetch import fault_of

from octoprint_factor_mqtt import slots as module
from octoprint_factor_mqtt.faults import Fault
from octoprint_factor_mqtt.release import Program
from octoprint_factor_mqtt.slots import Slots


def program(content: bytes, claimed: bytes = b"") -> Program:
    return Program(hashlib.sha256(claimed or content).hexdigest(), len(content))


def put(slots: Slots, content: bytes, claimed: bytes = b""):
    def fetch(out, limit):
        assert limit >= len(content)
        out.write(content)
        return hashlib.sha256(content).hexdigest()

    return slots.install(program(content, claimed), fetch)


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path / "programs")


def test_new_ones_take_turns(folder):
    slots = Slots(folder)
    assert slots.current() is None
    first = put(slots, agent_program("1.0.0"))
    assert (first.version, first.good) == ("1.0.0", False)
    slots.works()
    second = put(slots, agent_program("1.1.0"))
    assert second.path != first.path
    again = Slots(folder)
    assert again.current().version == "1.1.0"
    assert again.go_back()
    assert again.is_bad(second.sha256)
    current = Slots(folder).current()
    assert (current.version, current.good) == ("1.0.0", True)
    assert Slots(folder).is_bad(second.sha256)
    again.retry_all()
    assert not Slots(folder).is_bad(second.sha256)


def test_no_way_back_to_what_never_worked(folder):
    slots = Slots(folder)
    put(slots, agent_program("1.0.0"))
    put(slots, agent_program("1.1.0"))
    assert not slots.go_back()
    assert slots.current().version == "1.1.0"


def test_a_program_changed_on_disk_does_not_run(folder):
    slots = Slots(folder)
    slot = put(slots, agent_program())
    with open(slot.path, "ab") as f:
        f.write(b"#")
    assert Slots(folder).current() is None


def test_a_wrong_checksum_leaves_everything_as_it_was(folder):
    slots = Slots(folder)
    put(slots, agent_program("1.0.0"))
    slots.works()
    put(slots, agent_program("1.1.0"))
    slots.works()
    assert fault_of(lambda: put(slots, agent_program("1.2.0"), claimed=b"another")) == "checksum_wrong"
    assert slots.current().version == "1.1.0"
    assert slots.go_back()  # the one before is there, too
    assert not [f for _, _, files in os.walk(folder) for f in files if f.endswith(".new")]


def test_another_processors_program(folder):
    slots = Slots(folder)
    elf_of_nobody = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\xff\xff" + bytes(100)
    assert fault_of(lambda: put(slots, elf_of_nobody)) == "wrong_platform"
    assert slots.current() is None


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"#!/bin/sh\nexit 3\n", "agent_crashed"),
        (b"#!/bin/sh\nkill -ILL $$\n", "wrong_platform"),
        (b"#!/no/such\n", "agent_crashed"),
    ],
)
def test_a_program_that_cannot_say_its_version(folder, content, code):
    assert fault_of(lambda: put(Slots(folder), content)) == code


def test_a_program_that_hangs(folder, monkeypatch):
    monkeypatch.setattr(module, "PROBE_TIMEOUT_S", 0.05)
    assert fault_of(lambda: put(Slots(folder), b"#!/bin/sh\nexec sleep 60\n")) == "agent_silent"


def test_noexec(folder, monkeypatch):
    class Flags:
        f_flag = getattr(os, "ST_NOEXEC", 8)
        f_blocks = f_bfree = f_bavail = f_frsize = 1 << 20

    with monkeypatch.context() as patch:
        patch.setattr(os, "statvfs", lambda _: Flags)
        assert fault_of(lambda: put(Slots(folder), agent_program())) == "noexec"

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(subprocess, "run", refuse)
    assert fault_of(lambda: put(Slots(folder), agent_program())) == "noexec"


def test_a_full_disk(folder, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(module.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1 << 20}))
        assert fault_of(lambda: put(Slots(folder), agent_program())) == "no_space"

    def full(out, limit):
        raise OSError(28, "No space left on device")

    content = agent_program()
    with pytest.raises(Fault) as refusal:
        Slots(folder).install(program(content), full)
    assert refusal.value.code == "no_space"


@pytest.mark.parametrize(
    "content", ["", "[]", '{"current": "c"}', '{"current": "a", "a": 1, "bad": 2}', '{"a": {"sha256": 5}}']
)
def test_a_damaged_list_is_none(folder, content):
    os.makedirs(folder)
    with open(os.path.join(folder, "slots.json"), "w") as f:
        f.write(content)
    assert Slots(folder).current() is None
    put(Slots(folder), agent_program())
    assert Slots(folder).current().version == "1.0.0"
