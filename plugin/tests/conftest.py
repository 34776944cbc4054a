"""Fixtures that the tests share. Run them with a Python that has OctoPrint: `python -m pytest plugin/tests`."""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

LIMIT_S = 60  # generous: for an event that comes in milliseconds on an idle machine


@pytest.fixture
def logger():
    return logging.getLogger("octoprint.plugins.factor_mqtt")


@pytest.fixture
def until():
    """Waits for something to become true and gives it."""

    def wait(condition, what: str = ""):
        end = time.monotonic() + LIMIT_S
        while True:
            found = condition()
            if found:
                return found
            assert time.monotonic() < end, f"did not happen: {what or condition}"
            time.sleep(0.02)

    return wait


@pytest.fixture
def no_proxy(monkeypatch):
    """What runs on loopback is not behind the proxy that a machine may have in its environment."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def factor(no_proxy):
    """A FACTOR server's plugin side, plain HTTP."""
    from factor_double import FactorDouble

    with FactorDouble() as server:
        yield server
