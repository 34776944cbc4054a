"""FACTOR for OctoPrint: starts the agent that reports to a FACTOR server, and has the pages to set it up.

Nothing here is in the path of a print: no hook sees G-code, no handler runs on OctoPrint's event thread, and whatever
takes time runs on threads of ours. The work is the agent's, a program of its own beside OctoPrint.
"""

from __future__ import annotations

import os
import platform

import octoprint.plugin
from flask_babel import gettext
from octoprint.access.permissions import Permissions

from . import webcams
from .endpoints import Endpoints
from .errands import Errands
from .faults import Fault
from .identity import Identity
from .keeper import Keeper
from .local_api import LocalAPI
from .server import Home
from .update import Updates
from .version import VERSION

ANY_ADDRESS = ("", "0.0.0.0", "::")


class FactorMqttPlugin(
    octoprint.plugin.StartupPlugin,
    octoprint.plugin.ShutdownPlugin,
    octoprint.plugin.SettingsPlugin,
    octoprint.plugin.TemplatePlugin,
    octoprint.plugin.AssetPlugin,
    octoprint.plugin.WizardPlugin,
    Endpoints,
):
    def initialize(self):
        folder = self.get_plugin_data_folder()
        self._octoprint_url = ""
        self.errands = Errands(self._logger)
        self.home = Home(os.path.dirname(os.path.abspath(__file__)), folder)
        self.identity = Identity(self._user_manager, self._settings, Permissions, self._logger)
        self.keeper = Keeper(self.home, folder, self._introduce, self._logger, self._idle)
        self.updates = Updates(self.home, self.keeper, folder, self._settings, self._logger)

    # StartupPlugin, ShutdownPlugin

    def on_startup(self, host, port):
        host = "127.0.0.1" if host in ANY_ADDRESS or host is None else host
        self._octoprint_url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def on_after_startup(self):
        self._logger.info("MQTT: FACTOR %s", VERSION)
        self.keeper.start()

    def on_shutdown(self):
        self.keeper.stop()
        self.identity.end()

    # SettingsPlugin: there are none of ours in config.yaml, so there is nothing to hide in it. What the agent keeps is
    # in its own folder, readable by OctoPrint's user only, and shown to administrators by our endpoints.

    def get_settings_defaults(self):
        return {}

    # TemplatePlugin, AssetPlugin

    def is_template_autoescaped(self):
        return True

    def get_template_configs(self):
        return [
            {
                "type": "settings",
                "name": "FACTOR MQTT",
                "template": "factor_mqtt_settings.jinja2",
                "custom_bindings": True,
            },
            {
                "type": "wizard",
                "name": gettext("FACTOR: watch from anywhere"),
                "template": "factor_mqtt_wizard.jinja2",
                "custom_bindings": True,
            },
        ]

    def get_assets(self):
        return {"js": ["js/factor_mqtt_words.js", "js/factor_mqtt.js"], "css": ["css/factor_mqtt.css"]}

    # WizardPlugin

    def is_wizard_required(self):
        status = self.keeper.state()["agent"]
        return not isinstance(status, dict) or status.get("state") == "no_instance_id"

    def get_wizard_version(self):
        return 1

    # Software Update

    def software_update(self):
        return {"factor_mqtt": self.updates.configuration()}

    # For the keeper

    def _introduce(self, api: LocalAPI) -> None:
        """Tells a new agent about OctoPrint: it may not read OctoPrint's settings itself."""
        try:
            cameras = webcams.found(self._settings)
        except Exception:
            self._logger.exception("MQTT: OctoPrint's webcams could not be read")
            cameras = []
        about = {
            "url": self._octoprint_url,
            "api_key": self.identity.key(),
            "webcams": cameras,
            "versions": {"octoprint": octoprint.__version__, "python": platform.python_version(), "plugin": VERSION},
        }
        answer = api.call("POST", "/v1/octoprint", about, timeout=20)
        if answer.status >= 300:
            raise Fault("agent_silent", f"it refused what it is told about OctoPrint with {answer.status}")

    def _idle(self) -> bool:
        return not (self._printer.is_printing() or self._printer.is_paused())


__plugin_name__ = "FACTOR MQTT"
__plugin_identifier__ = "factor_mqtt"
__plugin_version__ = VERSION
__plugin_description__ = "See your 3D printer from anywhere with a FACTOR server"
__plugin_author__ = "FACTOR"
__plugin_url__ = "https://github.com/kangbyounggwan/factor"
__plugin_license__ = "AGPL-3.0"
__plugin_pythoncompat__ = ">=3.8,<4"


def __plugin_load__():
    global __plugin_implementation__, __plugin_hooks__
    __plugin_implementation__ = FactorMqttPlugin()
    __plugin_hooks__ = {
        "octoprint.plugin.softwareupdate.check_config": __plugin_implementation__.software_update,
    }
