"""Gives dlt another connection to the same DuckDB file, while its pipeline exists."""

from __future__ import annotations

from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials


def use_connection_of(fresh: DuckDbCredentials, used: DuckDbCredentials) -> None:
    """Lets credentials that a pipeline uses hand out the connection of other credentials.

    dlt asks its credentials for a connection whenever it creates a client; clients that exist keep the old one.

    Args:
        fresh: Credentials made from an open connection.
        used: Credentials of the pipeline.

    Raises:
        ValueError: The fresh credentials were not made from an open connection.
    """
    connection = fresh.external_conn()
    if connection is None:
        raise ValueError("the credentials were not made from an open connection")
    used._external_conn, used.conn_pool = connection, fresh.conn_pool
