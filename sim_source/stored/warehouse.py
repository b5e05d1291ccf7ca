"""Asking the destination: one place for its connection, its table names and what it answers when it cannot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
"""Ids in one question."""


class Warehouse:
    """Asks the destination of a pipeline; one for all questions, since making dlt's client costs more than asking.

    Which tables are there is asked once (``has``). A destination that cannot be asked has none.

    Attributes:
        doubted: It has refused a load: rows are tried before they are handed over.
    """

    def __init__(self, pipeline: dlt.Pipeline) -> None:
        self._pipeline = pipeline
        self._client: SqlClientBase[Any] | None = None
        self._there: set[str] = set()
        self.doubted = False

    @property
    def client(self) -> SqlClientBase[Any]:
        """Dlt's client, made when it is first wanted.

        Raises:
            SqlClientNotAvailable: The destination has none.
        """
        if self._client is None:
            self._client = self._pipeline.sql_client()
        return self._client

    def ask(self, sql: str, *args: Any, ids: Sequence[str] = ()) -> list[tuple[Any, ...]]:
        """Rows of a question; none where one of its tables is not there.

        Args:
            sql: A SELECT; ``{logs}`` and the like stand for the tables' full names, ``{ids}`` for as many places as
                there are ids.
            *args: Values of its other places, all of which come before ``{ids}``.
            ids: At most ``IDS_AT_ONCE`` of them; see ``in_steps``.

        Raises:
            DatabaseException: The destination does not take the statement, or cannot answer.
        """
        if not all(self.has(table) for table in _tables_in(sql)):
            return []
        return self._ask(sql, *args, ids=ids)

    def execute(self, sql: str, *args: Any) -> None:
        """Runs a statement that changes rows; ``{logs}`` and the like as in ``ask``.

        Raises:
            DatabaseException: The destination does not take it, or cannot answer.
        """
        with self.client as client:
            client.execute_sql(self._named(client, sql), *args)

    def _ask(self, sql: str, *args: Any, ids: Sequence[str] = ()) -> list[tuple[Any, ...]]:
        with self.client as client, client.execute_query(self._named(client, sql, len(ids)), *args, *ids) as cursor:
            return list(cursor.fetchall())

    def _named(self, client: SqlClientBase[Any], sql: str, ids: int = 0) -> str:
        names = {name: client.make_qualified_table_name(name) for name in _tables_in(sql)}
        return sql.format(**names, ids=", ".join(["%s"] * ids))

    def drop_orphans(self) -> None:
        """Deletes rows of runs that are not in ``logs``: a load that was refused had brought them already."""
        for table in TABLES.values():
            for to in table.references:
                if to.always and self.has(table.name) and self.has(to.table):
                    there = f"SELECT {to.key} FROM {{{to.table}}}"
                    self.execute(f"DELETE FROM {{{table.name}}} WHERE {to.column} NOT IN ({there})")

    def refusal(self, table: Table, rows: Sequence[Row]) -> str | None:
        """Tries to insert rows, and takes them back: the kind of error where they are refused, None where not.

        Raises:
            DatabaseException: The destination cannot answer, which says nothing of the rows.
        """
        values = ", ".join(["(" + ", ".join(["%s"] * len(table.columns)) + ")"] * len(rows))
        try:
            with self.client as client:
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
        """Whether the destination has a table: one that nobody ever selected is not there to be asked.

        The destination itself is asked, not dlt's schema: a dataset that somebody else has filled is not empty.
        """
        if table not in self._there:
            try:
                self._ask(f"SELECT 1 FROM {{{table}}} WHERE 1 = 0")
            except (DatabaseUndefinedRelation, SqlClientNotAvailable, MissingDependencyException):
                return False  # and asked again the next time: a load may bring it
            self._there.add(table)
        return True

    def stored_version(self) -> int | None:
        """Version of the pipeline's state that the destination holds, of loads that came to their end.

        None where it holds none, or cannot be asked.
        """
        rows = self.ask(_STORED_VERSION, self._pipeline.pipeline_name)
        return None if not rows or rows[0][0] is None else int(rows[0][0])

    def holds_state(self) -> bool:
        """Whether the destination holds the state that the working folder goes on from, as far as it can be asked.

        It does not where the database was replaced by an old copy: dlt goes on from the higher version, and would
        leave a hole.
        """
        if not self._pipeline.config.restore_from_destination or self._pipeline.has_pending_data:
            return True  # dlt does not store it there, or has not loaded it yet
        held = self.stored_version()
        return held is None or held >= self._pipeline.state.get("_state_version", 0)

    def count(self, table: str) -> int:
        """Rows of a table; 0 where it is not there."""
        rows = self.ask(f"SELECT count(*) FROM {{{table}}}")
        return int(rows[0][0]) if rows else 0


def cannot_answer(error: BaseException) -> bool:
    """Whether a database was lost, or is out of memory or disk, rather than refuse what is in a statement.

    By the kinds of the Python database API, which its drivers share: all that is not the statement's fault is an
    ``OperationalError`` or an ``InterfaceError``. PostgreSQL's class 54, a value too large, is the row's fault, and
    DuckDB's ``FatalException`` is not.
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
    """Tables that a statement names in braces.

    Raises:
        KeyError: There is no such table.
    """
    names = {name for _, name, _, _ in Formatter().parse(sql) if name is not None} - {"ids"}
    if unknown := names.difference(TABLES, _DLT_TABLES):
        raise KeyError(*unknown)
    return tuple(names)


def columns_of(alias: str, table: Table) -> str:
    """The columns of a table for a SELECT, in order."""
    return ", ".join(f"{alias}.{name}" for name in table.column_names)


def as_sent(table: Table, row: tuple[Any, ...]) -> Row:
    """A stored row as it was sent: JSON as text (some drivers hand it out parsed), moments in UTC."""
    return tuple(
        _as_json(value) if column.kind == "json" else utc(value) if column.kind == "timestamp" and value else value
        for column, value in zip(table.columns, row, strict=True)
    )


def _as_json(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else encode(value).decode()


def in_steps(found: Sequence[T]) -> Iterator[Sequence[T]]:
    """The same in steps of as many as one question takes."""
    for at in range(0, len(found), IDS_AT_ONCE):
        yield found[at : at + IDS_AT_ONCE]
