"""The views: one SQL file each, in DuckDB's dialect; read here, made for a destination in ``destination.keep_views``.

A file says at its top what a row is and what each column says; then comes one SELECT over ``sim.<table or view>``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from importlib.resources import files

import sqlglot

from sim_source import TABLES
from sim_source.schema import MONEY_SCALE, Kind, Table

DIALECT = "duckdb"
_RELATION = re.compile(r"\bsim\.(\w+)\b(\s+AS\s+\w+)?")
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


@dataclass(frozen=True, slots=True)
class View:
    """A view.

    Attributes:
        name: Name in the dataset.
        description: What one row is.
        columns: Names and descriptions of the columns, in order.
        query: Its SELECT, in DuckDB's dialect, over ``sim.<table or view>``.
    """

    name: str
    description: str
    columns: tuple[tuple[str, str], ...]
    query: str

    @property
    def relations(self) -> frozenset[str]:
        """Tables and views it reads."""
        return frozenset(found[1] for found in _RELATION.finditer(self.query))


@cache
def views() -> dict[str, View]:
    """All views by name, each after those it reads."""
    found = {file.name[:-4]: _read(file.name[:-4], file.read_text("utf-8")) for file in files(__name__).iterdir()
             if file.name.endswith(".sql")}  # fmt: skip
    order = TopologicalSorter({name: sorted(view.relations & found.keys()) for name, view in sorted(found.items())})
    return {name: found[name] for name in order.static_order()}


def _read(name: str, text: str) -> View:
    """Reads a file.

    Raises:
        ValueError: Its head is not as the others'.
    """
    head, about, query = [], [], text
    while query.startswith("--"):
        line, _, query = query.partition("\n")
        head.append(line[2:].strip())
    if "" not in head:
        raise ValueError(f"{name}.sql: after what a row is, an empty comment line, then the columns")
    end = head.index("")
    for line in head[end + 1 :]:
        column, _, description = line.partition(" ")
        if not description:
            raise ValueError(f"{name}.sql: {column} is not described")
        about.append((column, description.strip()))
    return View(name, " ".join(head[:end]), tuple(about), query.strip())


def in_dialect(view: View, dialect: str, named: Callable[[str], str], there: Collection[str]) -> str:
    """The SELECT of a view as a destination takes it.

    Args:
        view: The view.
        dialect: The destination's, as sqlglot calls it.
        named: Full name of a table or view there.
        there: Tables that exist; others are read as empty ones.
    """

    def empty(found: re.Match[str]) -> str:
        table = TABLES.get(found[1])
        if table is None or table.name in there:
            return found[0]
        return f"({_no_rows(table)}){found[2] or f' AS {table.name}'}"

    query = translated(_RELATION.sub(empty, view.query), dialect)
    return _RELATION.sub(lambda found: named(found[1]) + (found[2] or ""), query)


def translated(sql: str, dialect: str) -> str:
    """A statement in DuckDB's dialect as a destination takes it.

    Raises:
        sqlglot.errors.SqlglotError: It cannot be said there.
    """
    if dialect == DIALECT:
        return sql
    return sqlglot.transpile(sql, read=DIALECT, write=dialect, unsupported_level=sqlglot.ErrorLevel.RAISE)[0]


def _no_rows(table: Table) -> str:
    columns = ", ".join(f"CAST(NULL AS {SQL_TYPES[column.kind]}) AS {column.name}" for column in table.columns)
    return f"SELECT {columns} WHERE FALSE"
