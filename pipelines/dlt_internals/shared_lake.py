"""A DuckLake destination whose clients share one DuckDB instance.

dlt opens a DuckDB instance for each client, and each instance loads the extensions again, which takes most of a second.
A sync opens dozens of clients. Here, the first one of a lake stays open until the process ends, and the others are
cursors on its connection.
"""

from __future__ import annotations

import atexit
from contextlib import suppress
from typing import Any

import duckdb
from dlt.destinations import ducklake
from dlt.destinations.impl.ducklake.ducklake import DuckLakeClient
from dlt.destinations.impl.ducklake.sql_client import DuckLakeSqlClient
from dlt.destinations.sql_client import raise_open_connection_error

_open: dict[str, duckdb.DuckDBPyConnection] = {}
"""The first connection to each lake, by the statement that attaches it."""


class SharedLake(ducklake):
    """dlt's DuckLake destination, with clients that share a DuckDB instance."""

    @property
    def client_class(self) -> type[DuckLakeClient]:
        """The class of its clients."""
        return _Client


class _Client(DuckLakeClient):
    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self.sql_client.__class__ = _SqlClient


class _SqlClient(DuckLakeSqlClient):
    @raise_open_connection_error
    def open_connection(self) -> duckdb.DuckDBPyConnection:
        connection = self._shared().cursor()
        self._conn = connection
        connection.execute(f"USE {self.capabilities.escape_identifier(self.credentials.ducklake_name)}")
        with suppress(duckdb.CatalogException):  # the dataset does not exist yet
            connection.execute(f"SET search_path = '{self.fully_qualified_dataset_name()}'")
        return connection

    def close_connection(self) -> None:
        if self._conn is not None:
            with suppress(duckdb.Error):  # most often, there is no transaction to roll back
                self._conn.execute("ROLLBACK")
            self._conn.close()
            self._conn = None  # type: ignore[assignment]  # as dlt does

    def _shared(self) -> duckdb.DuckDBPyConnection:
        """Returns the connection that the clients of a lake share; opens it if necessary."""
        key = self.attach_statement
        if key not in _open:
            connection = super().open_connection()
            atexit.register(_close, connection, self.credentials.ducklake_name)
            _open[key] = connection
        return _open[key]


def _close(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Closes a connection; dlt has seen damaged catalogs that were not detached before."""
    with suppress(duckdb.Error):  # the catalog is gone; the message would quote its address with the password
        connection.execute(f"USE memory; DETACH {name}")
    connection.close()
