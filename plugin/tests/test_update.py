"""Updates through OctoPrint's Software Update: what is offered, what is refused before pip runs, what is installed."""

import copy
import io
import json
import os
import shlex
import stat
import subprocess
import sys
import zipfile

import pytest
from factor_double import KEY, agent_program, plugin_zip, signed

from octoprint_factor_mqtt import release, update
from octoprint_factor_mqtt.server import Home
from octoprint_factor_mqtt.update import Updates
from octoprint_factor_mqtt.version import VERSION

NEWER = "99.0.0"


class Keeper:
    """The keeper, as far as updates ask it."""

    def __init__(self):
        self.other = False
        self.accepted = []

    def agent_version(self):
        return "1.0.0"

    def is_other_agent(self, offered):
        return self.other

    def accept(self, document):
        self.accepted.append(document)


class Pip:
    """OctoPrint's caller of pip."""

    available = True

    def __init__(self, code=0):
        self.code = code
        self.calls = []

    def execute(self, *arguments, **_):
        with zipfile.ZipFile(arguments[2]) as archive:
            self.calls.append((arguments, archive.namelist()))
        self.on_log_call("pip " + " ".join(arguments))
        return self.code, [], ["no luck"] if self.code else []


class Settings:
    def global_get(self, path):
        return None


@pytest.fixture
def pip(monkeypatch):
    caller = Pip()
    monkeypatch.setattr(update, "pip_caller", lambda command: caller)
    return caller


@pytest.fixture
def updates(tmp_path, factor, logger):
    package, data = tmp_path / "package", tmp_path / "data"
    package.mkdir()
    data.mkdir()
    (package / "server.json").write_text(json.dumps(factor.document(VERSION)))
    return Updates(Home(str(package), str(data)), Keeper(), str(data), Settings(), logger)


def offer(factor, content=None, **more):
    content = plugin_zip(NEWER, factor.document(NEWER)) if content is None else content
    return factor.offer(more.pop("version", NEWER), agent=agent_program(), zip_content=content, **more)


def refused(updates):
    said = []
    with pytest.raises(Exception) as refusal:
        updates.perform_update("factor_mqtt", {}, NEWER, log_cb=lambda lines, **_: said.extend(lines))
    assert "refused, nothing was changed" in said[-1]
    assert type(refusal.value).__name__ == "UpdateError"
    assert not [f for f in os.listdir(updates._folder) if f.startswith("trial-")] if os.path.isdir(updates._folder) else True
    return updates.state()["fault"]["code"]


def test_a_newer_version_is_offered(updates, factor):
    offer(factor)
    information, current = updates.get_latest("factor_mqtt", {}, full_data=True, online=True)
    assert not current
    assert information["local"] == {"name": f"{VERSION} (agent 1.0.0)", "value": VERSION}
    assert information["remote"] == {"name": f"{NEWER} (agent 1.0.0)", "value": NEWER}
    assert updates.state()["available"] == NEWER


def test_the_same_version_is_current(updates, factor):
    offer(factor, version=VERSION)
    assert updates.get_latest("factor_mqtt", {})[1]
    assert updates.state()["available"] == ""
    updates._keeper.other = True  # only the agent is another one
    information, current = updates.get_latest("factor_mqtt", {})
    assert not current
    assert information["remote"]["value"] == VERSION


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda f: f.files.clear(), "not_factor"),
        (lambda f: f.offer("0.0.1"), "older"),
        (lambda f: f.files.update({"/plugin/version.json": (200, signed({"version": NEWER}, bytes(32)))}), "signature_wrong"),
        (lambda f: f.files.update({"/plugin/version.json": (200, b'{"version":"99"}')}), "not_factor"),
        (lambda f: f.files.update({"/plugin/version.json": (503, b"")}), "server_unreachable"),
    ],
)
def test_a_check_that_fails_offers_nothing_and_says_why(updates, factor, pip, spoil, code):
    offer(factor)
    spoil(factor)
    information, current = updates.get_latest("factor_mqtt", {})
    assert current
    assert information["remote"]["value"] == VERSION
    assert code in information["remote"]["name"]
    assert updates.state()["fault"]["code"] == code
    assert refused(updates) == code
    assert pip.calls == []


def test_it_is_installed_from_a_file_that_was_checked(updates, factor, pip):
    offer(factor)
    said = []
    answer = updates.perform_update(
        "factor_mqtt", {}, NEWER, log_cb=lambda lines, **_: said.extend(lines), online=True, force=False
    )
    assert answer == "ok"
    (arguments, names), = pip.calls  # fmt: skip
    assert arguments[:2] == ("--disable-pip-version-check", "install")
    assert {"--no-deps", "--upgrade"} <= set(arguments)
    assert arguments[2].startswith(updates._folder)
    assert "octoprint_factor_mqtt/server.json" in names
    (way_back,) = updates._kept()
    assert way_back in said[-1]
    assert updates.state()["way_back"] == ""  # until the other version runs, and finds it
    with zipfile.ZipFile(way_back) as archive:
        setup = archive.read(f"octoprint_factor_mqtt-{VERSION}/setup.py")
        assert b"octoprint_setuptools" in setup
        compile(setup, "setup.py", "exec")
        assert (
            f"octoprint_factor_mqtt-{VERSION}/octoprint_factor_mqtt/templates/factor_mqtt_settings.jinja2" in archive.namelist()
        )
    assert os.listdir(updates._folder) == [os.path.basename(way_back)]


