"""Calls that take seconds, done beside OctoPrint's web server: before 1.10 that one answers one request at a time, so a
camera test would hold up every page. The page gets a ticket at once and comes back for the answer.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from typing import Callable

from .faults import Fault

AT_A_TIME = 6
KEPT_S = 120  # an answer nobody came for


class Errands:
    """May be used by any thread. An answer is (status, JSON-able)."""

    def __init__(self, logger: logging.Logger):
        self._logger = logger
        self._lock = threading.Lock()
        self._tickets: dict = {}  # ticket → [time of the end or None, answer]

    def send(self, work: Callable[[], tuple]) -> str:
        """Starts it and gives its ticket; Fault too_many."""
        ticket = secrets.token_urlsafe(16)
        with self._lock:
            now = time.monotonic()
            self._tickets = {t: e for t, e in self._tickets.items() if e[0] is None or now - e[0] < KEPT_S}
            if sum(e[0] is None for e in self._tickets.values()) >= AT_A_TIME:
                raise Fault("too_many")
            self._tickets[ticket] = [None, None]
        threading.Thread(target=self._do, args=(ticket, work), name="factor_mqtt.errand", daemon=True).start()
        return ticket

    def answer(self, ticket: str) -> tuple | None:
        """None while it is on its way; KeyError for a ticket that is not there (any more). An answer is given once."""
        with self._lock:
            ended, answer = self._tickets[ticket]
            if ended is None:
                return None
            del self._tickets[ticket]
            return answer

    def _do(self, ticket: str, work: Callable[[], tuple]) -> None:
        try:
            answer = work()
        except Fault as fault:
            answer = (502, fault.as_dict())
        except Exception:
            self._logger.exception("MQTT: an errand of the page failed")
            answer = (500, Fault("internal").as_dict())
        with self._lock:
            self._tickets[ticket] = [time.monotonic(), answer]
