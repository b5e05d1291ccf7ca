"""``sim-sync resync``: a stretch is read again, whatever is stored of it; what it takes is said before."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from ..check import access
from ..screen import console
from ..settings import RunSettings
from . import sync


def foretold(chosen: RunSettings) -> access.Checked:
    """Says what reading the stretch takes: requests and time. Loads nothing."""
    checked = access.check(replace(chosen, resync="foretold"))
    for finding in checked.findings:
        if finding.ok is False:
            console.fault(f"{finding.what}: {finding.told}")
    if checked.first_sync is not None:
        console.line(str(checked.first_sync))
    return checked


def run(chosen: RunSettings) -> sync.Outcome:
    """Reads the stretch. One that was stopped is gone on with, if it is asked for again with the same options."""
    outcome = sync.watched(replace(chosen, resync=datetime.now(UTC).isoformat()))
    if outcome.watch.out_of_time or outcome.exit_code:
        console.line("the stretch is not read to its end; the same command goes on where this one stopped")
    return outcome
