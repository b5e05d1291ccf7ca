"""The destination: a DuckDB file and who holds it, and plain words for what is wrong with a destination."""

from __future__ import annotations

import errno
import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import dlt
import duckdb
from dlt.load.exceptions import LoadClientJobException

from sim_source.errors import ConfigurationError, SimError, causes
from sim_source.stored.warehouse import cannot_answer

from .target import Target

logger = logging.getLogger("sim_sync")

READER_WAIT_S = 60.0
"""How long a DuckDB file that somebody else holds open is waited for."""


FRUGAL = {
    "threads": "1",
    "preserve_insertion_order": "false",
    "allocator_flush_threshold": "8MB",
    "allocator_bulk_deallocation_flush_threshold": "16MB",
}
"""DuckDB's settings while a sync holds the file: loads take as long, and a third of the memory (measured)."""
MEMORY_OF_LOGS, MEMORY_OF_SPANS = 72, 120
"""MB of memory that DuckDB takes at first: what a piece of plain rows, or one of spans, is loaded and merged in."""
COPIES_OF_LOGS, COPIES_OF_SPANS = 56, 96
"""MB that it takes while files are only copied into their tables. One thread here, too: of two, each leaves a row group
that is not full, and the next sync pays for putting them together (measured)."""
LITTLE = "8MB"
"""Memory that it cannot do with: it lets go of all that it does not use."""


class TryLater(SimError):
    """Somebody else is at work there: exit 75."""


def check_database(target: Target, *, wait_s: float = READER_WAIT_S, tell: Callable[[str], None] = logger.info) -> None:
    """Opens a DuckDB file once, so that what is wrong with it is said before anything is asked of the API.

    Raises:
        ConfigurationError: It is no database, or one of a newer DuckDB.
        TryLater: Somebody held it open all the time.
    """
    if target.database is not None and target.database.exists():
        _opened(target.database, wait_s, tell).close()


class Hold:
    """A DuckDB file held open by this process: nobody gets in between two steps, and dlt opens it in no time.

    Does nothing where the destination is no file.

    Args:
        target: The destination.
        tell: Told of a wait.
        spans: Whether rows of spans are loaded, too.
    """

    def __init__(self, target: Target, tell: Callable[[str], None] = logger.info, *, spans: bool = True) -> None:
        memory = MEMORY_OF_SPANS if spans else MEMORY_OF_LOGS
        self._copies = f"{COPIES_OF_SPANS if spans else COPIES_OF_LOGS}MB"
        self._file = target.database
        self._tell = tell
        self._settings = FRUGAL | {"memory_limit": f"{memory}MB"}
        self._more = [f"{2 * memory}MB", f"{4 * memory}MB"]
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._usual_memory = ""

    def __enter__(self) -> Hold:
        self.take()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def take(self) -> None:
        """Opens the file; waits for a reader, bounded.

        Raises:
            ConfigurationError: It is no database, or one of a newer DuckDB.
            TryLater: Somebody held it open all the time.
        """
        if self._file is not None and self._connection is None:
            self._connection = _opened(self._file, READER_WAIT_S, self._tell)
            if not self._usual_memory:
                (self._usual_memory,) = self._connection.execute("SELECT current_setting('memory_limit')").fetchall()[0]
                self._more.append(self._usual_memory)
            for name, value in self._settings.items():
                self._connection.execute(f"SET {name} = '{value}'")

    def be_generous(self) -> bool:
        """Gives DuckDB twice the memory, in the end what it would take by itself: rows here are too large for less.

        Returns:
            Whether there was more to give.
        """
        if self._connection is None or not self._more:
            return False
        # RESET changes what is shown and not what holds (DuckDB 1.5.6)
        self._copies = self._settings["memory_limit"] = self._more.pop(0)
        self._limit(self._copies)
        return True

    @contextmanager
    def sparing(self) -> Iterator[None]:
        """Gives DuckDB no more memory than it takes to copy files into tables."""
        self._limit(self._copies)
        try:
            yield
        finally:
            self._limit(self._settings["memory_limit"])

    def settle(self) -> None:
        """Moves what has been committed from the log beside the file into it, and lets go of what is in memory.

        Else the log grows until the end, and DuckDB keeps what it has. Where that takes more memory, it is left to
        the end.
        """
        if self._connection is not None:
            with self.sparing(), suppress(duckdb.OutOfMemoryException):
                self._connection.execute("CHECKPOINT")
                self._limit(LITTLE)

    def _limit(self, memory: str) -> None:
        if self._connection is not None:
            with suppress(duckdb.OutOfMemoryException):  # it cannot do with so little now, and keeps what it has
                self._connection.execute(f"SET memory_limit = '{memory}'")

    def release(self) -> None:
        """Closes it, which frees what DuckDB holds in memory."""
        if self._connection is not None:
            self._limit(self._copies)  # the last of the log is moved into the file
            self._connection.close()
            self._connection = None


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


def _opened(file: Path, wait_s: float, tell: Callable[[str], None]) -> duckdb.DuckDBPyConnection:
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


def is_out_of_memory(error: BaseException) -> bool:
    """Whether DuckDB had too little memory."""
    return any(isinstance(cause, duckdb.OutOfMemoryException) for cause in causes(error))


def is_refusal(error: BaseException) -> bool:
    """Whether a destination does not take what is in a package, rather than not being there."""
    chain = list(causes(error))
    local = any(isinstance(cause, OSError | SimError | KeyboardInterrupt) for cause in chain)
    refused = any(isinstance(cause, LoadClientJobException) for cause in chain)
    return refused and not (local or cannot_answer(error) or lock_holder(error))


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


class LoadFault(SimError):
    """The destination did not take what was read."""


def explained(error: BaseException, target: Target) -> SimError:
    """A fault of the machine or the destination in plain words.

    Messages of databases are not shown where the fault is not one of those known: they quote rows.

    Raises:
        KeyboardInterrupt: It was no fault, somebody stopped it.
    """
    last: BaseException = error
    for cause in causes(error):
        last = cause
        if isinstance(cause, KeyboardInterrupt):
            raise cause  # dlt wraps it as it wraps faults
        if isinstance(cause, SimError):
            return cause
        if getattr(cause, "errno", None) == errno.ENOSPC or "No space left" in str(cause):
            return ConfigurationError(
                f"the disk is full (database {target}, dlt's working folder {dlt.current.run_context().data_dir}); "
                "make room and run again: what was committed is kept"
            )
        if isinstance(cause, duckdb.Error) and (holder := lock_holder(cause)):
            return TryLater(f"{target} is held open by {holder}; try again later")
        if isinstance(cause, PermissionError):
            return ConfigurationError(f"{cause.filename or target}: permission denied")
        if isinstance(cause, FileNotFoundError | NotADirectoryError) and cause.filename:
            return ConfigurationError(
                f"{cause.filename}: {cause.strerror}; dlt's working folder is {dlt.current.run_context().data_dir} "
                "(DLT_DATA_DIR)"
            )
    return LoadFault(
        f"loading into {target} failed ({type(last).__name__}); what was read is kept and loaded by the next run. "
        "RUNTIME__LOG_LEVEL=ERROR shows more"
    )
