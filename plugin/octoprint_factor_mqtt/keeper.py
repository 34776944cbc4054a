"""Keeps the agent running: fetches it, starts it, watches it, goes back to the one before when a new one fails."""

from __future__ import annotations

import logging
import os
import threading
import time
from dataclasses import dataclass
from typing import Callable

from . import durable, fetch, release
from .faults import Fault
from .local_api import LocalAPI
from .process import Process
from .server import Home, Server
from .slots import Slot, Slots

RELEASE = "release.json"  # the last signed list of versions, as it came


@dataclass(frozen=True)
class Times:
    """Seconds. Tests take shorter ones."""

    healthy_within: float = 60  # a Pi Zero that starts OctoPrint at the same time
    watch_every: float = 15
    look_every: float = 1  # while somebody looks at the page
    look_for: float = 10
    silent_for: float = 90
    steady_after: float = 600
    newer_every: float = 3600
    back_off: tuple = (1, 2, 5, 10, 30, 60, 120, 300)


TRIES = 2  # of a new program before the one before runs again
# Waiting does not cure these, the owner does: tried again seldom.
FOR_THE_OWNER = ("no_server", "no_agent_for_platform", "noexec", "wrong_platform", "signature_wrong", "checksum_wrong", "older")


class Keeper:
    """One thread owns the process and the slots; what others may know is behind a lock.

    introduce is called each time an agent has come up: it tells it about OctoPrint. idle says whether nothing prints,
    so that a new version may be fetched.
    """

    def __init__(
        self,
        home: Home,
        folder: str,
        introduce: Callable[[LocalAPI], None],
        logger: logging.Logger,
        idle: Callable[[], bool] = lambda: True,
        times: Times = Times(),  # noqa: B008, it is frozen
    ):
        self.home = home
        self.folder = os.path.join(folder, "agent")
        self.api = LocalAPI(self.folder)
        self._release_file = os.path.join(folder, RELEASE)
        self._programs = os.path.join(folder, "programs")
        self._introduce, self._idle, self._times, self._logger = introduce, idle, times, logger
        self._slots: Slots | None = None
        self._thread: threading.Thread | None = None
        self._stop, self._wake = threading.Event(), threading.Event()
        self._failures = 0
        self._next_newer = 0.0
        self._introduced = False
        self._lock = threading.Lock()
        # in the lock:
        self._fault: Fault | None = None
        self._note: Fault | None = None  # something to know that keeps nothing from running
        self._phase = "starting"
        self._slot: Slot | None = None
        self._status: object = None
        self._looked_at = -1e9
        self._retry = False
        self._given_up = ""  # SHA-256 of a program

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="factor_mqtt.keeper", daemon=True)
        self._thread.start()

    def stop(self, within_s: float = 25) -> None:
        """Ends the agent and the thread."""
        self._stop.set()
        self._wake.set()
        if self._thread:
            self._thread.join(within_s)

    def retry(self) -> None:
        """The owner has done something about it: try at once, also what was given up."""
        with self._lock:
            self._retry = True
        self._wake.set()

    def state(self) -> dict:
        """For the page: who looks gets fresh figures from now on. "agent" is the agent's own status or None."""
        with self._lock:
            looked_before, self._looked_at = self._looked_at, time.monotonic()
            state = {
                "phase": self._phase,
                "fault": self._fault.as_dict() if self._fault else None,
                "note": self._note.as_dict() if self._note else None,
                "agent_version": self._slot.version if self._slot else "",
                "agent": self._status,
            }
        if time.monotonic() - looked_before > self._times.look_for:
            self._wake.set()
        return state

    def look(self) -> None:
        """Asks the agent how it is now, for who has just had it do something and looks at the page for the outcome."""
        with self._lock:
            running = self._phase == "running"
        if running:
            self._ask()

    def agent_version(self) -> str:
        with self._lock:
            return self._slot.version if self._slot else ""

    def is_other_agent(self, offered: release.Release) -> bool:
        """Whether a list of versions has another agent for this machine than the one here."""
        with self._lock:
            slot, given_up = self._slot, self._given_up
        program = offered.agents.get(release.this_platform())
        return slot is not None and program is not None and program.sha256 not in (slot.sha256, given_up)

    def accept(self, document: bytes) -> None:
        """A signed list of versions that the owner wants (Software Update): its agent is fetched when nothing prints."""
        durable.write(self._release_file, document)
        self.retry()

    # The thread

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._turn()
                self._failures = 0
                continue
            except Fault as fault:
                self._complain(fault)
            except Exception:
                self._logger.exception("MQTT: the agent's keeper stumbled")
                self._complain(Fault("internal"))
            self._failures += 1
            self._pause()
        self._set(phase="stopped", status=None)

    def _turn(self) -> None:
        """One life of the agent, from the program on disk to its end."""
        if self._slots is None:
            self._slots = Slots(self._programs)
            self._set(given_up=self._slots.last_bad())
        slot = self._slots.current()
        if slot is None:
            slot = self._install(self.home.require())
        elif self._failures >= TRIES:
            slot = self._another(slot) or slot
        self._set(slot=slot, phase="starting")
        self._introduced = False
        server = self.home.server
        self._prepare_folder(server)
        process = Process(slot.path, self.folder, self.api, self._logger)
        try:
            self._logger.info("MQTT agent %s started, process %d", slot.version, process.pid)
            self._wait_healthy(process)
            self._slots.works()
            self._watch(process, slot, server)
        except Fault as fault:
            process.end()
            self._give_up(slot, fault)
            raise
        finally:
            process.end()
            self._set(status=None)

    def _prepare_folder(self, server: Server | None) -> None:
        try:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
        except OSError as err:
            raise durable.as_fault(err) from err
        if server:  # whom to trust: the agent starts before it knows any account
            durable.write_json(os.path.join(self.folder, "server.json"), {"url": server.url, "ca_pem": server.ca_pem})

    def _wait_healthy(self, process: Process) -> None:
        end = time.monotonic() + self._times.healthy_within
        while not self._stop.is_set():
            if process.ended(0.2) is not None:
                raise process.fault()
            if self._ask():
                self._set(phase="running", fault=None)
                self._tell()
                return
            if time.monotonic() > end:
                raise Fault("agent_silent")

    def _tell(self) -> None:
        """Tells the agent about OctoPrint; what fails is tried again, an agent that knows nothing can still register."""
        try:
            self._introduce(self.api)
            self._introduced = True
        except Fault as fault:
            self._note_once(fault)
        except Exception:
            self._logger.exception("MQTT: the agent could not be told about OctoPrint")
            self._introduced = True  # not a matter of another try

    def _watch(self, process: Process, slot: Slot, server: Server | None) -> None:
        """Until the agent is to end or has ended by itself, which is a fault."""
        answered = time.monotonic()
        while not self._stop.is_set():
            self._wake.wait(self._times.look_every if self._looked() else self._times.watch_every)
            self._wake.clear()
            if self._stop.is_set():
                return
            if process.ended() is not None:
                raise process.fault()
            if self._take_retry():
                if self.home.server != server:
                    return  # to start again with the server that the owner has chosen
                self._forgive()
                self._next_newer = 0
                self._introduced = False
            now = time.monotonic()
            if self._ask():
                answered = now
                if not self._introduced:
                    self._tell()
            elif now - answered > self._times.silent_for:
                raise Fault("agent_silent")
            if now - process.started > self._times.steady_after:
                self._failures = 0
            if self._newer(slot):
                return

    def _ask(self) -> bool:
        try:
            answer = self.api.call("GET", "/v1/status", timeout=5)
        except Fault:
            return False
        status = answer.json()
        if answer.status != 200 or not isinstance(status, dict):
            return False
        self._set(status=status)
        return True

    def _give_up(self, slot: Slot, fault: Fault) -> None:
        """After a few failures of a program that never worked, the one before runs again."""
        if slot.good or self._failures + 1 < TRIES or fault.code == "agent_busy":
            return
        current = self._slots.current()
        if current and not current.good and self._slots.go_back():
            self._failures = 0
            self._logger.warning("MQTT agent %s did not work (%s), the one before runs again", slot.version, fault)
            self._set(note=Fault("went_back", f"{slot.version}: {fault}"), given_up=slot.sha256)

    # The program

    def _wanted(self, server: Server) -> release.Program | None:
        """The agent that the newest list known here names: the installed zip's, or a signed one that came later."""
        program = server.agents.get(release.this_platform())
        try:
            with open(self._release_file, "rb") as f:
                later = release.parse(f.read(), server.signing_key)
        except (OSError, Fault):
            return program
        if release.version_key(later.version) < release.version_key(server.plugin_version):
            return program
        return later.agents.get(release.this_platform(), program)

    def _newer(self, slot: Slot) -> bool:
        """Fetches another agent than the running one when one is wanted; True when it is to be started."""
        server = self.home.server
        if server is None or time.monotonic() < self._next_newer:
            return False
        self._next_newer = time.monotonic() + self._times.newer_every
        wanted = self._wanted(server)
        if wanted is None or wanted.sha256 == slot.sha256 or self._slots.is_bad(wanted.sha256):
            return False
        if not self._idle():
            self._next_newer = time.monotonic() + min(60, self._times.newer_every)
            return False
        try:
            self._failures = 0
            self._set(note=None)
            return self._install(server).sha256 != slot.sha256
        except Fault as fault:
            self._note_once(fault)
            self._set(phase="running")  # what runs goes on
            return False

    def _another(self, slot: Slot) -> Slot | None:
        """What the server offers now in place of a program that keeps failing, if it is another one."""
        server = self.home.server
        if server is None:
            return None
        try:
            program = server.release().agents.get(release.this_platform())
            if program is None or program.sha256 == slot.sha256 or self._slots.is_bad(program.sha256):
                return None
            return self._install(server)
        except Fault as fault:
            self._note_once(fault)
            return None

    def _install(self, server: Server) -> Slot:
        """Fetches the agent that the server's signed list of now names for this machine."""
        name = release.this_platform()
        self._set(phase="fetching")
        document = fetch.get(server.url + "/plugin/version.json", server.trust())
        offered = release.parse(document, server.signing_key)
        if release.version_key(offered.version) < release.version_key(server.plugin_version):
            raise Fault("older", offered.version)
        program = offered.agents.get(name)
        if program is None:
            raise Fault("no_agent_for_platform", name)
        if self._slots.is_bad(program.sha256):
            raise Fault("agent_crashed", f"{offered.agent_version} was tried and did not work")
        self._logger.info("MQTT: fetching agent %s for %s", offered.agent_version, name)
        slot = self._slots.install(
            program,
            lambda out, limit: fetch.download(
                f"{server.url}/plugin/agent/{name}", server.trust(), out, limit, cancelled=self._stop.is_set
            ),
        )
        durable.write(self._release_file, document)
        return slot

    # State

    def _set(self, **changes: object) -> None:
        with self._lock:
            for name, value in changes.items():
                setattr(self, "_" + name, value)

    def _complain(self, fault: Fault) -> None:
        with self._lock:
            again = self._fault is not None and self._fault.args == fault.args
            self._fault, self._phase = fault, "waiting"
        self._logger.log(logging.DEBUG if again else logging.WARNING, "MQTT: %s", fault)

    def _forgive(self) -> None:
        if self._slots:
            self._slots.retry_all()
        self._set(given_up="")

    def _note_once(self, fault: Fault) -> None:
        with self._lock:
            again = self._note is not None and self._note.args == fault.args
            self._note = fault
        self._logger.log(logging.DEBUG if again else logging.WARNING, "MQTT: %s", fault)

    def _looked(self) -> bool:
        with self._lock:
            return time.monotonic() - self._looked_at < self._times.look_for

    def _take_retry(self) -> bool:
        with self._lock:
            retry, self._retry = self._retry, False
            return retry

    def _pause(self) -> None:
        """Between two lives: longer after each failure, until the owner asks for another try."""
        with self._lock:
            code = self._fault.code if self._fault else ""
        steps = self._times.back_off
        pause = steps[-1] if code in FOR_THE_OWNER else steps[min(self._failures, len(steps)) - 1]
        end = time.monotonic() + pause
        while not self._stop.is_set():
            left = end - time.monotonic()
            if left <= 0:
                return
            self._wake.wait(left)
            self._wake.clear()
            if self._take_retry():
                self._failures = 0
                self._forgive()
                return
