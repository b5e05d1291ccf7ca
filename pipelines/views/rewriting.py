"""Rewrites SQL over ``sim.<table or view>`` in DuckDB's dialect for a destination: names and dialect. Pure, no I/O."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cache
from typing import NamedTuple

import sqlglot
from sqlglot import TokenType, exp

from sim_source import TABLES
from sim_source.schema import MONEY_SCALE, Kind, Table

from .cloud_dialects import FORMS, translated

DIALECT = "duckdb"
SCHEMA = "sim"
"""Schema name that views and queries use for all tables and views."""
SQL_TYPES: dict[Kind, str] = {
    "text": "VARCHAR",
    "timestamp": "TIMESTAMPTZ",
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "bool": "BOOLEAN",
    "money": f"DECIMAL(38, {MONEY_SCALE})",
    "json": "JSON",
}
"""DuckDB's types for the kinds of columns."""


class _Mention(NamedTuple):
    """A position in a statement at which a table or view of ``sim`` is named.

    Attributes:
        start: Index of the first character.
        end: Index after the last character.
        name: Name of the table or view.
        is_aliased: Whether an alias follows.
    """

    start: int
    end: int
    name: str
    is_aliased: bool


def relations(sql: str) -> frozenset[str]:
    """Returns the tables and views of ``sim`` that a statement reads."""
    return frozenset(mention.name for mention in _mentions(sql))


def rewritten(sql: str, dialect: str, named: Callable[[str], str], there: Collection[str] | None = None) -> str:
    """Rewrites a statement for a destination.

    Args:
        sql: One statement in DuckDB's dialect, over ``sim.<table or view>``.
        dialect: The destination's dialect, as named by sqlglot.
        named: Returns the qualified name of a table or view in the destination, quoted if necessary.
        there: Existing tables; missing ones are replaced by empty ones. None if all tables exist.

    Raises:
        sqlglot.errors.SqlglotError: The statement is invalid or cannot be translated.
    """
    for mention in reversed(_mentions(sql)):
        table = TABLES.get(mention.name)
        if table is not None and there is not None and table.name not in there:
            name = f"({_no_rows(table)})" + ("" if mention.is_aliased else f" AS {table.name}")
        else:
            name = _in_duckdb(named(mention.name), dialect)
        sql = sql[: mention.start] + name + sql[mention.end :]
    if dialect == DIALECT:
        return sql
    if dialect in FORMS:
        return translated(sqlglot.parse_one(sql, read=DIALECT), dialect)
    return sqlglot.transpile(sql, read=DIALECT, write=dialect, unsupported_level=sqlglot.ErrorLevel.RAISE)[0]


@cache
def _mentions(sql: str) -> tuple[_Mention, ...]:
    """Finds table names in the tokens of a statement, but not in strings, comments or columns (``sim.logs.id``)."""
    tokens = sqlglot.tokenize(sql, read=DIALECT)
    found = []
    for before, schema, dot, name, after in zip(
        [None, *tokens], tokens, tokens[1:], tokens[2:], [*tokens[3:], None], strict=False
    ):
        is_qualified = before is not None and before.token_type == TokenType.DOT
        is_column = after is not None and after.token_type == TokenType.DOT
        is_schema = schema.text == SCHEMA and schema.token_type in (TokenType.VAR, TokenType.IDENTIFIER)
        if is_schema and dot.token_type == TokenType.DOT and not is_qualified and not is_column:
            is_aliased = after is not None and after.token_type in (TokenType.ALIAS, TokenType.VAR)
            found.append(_Mention(schema.start, name.end + 1, name.text, is_aliased))
    return tuple(found)


@cache
def _in_duckdb(name: str, dialect: str) -> str:
    """Returns a qualified name of a destination in DuckDB's quoting; the translation converts it back."""
    return name if dialect == DIALECT else exp.to_table(name, dialect=dialect).sql(DIALECT)


def _no_rows(table: Table) -> str:
    columns = ", ".join(f"CAST(NULL AS {SQL_TYPES[column.kind]}) AS {column.name}" for column in table.columns)
    return f"SELECT {columns} LIMIT 0"
