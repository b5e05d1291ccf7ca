"""Lets dlt's clients for PostgreSQL reuse connections.

dlt opens a connection for each client, some thirty in a sync. Each costs the server a process with empty caches, and
with TLS several round trips. Here, a client that is closed leaves its connection to the next one.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

from dlt.common.destination import Destination

MOST_IDLE = 4
"""Connections of each kind that are kept for the next client."""
TYPE = "dlt.destinations.postgres"


class _Idle:
    """Open connections that no client uses, by what they connect to. Keeps none outside of ``reused``."""

    def __init__(self) -> None:
        self._connections: dict[Hashable, list[Any]] = {}
        self._lock = threading.Lock()
        self._contexts = 0

    def enter(self) -> None:
        with self._lock:
            self._contexts += 1

    def leave(self) -> None:
        with self._lock:
            self._contexts -= 1
            left = [] if self._contexts else [each for idle in self._connections.values() for each in idle]
            if not self._contexts:
                self._connections.clear()
        for connection in left:
            connection.close()

    def take(self, key: Hashable) -> Any | None:
        with self._lock:
            idle = self._connections.get(key)
            return idle.pop() if idle else None

    def keep(self, key: Hashable, connection: Any) -> bool:
        """Keeps a connection, and returns whether there is room for it."""
        with self._lock:
            idle = self._connections.setdefault(key, [])
            if not self._contexts or len(idle) >= MOST_IDLE:
                return False
            idle.append(connection)
            return True


_idle = _Idle()


@contextmanager
def reused() -> Iterator[None]:
    """Keeps connections that clients close for the next client, and closes them in the end."""
    _idle.enter()
    try:
        yield
    finally:
        _idle.leave()


def reuse_connections(destination: Destination[Any, Any]) -> None:
    """Lets the clients of a destination reuse connections, in the context ``reused``; does so for PostgreSQL only.

    Args:
        destination: The destination, which is changed.
    """
    if destination.destination_type != TYPE:
        return
    create = destination.client

    def client(schema: Any, initial_config: Any = None) -> Any:
        created = create(schema, initial_config)
        created.sql_client.__class__ = _sql_client_class()
        return created

    destination.client = client  # type: ignore[method-assign]


@cache
def _sql_client_class() -> type[Any]:
    """Returns the class of SQL clients that reuse connections. The driver is an extra, so it is imported here."""
    import psycopg2  # type: ignore[import-untyped]  # has no stubs
    from dlt.destinations.impl.postgres.sql_client import Psycopg2SqlClient

    class ReusingSqlClient(Psycopg2SqlClient):
        def open_connection(self) -> Any:
            while (kept := _idle.take(self._key)) is not None:
                self._conn = kept
                try:
                    self._reset_connection()
                    return kept
                except psycopg2.Error:  # the server has closed it meanwhile
                    kept.close()
            return super().open_connection()

        def close_connection(self) -> None:
            if self._conn and self._left():
                self._conn = None
            else:
                super().close_connection()

        def _left(self) -> bool:
            """Leaves the connection to the next client, without locks and settings; returns whether it can be used."""
            idle = psycopg2.extensions.TRANSACTION_STATUS_IDLE
            if self._conn.closed or self._conn.info.transaction_status != idle:
                return False
            with suppress(psycopg2.Error):
                with self._conn.cursor() as cursor:
                    cursor.execute("DISCARD ALL")
                return _idle.keep(self._key, self._conn)
            return False

        @property
        def _key(self) -> Hashable:
            return self.credentials.to_native_representation(), self.fully_qualified_dataset_name()

    return ReusingSqlClient
