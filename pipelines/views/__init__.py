"""The views: one SQL file each, in DuckDB's dialect; read here, made for a destination in ``destination.keep_views``.

A file says at its top what a row is and what each column says; then comes one SELECT over ``sim.<table or view>``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from importlib.resources import files

from .rewriting import SQL_TYPES, relations, rewritten

__all__ = ["SQL_TYPES", "View", "all_views", "by_dependency", "relations", "rewritten"]


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
        return relations(self.query)


@cache
def all_views() -> dict[str, View]:
    """All views, by name."""
    texts = {
        file.name[:-4]: file.read_text("utf-8") for file in files(__name__).iterdir() if file.name.endswith(".sql")
    }
    return {name: _read(name, text) for name, text in sorted(texts.items())}


def by_dependency(wanted: Iterable[View]) -> list[View]:
    """The same views, each after those it reads."""
    named = {view.name: view for view in wanted}
    order = TopologicalSorter({name: sorted(view.relations & named.keys()) for name, view in named.items()})
    return [named[name] for name in order.static_order()]


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
