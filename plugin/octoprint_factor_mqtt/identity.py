"""The agent's account in OctoPrint: only what it needs, and a key that lives as long as the plugin runs."""

from __future__ import annotations

import logging
import secrets

from .faults import Fault

NAME = "factor"
# What it may do. SYSTEM, MONITOR_TERMINAL and SETTINGS are the owner's to tick in OctoPrint's access control. OctoPrint 1.4
# adds what every user may do there, which cannot be refused.
PERMISSIONS = (
    "STATUS",
    "CONNECTION",
    "PRINT",
    "CONTROL",
    "FILES_LIST",
    "FILES_UPLOAD",
    "FILES_DOWNLOAD",
    "FILES_DELETE",
    "FILES_SELECT",
    "WEBCAM",
)
# A mark in the user's own settings tells our account from a person's of the same name, also after a reinstallation.
MARK = ("plugins", "factor_mqtt", "agent")
TRIES = 20


class Identity:
    """Used by the keeper's thread and at the end by OctoPrint's."""

    def __init__(self, user_manager, settings, permissions, logger: logging.Logger):
        self._users = user_manager
        self._settings = settings
        self._permissions = permissions
        self._logger = logger
        self._name = ""

    def key(self) -> str:
        """A new API key for the agent's account, which is made when it is missing. Fault octoprint_identity."""
        if not getattr(self._users, "enabled", True):
            # OctoPrint 1.4 without access control has no accounts; whoever reaches it may do everything
            key = self._settings.global_get(["api", "key"])
            if not key:
                raise Fault("octoprint_identity", "access control is off, and there is no API key")
            return key
        if not self._users.has_been_customized():
            # Any account of ours would make OctoPrint believe that its owner's is there, and leave it without
            raise Fault("octoprint_identity", "OctoPrint's own first set-up is not finished")
        try:
            if not self._name:
                self._name = self._find_or_make()
            return self._users.generate_api_key(self._name)
        except Fault:
            raise
        except Exception as err:
            self._name = ""
            raise Fault("octoprint_identity", f"{type(err).__name__}: {err}") from err

    def end(self) -> None:
        """Takes the key away: a plugin that was removed leaves no way in."""
        name, self._name = self._name, ""
        if not name:
            return
        try:
            self._users.delete_api_key(name)
        except Exception:
            self._logger.exception("MQTT: the agent's API key could not be removed")

    def _find_or_make(self) -> str:
        for number in range(1, TRIES):
            name = NAME if number == 1 else f"{NAME}-{number}"
            if self._users.find_user(name) is None:
                self._users.add_user(name, secrets.token_urlsafe(32), active=True, permissions=self._allowed(), groups=[])
                self._users.change_user_setting(name, MARK, True)
                self._logger.info("MQTT: made the OctoPrint account %s for the agent", name)
                return name
            if self._users.get_user_setting(name, MARK) is True:
                return name
        raise Fault("octoprint_identity", "every name for the account is taken")

    def _allowed(self) -> list:
        found = (getattr(self._permissions, name, None) for name in PERMISSIONS)
        return [p for p in found if p is not None]
