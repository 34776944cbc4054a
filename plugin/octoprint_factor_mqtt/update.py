"""Updates from the owner's own server, through OctoPrint's Software Update.

OctoPrint's ready-made ways fetch with public certificates only and check no signature. So the check and the update are
ours: the server's list of versions is signed, nothing older is taken, the zip's checksum is in the list, and the new
version must start in a folder of its own before pip, which knows no way back, puts it in place of this one.
"""

from __future__ import annotations

import logging
import os
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time
import zipfile

from . import durable, fetch, release
from .faults import Fault
from .keeper import Keeper
from .server import MAX_ZIP, Home
from .version import VERSION

PACKAGE = "octoprint_factor_mqtt"
MAX_UNPACKED = 50 << 20  # bytes
MAX_FILES = 2000
IMPORT_TIMEOUT_S = 300  # a Pi Zero takes most of a minute for OctoPrint's modules

TRIAL = """
import os, sys
folder = os.path.realpath(sys.argv[1])
sys.path.insert(0, folder)
import octoprint_factor_mqtt as plugin
assert os.path.realpath(plugin.__file__).startswith(folder + os.sep), "another installation is in the way"
assert plugin.__plugin_identifier__ == "factor_mqtt"
plugin.__plugin_load__()
print("version=" + plugin.__plugin_version__)
"""

# octoprint_setuptools: OctoPrint looks for this word and then lets pip build without fetching anything.
SETUP = """
from setuptools import setup
setup(
    name="OctoPrint-FACTOR-MQTT", version={version!r}, packages=["octoprint_factor_mqtt"], zip_safe=False,
    package_data={{"octoprint_factor_mqtt": ["server.json", "static/*/*", "templates/*", "translations/*/LC_MESSAGES/*"]}},
    entry_points={{"octoprint.plugin": ["factor_mqtt = octoprint_factor_mqtt"]}},
)
"""


