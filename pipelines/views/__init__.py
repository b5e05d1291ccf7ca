"""The views: one SQL file each, in DuckDB's dialect. ``destination.keep_views`` creates them in a destination.

A file starts with comments that describe a row and each column, followed by one SELECT over ``sim.<table or view>``.
Imports no other folder.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from importlib.resources import files

from .cloud_dialects import column_name
from .rewriting import SQL_TYPES, relations, rewritten

__all__ = ["SQL_TYPES", "View", "all_views", "by_dependency", "column_name", "relations", "rewritten"]


@dataclass(frozen=True, slots=True)
class View:
    """A view.

    Attributes:
        name: Name in the dataset.
        description: What one row describes.
        columns: Names and descriptions of the columns, in order.
        query: Its SELECT, in DuckDB's dialect, over ``sim.<table or view>``.
    """

    name: str
    description: str
    columns: tuple[tuple[str, str], ...]
    query: str

    @property
    def relations(self) -> frozenset[str]:
        """Tables and views that it reads."""
        return relations(self.query)


@cache
def all_views() -> dict[str, View]:
    """Returns all views by name."""
    texts = {
        file.name[:-4]: file.read_text("utf-8") for file in files(__name__).iterdir() if file.name.endswith(".sql")
    }
    return {name: _read(name, text) for name, text in sorted(texts.items())}


def by_dependency(wanted: Iterable[View]) -> list[View]:
    """Sorts views so that each one comes after the views it reads."""
    named = {view.name: view for view in wanted}
    order = TopologicalSorter({name: sorted(view.relations & named.keys()) for name, view in named.items()})
    return [named[name] for name in order.static_order()]


def _read(name: str, text: str) -> View:
    """Parses an SQL file.

    Raises:
        ValueError: The comments at its top are incomplete.
    """
    head, about, query = [], [], text
    while query.startswith("--"):
        line, _, query = query.partition("\n")
        head.append(line[2:].strip())
    if "" not in head:
        raise ValueError(f"{name}.sql: an empty comment line must separate the description from the columns")
    end = head.index("")
    for line in head[end + 1 :]:
        column, _, description = line.partition(" ")
        if not description:
            raise ValueError(f"{name}.sql: column {column} has no description")
        about.append((column, description.strip()))
    return View(name, " ".join(head[:end]), tuple(about), query.strip())
