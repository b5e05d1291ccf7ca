"""Questions to the destination: ad-hoc SQL, read-only on DuckDB."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import duckdb
from dlt.destinations.exceptions import DatabaseException

from sim_source.errors import SimError

from . import pipeline, place
from .settings import Target
from .views import translated


class SqlFault(SimError):
    """The destination does not take the statement."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Columns and rows of an answer."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]

    @property
    def dicts(self) -> list[dict[str, Any]]:
        """The rows by name of column."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def ask(target: Target, sql: str, *, wait_s: float = place.READER_WAIT_S) -> Answer:
    """Runs SQL where the rows are.

    Raises:
        ConfigurationError: Nothing was synced there yet, or it is no database.
        TryLater: A sync holds the file.
        SqlFault: The statement is wrong.
    """
    if target.database is None:
        return _through_dlt(target, sql)
    with place.opened_to_read(target.database) as connection:
        try:
            connection.execute("SET TimeZone = 'UTC'")
            cursor = connection.execute(sql)
            columns = tuple(column[0] for column in cursor.description or ())
            return Answer(columns, cursor.fetchall() if columns else [])
        except duckdb.Error as error:
            raise SqlFault(str(error)) from error


def answer(target: Target, sql: str) -> Answer:
    """Asks in DuckDB's dialect over ``sim.<table or view>``, whatever the destination and its dataset.

    Raises:
        ConfigurationError: Nothing was synced there yet, or it is no database.
        TryLater: A sync holds the file.
        SqlFault: The statement is wrong, or a view is not there.
    """
    if target.database is None:
        dialect = pipeline.pipeline_for(target).destination.capabilities().sqlglot_dialect
        sql = translated(sql, str(dialect))
    return ask(target, re.sub(r"\bsim\.(?=\w)", f"{target.dataset}.", sql))


def _through_dlt(target: Target, sql: str) -> Answer:
    try:
        with pipeline.pipeline_for(target).sql_client() as client, client.execute_query(sql) as cursor:
            columns = tuple(column[0] for column in cursor.description or ())
            return Answer(columns, cursor.fetchall() if columns else [])
    except DatabaseException as error:
        raise SqlFault(str(error)) from error


def relations(target: Target) -> frozenset[str]:
    """Names of the tables and views that are there.

    Raises:
        ConfigurationError: Nothing was synced there yet.
        TryLater: A sync holds the file.
    """
    sql = f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{target.dataset}'"
    return frozenset(row[0] for row in ask(target, sql).rows)


def plain(value: Any) -> Any:
    """A value as JSON can hold it: moments in ISO, amounts as text, since floats would damage them."""
    if value is None or isinstance(value, bool | int | float | str | list | dict):
        return value
    if isinstance(value, Decimal):
        return f"{value:f}"  # and not 1E-12
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