class Updates:
    """OctoPrint's python_checker and python_updater in one. Its threads call; the lock guards what the page shows."""

    def __init__(self, home: Home, keeper: Keeper, data_folder: str, settings, logger: logging.Logger):
        self._home, self._keeper, self._settings, self._logger = home, keeper, settings, logger
        self._folder = os.path.join(data_folder, "packages")
        self._lock = threading.Lock()
        self._last: dict = {"checked_at": None, "available": "", "fault": None, "way_back": self._way_back()}

    def __repr__(self) -> str:
        # OctoPrint makes the key of its cache of this: what it holds is true for one installed version
        return f"<factor_mqtt.Updates {VERSION}>"

    def __deepcopy__(self, _memo) -> Updates:
        return self  # OctoPrint copies what the hook gives; there is one of us

    def state(self) -> dict:
        with self._lock:
            return dict(self._last)

    def configuration(self) -> dict:
        """For the hook octoprint.plugin.softwareupdate.check_config."""
        return {
            "displayName": "FACTOR MQTT",
            "displayVersion": VERSION,
            "current": VERSION,
            "type": "python_checker",
            "python_checker": self,
            "python_updater": self,
            # No "offline": OctoPrint up to 2.0 stumbles over its own updates while it believes to be offline. In a house
            # without internet its connectivity check is to be turned off; it then counts as online.
            "restart": "octoprint",
        }

    # No annotations and no keyword-only arguments on these two: OctoPrint asks inspect.getargspec about them.

    def get_latest(self, target, check, full_data=False, online=True):
        """Says what the server offers. It never raises: from Python 3.11 on, OctoPrint up to 1.11 would answer an
        error with one of its own. Why nothing was found is in the remote's name, the log and the Status tab.
        """
        agent = self._keeper.agent_version()
        local = {"name": _name(VERSION, agent), "value": VERSION}
        try:
            server = self._home.require()
            offered = server.release()
            wanted = self._what(offered)
            self._note(available=offered.version if wanted else "", fault=None)
        except Fault as fault:
            self._logger.warning("MQTT: no answer about updates: %s", fault)
            self._note(available="", fault=fault.as_dict())
            return {"local": local, "remote": {"name": f"? ({fault})", "value": VERSION}}, True
        remote = {
            "name": _name(offered.version, offered.agent_version),
            "value": offered.version if "plugin" in wanted else VERSION,
        }
        return {"local": local, "remote": remote}, not wanted

    def perform_update(self, target, check, target_version, log_cb=None, online=True, force=False):
        """Fetches, checks, tries and installs. What is refused changes nothing."""
        say = _Sayer(log_cb, self._logger)
        try:
            return self._update(say, force)
        except Fault as fault:
            self._note(fault=fault.as_dict())
            say(f"refused, nothing was changed: {fault}", prefix="!")
            raise _update_error(fault) from fault

    def _update(self, say, force: bool) -> str:
        server = self._home.require()
        document = fetch.get(server.url + "/plugin/version.json", server.trust())
        offered = release.parse(document, server.signing_key)
        wanted = self._what(offered)
        say(f"{server.url} offers {_name(offered.version, offered.agent_version)}, signed by the key of this server")
        if "plugin" in wanted or force:
            self._replace_plugin(server, offered, say)
        elif "agent" in wanted:
            self._keeper.accept(document)
            say("the new agent is fetched as soon as nothing prints")
        self._note(available="", fault=None)
        return "ok"

    def _what(self, offered: release.Release) -> tuple:
        """What of it is newer than what is here. Fault older: somebody shows yesterday's list."""
        here, there = release.version_key(VERSION), release.version_key(offered.version)
        if there < here:
            raise Fault("older", offered.version)
        wanted = ("plugin",) if there > here else ()
        return wanted + (("agent",) if self._keeper.is_other_agent(offered) else ())

    def _replace_plugin(self, server, offered: release.Release, say) -> None:
        try:
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            scratch = tempfile.mkdtemp(prefix="trial-", dir=self._folder)
        except OSError as err:
            raise durable.as_fault(err) from err
        try:
            archive = os.path.join(scratch, "factor.zip")
            # The address comes from the signed list; the checksum decides, wherever it leads.
            url = offered.zip_url if offered.zip_url.startswith(("http://", "https://")) else server.url + "/plugin/factor.zip"
            with open(archive, "wb") as out:
                found = fetch.download(url, fetch.trusting(server.ca_pem), out, MAX_ZIP)
            if found != offered.zip_sha256:
                raise Fault("checksum_wrong", "factor.zip")
            say("checksum is right, trying it in a folder of its own")
            try_out(archive, scratch, offered.version)
            self._pack_way_back()
            self._install(archive, say)
        except OSError as err:
            raise durable.as_fault(err) from err
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        say(f"{VERSION} was replaced by {offered.version}. To go back: {way_back_by(self._kept()[-1])}")

    def _way_back(self) -> str:
        """The command that installs the version before this one again; nothing when there was none."""
        before = [path for path in self._kept() if not path.endswith(f"-{VERSION}.zip")]
        return way_back_by(before[-1]) if before else ""

    def _kept(self) -> list:
        """The packed earlier versions, the latest last."""
        try:
            packed = [os.path.join(self._folder, f) for f in os.listdir(self._folder) if f.endswith(".zip")]
            return sorted(packed, key=os.path.getmtime)
        except OSError:
            return []

    def _pack_way_back(self) -> None:
        """Packs what is installed now; the two latest are kept."""
        package = os.path.dirname(os.path.abspath(__file__))
        path = os.path.join(self._folder, f"{PACKAGE}-{VERSION}.zip")
        with zipfile.ZipFile(path + ".new", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{PACKAGE}-{VERSION}/setup.py", "# octoprint_setuptools" + SETUP.format(version=VERSION))
            for folder, folders, files in os.walk(package):
                folders[:] = [f for f in folders if f != "__pycache__"]
                for name in files:
                    file = os.path.join(folder, name)
                    archive.write(file, f"{PACKAGE}-{VERSION}/{PACKAGE}/{os.path.relpath(file, package)}")
        os.replace(path + ".new", path)
        for old in self._kept()[:-2]:
            durable.remove(old)

    def _install(self, archive: str, say) -> None:
        caller = pip_caller(self._settings.global_get(["server", "commands", "localPipCommand"]))
        if caller is None or not caller.available:
            raise Fault("pip_failed", "OctoPrint found no pip")
        caller.on_log_call = lambda *lines: say(*lines, prefix=" ")
        caller.on_log_stdout = lambda *lines: say(*lines, prefix=">")
        caller.on_log_stderr = lambda *lines: say(*lines, prefix="!")
        arguments = ["--disable-pip-version-check", "install", archive, "--upgrade", "--no-deps", "--no-cache-dir"]
        code, _, errors = caller.execute(*arguments, *build_arguments(archive))
        if code:
            raise Fault("pip_failed", " ".join(str(line).strip() for line in errors)[-300:])

    def _note(self, **changes) -> None:
        with self._lock:
            self._last.update(changes)
            if "available" in changes:
                self._last["checked_at"] = time.time()


def _name(plugin: str, agent: str) -> str:
    return f"{plugin} (agent {agent})" if agent else plugin


def way_back_by(path: str) -> str:
    """A line for a shell, with the pip of OctoPrint's own environment."""
    return f"{shlex.quote(sys.executable)} -m pip install --no-deps --no-build-isolation {shlex.quote(path)}"


class _Sayer:
    """Lines for the dialog of OctoPrint's Software Update and for the log."""

    def __init__(self, log_cb, logger: logging.Logger):
        self._log_cb, self._logger = log_cb, logger

    def __call__(self, *lines: str, prefix: str = "#") -> None:
        for line in lines:
            self._logger.info("MQTT update: %s", line)
        if self._log_cb:
            self._log_cb(list(lines), prefix=prefix, stream="message")


def _update_error(fault: Fault) -> Exception:
    try:
        from octoprint.plugins.softwareupdate.exceptions import UpdateError
    except ImportError:
        return fault
    return UpdateError(str(fault), str(fault))


def try_out(archive: str, scratch: str, version: str) -> None:
    """Unpacks a zip and starts what is in it, far from the installation; Fault not_importable says why not."""
    folder = os.path.join(scratch, "unpacked")
    try:
        unpack(archive, folder)
    except (zipfile.BadZipFile, ValueError, RuntimeError, NotImplementedError, EOFError) as err:
        raise Fault("not_importable", f"the zip is damaged: {err}") from err
    root = folder
    names = os.listdir(folder)
    if not os.path.isfile(os.path.join(root, "setup.py")) and len(names) == 1:
        root = os.path.join(folder, names[0])
    if not os.path.isfile(os.path.join(root, "setup.py")):
        raise Fault("not_importable", "the zip holds no plugin")
    try:
        answer = subprocess.run(
            [sys.executable, "-B", "-c", TRIAL, root],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd=scratch,
            timeout=IMPORT_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired) as err:
        raise Fault("not_importable", type(err).__name__) from err
    if answer.returncode:
        reason = answer.stderr.decode("utf-8", "replace").strip().splitlines()
        raise Fault("not_importable", reason[-1][:300] if reason else f"exit {answer.returncode}")
    said = answer.stdout.decode("utf-8", "replace").strip().splitlines()
    found = said[-1][len("version=") :] if said and said[-1].startswith("version=") else ""
    if release.version_key(found) != release.version_key(version):
        raise Fault("not_importable", f"it says it is {found or 'no version'}, the list says {version}")


def unpack(archive: str, folder: str) -> None:
    """ValueError for a zip with paths that lead outside, links, or more than a plugin can have."""
    with zipfile.ZipFile(archive) as z:
        entries = z.infolist()
        if len(entries) > MAX_FILES or sum(e.file_size for e in entries) > MAX_UNPACKED:
            raise ValueError("it is too large")
        for entry in entries:
            parts = entry.filename.replace("\\", "/").split("/")
            if entry.filename.startswith(("/", "\\")) or ".." in parts or ":" in entry.filename:
                raise ValueError("a path in it leads outside")
            if stat.S_ISLNK(entry.external_attr >> 16):
                raise ValueError("a link is in it")
        z.extractall(folder)


def pip_caller(command):
    """OctoPrint's own way to pip: it knows the environment."""
    from octoprint.util import pip

    try:
        if hasattr(pip, "create_pip_caller"):
            return pip.create_pip_caller(command=command)
        return pip.PipCaller(configured=command)  # before 1.6
    except pip.UnknownPip:
        return None


def build_arguments(archive: str) -> list:
    """Newer pips build in an environment that they fetch first; OctoPrint knows when to tell them not to."""
    try:
        from octoprint.util.plugins import PRE_PEP517_PIP_ARGS, is_pre_pep517_plugin_package
    except ImportError:  # before 1.11
        return []
    return list(PRE_PEP517_PIP_ARGS) if is_pre_pep517_plugin_package(archive) else []