def test_the_way_back_can_be_installed(updates, tmp_path, monkeypatch):
    os.makedirs(updates._folder)
    updates._pack_way_back()
    assert updates._way_back() == ""
    monkeypatch.setattr(update, "VERSION", NEWER)
    command = shlex.split(updates._way_back())
    assert command[:4] == [sys.executable, "-m", "pip", "install"]
    target = tmp_path / "target"
    more = ["--no-index", "--target", str(target), "--disable-pip-version-check", "--quiet"]
    done = subprocess.run([*command, *more], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (target / "octoprint_factor_mqtt/translations/ko/LC_MESSAGES/messages.mo").exists()


def without(name):
    return lambda f: plugin_zip(NEWER, f.document(NEWER), {name: None})


def with_file(name, content):
    return lambda f: plugin_zip(NEWER, f.document(NEWER), {name: content})


def plain(entries):
    def make(_):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for name, content in entries:
                archive.writestr(name, content)
        return out.getvalue()

    return make


def link():
    info = zipfile.ZipInfo("octoprint_factor_mqtt/x")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (without("keeper.py"), "No module named"),
        (with_file("endpoints.py", b"import nothing_like_this\n"), "nothing_like_this"),
        (with_file("keeper.py", b"def broken(:\n"), "SyntaxError"),
        (with_file("__init__.py", b"__plugin_identifier__ = 'other'\n"), "AssertionError"),
        (lambda f: plugin_zip("98.0.0", f.document(NEWER)), "98.0.0"),
        (lambda f: plugin_zip(NEWER)[:5000], "damaged"),
        (plain([("readme.txt", "x")]), "no plugin"),
        (plain([("../../evil.py", "x"), ("setup.py", "")]), "outside"),
        (plain([("/etc/evil", "x"), ("setup.py", "")]), "outside"),
        (plain([("C:/evil", "x"), ("setup.py", "")]), "outside"),
        (plain([(link(), "/etc/passwd"), ("setup.py", "")]), "link"),
        (plain([("setup.py", bytes(51 << 20))]), "too large"),
    ],
)
def test_what_does_not_start_is_refused_before_pip_runs(updates, factor, pip, make, reason):
    content = make(factor)
    if len(content) > update.MAX_ZIP:
        factor_zip = io.BytesIO()
        with zipfile.ZipFile(factor_zip, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("setup.py", bytes(51 << 20))
        content = factor_zip.getvalue()
    offer(factor, content)
    assert refused(updates) == "not_importable"
    assert reason in updates.state()["fault"]["message"]
    assert pip.calls == []


def test_what_was_changed_on_the_way_is_refused(updates, factor, pip):
    offer(factor)
    factor.files["/plugin/factor.zip"] = (
        200,
        plugin_zip(NEWER, {**factor.document(NEWER), "url": "https://elsewhere.example"}),
    )
    assert refused(updates) == "checksum_wrong"
    whole = plugin_zip(NEWER, factor.document(NEWER))
    offer(factor, whole)
    factor.files["/plugin/factor.zip"] = (200, whole[: len(whole) // 2])  # cut off
    assert refused(updates) == "checksum_wrong"
    assert pip.calls == []


def test_an_unsigned_address_is_not_followed(updates, factor, pip):
    offer(factor)
    document = json.loads(factor.files["/plugin/version.json"][1])
    document["zip_url"] = "https://elsewhere.example/factor.zip"
    document["version"] = "100.0.0"
    factor.files["/plugin/version.json"] = (200, json.dumps(document).encode())
    assert updates.perform_update("factor_mqtt", {}, NEWER) == "ok"
    assert len(pip.calls) == 1


def test_pip_that_fails(updates, factor, pip):
    offer(factor)
    pip.code = 1
    assert refused(updates) == "pip_failed"
    assert "no luck" in updates.state()["fault"]["message"]
    pip.available = False
    assert refused(updates) == "pip_failed"


def test_only_the_agent(updates, factor, pip):
    offer(factor, version=VERSION)
    updates._keeper.other = True
    assert updates.perform_update("factor_mqtt", {}, VERSION) == "ok"
    assert pip.calls == []
    (document,) = updates._keeper.accepted
    assert release.parse(document, KEY).version == VERSION


def test_nothing_new_changes_nothing(updates, factor, pip):
    offer(factor, version=VERSION)
    assert updates.perform_update("factor_mqtt", {}, VERSION) == "ok"
    assert pip.calls == []
    assert updates._keeper.accepted == []


def test_octoprint_runs_the_check_and_the_update_as_its_own(updates, factor, pip):
    """The two functions of OctoPrint that call ours, with what the hook gives it."""
    checker = pytest.importorskip("octoprint.plugins.softwareupdate.version_checks.python_checker")
    updater = pytest.importorskip("octoprint.plugins.softwareupdate.updaters.python_updater")
    offer(factor)
    check = copy.deepcopy(updates.configuration())
    assert checker.get_latest("factor_mqtt", check, full_data=True, online=True)[1] is False
    assert updater.can_perform_update("factor_mqtt", check, online=True)
    assert updater.perform_update("factor_mqtt", check, NEWER, log_cb=None, online=True) == "ok"
    assert repr(updates) == repr(updates)


def test_octoprints_own_pip_can_be_asked():
    caller = update.pip_caller(None)
    assert caller is None or hasattr(caller, "execute")


def test_a_pip_of_today_is_told_not_to_build_in_isolation(tmp_path):
    pytest.importorskip("octoprint.util.plugins")
    archive = tmp_path / "factor.zip"
    archive.write_bytes(plugin_zip(NEWER))
    assert "--no-build-isolation" in update.build_arguments(str(archive))
