"""The SQL that lists and creates views, by dialect. Pure.

Each view has a comment with its description and a mark; see ``keep_views``. A destination without comments on views
could not hold that mark, and has no views of sim-sync.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

from ..views import View, column_name


@dataclass(frozen=True, slots=True)
class ViewSql:
    """How a destination lists and creates views.

    Attributes:
        listing: A query for the views of a dataset and their comments. ``{dataset}`` stands for its qualified name.
        takes_name: Whether that query has a placeholder for the dataset's name.
        creating: Returns the statements that create or replace a view with its comments. Arguments: the view, its
            qualified name, its comment, its query and the dialect.
        at_once: Whether several statements can be one transaction, and one call.
    """

    listing: str
    creating: Callable[[View, str, str, str, str], list[str]]
    takes_name: bool = True
    at_once: bool = False


def text(value: str, dialect: str) -> str:
    """Returns a string literal."""
    return exp.Literal.string(value).sql(dialect)


def _comment_on(view: View, name: str, comment: str, query: str, dialect: str) -> list[str]:
    columns = (
        f"COMMENT ON COLUMN {name}.{column_name(column, dialect)} IS {text(description, dialect)}"
        for column, description in view.columns
    )
    return [
        f"CREATE OR REPLACE VIEW {name} AS {query}",
        f"COMMENT ON VIEW {name} IS {text(comment, dialect)}",
        *columns,
    ]


def _inline(of_column: str, of_view: str) -> Callable[[View, str, str, str, str], list[str]]:
    """Returns a function that creates a view with all its comments in one statement."""

    def creating(view: View, name: str, comment: str, query: str, dialect: str) -> list[str]:
        columns = ",\n  ".join(
            f"{column_name(column, dialect)} {of_column.format(text(description, dialect))}"
            for column, description in view.columns
        )
        of_this = of_view.format(text(comment, dialect))
        return [f"CREATE OR REPLACE VIEW {name} (\n  {columns}\n)\n{of_this}\nAS {query}"]

    return creating


def _of_clickhouse(_: View, name: str, comment: str, query: str, dialect: str) -> list[str]:
    """Columns of a view have no comments there, and dlt splits statements at every semicolon."""
    return [f"CREATE OR REPLACE VIEW {name} AS {query}\nCOMMENT {text(comment.replace(';', ','), dialect)}"]


_OF_CATALOG = """SELECT c.relname, d.description
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_description AS d ON d.objoid = c.oid AND d.classoid = 'pg_class'::regclass AND d.objsubid = 0
WHERE c.relkind = 'v' AND n.nspname = %s"""

VIEW_SQL = {
    "duckdb": ViewSql(
        "SELECT view_name, comment FROM duckdb_views() WHERE schema_name = %s AND database_name = current_database()",
        _comment_on,
        at_once=True,
    ),
    "postgres": ViewSql(_OF_CATALOG, _comment_on, at_once=True),
    "redshift": ViewSql(_OF_CATALOG, _comment_on, at_once=True),
    "snowflake": ViewSql(
        "SELECT table_name, comment FROM information_schema.views WHERE table_schema = %s",
        _inline("COMMENT {}", "COMMENT = {}"),
    ),
    "bigquery": ViewSql(
        "SELECT v.table_name, o.option_value FROM {dataset}.INFORMATION_SCHEMA.VIEWS AS v "
        "LEFT JOIN {dataset}.INFORMATION_SCHEMA.TABLE_OPTIONS AS o "
        "ON o.table_name = v.table_name AND o.option_name = 'description'",
        _inline("OPTIONS (description = {})", "OPTIONS (description = {})"),
        takes_name=False,
    ),
    "databricks": ViewSql(
        "SELECT table_name, comment FROM information_schema.tables WHERE table_schema = %s AND table_type = 'VIEW'",
        _inline("COMMENT {}", "COMMENT {}"),
    ),
    "clickhouse": ViewSql(
        "SELECT name, comment FROM system.tables WHERE database = currentDatabase() AND engine = 'View'",
        _of_clickhouse,
        takes_name=False,
    ),
}
"""Destinations in which views are created; dlt, sqlglot and sim-sync use the same names for them."""
