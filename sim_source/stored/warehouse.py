"""Asking the destination: one place for its connection, its table names and what it answers when it cannot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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


class Warehouse:
    """Asks the destination of a pipeline; one for all questions, since making dlt's client costs more than asking.

    A destination that cannot be asked, or does not have the tables yet, answers nothing.

    Attributes:
        doubted: It has refused a load: rows are tried before they are handed over.
    """

    def __init__(self, pipeline: dlt.Pipeline) -> None:
        self._pipeline = pipeline
        self._client: SqlClientBase[Any] | None = None
        self._there: dict[str, bool] = {}
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

    def ask(self, sql: str, *args: Any) -> list[tuple[Any, ...]]:
        """Rows of a question; ``{logs}`` and the like stand for the tables' full names."""
        return self._ask(sql, *args) or []

    def _ask(self, sql: str, *args: Any) -> list[tuple[Any, ...]] | None:
        """The same; None where it cannot be asked."""
        try:
            with self.client as client:
                names = {name: client.make_qualified_table_name(name) for name in (*TABLES, *_DLT_TABLES)}
                with client.execute_query(sql.format(**names), *args) as cursor:
                    return list(cursor.fetchall())
        except (DatabaseUndefinedRelation, SqlClientNotAvailable, MissingDependencyException):
            return None

    def drop_orphans(self) -> None:
        """Deletes rows of runs that are not in ``logs``: a load that was refused had brought them already."""
        with self.client as client:
            for table in TABLES.values():
                for to in table.references:
                    if to.always and self.has(table.name) and self.has(to.table):
                        there = f"SELECT {to.key} FROM {client.make_qualified_table_name(to.table)}"
                        name = client.make_qualified_table_name(table.name)
                        client.execute_sql(f"DELETE FROM {name} WHERE {to.column} NOT IN ({there})")

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
            self._there[table] = self._ask(f"SELECT 1 FROM {{{table}}} WHERE 1 = 0") is not None
        return self._there[table]

    def loaded(self) -> None:
        """Something was loaded: tables that were not there may have come."""
        self._there = {name: True for name, there in self._there.items() if there}

    def stored_version(self) -> int | None:
        """Version of the pipeline's state that the destination holds, of loads that came to their end.

        None where it holds none, or cannot be asked.
        """
        rows = self.ask(
            "SELECT max(s.version) FROM {_dlt_pipeline_state} s JOIN {_dlt_loads} l ON l.load_id = s._dlt_load_id "
            "WHERE s.pipeline_name = %s AND l.status = 0",
            self._pipeline.pipeline_name,
        )
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


IDS_AT_ONCE = 500
"""Ids in one question."""
