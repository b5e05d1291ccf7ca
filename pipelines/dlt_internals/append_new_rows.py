"""Rows that are all new go straight into their DuckDB tables, not through dlt's staging.

dlt merges in three steps: a copy into a staging table, a search for duplicates, a copy into the table. On a first
sync, where nothing is there to merge with, that is most of what loading takes (measured; docs/bench.md). So the files
of a package are looked into before it is loaded: a table whose rows are unique among themselves and of which none is
stored is appended to, in that package alone; every other is merged as ever.

What makes merging safe to repeat, appending has not: a kill between the copy and dlt's note of it would double rows.
They were new, so whatever of them is in the table came from that very file: it is deleted before the file is
loaded again.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import dlt
import pyarrow.parquet as pq
from dlt.common.storages import LoadStorage, PackageStorage, ParsedLoadJobFileName

from sim_source import TABLES
from sim_source.schema import Table
from sim_source.stored.warehouse import Warehouse

from .repair_working_dir import folders

_DISPOSITION = "write_disposition"
_STARTED = (
    PackageStorage.STARTED_JOBS_FOLDER,
    PackageStorage.COMPLETED_JOBS_FOLDER,
    PackageStorage.FAILED_JOBS_FOLDER,
)


def straighten(pipeline: dlt.Pipeline, warehouse: Warehouse, at_least: int) -> bool:
    """Has tables appended to that get new rows only, in a package of which nothing has been loaded yet.

    Where several packages wait, as after a kill, one may hold what another does: they are merged.

    Args:
        pipeline: Its destination is a DuckDB file that nobody else writes to meanwhile.
        warehouse: That destination.
        at_least: Rows from which looking costs less than merging.

    Returns:
        Whether some table is appended to, and no more than a few rows are merged.
    """
    packages = _packages(pipeline)
    if len(packages) != 1:
        return False
    (package,) = packages
    if any(any((package / state).iterdir()) for state in _STARTED):
        return False
    schema = _schema(package)
    large = {
        table.name: files
        for table in _tables(schema, "merge")
        if (files := _files(package, table, PackageStorage.NEW_JOBS_FOLDER))
        and sum(pq.read_metadata(file).num_rows for file in files) >= at_least
    }
    straight = [name for name, files in large.items() if _all_new(warehouse, TABLES[name], files)]
    if straight:
        for name in straight:
            schema["tables"][name][_DISPOSITION] = "append"
        _write(package, schema)
    return len(straight) == len(large) > 0


def take_back(pipeline: dlt.Pipeline, warehouse: Warehouse) -> None:
    """Deletes what a cut load has appended without dlt having noted it; before the rest of it is loaded."""
    for package in _packages(pipeline):
        for table in _tables(_schema(package), "append"):
            if not warehouse.has(table.name):
                continue
            for state in (PackageStorage.NEW_JOBS_FOLDER, PackageStorage.STARTED_JOBS_FOLDER):
                for file in _files(package, table, state):
                    if not (package / PackageStorage.PENDING_TRANSITIONS_FOLDER / file.name).exists():
                        keys = ", ".join(table.key)
                        there = f"SELECT {keys} FROM read_parquet(%s)"
                        warehouse.execute(f"DELETE FROM {{{table.name}}} WHERE ({keys}) IN ({there})", str(file))


def _all_new(warehouse: Warehouse, table: Table, files: list[Path]) -> bool:
    """Whether each row is there once, and none of its family is stored."""
    names = [str(file) for file in files]
    keys = ", ".join(table.key)
    family = table.replaces or keys
    twice = f"SELECT 1 FROM read_parquet(%s) GROUP BY {keys} HAVING count(*) > 1 LIMIT 1"
    stored = f"SELECT 1 FROM {{{table.name}}} SEMI JOIN read_parquet(%s) USING ({family}) LIMIT 1"
    return not warehouse.ask(twice, names) and not warehouse.ask(stored, names)


def _packages(pipeline: dlt.Pipeline) -> list[Path]:
    """Folders of packages that are ready to be loaded, or half loaded."""
    return folders(Path(pipeline.working_dir, "load", LoadStorage.NORMALIZED_FOLDER))


def _files(package: Path, table: Table, state: str) -> list[Path]:
    """A table's files among a package's jobs."""
    found = sorted((package / state).glob("*.parquet"))
    return [file for file in found if ParsedLoadJobFileName.parse(file.name).table_name == table.name]


def _tables(schema: dict[str, Any], disposition: str) -> list[Table]:
    """Our tables that a package's schema says are merged, or appended to."""
    described = schema["tables"]
    return [table for table in TABLES.values() if described.get(table.name, {}).get(_DISPOSITION) == disposition]


def _schema(package: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((package / PackageStorage.SCHEMA_FILE_NAME).read_bytes())
    return found


def _write(package: Path, schema: dict[str, Any]) -> None:
    """In one step: a kill leaves either what was merged or what is appended to."""
    file = package / PackageStorage.SCHEMA_FILE_NAME
    new = file.with_suffix(".new")
    new.write_text(json.dumps(schema), "utf-8")
    os.replace(new, file)
