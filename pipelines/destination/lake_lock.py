"""The lock of a lake, for which writers wait: a file beside its catalog, and in PostgreSQL an advisory lock."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import dlt
from dlt.common.configuration.specs.connection_string_credentials import ConnectionStringCredentials
from dlt.destinations.impl.ducklake.configuration import DuckLakeCredentials

from sim_source.errors import ConfigurationError

from . import lake
from .file_lock import TryLater, file_locked
from .target import Target

TURN_WAIT_S = 300.0
"""Seconds for which a second writer of a lake waits for its turn."""
POLL_S = 0.5
"""Seconds between two attempts."""


@contextmanager
def turn(target: Target, pipeline: dlt.Pipeline, folder: Path, tell: Callable[[str], None]) -> Iterator[None]:
    """Waits for the only writer of a lake, and is that writer meanwhile.

    Args:
        target: The lake.
        pipeline: A pipeline for it.
        folder: Where the lock file lies if the catalog is on a server.
        tell: Prints a line before a wait.

    Raises:
        TryLater: Another sync was the writer all the time.
        ConfigurationError: The lock file cannot be written, or the lake cannot be opened.
    """
    found = lake.credentials_of(pipeline)
    catalog = lake.catalog_file(found)
    # one writer for the catalog, whatever the dataset
    file = folder / "lake.lock" if catalog is None else catalog.with_name(f".{catalog.name}.lock")
    busy, waiting = _texts(target, TURN_WAIT_S)
    with file_locked(file, busy, TURN_WAIT_S, partial(tell, waiting)), catalog_locked(target, found, TURN_WAIT_S, tell):
        lake.check_connection(target, pipeline)
        yield


@contextmanager
def catalog_locked(
    target: Target, found: DuckLakeCredentials, wait_s: float, tell: Callable[[str], None]
) -> Iterator[None]:
    """Holds an advisory lock in the database of a PostgreSQL catalog. It ends with its session, as after a crash.

    Does nothing for other catalogs.

    Args:
        target: The destination.
        found: Complete credentials of the lake.
        wait_s: Seconds to wait for the lock.
        tell: Prints a line before a wait.

    Raises:
        TryLater: Another sync held the lock all the time.
        ConfigurationError: The database cannot be reached.
    """
    if found.catalog.drivername not in ("postgres", "postgresql"):
        yield
        return
    name = f"sim-sync ducklake {found.metadata_schema or found.ducklake_name}"
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    with closing(_session(target, found.catalog)) as session:
        _take(session, key, target, wait_s, tell)
        yield


def _session(target: Target, catalog: ConnectionStringCredentials) -> Any:
    import psycopg2  # type: ignore[import-untyped]  # an extra; has no stubs

    try:
        session = psycopg2.connect(
            host=catalog.host,
            port=catalog.port,
            user=catalog.username,
            password=catalog.password,
            dbname=catalog.database,
            **catalog.get_query(),
        )
    except psycopg2.Error as error:
        raise ConfigurationError(
            f"cannot connect to the catalog of {target} ({type(error).__name__}); check "
            "DESTINATION__DUCKLAKE__CREDENTIALS__CATALOG"
        ) from None  # the driver's message may quote the connection string
    session.autocommit = True
    return session


def _take(session: Any, key: int, target: Target, wait_s: float, tell: Callable[[str], None]) -> None:
    until, told = time.monotonic() + wait_s, False
    busy, waiting = _texts(target, wait_s)
    with session.cursor() as cursor:
        while True:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", (key,))
            if cursor.fetchone() == (True,):
                return
            if time.monotonic() >= until:
                raise TryLater(busy)
            if not told:
                tell(waiting)
                told = True
            time.sleep(min(POLL_S, max(0.0, until - time.monotonic())))


def _texts(target: Target, wait_s: float) -> tuple[str, str]:
    """Returns what is said after a wait that was too short, and before it."""
    writing = f"another sync is writing to {target}"
    return f"{writing}; this one did not start", f"{writing}; waiting up to {wait_s:.0f} s"
