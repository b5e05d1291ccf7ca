"""Keeps a DuckDB file open while a sync needs it, and limits the memory that DuckDB uses for it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import duckdb
from dlt.common.configuration import resolve_configuration
from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials

from ..dlt_internals import reconnect, switch
from .duckdb_file import READER_WAIT_S, opened
from .file_lock import file_locked
from .target import Target

logger = logging.getLogger("sim_sync")

FRUGAL = {
    "threads": "1",
    "preserve_insertion_order": "false",
    "allocator_flush_threshold": "8MB",
    "allocator_bulk_deallocation_flush_threshold": "16MB",
}
"""DuckDB's settings during a sync. They save memory without making loads slower (bench: basic400k)."""
OTHER_NAMES = {"max_memory": "memory_limit", "worker_threads": "threads"}
"""Aliases of DuckDB's settings, and their usual names."""
MEMORY_OF_LOGS, MEMORY_OF_SPANS = 72, 120
"""DuckDB's first memory limit in MB: enough to load and merge a piece of plain rows, or of trace spans."""
COPIES_OF_LOGS, COPIES_OF_SPANS = 56, 96
"""DuckDB's memory limit in MB while files are only copied into their tables. Copies use one thread as well: with two,
each would leave an incomplete row group, which the next sync would have to merge."""
TURN_WAIT_S = 900.0
"""Seconds to wait for other syncs that load into the same file."""
LITTLE = "8MB"
"""A memory limit below what DuckDB needs. Setting it makes DuckDB free all memory that is not in use."""


