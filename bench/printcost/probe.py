"""Writes down when each line of a print leaves OctoPrint, and how late its own events come through the event bus."""

import json
import os
import time

import octoprint.plugin
from octoprint.events import Events, eventManager

EVENT = "plugin_printcost_tick"
EVERY = 50  # lines


class Probe(octoprint.plugin.StartupPlugin):
    def initialize(self):
        self.sent, self.late = [], []

    def on_after_startup(self):
        bus = eventManager()
        bus.subscribe(EVENT, lambda event, payload: self.late.append(time.monotonic() - payload["fired"]))
        bus.subscribe(Events.PRINT_DONE, self.write)

    def line_sent(self, comm, phase, cmd, cmd_type, gcode, *args, tags=None, **more):
        if not tags or "source:file" not in tags:
            return
        self.sent.append(time.monotonic())
        if len(self.sent) % EVERY == 0:
            eventManager().fire(EVENT, {"fired": time.monotonic()})

    def write(self, event, payload):
        path = os.path.join(self.get_plugin_data_folder(), "record.json")
        with open(path + ".part", "w") as f:
            json.dump({"sent": self.sent, "late": self.late}, f)
        os.replace(path + ".part", path)


__plugin_name__ = "printcost probe"
__plugin_identifier__ = "printcost"
__plugin_version__ = "1"
__plugin_pythoncompat__ = ">=3.8,<4"
__plugin_implementation__ = Probe()
__plugin_hooks__ = {"octoprint.comm.protocol.gcode.sent": __plugin_implementation__.line_sent}
