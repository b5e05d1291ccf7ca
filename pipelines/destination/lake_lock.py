"""The lock of a lake whose catalog is in PostgreSQL: an advisory lock in the catalog's database."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

from dlt.common.configuration.specs.connection_string_credentials import ConnectionStringCredentials
from dlt.destinations.impl.ducklake.configuration import DuckLakeCredentials

from sim_source.errors import ConfigurationError

from .duckdb_file import TryLater
from .target import Target

TURN_WAIT_S = 300.0
"""Seconds for which a second writer of a lake waits for its turn."""
POLL_S = 0.5
"""Seconds between two attempts."""


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
    with session.cursor() as cursor:
        while True:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", (key,))
            if cursor.fetchone() == (True,):
                return
            if time.monotonic() >= until:
                raise TryLater(f"another sync is writing to {target}; this one did not start")
            if not told:
                tell(f"another sync is writing to {target}; waiting up to {wait_s:.0f} s")
                told = True
            time.sleep(min(POLL_S, max(0.0, until - time.monotonic())))
