"""Terminal output with rich: a progress bar, findings and tables."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.segment import Segment
from rich.table import Table

from sim_source import SyncLog

from .visible import visible

PIPE_WIDTH = 10_000
"""Width of tables in a pipe, so that every row is a single line."""


class _Console(Console):
    """A console that replaces control characters in the text that it prints."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yields segments without control characters; rich's own control segments are kept."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)


out = _Console(highlight=False, soft_wrap=True)
"""Results."""
err = _Console(stderr=True, highlight=False, soft_wrap=True)
"""Everything else: progress, warnings, errors."""


def say(text: str, mark: str, style: str) -> None:
    """Prints a line, above the progress bar if there is one."""
    err.print(f"[{style}]{mark}[/]: {escape(text)}" if mark else escape(text))


@contextmanager
def progress_bar(log: SyncLog) -> Iterator[None]:
    """Shows runs, requests and waits of a sync in a progress bar."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[runs]:,} runs, {task.fields[requests]:,} requests"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True) as shown:
        task = shown.add_task("reading", total=None, runs=0, requests=0)

        def on_progress(_: str, __: int) -> None:
            shown.update(task, description="reading", runs=log.rows["logs"], requests=log.counters.requests)

        def on_wait(seconds: float, why: str) -> None:
            shown.update(task, description=f"waiting {seconds:.0f} s: {why}" if seconds >= 1 else "reading")

        log.on_progress, log.on_wait = on_progress, on_wait
        yield


def finding(ok: bool | None, text: str) -> None:
    """Prints the result of a check: ok, failed, or None for skipped."""
    out.print({True: "[green]ok[/]", False: "[red]no[/]", None: "[yellow]--[/]"}[ok], end="  ")
    out.print(text, markup=False)


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]], title: str | None = None) -> None:
    """Prints a table with numbers aligned to the right."""
    shown = Table(title=title, title_justify="left", header_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for index, name in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[index], int | float) or _is_amount(row[index]) for row in rows)
        shown.add_column(escape(visible(name)), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        shown.add_row(*("" if value is None else escape(visible(str(value))) for value in row))
    if not out.is_terminal and "COLUMNS" not in os.environ:
        _Console(width=PIPE_WIDTH, highlight=False).print(shown)
    else:
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
