"""This machine's clock, as the source and the application see it: it can be wrong, and it can jump."""

from __future__ import annotations

import sys
import time
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

NO_TIME = timedelta()
TELLS_THE_TIME = ("datetime.now(", "time.time(")


class LocalClock:
    """Ahead of the true time by `off`, which may be changed at any moment; servers and tests keep the true one."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.off = NO_TIME
        for module in list(sys.modules.values()):
            if _asks_the_clock(module):
                if hasattr(module, "datetime"):
                    patch.setattr(module, "datetime", self._dates())
                if hasattr(module, "time"):
                    patch.setattr(module, "time", self._times())

    def _dates(self) -> Any:
        clock = self

        class Kind(type):
            """Everything of `datetime`, but for now."""

            def __getattr__(cls, name: str) -> Any:
                return getattr(datetime, name)

            def __instancecheck__(cls, value: object) -> bool:
                return isinstance(value, datetime)

            def __call__(cls, *args: Any, **more: Any) -> datetime:
                return datetime(*args, **more)

        class Dates(metaclass=Kind):
            @staticmethod
            def now(zone: tzinfo | None = None) -> datetime:
                return datetime.now(zone) + clock.off

        return Dates

    def _times(self) -> Any:
        clock = self

        class Times:
            def __getattr__(self, name: str) -> Any:
                return getattr(time, name)

            def time(self) -> float:
                return time.time() + clock.off.total_seconds()

        return Times()


def _asks_the_clock(module: ModuleType) -> bool:
    name, file = module.__name__, getattr(module, "__file__", None)
    ours = name.startswith(("sim_source", "pipelines")) and not name.startswith("pipelines.sim_api")
    return ours and file is not None and any(call in Path(file).read_text() for call in TELLS_THE_TIME)
