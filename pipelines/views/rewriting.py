"""SQL over ``sim.<table or view>`` in DuckDB's dialect, rewritten for a destination: names, then dialect. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import cast

import sqlglot
from sqlglot import exp

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


def relations(sql: str) -> frozenset[str]:
    """Tables and views of ``sim`` that a statement reads."""
    return frozenset(table.name for table in _relations(_parsed(sql)))


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
    tree = _parsed(sql)
    for table in _relations(tree):
        ours = TABLES.get(table.name)
        if ours is not None and there is not None and ours.name not in there:
            table.replace(exp.Subquery(this=_no_rows(ours), alias=table.args.get("alias") or _alias(ours.name)))
        else:
            name = exp.to_table(named(table.name), dialect=dialect)
            for part in ("this", "db", "catalog"):
                table.set(part, name.args.get(part))
    return tree.sql(dialect, unsupported_level=sqlglot.ErrorLevel.RAISE)


def _parsed(sql: str) -> exp.Expression:
    return cast(exp.Expression, sqlglot.parse_one(sql, read=DIALECT))


def _relations(tree: exp.Expression) -> list[exp.Table]:
    return [table for table in tree.find_all(exp.Table) if table.db == SCHEMA and not table.catalog]


def _alias(name: str) -> exp.TableAlias:
    return exp.TableAlias(this=exp.to_identifier(name))


def _no_rows(table: Table) -> exp.Expression:
    columns = ", ".join(f"CAST(NULL AS {SQL_TYPES[column.kind]}) AS {column.name}" for column in table.columns)
    return _parsed(f"SELECT {columns} WHERE FALSE")
