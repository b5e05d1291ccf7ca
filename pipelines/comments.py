"""Descriptions of tables and columns in the warehouse, where it can hold them and dlt does not write them."""

from __future__ import annotations

import logging

import dlt
from dlt.destinations.exceptions import DatabaseException

from sim_source import TABLES

logger = logging.getLogger("sim_sync")

COMMENTABLE = ("duckdb", "postgres")
"""dlt 1.31 writes descriptions to BigQuery, Snowflake and Databricks itself."""


def write(pipeline: dlt.Pipeline) -> None:
    """Comments every table and column that is there."""
    if pipeline.destination.destination_name not in COMMENTABLE:
        return
    present = {name: set(table["columns"]) for name, table in pipeline.default_schema.tables.items()}
    statements = []
    with pipeline.sql_client() as client:
        for table in TABLES.values():
            if table.name not in present:
                continue
            name = client.make_qualified_table_name(table.name)
            statements.append(f"COMMENT ON TABLE {name} IS {_literal(table.description)}")
            for column in table.columns:
                if column.name in present[table.name]:
                    where = f"{name}.{client.escape_column_name(column.name)}"
                    statements.append(f"COMMENT ON COLUMN {where} IS {_literal(column.description)}")
        try:
            client.execute_many(statements)
        except DatabaseException as error:
            logger.warning("descriptions could not be written: %s", error)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
