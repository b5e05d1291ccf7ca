"""Time that passes only where a client waits."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest

from pipelines.check import access
from sim_source.api.throttle import Throttle


class VirtualTime:
    """A clock for client and server; a wait of the client sets it on instead of taking time.

    Args:
        patch: Puts it in place.
        part: The part of a second at which it begins; any will do, and it is told so that runs repeat. ``Date`` cuts it
            off: the later in a second an answer comes, the later a refill looks to the client, by up to a second.

    Attributes:
        now: Epoch seconds.
    """

    def __init__(self, patch: pytest.MonkeyPatch, part: float = 0.25) -> None:
        self.now = int(time.time()) + part
        self._lock = threading.Lock()
        patch.setattr(Throttle, "now", lambda throttle: self.now)
        patch.setattr(Throttle, "sleep", lambda throttle, seconds, why, held=None: self.passes(seconds))
        patch.setattr(access, "time", SimpleNamespace(sleep=self.passes, perf_counter=self))

    def __call__(self) -> float:
        return self.now

    def passes(self, seconds: float, *_: Any) -> None:
        """Time goes on."""
        with self._lock:
            self.now += seconds
