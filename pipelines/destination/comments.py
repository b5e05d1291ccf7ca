"""Descriptions of tables and columns in the warehouse, where it can hold them and dlt does not write them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import dlt
from dlt.destinations.exceptions import DatabaseException

from sim_source import TABLES

from .sql_text import literal

logger = logging.getLogger("sim_sync")

COMMENTABLE = ("duckdb", "postgres")
"""dlt 1.31 writes descriptions to BigQuery, Snowflake and Databricks itself."""


_COMMENTED = "sim_sync_commented"
"""Under this name dlt's working folder remembers which state of its schema the comments are of."""


Warn = Callable[[str], None]


def keep_comments(pipeline: dlt.Pipeline, schema_hash: str | None, warn: Warn = logger.warning) -> None:
    """Comments what is there, once for each state of dlt's schema.

    Args:
        pipeline: Where to.
        schema_hash: Hash of the schema that was loaded last; None: nothing was loaded.
        warn: Told where that fails; it is tried again then.
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
    """Comments every table and column that is there; returns whether nothing is left to be done."""
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
            client.execute_many(statements)
        except DatabaseException as error:
            warn(f"descriptions could not be written ({type(error).__name__}); the next run that loads tries again")
            return False
    return True
