"""What the plugin published before this one, octoprint_factor, left in OctoPrint's settings."""

from __future__ import annotations

import uuid

IDENTIFIER = "octoprint_factor"


def found(settings, plugin_manager) -> dict | None:
    """{"uuid", "stream_url", "enabled"}; None when it was never there. While it is enabled, both would report as the
    same printer.
    """
    get = lambda *path: settings.global_get(["plugins", IDENTIFIER, *path])  # noqa: E731
    instance, stream = get("instance_id"), get("camera", "stream_url")
    enabled = IDENTIFIER in getattr(plugin_manager, "enabled_plugins", {})
    found_uuid = device_uuid(instance)
    stream = stream.strip() if isinstance(stream, str) else ""
    if not found_uuid and not stream and not enabled:
        return None
    return {"uuid": found_uuid, "stream_url": stream, "enabled": enabled}


def device_uuid(text: object) -> str:
    """The canonical form of a random UUID (RFC 4122, version 4), or nothing."""
    try:
        found_uuid = uuid.UUID(str(text).strip())
    except ValueError:
        return ""
    return str(found_uuid) if found_uuid.version == 4 else ""
