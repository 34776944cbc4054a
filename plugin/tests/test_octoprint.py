"""The plugin in a real OctoPrint: loaded, rendered, guarded, and ended with it."""

import json
import os
import re

import pytest
from factor_double import FactorDouble, agent_program
from octoprint_run import OctoPrint, Person

STATE = "/plugin/factor_mqtt/state"


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """(OctoPrint, FACTOR double), one for all tests."""
    with FactorDouble() as factor:
        factor.offer(agent=agent_program("1.0.0"))
        octoprint = OctoPrint(tmp_path_factory.mktemp("octoprint"))
        (octoprint.package / "server.json").write_text(json.dumps(factor.document()))
        with octoprint:
            yield octoprint, factor


@pytest.fixture
def octoprint(running):
    return running[0]


@pytest.fixture
def owner(octoprint):
    return Person(octoprint, "owner")


def data(octoprint):
    return octoprint.folder / "data/factor_mqtt"


def calls(octoprint):
    return [json.loads(line) for line in (data(octoprint) / "agent/calls.jsonl").read_text().splitlines()]


def test_the_agent_runs_and_knows_octoprint(octoprint, owner, until):
    until(lambda: owner.get(STATE)["keeper"]["phase"] == "running")
    told = until(lambda: [c["body"] for c in calls(octoprint) if c["call"] == "POST /v1/octoprint"])[0]
    assert told["url"] == octoprint.url
    assert told["webcams"][0]["stream_url"] == "http://127.0.0.1:8080/?action=stream"
    agent = Person(octoprint)
    agent._opener.addheaders = [("X-Api-Key", told["api_key"])]
    assert agent.get("/api/job")["state"]
    assert agent.status(agent.post, "/api/settings", {}) == 403


@pytest.mark.parametrize("name", ["", "guest"])
def test_only_administrators(octoprint, owner, name):
    person = Person(octoprint, name)
    assert person.status(person.get, STATE) == 403
    for path in ("server", "call/login", "webcams", "retry", "diagnosis"):
        assert person.status(person.post, "/plugin/factor_mqtt/" + path, {}) in (400, 403), path
    ticket = owner.post("/plugin/factor_mqtt/webcams", {})["ticket"]
    assert person.status(person.get, "/plugin/factor_mqtt/errand/" + ticket) == 403


def test_other_sites_cannot_call(octoprint, owner):
    assert owner.status(owner.post, "/plugin/factor_mqtt/retry", {}, csrf=False) in (200, 400)  # before 1.8.3: JSON only
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        assert owner.status(owner.post, "/plugin/factor_mqtt/retry", {}, csrf=False, content_type=content_type) == 400
        assert owner.status(owner.post, "/plugin/factor_mqtt/retry", {}, content_type=content_type) == 400


def test_calls_reach_the_agent_with_what_they_may_carry(octoprint, owner, running, until):
    until(lambda: owner.get(STATE)["keeper"]["phase"] == "running")
    account = {"email": "a@factor.example", "name": "A"}
    answer = {"status": 200, "body": {"account": account, "printers": []}}
    (data(octoprint) / "agent/answers.json").write_text(json.dumps({"POST /v1/login": answer}))
    sent = {"email": "a@factor.example", "password": "hunter2hunter2", "server": "https://evil.example"}
    assert owner.errand("call/login", sent) == (200, answer["body"])
    body = [c["body"] for c in calls(octoprint) if c["call"] == "POST /v1/login"][-1]
    assert body == {"email": "a@factor.example", "password": "hunter2hunter2", "server": running[1].url, "ca_pem": ""}
    assert owner.status(owner.post, "/plugin/factor_mqtt/call/octoprint", {}) == 404
    assert "hunter2" not in octoprint.log()
    assert "hunter2" not in (octoprint.folder / "config.yaml").read_text()


def test_the_agents_refusals_come_through(octoprint, owner, until):
    until(lambda: owner.get(STATE)["keeper"]["phase"] == "running")
    refusal = {"code": "slow_down", "message": "Too many attempts.", "retry_after": 30}
    (data(octoprint) / "agent/answers.json").write_text(json.dumps({"POST /v1/login": {"status": 429, "body": refusal}}))
    assert owner.errand("call/login", {"email": "a", "password": "b"}) == (429, refusal)
    assert owner.status(owner.get, "/plugin/factor_mqtt/errand/none") == 404


