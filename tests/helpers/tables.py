"""Tables filled by hand in a real destination, with the views made over them, for values worked out by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import dlt

from pipelines.destination import keep_views
from pipelines.destination.target import Target
from sim_source import TABLES

Row = dict[str, Any]


class Place:
    """A destination with all tables, and the views over them.

    Args:
        destination: A dlt destination.
        folder: dlt's working folder.
        dataset: Dataset of the tables.
    """

    def __init__(self, destination: Any, folder: Path, dataset: str = "sim") -> None:
        self.pipeline = dlt.pipeline("tables", pipelines_dir=str(folder), destination=destination, dataset_name=dataset)

    def fill(self, tables: dict[str, Sequence[Row]], names: Sequence[str] = tuple(TABLES)) -> Place:
        """Loads rows, columns that are not named being null, into tables which are all made; then makes the views."""
        self.pipeline.run(list(_resources(tables, names)))
        keep_views.ensure_views(self.pipeline)
        return self

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a question; ``sim.`` stands for the dataset."""
        with self.pipeline.sql_client() as client:
            found = client.execute_sql(sql.replace("sim.", f"{client.fully_qualified_dataset_name()}."))
        return [tuple(row) for row in found or []]

    def dicts(self, sql: str) -> list[Row]:
        """The same, by name of column."""
        with self.pipeline.sql_client() as client:
            text = sql.replace("sim.", f"{client.fully_qualified_dataset_name()}.")
            with client.execute_query(text) as cursor:
                names = [column[0] for column in cursor.description]
                return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def target_of(place: Place) -> Target:
    """The place as the application knows it; PostgreSQL's credentials are for the caller to set."""
    name = place.pipeline.destination.destination_name
    if name != "duckdb":
        return Target(name, place.pipeline.dataset_name)
    with place.pipeline.destination_client() as client:
        file: Any = client.config.credentials
    return Target(name, place.pipeline.dataset_name, Path(file.database))


def _resources(tables: dict[str, Sequence[Row]], names: Sequence[str]) -> Iterator[Any]:
    for name in names:
        table = TABLES[name]
        rows = [_complete(name, row) for row in tables.get(name, ())]
        yield dlt.resource([table.arrow_of(rows) if rows else table.empty()], **table.hints())


def _complete(name: str, row: Row) -> tuple[Any, ...]:
    columns = TABLES[name].column_names
    unknown = row.keys() - set(columns)
    assert not unknown, f"{name} has no {unknown}"
    return tuple(row.get(column) for column in columns)


def at(text: str) -> datetime:
    """A moment, UTC: ``2026-11-02`` or ``2026-11-02 10:00``."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def usd(text: str) -> Decimal:
    """An amount."""
    return Decimal(text)