class Hold:
    """Keeps a DuckDB file open, so that no other process can open it between two steps and dlt need not reopen it.

    While a sync waits for the API, the file is closed, and others may open it. Syncs take turns.

    dlt works on the same connection (``credentials``). DuckDB settings that are configured under
    ``[destination.duckdb]`` are not changed; if they include the memory limit, it is not adjusted at all. Does nothing
    if the destination is not a DuckDB file.

    Args:
        target: The destination.
        tell: Prints a line before a wait.
        spans: Whether trace spans are loaded.

    Attributes:
        credentials: Credentials with which dlt uses the open file; None if the destination is not a DuckDB file.
    """

    def __init__(self, target: Target, tell: Callable[[str], None] = logger.info, *, spans: bool = True) -> None:
        memory = MEMORY_OF_SPANS if spans else MEMORY_OF_LOGS
        self._copies = f"{COPIES_OF_SPANS if spans else COPIES_OF_LOGS}MB"
        self._file = target.database
        self._tell = tell
        self._settings = FRUGAL | {"memory_limit": f"{memory}MB"}
        self._more = [f"{2 * memory}MB", f"{4 * memory}MB"]
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._busy = threading.RLock()
        self._on_change: list[Callable[[], None]] = []
        self._turn: ExitStack | None = None
        self.credentials: DuckDbCredentials | None = None
        self._usual_memory = ""

    def __enter__(self) -> Hold:
        self.take()  # reports problems with the file before the first API request
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Opens the file unless it is open, and keeps it open in this context; see ``take`` for errors."""
        with self._busy:
            self.take()
            yield

    def let_go(self) -> None:
        """Closes the file, unless it is in use: the sync is about to wait for something else."""
        if switch.in_use() and self._busy.acquire(blocking=False):
            try:
                self.release()
            finally:
                self._busy.release()

    def on_change(self, forget: Callable[[], None]) -> None:
        """Has a function called when the file was opened or is closed: what uses the connection is created again."""
        self._on_change.append(forget)

    def take(self) -> None:
        """Opens the file. Waits up to ``READER_WAIT_S`` seconds if another process has it open.

        Raises:
            ConfigurationError: The file is not a database, or was written by a newer DuckDB.
            TryLater: Another process had the file open all the time.
        """
        if self._file is not None and self._connection is None:
            with ExitStack() as turn:
                turn.enter_context(turn_of(self._file))
                self._connection = opened(self._file, READER_WAIT_S, self._tell)
                self._turn = turn.pop_all()
            if self.credentials is None or not switch.in_use():
                self.credentials = credentials(self._connection)
            else:
                reconnect.use_connection_of(credentials(self._connection), self.credentials)
            self._changed()
            for name in configured(self.credentials):
                self._settings.pop(name, None)
            if not self._usual_memory:
                (self._usual_memory,) = self._connection.execute("SELECT current_setting('memory_limit')").fetchall()[0]
                self._more.append(self._usual_memory)
            for name, value in self._settings.items():
                self._connection.execute(f"SET {name} = '{value}'")

    def raise_memory_limit(self) -> bool:
        """Raises DuckDB's memory limit for unusually large rows: doubles it, and in the end uses DuckDB's own default.

        Returns:
            Whether the limit could be raised.
        """
        if self._connection is None or not self._more or not self._limits_memory:
            return False
        # RESET changes the displayed limit, not the effective one (DuckDB 1.5.6)
        self._copies = self._settings["memory_limit"] = self._more.pop(0)
        self._limit(self._copies)
        return True

    @contextmanager
    def limited_for_copies(self) -> Iterator[None]:
        """Limits DuckDB's memory to what copying files into tables needs."""
        self._limit(self._copies)
        try:
            yield
        finally:
            self._limit(self._settings.get("memory_limit", ""))

    def checkpoint(self) -> None:
        """Writes a checkpoint and frees DuckDB's memory.

        Without it, the write-ahead log and the memory grow until the end of the sync. If the checkpoint needs more
        memory than the limit, it is left to the end.
        """
        if self._connection is not None:
            with self.limited_for_copies(), suppress(duckdb.OutOfMemoryException):
                self._connection.execute("CHECKPOINT")
                self._limit(LITTLE)

    def flushed(self) -> duckdb.DuckDBPyConnection:
        """Writes a checkpoint, with as much memory as it needs, and returns the connection.

        The file can be copied afterwards, as long as nothing is written to it.

        Raises:
            duckdb.Error: DuckDB cannot write the checkpoint.
            ValueError: No file is open.
        """
        if self._connection is None:
            raise ValueError("no DuckDB file is open")
        while True:
            try:
                self._connection.execute("CHECKPOINT")
                return self._connection
            except duckdb.OutOfMemoryException:
                if not self.raise_memory_limit():
                    raise

    def _changed(self) -> None:
        for forget in self._on_change:
            forget()

    @property
    def _limits_memory(self) -> bool:
        return "memory_limit" in self._settings

    def _limit(self, memory: str) -> None:
        if self._connection is not None and self._limits_memory:
            with suppress(duckdb.OutOfMemoryException):  # more is in use right now: the limit stays as it was
                self._connection.execute(f"SET memory_limit = '{memory}'")

    def release(self) -> None:
        """Closes the file, which also frees DuckDB's memory."""
        if self._connection is not None:
            self._changed()
            self._limit(self._copies)  # closing writes a checkpoint
            self._connection.close()
            self._connection = None
            if self._turn is not None:
                self._turn.close()


@contextmanager
def turn_of(file: Path, wait_s: float = TURN_WAIT_S) -> Iterator[None]:
    """Waits for the other syncs that load into a DuckDB file; they wait meanwhile.

    Raises:
        TryLater: They did not leave the file in this time.
        ConfigurationError: The lock file cannot be written.
    """
    busy = f"another sync is loading into {file}; try again later"
    with file_locked(file.with_name(f".{file.name}.turn.lock"), busy, wait_s):
        yield


def credentials(database: Path | duckdb.DuckDBPyConnection) -> DuckDbCredentials:
    """Resolves dlt's credentials for a DuckDB file, including configured settings. dlt would resolve them repeatedly.

    Args:
        database: The file, or an open connection to it. dlt uses the connection and does not close it.
    """
    given = str(database) if isinstance(database, Path) else database
    return resolve_configuration(DuckDbCredentials(), sections=("destination", "duckdb"), explicit_value=given)


def configured(found: DuckDbCredentials) -> frozenset[str]:
    """Returns the names of DuckDB settings configured for dlt (``global_config``, ``local_config``, ``pragmas``)."""
    pragmas = (pragma.partition("=")[0] for pragma in found.pragmas or [])
    names = (name.strip().lower() for name in (*(found.global_config or {}), *(found.local_config or {}), *pragmas))
    return frozenset(OTHER_NAMES.get(name, name) for name in names)
