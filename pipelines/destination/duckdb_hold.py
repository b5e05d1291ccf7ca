"""A DuckDB file held open for a whole sync, and how much memory DuckDB takes for it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb
from dlt.common.configuration import resolve_configuration
from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials

from .duckdb_file import READER_WAIT_S, opened
from .target import Target

logger = logging.getLogger("sim_sync")

FRUGAL = {
    "threads": "1",
    "preserve_insertion_order": "false",
    "allocator_flush_threshold": "8MB",
    "allocator_bulk_deallocation_flush_threshold": "16MB",
}
"""DuckDB's settings while a sync holds the file: loads take as long, and a third of the memory (bench: basic400k)."""
OTHER_NAMES = {"max_memory": "memory_limit", "worker_threads": "threads"}
"""What DuckDB calls some of its settings, too."""
MEMORY_OF_LOGS, MEMORY_OF_SPANS = 72, 120
"""MB of memory that DuckDB takes at first: what a piece of plain rows, or one of spans, is loaded and merged in."""
COPIES_OF_LOGS, COPIES_OF_SPANS = 56, 96
"""MB that it takes while files are only copied into their tables. One thread here, too: of two, each leaves a row group
that is not full, and the next sync pays for putting them together (measured)."""
LITTLE = "8MB"
"""Memory that it cannot do with: it lets go of all that it does not use."""


class Hold:
    """A DuckDB file held open by this process: nobody gets in between two steps, and dlt need not open it each time.

    dlt works on this very connection (``credentials``). What is configured of DuckDB under ``[destination.duckdb]`` is
    left as it is; where that is its memory, memory is not looked after here at all. Does nothing where the destination
    is no file.

    Args:
        target: The destination.
        tell: Told of a wait.
        spans: Whether rows of spans are loaded, too.

    Attributes:
        credentials: How dlt reaches the file while it is held; None where the destination is no file.
    """

    def __init__(self, target: Target, tell: Callable[[str], None] = logger.info, *, spans: bool = True) -> None:
        memory = MEMORY_OF_SPANS if spans else MEMORY_OF_LOGS
        self._copies = f"{COPIES_OF_SPANS if spans else COPIES_OF_LOGS}MB"
        self._file = target.database
        self._tell = tell
        self._settings = FRUGAL | {"memory_limit": f"{memory}MB"}
        self._more = [f"{2 * memory}MB", f"{4 * memory}MB"]
        self._connection: duckdb.DuckDBPyConnection | None = None
        self.credentials: DuckDbCredentials | None = None
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
            self._connection = opened(self._file, READER_WAIT_S, self._tell)
            self.credentials = credentials(self._connection)
            for name in configured(self.credentials):
                self._settings.pop(name, None)
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
        if self._connection is None or not self._more or not self._limits_memory:
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
            self._limit(self._settings.get("memory_limit", ""))

    def settle(self) -> None:
        """Moves what has been committed from the log beside the file into it, and lets go of what is in memory.

        Else the log grows until the end, and DuckDB keeps what it has. Where that takes more memory, it is left to
        the end.
        """
        if self._connection is not None:
            with self.sparing(), suppress(duckdb.OutOfMemoryException):
                self._connection.execute("CHECKPOINT")
                self._limit(LITTLE)

    @property
    def _limits_memory(self) -> bool:
        return "memory_limit" in self._settings

    def _limit(self, memory: str) -> None:
        if self._connection is not None and self._limits_memory:
            with suppress(duckdb.OutOfMemoryException):  # it cannot do with so little now, and keeps what it has
                self._connection.execute(f"SET memory_limit = '{memory}'")

    def release(self) -> None:
        """Closes it, which frees what DuckDB holds in memory."""
        if self._connection is not None:
            self._limit(self._copies)  # the last of the log is moved into the file
            self._connection.close()
            self._connection = None


def credentials(database: Path | duckdb.DuckDBPyConnection) -> DuckDbCredentials:
    """How dlt reaches a DuckDB file, with all that is configured of it: resolved once, else dlt does it a dozen times.

    Args:
        database: The file, or a connection to it, which dlt then works on and does not close.
    """
    given = str(database) if isinstance(database, Path) else database
    return resolve_configuration(DuckDbCredentials(), sections=("destination", "duckdb"), explicit_value=given)


def configured(found: DuckDbCredentials) -> frozenset[str]:
    """DuckDB's settings that are configured for dlt (``global_config``, ``local_config``, ``pragmas``), by name."""
    pragmas = (pragma.partition("=")[0] for pragma in found.pragmas or [])
    names = (name.strip().lower() for name in (*(found.global_config or {}), *(found.local_config or {}), *pragmas))
    return frozenset(OTHER_NAMES.get(name, name) for name in names)
