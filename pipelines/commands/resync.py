"""``sim-sync resync``: estimates the requests for a time range, then reads the range again."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime

from ..check import access
from ..screen import console
from ..settings import RunSettings
from . import outcome, sync


def print_estimate(chosen: RunSettings, as_json: bool, *, dry_run: bool) -> None:
    """Prints the estimate of a resync. Exits after it with ``--dry-run``, or with 2 if a check fails."""
    checked = _foretold(chosen)
    if dry_run or not checked.ok:
        if as_json:
            print(json.dumps(checked.as_json()))
        sys.exit(0 if checked.ok else 2)


def _foretold(chosen: RunSettings) -> access.Checked:
    """Estimates requests and time of the resync and prints them. Loads nothing."""
    checked = access.try_access(chosen.resynced("foretold"))
    for finding in checked.findings:
        if finding.ok is False:
            console.fault(f"{finding.what}: {finding.told}")
    if checked.first_sync is not None:
        console.line(str(checked.first_sync))
    return checked


def run_resync(chosen: RunSettings) -> outcome.Outcome:
    """Reads the time range again. A resync that was stopped continues when it is called with the same options."""
    outcome = sync.run_with_progress(chosen.resynced(datetime.now(UTC).isoformat()))
    if outcome.out_of_time or outcome.exit_code:
        console.line("the time range has not been read completely; run the same command again to continue")
    return outcome
