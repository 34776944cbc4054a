"""The agent's process: fetched, started, watched, replaced, ended."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest
from factor_double import HERE, agent_program

from octoprint_factor_mqtt.faults import Fault
from octoprint_factor_mqtt.keeper import Keeper, Times
from octoprint_factor_mqtt.server import Home

QUICK = Times(healthy_within=30, watch_every=0.05, look_every=0.05, newer_every=0.05, back_off=(0.01, 0.05))


class Owner:
    """What the plugin is to the keeper."""

    def __init__(self, tmp_path, logger):
        self.folder = tmp_path / "data"
        self.package = tmp_path / "package"
        for f in (self.folder, self.package):
            f.mkdir()
        self.logger = logger
        self.introduced = []
        self.idle = True
        self.refuse = None
        self.keeper = None

    def knows(self, factor, **more):
        (self.package / "server.json").write_text(json.dumps({**factor.document(), **more}))

    def introduce(self, api):
        if self.refuse:
            raise self.refuse
        api.call("POST", "/v1/octoprint", {"url": "http://127.0.0.1:5000"})
        self.introduced.append(api)

    def start(self, times=QUICK):
        home = Home(str(self.package), str(self.folder))
        self.keeper = Keeper(home, str(self.folder), self.introduce, self.logger, lambda: self.idle, times)
        self.keeper.start()
        return self.keeper

    def runs(self):
        path = self.folder / "agent/runs.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def fault(self):
        fault = self.keeper.state()["fault"]
        return fault and fault["code"]

    def note(self):
        note = self.keeper.state()["note"]
        return note and note["code"]

    def running(self, version):
        def check():
            state = self.keeper.state()
            return state["phase"] == "running" and state["agent"] and state["agent"]["agent"]["version"] == version

        return check


@pytest.fixture
def owner(tmp_path, logger):
    owner = Owner(tmp_path, logger)
    yield owner
    if owner.keeper:
        owner.keeper.stop()
        for run in owner.runs():
            assert not alive(run["pid"])


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_fetched_started_told_and_ended(owner, factor, until):
    factor.offer(agent=agent_program("1.0.0"))
    owner.knows(factor)
    keeper = owner.start()
    until(owner.running("1.0.0"))
    until(lambda: owner.introduced)
    assert keeper.agent_version() == "1.0.0"
    trust = json.loads((owner.folder / "agent/server.json").read_text())
    assert trust == {"url": factor.url, "ca_pem": ""}
    keeper.stop()
    assert keeper.state()["phase"] == "stopped"
    assert len(owner.runs()) == 1


def test_who_has_had_it_do_something_sees_what_came_of_it_at_once(owner, factor, until):
    factor.offer(agent=agent_program("1.0.0"))
    owner.knows(factor)
    keeper = owner.start(Times(healthy_within=30, watch_every=3600, look_every=3600))
    keeper.look()  # nothing runs yet: there is nobody to ask
    until(owner.running("1.0.0"))
    known = keeper.state()["agent"]
    status = {**known, "account": {"email": "a@factor.example"}}
    (owner.folder / "agent/answers.json").write_text(json.dumps({"GET /v1/status": {"status": 200, "body": status}}))
    keeper.look()
    assert keeper.state()["agent"] == status


def test_the_next_start_fetches_nothing(owner, factor, until):
    factor.offer(agent=agent_program("1.0.0"))
    owner.knows(factor)
    owner.start()
    until(owner.running("1.0.0"))
    owner.keeper.stop()
    factor.requests.clear()
    factor.files.clear()
    owner.start()
    until(owner.running("1.0.0"))
    assert factor.requests == []


def test_an_agent_that_dies_is_started_again(owner, factor, until):
    factor.offer(agent=agent_program("1.0.0"))
    owner.knows(factor)
    owner.start()
    for count in range(1, 4):
        until(owner.running("1.0.0"))
        until(lambda: len(owner.introduced) == count)  # noqa: B023, awaited at once
        os.kill(owner.runs()[-1]["pid"], signal.SIGKILL)
        until(lambda: len(owner.runs()) == count + 1)  # noqa: B023


def test_a_new_one_that_does_not_start_gives_way_to_the_one_before(owner, factor, until):
    factor.offer(agent=agent_program("1.0.0"))
    owner.knows(factor)
    owner.start()
    until(owner.running("1.0.0"))
    factor.offer("0.2.0", agent=agent_program("1.1.0", "crash"), agent_version="1.1.0")
    owner.keeper.accept(factor.files["/plugin/version.json"][1])
    until(lambda: owner.note() == "went_back")
    until(owner.running("1.0.0"))
    versions = [r["version"] for r in owner.runs()]
    assert versions[0] == versions[-1] == "1.0.0"
    assert set(versions[1:-1]) == {"1.1.0"}
    assert len(versions) in (4, 5)  # a wish for another try may be heard in between
    earlier = len(versions)
    factor.requests.clear()
    owner.keeper.stop()  # and it stays so
    owner.start()
    until(owner.running("1.0.0"))
    assert factor.requests == []
    owner.keeper.retry()  # until the owner wants another try
    until(lambda: "1.1.0" in [r["version"] for r in owner.runs()[earlier:]])
    until(lambda: owner.note() == "went_back")


def test_one_that_never_worked_is_replaced_by_what_is_offered_later(owner, factor, until):
    factor.offer(agent=agent_program("1.0.0", "crash"))
    owner.knows(factor)
    owner.start()
    until(lambda: owner.fault() == "agent_crashed")
    factor.offer("0.1.1", agent=agent_program("1.0.1"), agent_version="1.0.1")
    until(owner.running("1.0.1"))


@pytest.mark.parametrize("fault", ["no_api", "wrong_answer"])
def test_a_new_one_that_does_not_answer_gives_way_too(owner, factor, until, fault):
    factor.offer(agent=agent_program("1.0.0"))
    owner.knows(factor)
    owner.start()
    until(owner.running("1.0.0"))
    owner.keeper.stop()
    factor.offer("0.2.0", agent=agent_program("1.1.0", fault), agent_version="1.1.0")
    owner.start(Times(healthy_within=1.5, watch_every=0.05, look_every=0.05, newer_every=0.05, back_off=(0.01,)))
    owner.keeper.accept(factor.files["/plugin/version.json"][1])
    until(lambda: owner.note() == "went_back")
    owner.keeper.stop()  # so short a time is too short for the good one where the machine is busy
    owner.start()
    until(owner.running("1.0.0"))


def test_a_new_one_waits_for_the_print(owner, factor, until):
    factor.offer(agent=agent_program("1.0.0"))
    owner.knows(factor)
    owner.idle = False
    owner.start()
    until(owner.running("1.0.0"))
    factor.offer("0.2.0", agent=agent_program("1.1.0"), agent_version="1.1.0")
    factor.requests.clear()
    owner.keeper.accept(factor.files["/plugin/version.json"][1])
    asked = owner.keeper._next_newer
    until(lambda: owner.keeper._next_newer > asked)  # it has looked, and put it off
    assert factor.requests == []
    owner.idle = True
    until(owner.running("1.1.0"))


def test_a_new_zip_brings_a_new_agent(owner, factor, until):
    factor.offer(agent=agent_program("1.0.0"))
    owner.knows(factor)
    owner.start()
    until(owner.running("1.0.0"))
    owner.keeper.stop()
    content = factor.offer("0.2.0", agent=agent_program("1.1.0"), agent_version="1.1.0")
    owner.knows(factor, plugin_version="0.2.0", agents=content["agents"])
    owner.start()
    until(owner.running("1.1.0"))


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda f: f.files.clear(), "not_factor"),
        (lambda f: f.offer("0.1.0"), "no_agent_for_platform"),
        (lambda f: f.offer("0.0.9", agent=agent_program()), "older"),
        (lambda f: f.files.update({p: (200, b"another") for p in f.files if "/agent/" in p}), "checksum_wrong"),
        (lambda f: f.files.update({p: (200, agent_program() + b"#") for p in f.files if "/agent/" in p}), "too_large"),
        (lambda f: f.files.update(dict.fromkeys(f.files, (503, b""))), "server_unreachable"),
        (lambda f: f.offer(agent=b"#!/bin/sh\nexit 1\n"), "agent_crashed"),
    ],
)
def test_what_keeps_it_from_coming_is_said_and_cured(owner, factor, until, spoil, code):
    factor.offer(agent=agent_program("1.0.0"))
    owner.knows(factor)
    spoil(factor)
    owner.start()
    until(lambda: owner.fault() == code)
    assert owner.keeper.state()["phase"] in ("waiting", "fetching")
    assert owner.runs() == []
    factor.offer(agent=agent_program("1.0.0"))
    owner.keeper.retry()
    until(owner.running("1.0.0"))
    assert owner.fault() is None


def test_another_key_is_not_believed(owner, factor, until):
    factor.offer(agent=agent_program("1.0.0"))
    owner.knows(factor, signing_key="AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
    owner.start()
    until(lambda: owner.fault() == "signature_wrong")
    assert not [p for p in factor.requests if "/agent/" in p]


def test_without_a_server_it_waits_for_the_owner(owner, factor, until):
    factor.offer(agent=agent_program("1.0.0"))
    owner.start()
    until(lambda: owner.fault() == "no_server")
    owner.knows(factor)
    owner.keeper.home.load()
    owner.keeper.retry()
    until(owner.running("1.0.0"))


def test_an_agent_goes_on_with_the_server_that_was_chosen_later(owner, factor, until):
    factor.offer(agent=agent_program("1.0.0"))
    owner.knows(factor)
    owner.start()
    until(owner.running("1.0.0"))
    owner.knows(factor, ca_pem="another")
    owner.keeper.home.load()
    owner.keeper.retry()
    until(lambda: len(owner.runs()) == 2)
    assert json.loads((owner.folder / "agent/server.json").read_text())["ca_pem"] == "another"


def test_what_octoprint_cannot_give_is_said_and_asked_for_again(owner, factor, until):
    factor.offer(agent=agent_program("1.0.0"))
    owner.knows(factor)
    owner.refuse = Fault("octoprint_identity")
    owner.start()
    until(owner.running("1.0.0"))
    until(lambda: owner.note() == "octoprint_identity")
    owner.refuse = None
    until(lambda: owner.introduced)
    assert len(owner.runs()) == 1


def test_an_agent_that_stops_answering_is_replaced(owner, factor, until, monkeypatch):
    monkeypatch.setattr("octoprint_factor_mqtt.process.END_S", 1)
    factor.offer(agent=agent_program("1.0.0"))
    owner.knows(factor)
    owner.start(Times(healthy_within=30, watch_every=0.05, look_every=0.05, silent_for=0.5, back_off=(0.01,)))
    until(owner.running("1.0.0"))
    os.kill(owner.runs()[0]["pid"], signal.SIGSTOP)
    try:
        until(lambda: len(owner.runs()) == 2)
    finally:
        if alive(owner.runs()[0]["pid"]):
            os.kill(owner.runs()[0]["pid"], signal.SIGKILL)
    until(owner.running("1.0.0"))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_runs_on_when_octoprint_dies(owner, factor, until, how):
    """Another process is OctoPrint here, and it is killed."""
    factor.offer(agent=agent_program("1.0.0"))
    owner.knows(factor)
    program = textwrap.dedent(f"""
        import logging, sys, time
        sys.path[:0] = [{str(HERE.parent)!r}]
        from octoprint_factor_mqtt.keeper import Keeper
        from octoprint_factor_mqtt.server import Home
        package, folder = {str(owner.package)!r}, {str(owner.folder)!r}
        keeper = Keeper(Home(package, folder), folder, lambda api: None, logging.getLogger())
        keeper.start()
        print("up", flush=True)
        time.sleep(3600)
    """)
    octoprint = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    try:
        assert octoprint.stdout.readline() == b"up\n"
        pid = until(lambda: owner.runs() and owner.runs()[0]["pid"])
        assert alive(pid)
    finally:
        octoprint.send_signal(how)
        octoprint.wait()
        octoprint.stdout.close()
    until(lambda: not alive(pid))


def test_stop_comes_before_anything_has_started(owner):
    keeper = owner.start()
    began = time.monotonic()
    keeper.stop()
    assert time.monotonic() - began < 20
    Keeper(Home(str(owner.package), str(owner.folder)), str(owner.folder), owner.introduce, owner.logger).stop()


def test_the_agents_log_is_in_octoprints(owner, factor, until, caplog):
    caplog.set_level("INFO")
    factor.offer(agent=agent_program("1.0.0"))
    owner.knows(factor)
    owner.start()
    until(owner.running("1.0.0"))
    until(lambda: 'MQTT agent: "agent 1.0.0 up"' in caplog.text)
    ours = [r for r in caplog.records if r.name == "octoprint.plugins.factor_mqtt"]
    assert ours
    assert all("MQTT" in r.getMessage() for r in ours)
