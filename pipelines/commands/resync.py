"""``sim-sync resync``: a stretch is read again, whatever is stored of it; what it takes is said before."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime

from ..check import access
from ..screen import console
from ..settings import RunSettings
from . import outcome, sync


def foretell(chosen: RunSettings, as_json: bool, *, dry_run: bool) -> None:
    """Says what reading the stretch takes; ends the command where that is all, or where it cannot be read."""
    checked = _foretold(chosen)
    if dry_run or not checked.ok:
        if as_json:
            print(json.dumps(checked.as_json()))
        sys.exit(0 if checked.ok else 2)


def _foretold(chosen: RunSettings) -> access.Checked:
    """What reading the stretch takes: requests and time. Loads nothing."""
    checked = access.try_access(chosen.resynced("foretold"))
    for finding in checked.findings:
        if finding.ok is False:
            console.fault(f"{finding.what}: {finding.told}")
    if checked.first_sync is not None:
        console.line(str(checked.first_sync))
    return checked


def run_resync(chosen: RunSettings) -> outcome.Outcome:
    """Reads the stretch. One that was stopped is gone on with, if it is asked for again with the same options."""
    outcome = sync.watched(chosen.resynced(datetime.now(UTC).isoformat()))
    if outcome.out_of_time or outcome.exit_code:
        console.line("the stretch is not read to its end; the same command goes on where this one stopped")
    return outcome
