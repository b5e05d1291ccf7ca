"""Renames columns that had another name in earlier versions, in the destination and in dlt's schema.

dlt only adds columns. Of a renamed key column, the old one would remain in the destination, could not be null, and
would not be sent any more: every load would fail.
"""

from __future__ import annotations

from typing import Any

import dlt
from dlt.common.destination.exceptions import SqlClientNotAvailable
from dlt.common.exceptions import MissingDependencyException
from dlt.destinations.exceptions import DatabaseException, DatabaseUndefinedRelation
from dlt.destinations.sql_client import SqlClientBase

from ..errors import ConfigurationError
from ..schema import Column, Table
from ..tables import TABLES
from .warehouse import Warehouse, stored_columns


def rename_columns(warehouse: Warehouse, schema: dlt.Schema) -> None:
    """Renames columns in the tables of the destination and of dlt's staging dataset; their rows stay.

    Called when rows are extracted: dlt has then loaded all packages of an earlier version. Columns that have their new
    name are left alone, so several processes can do this at once, and the next sync repeats it after a kill.

    Args:
        warehouse: Queries the destination.
        schema: The schema of the source that is being extracted. The old names are removed from it.

    Raises:
        ConfigurationError: The destination rejects the statement.
    """
    for table in TABLES.values():
        known = schema.tables[table.name]["columns"] if table.name in schema.tables else {}
        for column in table.columns:
            if column.earlier and (column.earlier in known or column.earlier in warehouse.columns(table.name)):
                _rename(warehouse, table, column)
                known.pop(column.earlier, None)


def _rename(warehouse: Warehouse, table: Table, column: Column) -> None:
    try:
        with warehouse.connected() as client:
            with client.with_staging_dataset():
                _rename_in_dataset(client, table, column)
            _rename_in_dataset(client, table, column)
    except (SqlClientNotAvailable, MissingDependencyException):
        return  # files: those of an earlier version keep their columns


def _rename_in_dataset(client: SqlClientBase[Any], table: Table, column: Column) -> None:
    if not _has_old_name(client, table, column):
        return
    name = client.make_qualified_table_name(table.name)
    old, new = client.escape_column_name(column.earlier), client.escape_column_name(column.name)
    statement = f"ALTER TABLE {name} RENAME COLUMN {old} TO {new}"
    try:
        client.execute_sql(statement)
    except DatabaseException as error:
        if _has_old_name(client, table, column):  # otherwise, another process was faster
            raise ConfigurationError(
                f"column {column.earlier} of {name} is now named {column.name}, but could not be renamed "
                f"({type(error.__cause__ or error).__name__}); nothing was loaded. As owner of the table: {statement}"
            ) from error


def _has_old_name(client: SqlClientBase[Any], table: Table, column: Column) -> bool:
    try:
        return column.earlier in stored_columns(client, table.name)
    except DatabaseUndefinedRelation:
        return False
