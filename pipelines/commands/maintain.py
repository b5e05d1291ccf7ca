"""``sim-sync maintain``: maintains the destination and prints what was done."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import duckdb
from dlt.common.exceptions import DltException

from sim_source.errors import ConfigurationError
from sim_source.options import moment

from ..destination import load_faults, maintenance
from ..destination.target import Target
from ..screen import console


def maintain(target: Target, older_than: str, as_json: bool) -> None:
    """Maintains the destination and prints the steps, and its size before and after.

    Raises:
        ConfigurationError: There is nothing yet, no maintenance for this destination, or the age is in the future.
        TryLater: Somebody else uses the database; nothing was changed.
        LoadFault: The destination rejects a statement.
    """
    started, now = time.monotonic(), datetime.now(UTC)
    oldest = moment("--older-than", older_than, now)
    if oldest is None or oldest > now:
        raise ConfigurationError(f"--older-than {older_than} is not an age; use for example 7d")
    try:
        done = maintenance.maintained(target, now - oldest, console.line)
    except (DltException, duckdb.Error, OSError) as error:
        raise load_faults.explained(error, target, "maintaining") from error
    for step in done.steps:
        console.line(step)
    console.line(f"{target}: {_megabytes(done.bytes_before)} before, {_megabytes(done.bytes_after)} now")
    if as_json:
        told = {"status": "ok", "steps": done.steps, "bytes_before": done.bytes_before, "bytes_after": done.bytes_after}
        print(json.dumps(told | {"duration_s": round(time.monotonic() - started, 3), "errors": []}))


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
