"""What PostgreSQL needs beside dlt's tables: indexes, and staging tables without a write-ahead log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import dlt
from dlt.destinations.sql_client import SqlClientBase

from sim_source import TABLES
from sim_source.schema import Table

DESTINATION = "postgres"
READ_BY_TIME = {
    "logs": "started_at",
    "cost_items": "started_at",
    "trace_spans": "started_at",
    "audit_logs": "created_at",
    "billing_logs": "created_at",
}
"""Large tables, and the column by which a report and the next sync read them."""


def indexes_of(table: Table) -> Iterator[tuple[str, ...]]:
    """Yields the columns of each index of a table: its key, what is replaced together, and workspace and time."""
    yield table.key
    if table.replaces and table.replaces != table.key[0]:
        yield (table.replaces,)
    if table.name in READ_BY_TIME:
        yield ("workspace_id", READ_BY_TIME[table.name])


def create_indexes(pipeline: dlt.Pipeline) -> None:
    """Creates the indexes of all existing tables, unless they exist; does nothing for other destinations.

    The statistics of tables are updated once, after the first load: PostgreSQL would plan merges without them.

    Raises:
        DatabaseException: PostgreSQL cannot create them.
    """
    if pipeline.destination.destination_name != DESTINATION:
        return
    with pipeline.sql_client() as client:
        there = _indexes(client)
        statements = []
        for table in _existing(pipeline):
            name = client.make_qualified_table_name(table.name)
            new = [columns for columns in indexes_of(table) if _name(table, columns) not in there]
            statements += [
                f'CREATE INDEX "{_name(table, columns)}" ON {name} ({", ".join(columns)})' for columns in new
            ]
            statements += [f"ANALYZE {name}"] if new else []
        if statements:
            client.execute_many(statements)


def create_staging(pipeline: dlt.Pipeline) -> None:
    """Creates the staging tables without a write-ahead log; does nothing for other destinations.

    dlt would create them with one, and write every row to it twice. What a crash of the server leaves of an unlogged
    table is empty; the load in hand then fails, and is repeated by the next sync. The tables must exist.

    Raises:
        DatabaseException: PostgreSQL cannot create them.
    """
    if pipeline.destination.destination_name != DESTINATION:
        return
    with pipeline.sql_client() as client:
        staging = client.staging_dataset_name
        with client.with_alternative_dataset_name(staging) as stage:
            if not stage.has_dataset():
                stage.create_dataset()
            pairs = [
                (stage.make_qualified_table_name(table.name), f'"{pipeline.dataset_name}"."{table.name}"')
                for table in _existing(pipeline)
            ]
            client.execute_many([f"CREATE UNLOGGED TABLE IF NOT EXISTS {there} (LIKE {here})" for there, here in pairs])


def _existing(pipeline: dlt.Pipeline) -> Iterable[Table]:
    names = pipeline.default_schema.data_table_names(seen_data_only=True)
    return [table for table in TABLES.values() if table.name in names]


def _indexes(client: SqlClientBase[Any]) -> frozenset[str]:
    with client.execute_query("SELECT indexname FROM pg_indexes WHERE schemaname = %s", client.dataset_name) as found:
        return frozenset(row[0] for row in found.fetchall())


def _name(table: Table, columns: tuple[str, ...]) -> str:
    return "_".join(("sim_sync", table.name, *columns))[:63]
