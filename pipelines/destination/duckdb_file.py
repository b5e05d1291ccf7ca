"""Opens a DuckDB file, and finds out which process has it open."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from sim_source.errors import ConfigurationError, SimError

from .target import Target

logger = logging.getLogger("sim_sync")

READER_WAIT_S = 60.0
"""Seconds to wait for a DuckDB file that another process has open."""


class TryLater(SimError):
    """Another process uses the destination. Exit code 75."""


def check_database(target: Target, *, wait_s: float = READER_WAIT_S, tell: Callable[[str], None] = logger.info) -> None:
    """Opens and closes a DuckDB file, so that problems with it are reported before the first API request.

    Raises:
        ConfigurationError: The file is not a database, or was written by a newer DuckDB.
        TryLater: Another process had the file open all the time.
    """
    if target.database is not None and target.database.exists():
        opened(target.database, wait_s, tell).close()


@contextmanager
def opened_to_read(file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Opens a DuckDB file read-only.

    Raises:
        ConfigurationError: The file does not exist, cannot be read, or is not a database.
        TryLater: A sync is writing to the file.
    """
    if not file.exists():
        raise ConfigurationError(f"{file} does not exist; run sim-sync run (or sim-sync demo) first")
    _check_header(file)
    try:
        connection = duckdb.connect(str(file), read_only=True)
    except duckdb.Error as error:
        holder = lock_holder(error)
        if holder is not None:
            raise TryLater(f"{file} is being written by {holder}; try again in a moment") from error
        raise ConfigurationError(database_fault(file, error)) from error
    with connection:
        yield connection


def opened(file: Path, wait_s: float, tell: Callable[[str], None]) -> duckdb.DuckDBPyConnection:
    """Opens a DuckDB file. Waits up to ``wait_s`` seconds if another process has it open.

    Raises:
        ConfigurationError: The file is not a database, or was written by a newer DuckDB.
        TryLater: Another process had the file open all the time.
    """
    _check_header(file)
    until = time.monotonic() + wait_s
    told = False
    while True:
        try:
            return duckdb.connect(str(file))
        except duckdb.Error as error:
            holder = lock_holder(error)
            if holder is None:
                raise ConfigurationError(database_fault(file, error)) from error
            if time.monotonic() >= until:
                raise TryLater(f"{file} is still held open by {holder}; close it there and run again") from error
            if not told:
                tell(f"{file} is held open by {holder}; waiting up to {wait_s:.0f} s")
                told = True
            time.sleep(min(0.5, max(0.0, until - time.monotonic())))


def _check_header(file: Path) -> None:
    """Checks the file header before DuckDB does. For an SQLite file, DuckDB would download an extension.

    Raises:
        ConfigurationError: The file is not a DuckDB database.
    """
    try:
        with file.open("rb") as opened:
            head = opened.read(12)
    except OSError:
        return  # the file does not exist yet, or DuckDB reports why it cannot be read
    if head and head[8:] != b"DUCK":
        raise ConfigurationError(f"--database {file}: not a DuckDB database; name another file")


def lock_holder(error: BaseException) -> str | None:
    """Returns which process has a DuckDB file open, taken from DuckDB's message; None for any other error."""
    text = str(error)
    if "Could not set lock" not in text and "onflicting lock" not in text:
        return None
    found = re.search(r"PID (\d+)", text)
    return f"PID {found[1]}" if found else "another process"


def database_fault(file: Path, error: BaseException) -> str:
    """Returns a message for a DuckDB file that cannot be opened."""
    text = str(error)
    if ("version" in text and "newer" in text) or "storage version" in text:
        return (
            f"--database {file}: written by a newer DuckDB than {duckdb.__version__}; "
            "use another file, or a newer sim-sync"
        )
    if "not a valid DuckDB" in text:
        return f"--database {file}: not a DuckDB database; name another file"
    return f"--database {file}: DuckDB cannot open it ({text.splitlines()[0][:200]})"
