"""A DuckDB file: opening it, and who holds it open."""

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
"""How long a DuckDB file that somebody else holds open is waited for."""


class TryLater(SimError):
    """Somebody else is at work there: exit 75."""


def check_database(target: Target, *, wait_s: float = READER_WAIT_S, tell: Callable[[str], None] = logger.info) -> None:
    """Opens a DuckDB file once, so that what is wrong with it is said before anything is asked of the API.

    Raises:
        ConfigurationError: It is no database, or one of a newer DuckDB.
        TryLater: Somebody held it open all the time.
    """
    if target.database is not None and target.database.exists():
        opened(target.database, wait_s, tell).close()


@contextmanager
def opened_to_read(file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB file, read-only.

    Raises:
        ConfigurationError: There is no such file, it cannot be read, or it is no database.
        TryLater: A sync holds it.
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
    """Opens a DuckDB file; waits for whoever holds it, bounded.

    Raises:
        ConfigurationError: It is no database, or one of a newer DuckDB.
        TryLater: Somebody held it open all the time.
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
                raise TryLater(f"{file} is held open by {holder}; close it there, this run gives up") from error
            if not told:
                tell(f"{file} is held open by {holder}; waiting up to {wait_s:.0f} s")
                told = True
            time.sleep(min(0.5, max(0.0, until - time.monotonic())))


def _check_header(file: Path) -> None:
    """Looks whether a file can be DuckDB's, before DuckDB does: of one of SQLite it would download an extension.

    Raises:
        ConfigurationError: It is something else.
    """
    try:
        with file.open("rb") as opened:
            head = opened.read(12)
    except OSError:
        return  # there is none yet, or DuckDB says why it cannot be read
    if head and head[8:] != b"DUCK":
        raise ConfigurationError(f"--database {file}: not a DuckDB database; name another file")


def lock_holder(error: BaseException) -> str | None:
    """Who holds a DuckDB file, by DuckDB's own words; None where that is not what is wrong."""
    text = str(error)
    if "Could not set lock" not in text and "onflicting lock" not in text:
        return None
    found = re.search(r"PID (\d+)", text)
    return f"PID {found[1]}" if found else "another process"


def database_fault(file: Path, error: BaseException) -> str:
    """What is wrong with a DuckDB file, and what to do."""
    text = str(error)
    if ("version" in text and "newer" in text) or "storage version" in text:
        return (
            f"--database {file}: written by a newer DuckDB than {duckdb.__version__}; "
            "use another file, or a newer sim-sync"
        )
    if "not a valid DuckDB" in text:
        return f"--database {file}: not a DuckDB database; name another file"
    return f"--database {file}: DuckDB cannot open it ({text.splitlines()[0][:200]})"
