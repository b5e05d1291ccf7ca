"""Where rows are loaded: a dlt destination, a dataset, a DuckDB file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim_source.errors import ConfigurationError

from . import drivers, names

DEFAULT_DATABASE = "sim_sync.duckdb"


DEFAULT_DATASET = "sim"


ONE_WRITER = frozenset({"ducklake", "filesystem", "motherduck"})
"""Destinations that lose rows, or fail, if several processes load at the same time."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where rows are loaded.

    Attributes:
        destination: Name of a dlt destination.
        dataset: Dataset (schema) of the tables, as named in the destination.
        database: File of a DuckDB destination, with symbolic links resolved; None for other destinations.
    """

    destination: str = "duckdb"
    dataset: str = DEFAULT_DATASET
    database: Path | None = None

    @property
    def allows_many_writers(self) -> bool:
        """Whether several processes may load into the dataset at the same time."""
        return self.destination not in ONE_WRITER

    def __str__(self) -> str:
        return str(self.database) if self.database else f"{self.destination}, dataset {self.dataset}"


def target_of(destination: str | None = None, dataset: str | None = None, database: Path | None = None) -> Target:
    """Returns the checked target for these options; options that are None are taken from dlt's configuration.

    Raises:
        ConfigurationError: A name cannot be used, or a file is given for a destination other than DuckDB.
    """
    name = _configured("destination") or "duckdb" if destination is None else destination
    data = names.dataset_name(str(_configured("dataset") or DEFAULT_DATASET if dataset is None else dataset))
    if name != "duckdb":
        drivers.known(name)
        if database is not None:
            raise ConfigurationError(f"--database is for DuckDB only; the destination is {name}")
        names.tried(data)
        return Target(name, data)
    file = names.database_file(database or Path(_configured("database") or DEFAULT_DATABASE))
    names.tried(data, file)
    return Target(name, data, file)


def _configured(name: str) -> Any:
    """Returns a setting of dlt's providers under ``[sources.sim_source]``."""
    import dlt

    return dlt.config.get(f"sources.sim_source.{name}")
