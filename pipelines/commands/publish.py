"""``sim-sync publish``: replaces the read-only copy of a DuckDB file."""

from __future__ import annotations

import json

from sim_source.errors import ConfigurationError

from ..destination import publishing
from ..destination.duckdb_hold import Hold
from ..destination.target import Target
from ..screen import console


def publish_once(target: Target, given: str, *, compact: bool, as_json: bool) -> None:
    """Publishes a database and prints the result.

    Raises:
        ConfigurationError: The database does not exist, or cannot be published to this file.
        TryLater: A sync is writing to the database.
        PublishFault: The copy could not be made. The published one is unchanged.
    """
    file = publishing.checked_file(target, given, "publish")
    if target.database is None or not target.database.exists():
        raise ConfigurationError(f"{target} does not exist; run sim-sync run (or sim-sync demo) first")
    with Hold(target, console.line) as hold:
        done = publishing.publish(target, file, hold, console.warning, compact=compact)
    console.line(str(done))
    if as_json:
        told = {"status": "ok", "file": str(done.file), "written": done.written, "as_of": done.as_of.isoformat()}
        print(json.dumps(told))
