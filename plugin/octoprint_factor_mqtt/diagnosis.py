"""What an owner copies to whoever helps: the plugin's side and the agent's, with no secret in it."""

from __future__ import annotations

import platform
import sys
import time

from . import release
from .faults import Fault


def diagnosis(plugin) -> str:
    state, updates, server = plugin.keeper.state(), plugin.updates.state(), plugin.home.server
    lines = [
        f"FACTOR MQTT {plugin._plugin_version}, {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}",
        f"OctoPrint {_octoprint()}, Python {platform.python_version()}, {release.this_platform()}, {platform.release()}",
        f"server: {server.url if server else 'none'}{' (came with the plugin)' if plugin.home.packaged else ''}",
        f"agent: {state['phase']}, version {state['agent_version'] or '?'}",
    ]
    for name, fault in (("fault", state["fault"]), ("note", state["note"]), ("updates", updates["fault"])):
        if fault:
            lines.append(f"{name}: {fault['message']}")
    if sys.maxsize <= 2**32:
        lines.append("Python is a 32-bit one")
    try:
        answer = plugin.keeper.api.call("GET", "/v1/diagnosis", timeout=20)
        text = answer.body.decode("utf-8", "replace") if answer.status == 200 else f"the agent answered {answer.status}"
    except Fault as fault:
        text = str(fault)
    return "\n".join([*lines, "", text.strip(), ""])


def _octoprint() -> str:
    import octoprint

    return getattr(octoprint, "__version__", "?")
