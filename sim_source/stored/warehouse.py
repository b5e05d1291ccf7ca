"""Queries the destination: its connection, its table names, and what happens if it cannot answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from string import Formatter
from typing import Any, TypeVar

import dlt
from dlt.common.destination.exceptions import SqlClientNotAvailable
from dlt.common.exceptions import MissingDependencyException
from dlt.destinations.exceptions import DatabaseException, DatabaseUndefinedRelation
from dlt.destinations.sql_client import SqlClientBase

from ..errors import causes
from ..jsons import encode
from ..schema import Row, Table
from ..tables import TABLES
from ..timestamps import utc

T = TypeVar("T")
IDS_AT_ONCE = 500
"""Most ids in one query."""


class Warehouse:
    """Queries the destination of a pipeline. Share one instance: creating dlt's client costs more than a query.

    A table that exists is looked up only once (``has``). A destination that cannot be queried has no tables.

    Attributes:
        doubted: The destination has rejected a load: rows are tried before they are handed over.
    """

    def __init__(self, pipeline: dlt.Pipeline) -> None:
        self._pipeline = pipeline
        self._client: SqlClientBase[Any] | None = None
        self._columns: dict[str, frozenset[str]] = {}
        self.doubted = False

    @property
    def client(self) -> SqlClientBase[Any]:
        """The SQL client of dlt, created on first use.

        Raises:
            SqlClientNotAvailable: The destination has none.
        """
        if self._client is None:
            self._client = self._pipeline.sql_client()
        return self._client

    @contextmanager
    def connected(self) -> Iterator[SqlClientBase[Any]]:
        """Connects to the destination for some queries.

        Raises:
            SqlClientNotAvailable: The destination has no SQL client.
            DatabaseException: The destination cannot be reached.
        """
        with self.client as client:
            yield client

    def disconnect(self) -> None:
        """Forgets the client; the next query creates a new one."""
        self._client = None

    def ask(self, sql: str, *args: Any, ids: Sequence[str] = ()) -> list[tuple[Any, ...]]:
        """Returns the rows of a query; none if one of its tables does not exist.

        Args:
            sql: A SELECT; ``{logs}`` and the like stand for the full table names, ``{ids}`` for as many placeholders as
                there are ids.
            *args: Values of the other placeholders, which all come before ``{ids}``.
            ids: At most ``IDS_AT_ONCE`` of them; see ``in_steps``.

        Raises:
            DatabaseException: The destination rejects the statement, or cannot answer.
        """
        if not all(self.has(table) for table in _tables_in(sql)):
            return []
        statement = self._named(sql, len(ids))
        with self.connected() as client, client.execute_query(statement, *args, *ids) as cursor:
            return list(cursor.fetchall())

    def latest(self, sql: str, *args: Any) -> datetime | None:
        """Returns the moment that a query finds, as ``ask``; None if it finds none."""
        rows = self.ask(sql, *args)
        return utc(rows[0][0]) if rows and rows[0][0] else None

    def execute(self, sql: str, *args: Any) -> None:
        """Runs a statement that changes rows; ``{logs}`` and the like as in ``ask``.

        Raises:
            DatabaseException: The destination rejects the statement, or cannot answer.
        """
        statement = self._named(sql)
        with self.connected() as client:
            client.execute_sql(statement, *args)

    def _named(self, sql: str, ids: int = 0) -> str:
        """Replaces the names in braces. May query the destination, so it is not called inside of a connection."""
        qualified = self.client.make_qualified_table_name
        names = {name: _TableName(qualified(name), name, self.columns(name)) for name in _tables_in(sql)}
        return sql.format(**names, ids=", ".join(["%s"] * ids))

    def drop_orphans(self) -> None:
        """Deletes rows of runs that are not in ``logs``: a rejected load had already written them."""
        for table in TABLES.values():
            for to in table.references:
                if to.always and self.has(table.name) and self.has(to.table):
                    there = f"SELECT {to.key} FROM {{{to.table}}}"
                    self.execute(f"DELETE FROM {{{table.name}}} WHERE {to.column} NOT IN ({there})")

    def refusal(self, table: Table, rows: Sequence[Row]) -> str | None:
        """Tries to insert rows and rolls back; returns the kind of error, or None if they are accepted.

        Raises:
            DatabaseException: The destination cannot answer, which says nothing about the rows.
        """
        values = ", ".join(["(" + ", ".join(["%s"] * len(table.columns)) + ")"] * len(rows))
        try:
            with self.connected() as client:
                names = ", ".join(client.escape_column_name(name) for name in table.column_names)
                sql = f"INSERT INTO {client.make_qualified_table_name(table.name)} ({names}) VALUES {values}"
                with client.begin_transaction() as transaction:
                    client.execute_sql(sql, *(value for row in rows for value in row))
                    transaction.rollback_transaction()
        except DatabaseException as error:
            if cannot_answer(error):
                raise
            return type(error.__cause__ or error).__name__
        return None

    def has(self, table: str) -> bool:
        """Whether the destination has a table. A table that was never selected does not exist."""
        return bool(self.columns(table))

    def columns(self, table: str) -> frozenset[str]:
        """Returns the names of a table's columns in the destination; none if the table does not exist.

        This asks the destination itself, not dlt's schema: another pipeline may have filled the dataset, and an earlier
        version of this source had fewer columns.
        """
        if table not in self._columns:
            try:
                with self.connected() as client:
                    names = stored_columns(client, table)
            except (DatabaseUndefinedRelation, SqlClientNotAvailable, MissingDependencyException):
                return frozenset()  # not cached: a load may create the table
            if table in TABLES and not names.issuperset(TABLES[table].column_names):
                return names  # not cached: the next load adds the missing columns
            self._columns[table] = names
        return self._columns[table]

    def stored_version(self) -> int | None:
        """Returns the version of the pipeline's state in the destination, from completed loads only.

        None if it holds none, or cannot be queried.
        """
        rows = self.ask(_STORED_VERSION, self._pipeline.pipeline_name)
        return None if not rows or rows[0][0] is None else int(rows[0][0])

    def holds_state(self) -> bool:
        """Whether the destination holds the state with which the working directory continues, as far as it shows.

        It does not if the database was replaced by an old copy: dlt continues with the higher version, which would
        leave a gap in the data.
        """
        if not self._pipeline.config.restore_from_destination or self._pipeline.has_pending_data:
            return True  # dlt does not store it there, or has not loaded it yet
        held = self.stored_version()
        return held is None or held >= self._pipeline.state.get("_state_version", 0)

    def count(self, table: str) -> int:
        """Counts the rows of a table; 0 if it does not exist."""
        rows = self.ask(f"SELECT count(*) FROM {{{table}}}")
        return int(rows[0][0]) if rows else 0


def stored_columns(client: SqlClientBase[Any], table: str) -> frozenset[str]:
    """Returns the names of a table's columns in the dataset of an open client.

    Raises:
        DatabaseUndefinedRelation: The table does not exist.
    """
    with client.execute_query(f"SELECT * FROM {client.make_qualified_table_name(table)} WHERE 1 = 0") as cursor:
        return frozenset(str(column[0]).lower() for column in cursor.description or ())


def cannot_answer(error: BaseException) -> bool:
    """Whether the database is lost, or out of memory or disk, instead of rejecting the content of a statement.

    This goes by the exception classes of the Python database API, which drivers share: any fault that the statement did
    not cause is an ``OperationalError`` or an ``InterfaceError``. Two exceptions: PostgreSQL's class 54 (a value is too
    large) is caused by the row, and DuckDB's ``FatalException`` is not.
    """
    return any(
        not (getattr(cause, "pgcode", None) or "").startswith("54")
        for cause in causes(error)
        if not _NOT_OF_ROWS.isdisjoint(kind.__name__ for kind in type(cause).__mro__)
    )


_NOT_OF_ROWS = {"OperationalError", "InterfaceError", "FatalException", "InterruptException"}
_DLT_TABLES = ("_dlt_loads", "_dlt_pipeline_state")
_STORED_VERSION = """
    SELECT max(s.version)
    FROM {_dlt_pipeline_state} s JOIN {_dlt_loads} l ON l.load_id = s._dlt_load_id
    WHERE s.pipeline_name = %s AND l.status = 0
