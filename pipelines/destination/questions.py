"""Ad-hoc SQL queries on the destination; read-only on DuckDB."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import dlt
import duckdb
from dlt.destinations.exceptions import DatabaseException

from sim_source.errors import SimError

from ..views import rewritten
from ..views.rewriting import DIALECT
from . import duckdb_file, lake, pipeline
from .target import Target


class SqlFault(SimError):
    """The destination rejected the statement."""


@dataclass(frozen=True, slots=True)
class QueryResult:
    """Columns and rows of a query result."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]

    @property
    def dicts(self) -> list[dict[str, Any]]:
        """The rows as dictionaries by column name. The second of two columns with the same name is ``name_1``."""
        names = _distinct(self.columns)
        return [dict(zip(names, row, strict=True)) for row in self.rows]

    @property
    def table(self) -> Iterator[Sequence[Any]]:
        """Yields the column names, then the rows."""
        yield self.columns
        yield from self.rows


def _distinct(names: Sequence[str]) -> list[str]:
    """Makes column names unique by appending numbers, like DuckDB does in its exports."""
    found: list[str] = []
    for name in names:
        number, distinct = 0, name
        while distinct in found:
            number += 1
            distinct = f"{name}_{number}"
        found.append(distinct)
    return found


def ask(target: Target, sql: str, *, wait_s: float = duckdb_file.READER_WAIT_S) -> QueryResult:
    """Runs SQL on the destination.

    Raises:
        ConfigurationError: Nothing has been synced there yet, or the file is not a database.
        TryLater: A sync is writing to the file, and it has no published copy.
        SqlFault: The destination rejected the statement.
    """
    if not sql.strip(" \t\r\n;"):
        raise SqlFault("no statement to run; pass SQL as the argument")
    if target.database is None:
        return _through_dlt(target, sql)
    with duckdb_file.opened_to_read(target) as connection:
        try:
            connection.execute("SET TimeZone = 'UTC'")
            cursor = connection.execute(sql)
            columns = tuple(column[0] for column in cursor.description or ())
            return QueryResult(columns, cursor.fetchall() if columns else [])
        except duckdb.Error as error:
            raise SqlFault(str(error)) from error


def answer(target: Target, sql: str) -> QueryResult:
    """Runs a query in DuckDB's dialect over ``sim.<table or view>``, translated for the destination and its dataset.

    Raises:
        ConfigurationError: Nothing has been synced there yet, or the file is not a database.
        TryLater: A sync is writing to the file, and it has no published copy.
        SqlFault: The destination rejected the statement, or a view is missing.
    """
    dialect = DIALECT
    if target.database is None:
        with pipeline.reached(target) as reached:
            dialect = str(reached.destination.capabilities().sqlglot_dialect)
    return ask(target, rewritten(sql, dialect, lambda name: f"{target.dataset}.{name}"))


def _through_dlt(target: Target, sql: str) -> QueryResult:
    try:
        with pipeline.reached(target) as reached:
            lake.check_lake(target, reached)
            return _queried(reached, sql)
    except DatabaseException as error:
        raise SqlFault(str(error)) from error


def _queried(reached: dlt.Pipeline, sql: str) -> QueryResult:
    with reached.sql_client() as client, client.execute_query(sql) as cursor:
        columns = tuple(column[0] for column in cursor.description or ())
        return QueryResult(columns, cursor.fetchall() if columns else [])


def stored_relations(target: Target) -> frozenset[str]:
    """Returns the names of the existing tables and views, and of their columns (``logs.id``).

    Raises:
        ConfigurationError: Nothing has been synced there yet.
        TryLater: A sync is writing to the file, and it has no published copy.
    """
    sql = f"SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = '{target.dataset}'"
    rows = ask(target, sql).rows
    return frozenset(table for table, _ in rows) | {f"{table}.{column}" for table, column in rows}


def as_json_value(value: Any) -> Any:
    """Converts a value for JSON: timestamps to ISO format, decimals to text, because floats would change them.

    ``NaN``, ``Infinity`` and the keys of maps become text as well.
    """
    if value is None or isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, dict):
        return {
            name if isinstance(name, str) else str(as_json_value(name)): as_json_value(entry)
            for name, entry in value.items()
        }
    if isinstance(value, list | tuple | set):
        return [as_json_value(entry) for entry in value]
    return _as_text(value)


def _as_text(value: Any) -> str:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, float):
        return {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
    if isinstance(value, Decimal):
        return f"{value:f}"  # not 1E-12
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)
