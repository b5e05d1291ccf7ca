"""Text in SQL statements that take no parameters."""

from __future__ import annotations


def literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"
