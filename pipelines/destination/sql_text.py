"""Text in SQL statements that take no parameters."""

from __future__ import annotations

from collections.abc import Iterable


def literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def one_of(column: str, values: Iterable[str]) -> str:
    """The condition that a column has one of these values, at least one."""
    return f"{column} IN ({', '.join(map(literal, values))})"
