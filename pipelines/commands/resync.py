"""``sim-sync resync``: estimates the requests for a time range, then reads the range again."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from ..check import access, findings
from ..screen import console
from ..settings import RunSettings
from . import fleet
from .results import Results


def print_estimate(chosen: Sequence[RunSettings], as_json: bool, *, dry_run: bool) -> None:
    """Prints the estimate of a resync. Exits after it with ``--dry-run``, or with 2 if a check fails."""
    checked = {settings.source.account: _foretold(settings) for settings in chosen}
    ok = all(each.ok for each in checked.values())
    if dry_run or not ok:
        if as_json:
            told = {name: each.as_json() for name, each in checked.items()}
            print(json.dumps(findings.as_json_of_accounts(told)))
        sys.exit(0 if ok else 2)


def _foretold(chosen: RunSettings) -> access.Checked:
    """Estimates requests and time of the resync and prints them. Loads nothing."""
    checked = access.try_access(chosen.resynced("foretold"))
    for finding in checked.findings:
        if finding.ok is False:
            console.fault(f"{finding.what}: {finding.told}")
    if checked.first_sync is not None:
        console.line(str(checked.first_sync))
    return checked


def run_resync(chosen: Sequence[RunSettings], processes: int = 1, publish: str | None = None) -> Results:
    """Reads the time range again. A resync that was stopped continues when it is called with the same options.

    Args:
        chosen: The settings of each account.
        processes: See ``fleet.sync_accounts``, like ``publish``.
        publish: A copy of the database.

    Raises:
        ConfigurationError: The database cannot be published to this file.
    """
    name = datetime.now(UTC).isoformat()
    results = fleet.sync_accounts([settings.resynced(name) for settings in chosen], processes, publish)
    if results.out_of_time or results.exit_code:
        console.line("the time range has not been read completely; run the same command again to continue")
    return results
