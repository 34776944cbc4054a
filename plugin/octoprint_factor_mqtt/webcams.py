"""OctoPrint's own webcams, as the agent can reach them."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

MJPG_SNAPSHOT = re.compile(r"([?&]action=)snapshot\b")


def found(settings) -> list:
    """What OctoPrint knows: [{"name", "stream_url", "snapshot_url", "rotation", "flip_h", "flip_v"}], the default one
    first. OctoPrint before 1.9 has one webcam, in its settings.
    """
    webcams = []
    try:
        from octoprint.webcams import get_webcams
    except ImportError:
        get_webcams = None
    if get_webcams is not None:
        default = settings.global_get(["webcam", "defaultWebcam"])
        known = get_webcams()
        for name in sorted(known, key=lambda n: n != default):
            config = known[name].config
            compat = getattr(config, "compat", None)
            if compat is None:
                continue
            webcams.append(
                _webcam(
                    getattr(config, "displayName", None) or name,
                    compat.stream,
                    compat.snapshot,
                    config.rotate90,
                    config.flipH,
                    config.flipV,
                )
            )
    else:
        get = lambda key: settings.global_get(["webcam", key])  # noqa: E731
        webcams.append(_webcam("Webcam", get("stream"), get("snapshot"), get("rotate90"), get("flipH"), get("flipV")))
    return [w for w in webcams if w["stream_url"] or w["snapshot_url"]]


def _webcam(name, stream, snapshot, rotate90, flip_h, flip_v) -> dict:
    snapshot = reachable(snapshot or "")
    return {
        "name": str(name),
        "stream_url": reachable(stream or "", snapshot),
        "snapshot_url": snapshot,
        "rotation": 270 if rotate90 else 0,  # OctoPrint turns counter-clockwise
        "flip_h": bool(flip_h),
        "flip_v": bool(flip_v),
    }


def reachable(url: str, snapshot: str = "") -> str:
    """An address for a program on this machine. OctoPrint's stream is often a path for the browser, such as
    /webcam/?action=stream; where the snapshot's full address tells the same camera's, that is used. Otherwise the path is
    taken to be on this machine's web server, as OctoPi has it.
    """
    url = url.strip()
    if not url or urlsplit(url).scheme:
        return url
    if url.startswith("//"):
        return "http:" + url
    if "action=stream" in url and MJPG_SNAPSHOT.search(snapshot):
        return MJPG_SNAPSHOT.sub(r"\1stream", snapshot)
    return urljoin("http://127.0.0.1/", url)