def test_the_server_of_a_servers_zip_is_fixed(owner):
    status, body = owner.errand("server", {"url": "https://evil.example"})
    assert (status, body["code"]) == (502, "bad_url")


@pytest.mark.parametrize(("language", "words"), [("en", "Go to FACTOR website"), ("ko", "FACTOR 웹사이트로 이동")])
def test_the_pages_in_both_languages(octoprint, language, words):
    page = Person(octoprint, "owner", language).get(f"/?l10n={language}", text=True)
    assert words in page
    assert 'id="settings_plugin_factor_mqtt"' in page
    assert re.search(r">\s*FACTOR MQTT\s*<", page)
    for tab in ("login", "register", "mqtt", "status"):
        assert f'id="factor_mqtt_tab_{tab}"' in page
    assert "{{" not in page[page.index('id="settings_plugin_factor_mqtt"') :][:30000]


def test_the_words_of_the_script_in_korean(octoprint):
    script = Person(octoprint, "owner", "ko").get("/i18n/ko/messages.js", text=True)
    for words in ("준비됨", "연결 끊김"):
        assert words in script or words.encode("unicode_escape").decode() in script


def test_software_update_asks_our_server(octoprint, owner, running):
    running[1].offer("99.0.0", agent=agent_program("1.0.0"))
    try:
        found = owner.get("/plugin/softwareupdate/check?force=true")["information"]["factor_mqtt"]
        assert found["updateAvailable"] and found["updatePossible"]
        assert found["information"]["remote"]["value"] == "99.0.0"
        assert owner.get(STATE)["updates"]["available"] == "99.0.0"
    finally:
        running[1].offer(agent=agent_program("1.0.0"))


def test_the_diagnosis_tells_versions_and_no_secret(octoprint, owner, until):
    told = until(lambda: [c["body"] for c in calls(octoprint) if c["call"] == "POST /v1/octoprint"])[-1]
    status, body = owner.errand("diagnosis")
    assert status == 200
    assert "OctoPrint " in body["text"]
    assert told["api_key"] not in body["text"]


def test_what_is_kept_is_nobody_elses(octoprint):
    for path in data(octoprint).rglob("*.json"):
        if path.name in ("server.json", "slots.json", "release.json"):
            assert path.stat().st_mode & 0o077 == 0, path


def test_the_log_has_no_complaint_of_ours(octoprint):
    for line in octoprint.log().splitlines():
        assert not ("factor_mqtt" in line and (" ERROR " in line or "deprecat" in line.lower())), line


def test_octoprint_starts_and_ends_whatever_happens_to_us(tmp_path, until):
    """No server, and a data folder that is no folder."""
    octoprint = OctoPrint(tmp_path / "base")
    (octoprint.folder / "data/factor_mqtt").mkdir(parents=True)
    (octoprint.folder / "data/factor_mqtt/agent").write_text("in the way")
    with octoprint:
        owner = Person(octoprint, "owner")
        until(lambda: owner.get(STATE)["keeper"]["fault"])
        assert owner.get(STATE)["keeper"]["fault"]["code"] == "no_server"
        assert owner.errand("call/login", {"email": "a"})[1]["code"] == "no_server"


def test_nothing_runs_on_after_octoprint(tmp_path, until):
    with FactorDouble() as factor:
        factor.offer(agent=agent_program("1.0.0"))
        octoprint = OctoPrint(tmp_path / "base")
        (octoprint.package / "server.json").write_text(json.dumps(factor.document()))
        with octoprint:
            run = until(lambda: (p := data(octoprint) / "agent/runs.jsonl").exists() and json.loads(p.read_text()))
            until(lambda: Person(octoprint, "owner").get(STATE)["keeper"]["phase"] == "running")
        with pytest.raises(ProcessLookupError):
            os.kill(run["pid"], 0)
        told = [c["body"] for c in calls(octoprint) if c["call"] == "POST /v1/octoprint"]
        assert told
        assert told[-1]["api_key"] not in (octoprint.folder / "users.yaml").read_text()
