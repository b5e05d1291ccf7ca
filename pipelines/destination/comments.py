"""Writes descriptions of tables and columns as comments, to destinations for which dlt does not write them itself."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import dlt
from dlt.destinations.exceptions import DatabaseException

from sim_source import TABLES

from .sql_text import literal

logger = logging.getLogger("sim_sync")

COMMENTABLE = ("duckdb", "ducklake", "postgres")
"""Destinations that get comments here. dlt 1.31 itself writes them to BigQuery, Snowflake and Databricks."""


_COMMENTED = "sim_sync_commented"
"""Key in dlt's local state: the hash of the schema for which comments were written last."""


Warn = Callable[[str], None]


def keep_comments(pipeline: dlt.Pipeline, schema_hash: str | None, warn: Warn = logger.warning) -> None:
    """Writes the comments of all existing tables, once for each version of dlt's schema.

    Args:
        pipeline: Pipeline of the destination.
        schema_hash: Hash of the schema that was loaded last; None if nothing was loaded.
        warn: Called with a warning if writing fails. The next call then tries again.
    """
    if schema_hash is None or schema_hash == _remembered(pipeline):
        return
    if write_comments(pipeline, warn):
        pipeline.set_local_state_val(_COMMENTED, schema_hash)


def _remembered(pipeline: dlt.Pipeline) -> Any:
    try:
        return pipeline.get_local_state_val(_COMMENTED)
    except KeyError:
        return None


def write_comments(pipeline: dlt.Pipeline, warn: Warn = logger.warning) -> bool:
    """Writes the comments of all existing tables and columns; returns False if that failed."""
    if pipeline.destination.destination_name not in COMMENTABLE:
        return True
    present = {name: set(table["columns"]) for name, table in pipeline.default_schema.tables.items()}
    statements = []
    with pipeline.sql_client() as client:
        for table in TABLES.values():
            if table.name not in present:
                continue
            name = client.make_qualified_table_name(table.name)
            statements.append(f"COMMENT ON TABLE {name} IS {literal(table.description)}")
            for column in table.columns:
                if column.name in present[table.name]:
                    where = f"{name}.{client.escape_column_name(column.name)}"
                    statements.append(f"COMMENT ON COLUMN {where} IS {literal(column.description)}")
        try:
            with client.begin_transaction():  # in DuckLake, each transaction is a snapshot
                client.execute_many(statements)
        except DatabaseException as error:
            warn(
                f"table descriptions could not be written ({type(error).__name__}); the next sync with new rows retries"
            )
            return False
    return True
