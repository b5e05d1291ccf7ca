"""Keeps the destination open while a command queries it, and tells if its published copy answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from ..destination import duckdb_file
from ..destination.target import Target
from ..screen import console


@contextmanager
def one_state(target: Target) -> Iterator[datetime | None]:
    """Answers all queries inside of the context from one state of the destination, if it is a DuckDB file.

    Yields:
        As of when the published copy answers; None if the destination itself does.

    Raises:
        ConfigurationError: The file does not exist, cannot be read, or is not a database.
        TryLater: Another process writes to the file, and it has no published copy.
    """
    if target.database is None:
        yield None
        return
    with duckdb_file.kept_open(target) as reading:
        if reading.as_of is not None:
            console.warning(
                f"as of {reading.as_of:%Y-%m-%d %H:%M:%S} UTC, from {reading.file}: {reading.holder} has "
                f"{target.database} open"
            )
        yield reading.as_of


def as_of_json(as_of: datetime | None) -> dict[str, str | None]:
    """Returns the field ``as_of`` for ``--json``; null if the destination itself answered."""
    return {"as_of": as_of.isoformat() if as_of else None}
