"""Creates the views in a destination, and drops views that earlier versions created.

Each view has a comment with its description and a mark, a hash of its definition. A view with the current mark is left
alone. A view without a mark belongs to the user.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any

import dlt
from dlt.destinations.exceptions import DatabaseException
from dlt.destinations.sql_client import SqlClientBase

from sim_source import TABLES
from sim_source.stored.warehouse import Warehouse

from ..views import View, all_views, by_dependency, rewritten
from ..views.cloud_dialects import FORMS
from ..views.rewriting import DIALECT
from .view_sql import VIEW_SQL

logger = logging.getLogger("sim_sync")

Warn = Callable[[str], None]

_MARK = re.compile(r' \(sim-sync view ([0-9a-f]{8})\)"?$')
"""The mark at the end of a comment. BigQuery returns comments in quotes."""

DESTINATIONS = frozenset({*VIEW_SQL, "ducklake"})
"""Destinations in which views are created."""
UNCOMMENTED_COLUMNS = frozenset({"ducklake"})
"""Destinations in which the columns of a view cannot have comments."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A view as it should exist in the destination.

    Attributes:
        view: The view.
        name: Its qualified name in the destination.
        mark: Hash of its definition. Comparing marks avoids rewriting SQL in every sync, which is slow.
    """

    view: View
    name: str
    mark: str


def ensure_views(pipeline: dlt.Pipeline, warehouse: Warehouse | None = None, warn: Warn = logger.warning) -> None:
    """Creates or updates the views of this version. An error is only a warning, since the rows are already loaded.

    Args:
        pipeline: Pipeline of the destination.
        warehouse: Existing connection to the destination, if any.
        warn: Called with a warning if a view could not be created.
    """
    if pipeline.destination.destination_name not in DESTINATIONS or not pipeline.default_schema_name:
        return
    with (warehouse or Warehouse(pipeline)).client as client:
        try:
            tables = frozenset(pipeline.default_schema.data_table_names(seen_data_only=True))
            _keep(client, tables, warn, columns=pipeline.destination.destination_name not in UNCOMMENTED_COLUMNS)
        except DatabaseException as error:
            warn(
                f"the views could not be created ({error}); if your own views depend on them, drop those and run again"
            )


def _keep(client: SqlClientBase[Any], tables: frozenset[str], warn: Warn, *, columns: bool) -> None:
    dialect = str(client.capabilities.sqlglot_dialect)
    there = _listed(client, dialect)
    present = sorted(tables & TABLES.keys())
    wanted = {
        view.name: _Wanted(view, name, _made_of(view, dialect, name, present))
        for view in all_views().values()
        for name in [client.make_qualified_table_name(view.name)]
        if _is_ours(there, view.name, warn)
    }
    new = [name for name, each in wanted.items() if _mark(there.get(name, "")) != each.mark]
    old = [name for name, comment in there.items() if _mark(comment) and name not in all_views()]
    if not new and not old:
        return
    in_order = [wanted[view.name] for view in by_dependency(each.view for each in wanted.values())]
    dropped = [f"DROP VIEW {client.make_qualified_table_name(name)}" for name in old]

    def made(views: Iterable[_Wanted]) -> list[str]:
        return [statement for each in views for statement in _making(client, each, dialect, present, columns=columns)]

    if not VIEW_SQL[dialect].at_once:
        _one_by_one(client, [*dropped, *made(each for each in in_order if each.view.name in new)], warn)
        return
    try:
        _at_once(client, [*dropped, *made(each for each in in_order if each.view.name in new)])
    except DatabaseException:
        # PostgreSQL cannot replace a view by one with other columns, nor drop a view that another view reads
        gone = [f"DROP VIEW IF EXISTS {each.name}" for each in reversed(in_order)]
        _at_once(client, [*gone, *dropped, *made(in_order)])


def _listed(client: SqlClientBase[Any], dialect: str) -> dict[str, str]:
    """Returns the comments of the views in the dataset, by name in lower case."""
    known = VIEW_SQL[dialect]
    sql = known.listing.replace("{dataset}", client.fully_qualified_dataset_name())
    with client.execute_query(sql, *([client.dataset_name] if known.takes_name else [])) as cursor:
        found = [(str(name), str(comment or "")) for name, comment in cursor.fetchall()]
    prefix = client.make_qualified_table_name_path("x", quote=False)[-1][:-1]  # ClickHouse: the dataset's name
    return {name.removeprefix(prefix).lower(): comment for name, comment in found if name.startswith(prefix)}


def _made_of(view: View, dialect: str, name: str, present: Sequence[str]) -> str:
    """Returns a hash of everything that decides a view's SQL, including what translates it."""
    translator = "" if dialect == DIALECT else f"{version('sqlglot')}{FORMS.get(dialect, '')}"
    told = "\n".join([view.query, view.description, *map(" ".join, view.columns), name, *present, translator])
    return hashlib.sha256(told.encode()).hexdigest()[:8]


def _is_ours(there: dict[str, str], name: str, warn: Warn) -> bool:
    ours = name not in there or _mark(there[name]) is not None
    if not ours:
        warn(f"the view {name} was not created by sim-sync and is left unchanged; rename it to get sim-sync's own")
    return ours


def _mark(comment: str) -> str | None:
    found = _MARK.search(comment)
    return found[1] if found else None


def _making(
    client: SqlClientBase[Any], wanted: _Wanted, dialect: str, present: Sequence[str], *, columns: bool
) -> list[str]:
    """Returns the statements that create a view and its comments, with ``columns`` those of its columns as well."""
    query = rewritten(wanted.view.query, dialect, client.make_qualified_table_name, present)
    described = f"{wanted.view.description} (sim-sync view {wanted.mark})"
    view = wanted.view if columns else replace(wanted.view, columns=())
    return VIEW_SQL[dialect].creating(view, wanted.name, described, query, dialect)


def _one_by_one(client: SqlClientBase[Any], statements: list[str], warn: Warn) -> None:
    """Executes the statements; one that fails does not keep the others from being executed."""
    for statement in statements:
        try:
            client.execute_sql(statement)
        except DatabaseException as error:
            what = statement.partition(" (")[0].partition(" AS ")[0]
            warn(f"{what} failed ({error}); the other views are created, and the next sync tries this one again")


def _at_once(client: SqlClientBase[Any], statements: list[str]) -> None:
    """Executes the statements in one transaction and one call, since each call through dlt has an overhead."""
    with client.begin_transaction():
        client.execute_sql(";\n".join(statements))
