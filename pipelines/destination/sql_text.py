"""Text values in SQL statements that cannot have parameters."""

from __future__ import annotations

from collections.abc import Iterable


def literal(text: str) -> str:
    """Quotes a text as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def one_of(column: str, values: Iterable[str]) -> str:
    """Returns the condition that a column has one of the values; there must be at least one."""
    return f"{column} IN ({', '.join(map(literal, values))})"
