"""SQL over ``sim.<table or view>`` in DuckDB's dialect, rewritten for a destination: names, then dialect. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cache
from typing import NamedTuple

import sqlglot
from sqlglot import TokenType, exp

from sim_source import TABLES
from sim_source.schema import MONEY_SCALE, Kind, Table

DIALECT = "duckdb"
SCHEMA = "sim"
"""The schema over which views and questions are written."""
SQL_TYPES: dict[Kind, str] = {
    "text": "VARCHAR",
    "timestamp": "TIMESTAMPTZ",
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "bool": "BOOLEAN",
    "money": f"DECIMAL(38, {MONEY_SCALE})",
    "json": "JSON",
}
"""What DuckDB calls the kinds of columns."""


class _Mention(NamedTuple):
    """A place in a statement where a table or view of ``sim`` is named.

    Attributes:
        start: Position of its first character.
        end: Position after its last.
        name: The table's or view's.
        is_aliased: An alias follows.
    """

    start: int
    end: int
    name: str
    is_aliased: bool


def relations(sql: str) -> frozenset[str]:
    """Tables and views of ``sim`` that a statement reads."""
    return frozenset(mention.name for mention in _mentions(sql))


def rewritten(sql: str, dialect: str, named: Callable[[str], str], there: Collection[str] | None = None) -> str:
    """A statement as a destination takes it.

    Args:
        sql: One statement in DuckDB's dialect, over ``sim.<table or view>``.
        dialect: The destination's, as sqlglot calls it.
        named: Full name of a table or view there, quoted where it must be.
        there: Tables that exist; others are read as empty ones. None: all do.

    Raises:
        sqlglot.errors.SqlglotError: It is no statement, or cannot be said in that dialect.
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
    return sqlglot.transpile(sql, read=DIALECT, write=dialect, unsupported_level=sqlglot.ErrorLevel.RAISE)[0]


@cache
def _mentions(sql: str) -> tuple[_Mention, ...]:
    """Where tables are named, by tokens: texts, comments and columns (``sim.logs.id``) are none."""
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
    """A full name of a destination as DuckDB writes it, which the translation then takes back."""
    return name if dialect == DIALECT else exp.to_table(name, dialect=dialect).sql(DIALECT)


def _no_rows(table: Table) -> str:
    columns = ", ".join(f"CAST(NULL AS {SQL_TYPES[column.kind]}) AS {column.name}" for column in table.columns)
    return f"SELECT {columns} WHERE FALSE"
