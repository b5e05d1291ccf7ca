"""``sim-sync report``: in the terminal, as JSON, or as an HTML page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from sim_source.errors import ConfigurationError
from sim_source.options import ALL, moment

from ..destination.target import Target
from ..optional_packages import needed
from ..report import figures, printing
from ..screen import console, terminal
from . import answering


def make_report(
    target: Target, workspaces: Sequence[str], since: str | None, html: Path | None, *, as_json: bool
) -> None:
    """Prints the report of a period, or writes it to an HTML page.

    Raises:
        ConfigurationError: The period starts in the future, or nothing has been synced yet.
    """
    workspaces = () if ALL in workspaces else workspaces
    now = datetime.now(UTC)
    start = moment("--since", since, now)
    if start is not None and start >= now:
        raise ConfigurationError(f"--since {since} is not before now")
    if html is not None:
        with needed("report", "report --html"):
            from ..report import page  # imported late: Altair is slow to import
        with answering.one_state(target):
            page.write_page(target, html, workspaces=workspaces, since=start, now=now)
        console.line(f"wrote the report to {html}; the page needs no network")
        return
    with answering.one_state(target) as as_of:
        found = figures.read_figures(target, workspaces=workspaces, since=start, now=now)
    if as_json:
        print(json.dumps(found.as_json() | answering.as_of_json(as_of)))
    else:
        printing.print_report(found, terminal.out)
