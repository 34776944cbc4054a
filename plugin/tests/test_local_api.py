"""The plugin's side of the local API, over both ways, against an agent's process."""

import json
import os
import sys

import pytest
from factor_double import agent_program
from test_fetch import fault_of

from octoprint_factor_mqtt.local_api import LocalAPI
from octoprint_factor_mqtt.process import Process


@pytest.fixture(params=["socket", "loopback"])
def api(request, tmp_path):
    folder = tmp_path
    if request.param == "loopback":
        folder = tmp_path / ("long" * 30)  # more than a Unix socket's path can be
        folder.mkdir()
    api = LocalAPI(str(folder))
    assert api.by_socket == (request.param == "socket")
    return api


@pytest.fixture
def start(api, logger):
    running = []

    def start(fault=""):
        path = os.path.join(api.folder, "program")
        with open(path, "wb") as f:
            f.write(agent_program(fault=fault))
        os.chmod(path, 0o700)
        running.append(Process(path, api.folder, api, logger))
        return running[-1]

    yield start
    for process in running:
        process.end()


def up(api):
    def ask():
        try:
            return api.call("GET", "/v1/status")
        except Exception:
            return None

    return ask


def test_calls_and_answers(api, start, until):
    start()
    status = until(up(api)).json()
    assert status["agent"]["version"] == "1.0.0"
    assert api.call("POST", "/v1/login", {"email": "한글@factor.example"}).status == 204
    with open(os.path.join(api.folder, "calls.jsonl")) as f:
        last = json.loads(f.readlines()[-1])
    assert last == {"call": "POST /v1/login", "body": {"email": "한글@factor.example"}}


def test_nobody_there(api):
    assert fault_of(lambda: api.call("GET", "/v1/status")) == "agent_away"
    with open(os.path.join(api.folder, "local.json"), "w") as f:
        f.write('{"port": "x"}')
    assert fault_of(lambda: api.call("GET", "/v1/status")) == "agent_away"
    api.clear()
    assert not os.path.exists(os.path.join(api.folder, "local.json"))


def test_too_long_an_answer(api, start, until):
    with open(os.path.join(api.folder, "answers.json"), "w") as f:
        json.dump({"GET /v1/status": {"status": 200, "body": "x" * (3 << 20)}}, f)
    start()
    until(lambda: "agent_away" not in fault_of(lambda: api.call("GET", "/v1/status")))
    assert fault_of(lambda: api.call("GET", "/v1/status")) == "too_large"


def test_below_normal_priority(api, start, until):
    process = start()
    until(up(api))
    with open(os.path.join(api.folder, "runs.jsonl")) as f:
        run = json.loads(f.readline())
    assert run["nice"] == min(os.nice(0) + 10, 19)
    assert run["pid"] == process.pid
    assert "--stdin-watch" in run["arguments"]
    if sys.platform == "linux" and api.by_socket:
        assert run["arguments"][-2:] == ["--socket", api.socket]


def test_an_agent_that_does_not_want_to_end(api, start, until, monkeypatch):
    monkeypatch.setattr("octoprint_factor_mqtt.process.END_S", 0.2)
    process = start("stubborn")
    until(up(api))
    process.end()
    assert process.ended() == -9
