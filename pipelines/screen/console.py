"""Messages and progress of a sync: a progress bar on a terminal, plain lines under cron."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sim_source import SyncLog

from .visible import visible

LINE_EVERY_S = 30.0
"""Seconds between progress lines under cron."""


def line(text: str) -> None:
    """Prints a message."""
    _say(text)


def fault(text: str) -> None:
    """Prints an error, in one line."""
    _say(text, "error", "bold red")


def warning(text: str) -> None:
    """Prints a warning."""
    _say(text, "note", "yellow")


def _say(text: str, mark: str = "", style: str = "") -> None:
    if _watched():
        from . import terminal

        terminal.say(text, mark, style)
    else:
        print(visible(f"{mark}: {text}" if mark else text), file=sys.stderr)


def _watched() -> bool:
    """Whether stderr is a terminal, or the environment says to treat it as one."""
    if not (sys.stderr.isatty() or os.environ.get("FORCE_COLOR") or os.environ.get("TTY_COMPATIBLE")):
        return False
    from . import terminal

    return terminal.err.is_terminal


@contextmanager
def progress(log: SyncLog) -> Iterator[None]:
    """Shows the progress of a sync while the context is open: runs, requests and waits."""
    with quiet_libraries():
        if _watched():
            from . import terminal

            with terminal.progress_bar(log):
                yield
        else:
            _Lines(log)
            yield


class _Lines:
    """Prints plain lines: progress every ``LINE_EVERY_S`` seconds, and each wait of a second or more."""

    def __init__(self, log: SyncLog) -> None:
        self._log = log
        self._last = time.monotonic()
        self._lock = threading.Lock()
        log.on_progress, log.on_wait = self._on_progress, self._on_wait

    def _on_progress(self, _: str, __: int) -> None:
        with self._lock:
            if time.monotonic() - self._last >= LINE_EVERY_S:
                self._last = time.monotonic()
                line(f"{self._log.rows['logs']:,} runs so far")

    def _on_wait(self, seconds: float, why: str) -> None:
        if seconds >= 1:
            line(f"waiting {seconds:.0f} s: {why}")


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Silences the log lines of the source, since the console already shows the same messages."""
    source = logging.getLogger("sim_source")
    before = source.propagate
    source.propagate = False
    source.addHandler(_NOTHING)
    try:
        yield
    finally:
        source.propagate = before
        source.removeHandler(_NOTHING)


_NOTHING = logging.NullHandler()
