"""Opens a DuckDB file, and finds out which process has it open."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from sim_source.errors import ConfigurationError

from . import published
from .file_lock import TryLater
from .target import Target

logger = logging.getLogger("sim_sync")

READER_WAIT_S = 60.0
"""Seconds to wait for a DuckDB file that another process has open."""


def check_database(target: Target, *, wait_s: float = READER_WAIT_S, tell: Callable[[str], None] = logger.info) -> None:
    """Opens and closes a DuckDB file, so that problems with it are reported before the first API request.

    Raises:
        ConfigurationError: The file is not a database, or was written by a newer DuckDB.
        TryLater: Another process had the file open all the time.
    """
    if target.database is not None and target.database.exists():
        opened(target.database, wait_s, tell).close()


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A database that is open for queries.

    Attributes:
        connection: The connection, read-only.
        file: The file that answers: the database, or its published copy.
        as_of: Completion of the last load in the published copy; None if the database itself answers.
        holder: The process that has the database open, if the published copy answers.
    """

    connection: duckdb.DuckDBPyConnection
    file: Path
    as_of: datetime | None = None
    holder: str | None = None


_READING: ContextVar[tuple[Target, OpenedFile] | None] = ContextVar("reading", default=None)
"""The database that ``kept_open`` keeps open."""


@contextmanager
def kept_open(target: Target) -> Iterator[OpenedFile]:
    """Opens a DuckDB file read-only; inside of the context, ``opened_to_read`` uses it for all queries.

    They all see the same state of the database. While another process writes to the file, its published copy answers
    instead, if there is one.

    Raises:
        ConfigurationError: The file does not exist, cannot be read, or is not a database.
        TryLater: Another process writes to the file, and it has no published copy.
    """
    reading = _read(target)
    token = _READING.set((target, reading))
    try:
        with reading.connection:
            yield reading
    finally:
        _READING.reset(token)


@contextmanager
def opened_to_read(target: Target) -> Iterator[duckdb.DuckDBPyConnection]:
    """Opens a DuckDB file read-only, or its published copy; see ``kept_open``, which also names the errors."""
    kept = _READING.get()
    if kept is not None and kept[0] == target:
        yield kept[1].connection
    else:
        with kept_open(target) as reading:
            yield reading.connection


def _read(target: Target) -> OpenedFile:
    file = target.database
    if file is None:
        raise ValueError(f"{target} is not a DuckDB file")
    if not file.exists():
        raise ConfigurationError(f"{file} does not exist; run sim-sync run (or sim-sync demo) first")
    _check_header(file)
    try:
        return OpenedFile(duckdb.connect(str(file), read_only=True), file)
    except duckdb.Error as error:
        holder = lock_holder(error)
        if holder is None:
            raise ConfigurationError(database_fault(file, error)) from error
        copy = _published_copy(target, holder)
        if copy is None:
            raise TryLater(f"{file} is being written by {holder}; try again in a moment") from error
        return copy


def _published_copy(target: Target, holder: str) -> OpenedFile | None:
    """Opens the published copy of a database; None if there is none, or another database took its place."""
    record = published.read_record(target)
    while record is not None:
        file = published.published_file(target, record)
        connection = connected_to_copy(file)
        if connection is not None:
            found = published.contents(connection, target.dataset)
            if found is not None and found.load in record.loads:
                return OpenedFile(connection, file, found.as_of, holder)
            connection.close()
        record, before = published.read_record(target), record
        if record == before:
            return None
    return None


def connected_to_copy(file: Path) -> duckdb.DuckDBPyConnection | None:
    """Opens a published file read-only; None if it does not exist, or cannot be opened."""
    try:
        _check_header(file)
        return duckdb.connect(str(file), read_only=True)
    except (duckdb.Error, ConfigurationError):
        return None


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
