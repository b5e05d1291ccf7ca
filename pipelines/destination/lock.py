"""The lock that allows one sync at a time per database and dataset. A crash leaves no lock behind."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dlt
from filelock import FileLock, Timeout

from sim_source.errors import ConfigurationError

from . import lake, lake_lock
from .duckdb_file import TryLater
from .lake_lock import TURN_WAIT_S
from .target import Target

logger = logging.getLogger("sim_sync")


@contextmanager
def locked(
    target: Target, server: dlt.Pipeline | None = None, tell: Callable[[str], None] = logger.info
) -> Iterator[None]:
    """Holds the lock of a destination: a file lock, which the system releases when the process ends.

    The lock file of a DuckDB database lies next to it, where every other writer sees it. The lock file for a server
    only protects one machine; for PostgreSQL, an advisory lock on the server is held as well.

    Args:
        target: The destination.
        server: A pipeline for the destination, unless it is a DuckDB file.
        tell: Prints a line before a wait. Only at a lake, a second sync waits for its turn, ``TURN_WAIT_S`` at most.

    Raises:
        TryLater: Another sync holds the lock, at a lake for all that time.
        ConfigurationError: The lock file cannot be written, or the server cannot be reached.
    """
    wait_s = TURN_WAIT_S if target.destination == lake.DUCKLAKE else 0.0
    with _file_locked(target, _lock_file(target, server), wait_s, tell):
        if server is not None and target.destination == "postgres":
            with _postgres_locked(target, server):
                yield
        elif server is not None and target.destination == lake.DUCKLAKE:
            with lake_lock.catalog_locked(target, lake.credentials_of(server), wait_s, tell):
                lake.check_connection(target, server)
                yield
        else:
            yield


def _lock_file(target: Target, server: dlt.Pipeline | None) -> Path:
    if target.database is not None:
        return target.database.with_name(f".{target.database.name}.{target.dataset}.lock")
    if server is None:
        raise ValueError(f"a pipeline into {target} is needed")
    if target.destination == lake.DUCKLAKE and (catalog := lake.catalog_file(lake.credentials_of(server))):
        return catalog.with_name(f".{catalog.name}.lock")  # one writer for the catalog, whatever the dataset
    return Path(server.pipelines_dir) / f"{server.pipeline_name}.lock"


@contextmanager
def _file_locked(target: Target, path: Path, wait_s: float, tell: Callable[[str], None]) -> Iterator[None]:
    if target.database is None:
        path.parent.mkdir(parents=True, exist_ok=True)
    owner = path.with_suffix(".pid")
    lock = FileLock(path, mode=0o600)
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            if not wait_s:
                raise
            tell(f"another sync is writing to {target}{_pid(owner)}; waiting up to {wait_s:.0f} s")
            lock.acquire(timeout=wait_s)
    except Timeout as error:
        raise TryLater(f"another sync is writing to {target}{_pid(owner)}; this one did not start") from error
    except OSError as error:
        raise ConfigurationError(
            f"cannot write a lock file to {path.parent}: {os.strerror(error.errno or 0)}"
        ) from error
    try:
        owner.write_text(str(os.getpid()), "ascii")
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()


@contextmanager
def _postgres_locked(target: Target, pipeline: dlt.Pipeline) -> Iterator[None]:
    """Holds an advisory lock in a separate session. The lock ends with the session."""
    key = int.from_bytes(hashlib.sha256(f"sim-sync {target.dataset}".encode()).digest()[:8], "big", signed=True)
    client = pipeline.sql_client()
    try:
        client.open_connection()
    except Exception as error:  # the driver raises its own errors
        raise ConfigurationError(
            f"cannot connect to {target} ({type(error).__name__}); check DESTINATION__POSTGRES__CREDENTIALS"
        ) from None  # the driver's message may quote the connection string
    try:
        with client.execute_query("SELECT pg_try_advisory_lock(%s)", key) as cursor:
            row = cursor.fetchone()
        if row is None or not row[0]:
            raise TryLater(f"another sync is writing to {target}; this one did not start")
        yield
    finally:
        client.close_connection()


def _pid(file: Path) -> str:
    try:
        return f" (PID {int(file.read_text('ascii'))})"
    except (OSError, ValueError):
        return ""