"""


@cache
def _tables_in(sql: str) -> tuple[str, ...]:
    """Returns the tables that a statement names in braces.

    Raises:
        KeyError: A table is unknown.
    """
    names = {name for _, name, _, _ in Formatter().parse(sql) if name is not None} - {"ids"}
    if unknown := names.difference(TABLES, _DLT_TABLES):
        raise KeyError(*unknown)
    return tuple(names)


@dataclass(frozen=True, slots=True)
class _TableName:
    """What a table in braces stands for in a statement.

    Attributes:
        qualified: The qualified name.
        table: Name of the table.
        present: Its columns in the destination.
    """

    qualified: str
    table: str
    present: frozenset[str]

    def __format__(self, alias: str) -> str:
        """``{logs}`` is the qualified name, ``{logs:l}`` all declared columns under the alias ``l``, in their order.

        A column that the destination does not have yet is null: the next load adds it.
        """
        if not alias:
            return self.qualified
        columns = TABLES[self.table].column_names
        return ", ".join(f"{alias}.{name}" if name in self.present else f"NULL AS {name}" for name in columns)


def as_sent(table: Table, row: tuple[Any, ...]) -> Row:
    """Converts a stored row to the values that were sent: JSON as text (some drivers parse it), times in UTC."""
    return tuple(
        _as_json(value) if column.kind == "json" else utc(value) if column.kind == "timestamp" and value else value
        for column, value in zip(table.columns, row, strict=True)
    )


def _as_json(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else encode(value).decode()


def in_steps(found: Sequence[T]) -> Iterator[Sequence[T]]:
    """Splits a sequence into parts that each fit into one query."""
    for at in range(0, len(found), IDS_AT_ONCE):
        yield found[at : at + IDS_AT_ONCE]
