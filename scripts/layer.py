"""A virtual environment on top of another one: it sees everything below, and what pip installs goes into itself.

So a test may install, update and remove plugins beside an OctoPrint that other tests share, and only the few packages
that differ are kept twice.
"""

from __future__ import annotations

import sys
from pathlib import Path

SITE = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"


def layer(above: Path, *below: Path, program: str = "octoprint") -> Path:
    """Lays a virtual environment that is there over others, and gives its own copy of a program of the last of them."""
    (above / SITE / "below.pth").write_text("".join(f"{folder / SITE}\n" for folder in below))
    _, _, script = (below[-1] / "bin" / program).read_text().partition("\n")
    own = above / "bin" / program
    own.write_text(f"#!{above / 'bin/python'}\n{script}")
    own.chmod(0o755)
    return own
