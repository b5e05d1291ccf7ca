"""What was published of a DuckDB file, and where. The record is a small file beside the database.

Other processes and other users of the machine find the published file through it, without any setting.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import msgspec

from .target import Target


class Record(msgspec.Struct, frozen=True):
    """Where a database was published.

    Attributes:
        file: The published file, relative to the folder of the database if it is in it, else with its absolute path.
        loads: Last load of the published file, and the one that is about to replace it.
        compact: Whether the file is written without free space.
    """

    file: str
    loads: list[str]
    compact: bool = False


@dataclass(frozen=True, slots=True)
class Contents:
    """What identifies the contents of a database. A copy has the same.

    Attributes:
        load: Id of the last completed load.
        loads: Number of completed loads.
        as_of: When that load was completed.
        definitions: Hash of the names, types and comments of all tables, views and columns.
    """

    load: str
    loads: int
    as_of: datetime
    definitions: int


_LOADS = 'SELECT max(load_id), count(*), max(inserted_at) FROM "{dataset}"._dlt_loads WHERE status = 0'
_DEFINITIONS = """
    SELECT sum(hash(told)) FROM (
        SELECT (schema_name, table_name, comment)::VARCHAR AS told FROM duckdb_tables()
        WHERE database_name = current_database()
        UNION ALL
        SELECT (schema_name, table_name, column_name, data_type, comment)::VARCHAR FROM duckdb_columns()
        WHERE database_name = current_database() AND NOT internal
        UNION ALL
        SELECT (schema_name, view_name, comment)::VARCHAR FROM duckdb_views()
        WHERE database_name = current_database() AND NOT internal
    )
"""
"""The SQL of a view is left out: DuckDB shows it in another form once the file was closed and opened again. Comments of
our views hold a hash of it."""


def contents(connection: duckdb.DuckDBPyConnection, dataset: str) -> Contents | None:
    """Returns what identifies the contents of an open database; None if nothing was loaded into the dataset."""
    try:
        load, count, as_of = connection.execute(_LOADS.format(dataset=dataset)).fetchall()[0]
    except duckdb.CatalogException:
        return None
    if load is None:
        return None
    (definitions,) = connection.execute(_DEFINITIONS).fetchall()[0]
    return Contents(str(load), int(count), as_of.astimezone(UTC), int(definitions))


def record_file(target: Target) -> Path:
    """Returns the path of the record: beside the database, like its lock file.

    Raises:
        ValueError: The destination is not a DuckDB file.
    """
    if target.database is None:
        raise ValueError(f"{target} is not a DuckDB file")
    return target.database.with_name(f".{target.database.name}.{target.dataset}.published")


def read_record(target: Target) -> Record | None:
    """Returns the record of a database; None if it was never published, or the record cannot be read."""
    try:
        return msgspec.json.decode(record_file(target).read_bytes(), type=Record)
    except (OSError, msgspec.DecodeError):
        return None


def write_record(target: Target, file: Path, loads: list[str], *, compact: bool) -> None:
    """Records where a database is published. Every user who may read the folder may read the record.

    Raises:
        OSError: The record cannot be written.
    """
    path = record_file(target)
    shown = file.relative_to(path.parent) if file.is_relative_to(path.parent) else file
    record = Record(str(shown), loads, compact)
    if record != read_record(target):
        new = path.with_name(f"{path.name}.new")
        new.write_bytes(msgspec.json.encode(record))
        os.replace(new, path)


def published_file(target: Target, record: Record) -> Path:
    """Returns the absolute path of the file that a record names."""
    return record_file(target).parent / record.file


VIEWS = """
    SELECT schema_name, view_name FROM duckdb_views()
    WHERE database_name = current_database() AND NOT internal
"""
"""Query for the views of a database."""


def has_load(connection: duckdb.DuckDBPyConnection, dataset: str, load: str) -> bool:
    """Whether a load was completed in an open database."""
    try:
        found = connection.execute(f'SELECT 1 FROM "{dataset}"._dlt_loads WHERE load_id = ? AND status = 0', [load])  # noqa: S608 - a checked name
    except duckdb.CatalogException:
        return False
    return found.fetchone() is not None
