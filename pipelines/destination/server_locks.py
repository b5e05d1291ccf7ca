"""Advisory locks of PostgreSQL, which keep writers on different machines apart. They end with their session."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import dlt
from dlt.destinations.exceptions import DatabaseException
from dlt.destinations.sql_client import SqlClientBase

from sim_source.errors import ConfigurationError

from .file_lock import TryLater
from .target import Target

_WHOLE = ""
"""Name of the lock of the dataset. Earlier versions hold it alone; writers of this one share it."""
_TAKE = "SELECT pg_try_advisory_lock(%s)"
_SHARE = "SELECT pg_try_advisory_lock_shared(%s)"
_GIVE_BACK = "SELECT pg_advisory_unlock(%s)"
_WAIT = "SELECT pg_advisory_lock(%s)"
_NO_TIMEOUTS = "SET statement_timeout = 0; SET lock_timeout = 0; SET idle_session_timeout = 0"
BUSY = {
    "too many": "the server has no connection left, or its user has none",
    "starting up": "the server is starting up",
    "shutting down": "the server is shutting down",
    "recovery": "the server is recovering",
}
"""Parts of libpq's messages and what they mean, if another attempt may succeed."""
REASONS = {
    "password authentication failed": "the server rejects the user or the password",
    "no password supplied": "no password is set",
    "pg_hba.conf": "the server does not admit this user from here (pg_hba.conf)",
    "role ": "the server does not know this user, or admits it no more",
    "database ": "there is no such database, or this user may not connect to it",
    "could not translate host name": "its host name does not resolve",
    "Connection refused": "nothing listens at its host and port",
    "timeout expired": "its host does not answer",
    "SSL": "the TLS connection failed",
}
"""Parts of libpq's messages and what they mean, the most specific first."""


class ServerLocks:
    """Holds advisory locks in a session of its own.

    Args:
        target: The destination.
        pipeline: A pipeline for it.

    Raises:
        TryLater: On entering: a sync of an earlier version holds the dataset.
        ConfigurationError: On entering: the server cannot be reached.
    """

    def __init__(self, target: Target, pipeline: dlt.Pipeline) -> None:
        self._target = target
        self._pipeline = pipeline
        self._client = pipeline.sql_client()
        self._taken: list[str] = []

    def __enter__(self) -> ServerLocks:
        self._open()
        if not self._ask(_SHARE, _WHOLE):
            self._client.close_connection()
            raise TryLater(f"another sync is writing to {self._target}; this one did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close_connection()

    def _open(self) -> None:
        connect(self._client, self._target)
        self._client.execute_sql(_NO_TIMEOUTS)

    def take(self, name: str) -> bool:
        """Takes a lock unless somebody else holds it; returns whether it was free."""
        taken = self._ask(_TAKE, name)
        if taken:
            self._taken.append(name)
        return taken

    def give_back(self, name: str) -> None:
        """Releases a lock. After a lost connection there is nothing to release."""
        self._taken.remove(name)
        self._release(name)

    def restored_without(self) -> list[str]:
        """Opens the session again if its connection was lost; returns the locks that others have taken meanwhile.

        Raises:
            TryLater: The server cannot be reached any more.
        """
        try:
            self._client.execute_sql("SELECT 1")
        except DatabaseException:
            self._client.close_connection()
            self._client = self._pipeline.sql_client()
            try:
                self._open()
            except ConfigurationError as error:  # the settings were right before
                raise TryLater(f"the connection to {self._target} was lost: {error}; committed rows are kept") from None
            return [name for name in (_WHOLE, *self._taken) if not self._ask(_TAKE if name else _SHARE, name)]
        return []

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Waits for the lock that allows to change tables and views, and holds it meanwhile."""
        self._ask(_WAIT, "schema")
        try:
            yield
        finally:
            self._release("schema")

    def _release(self, name: str) -> None:
        if self._client.native_connection is not None:
            with suppress(DatabaseException):
                self._ask(_GIVE_BACK, name)

    def _ask(self, sql: str, name: str) -> bool:
        with self._client.execute_query(sql, self._key(name)) as cursor:
            row: Any = cursor.fetchone()
        return bool(row and row[0] is True)

    def _key(self, name: str) -> int:
        text = f"sim-sync {self._target.dataset}" + (f" {name}" if name else "")
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big", signed=True)


def connect(client: SqlClientBase[Any], target: Target) -> None:
    """Opens the connection of a client.

    Raises:
        ConfigurationError: The server cannot be reached, or does not admit the user.
        TryLater: The server has no connection left, is starting or shutting down.
    """
    try:
        client.open_connection()
    except Exception as error:  # the driver raises its own errors
        # the driver's message names user and host, and may quote the connection string
        if busy := _reason(str(error), BUSY):
            raise TryLater(f"cannot connect to {target}: {busy}; try again later") from None
        why = _reason(str(error), REASONS) or "the connection failed"
        raise ConfigurationError(
            f"cannot connect to {target}: {why}; check DESTINATION__POSTGRES__CREDENTIALS"
        ) from None


def _reason(message: str, reasons: Mapping[str, str]) -> str | None:
    return next((reason for part, reason in reasons.items() if part in message), None)
