"""What a person sees: a bar on a terminal, plain lines under cron, tables either way."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from sim_source import Watch

out = Console(highlight=False, soft_wrap=True)
"""Results: tables and the last line of JSON."""
err = Console(stderr=True, highlight=False, soft_wrap=True)
"""Everything else: progress, warnings, errors."""

LINE_EVERY_S = 30.0
"""Under cron a long sync says how far it is this often."""


def line(text: str) -> None:
    """A line about what happens."""
    err.print(escape(text))


def fault(text: str) -> None:
    """What went wrong, in one line."""
    err.print(f"[bold red]error[/]: {escape(text)}")


def warning(text: str) -> None:
    """What is worth knowing."""
    err.print(f"[yellow]note[/]: {escape(text)}")


@contextmanager
def progress(watch: Watch) -> Iterator[None]:
    """Shows a sync: rows, requests and every wait, until it is over."""
    with _quiet_libraries():
        if err.is_terminal:
            with _bar(watch):
                yield
        else:
            _Lines(watch)
            yield


@contextmanager
def _bar(watch: Watch) -> Iterator[None]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[runs]:,} runs, {task.fields[requests]:,} requests"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("reading", total=None, runs=0, requests=0)

        def on_progress(_: str, __: int) -> None:
            bar.update(task, description="reading", runs=watch.rows["logs"], requests=watch.counters.requests)

        def on_wait(seconds: float, why: str) -> None:
            bar.update(task, description=f"waiting {seconds:.0f} s: {why}" if seconds >= 1 else "reading")

        watch.on_progress, watch.on_wait = on_progress, on_wait
        yield


class _Lines:
    """Plain lines: how far it is now and then, and every wait that a person would notice."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._last = time.monotonic()
        self._lock = threading.Lock()
        watch.on_progress, watch.on_wait = self._on_progress, self._on_wait

    def _on_progress(self, _: str, __: int) -> None:
        with self._lock:
            if time.monotonic() - self._last >= LINE_EVERY_S:
                self._last = time.monotonic()
                line(f"{self._watch.rows['logs']:,} runs so far")

    def _on_wait(self, seconds: float, why: str) -> None:
        if seconds >= 1:
            line(f"waiting {seconds:.0f} s: {why}")


@contextmanager
def _quiet_libraries() -> Iterator[None]:
    """The source's own log lines go to the console; they are shown by other means already."""
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


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]], title: str | None = None) -> None:
    """A table; numbers to the right."""
    shown = Table(title=title, title_justify="left", header_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for index, name in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[index], int | float) or _is_amount(row[index]) for row in rows)
        shown.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        shown.add_row(*("" if value is None else escape(str(value)) for value in row))
    out.print(shown)


def _is_amount(value: Any) -> bool:
    if value is None:
        return True
    text = str(value).replace(",", "").replace("$", "").replace("%", "").strip()
    try:
        float(text)
    except ValueError:
        return False
    return True
