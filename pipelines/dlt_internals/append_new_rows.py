"""Appends rows to DuckDB tables without dlt's staging tables if all of them are new.

dlt merges in three steps: it copies rows into a staging table, searches for duplicates, and copies the rows into the
table. A first sync has nothing to merge with. The files of a package are therefore checked before it is loaded: if the
rows of a table have unique keys and none of them is stored yet, that table is appended to, in this package only. All
other tables are merged as usual.

Unlike a merge, an append cannot simply be repeated: a kill between the copy and dlt's record of it would duplicate
rows. Since the rows were new, any of them that are in the table come from the same file. They are deleted before the
file is loaded again.
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


def switch_to_append(pipeline: dlt.Pipeline, warehouse: Warehouse, at_least: int) -> bool:
    """Switches tables that get only new rows from merge to append, in a package that has not been loaded yet.

    If several packages are pending, as after a kill, they may hold the same rows. Then all tables are merged.

    Args:
        pipeline: A pipeline whose destination is a DuckDB file that no other process writes to.
        warehouse: Runs queries on that destination.
        at_least: Minimum number of rows for which the check costs less than a merge.

    Returns:
        Whether at least one table is appended to, and only small tables are merged.
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


def delete_unrecorded(pipeline: dlt.Pipeline, warehouse: Warehouse) -> None:
    """Deletes rows that an interrupted load has appended without dlt recording it, before the load is repeated."""
    for package in _packages(pipeline):
        schema = _schema(package)
        for table in _tables(schema, "append"):
            if not warehouse.has(table.name):
                continue
            for state in (PackageStorage.NEW_JOBS_FOLDER, PackageStorage.STARTED_JOBS_FOLDER):
                for file in _files(package, table, state):
                    if not (package / PackageStorage.PENDING_TRANSITIONS_FOLDER / file.name).exists():
                        columns = schema["tables"][table.name]["columns"]  # names of the version that made the package
                        keys = ", ".join(name for name, column in columns.items() if column.get("primary_key"))
                        there = f"SELECT {keys} FROM read_parquet(%s)"
                        warehouse.execute(f"DELETE FROM {{{table.name}}} WHERE ({keys}) IN ({there})", str(file))


def _all_new(warehouse: Warehouse, table: Table, files: list[Path]) -> bool:
    """Whether all keys in the files are unique, and no row with the same key or ``replaces`` columns is stored."""
    names = [str(file) for file in files]
    keys = ", ".join(table.key)
    family = table.replaces or keys
    twice = f"SELECT 1 FROM read_parquet(%s) GROUP BY {keys} HAVING count(*) > 1 LIMIT 1"
    stored = f"SELECT 1 FROM {{{table.name}}} SEMI JOIN read_parquet(%s) USING ({family}) LIMIT 1"
    return not warehouse.ask(twice, names) and not warehouse.ask(stored, names)


def _packages(pipeline: dlt.Pipeline) -> list[Path]:
    """Returns the folders of packages that are not loaded yet, or only partly."""
    return folders(Path(pipeline.working_dir, "load", LoadStorage.NORMALIZED_FOLDER))


def _files(package: Path, table: Table, state: str) -> list[Path]:
    """Returns the Parquet files of a table among a package's jobs of one state."""
    found = sorted((package / state).glob("*.parquet"))
    return [file for file in found if ParsedLoadJobFileName.parse(file.name).table_name == table.name]


def _tables(schema: dict[str, Any], disposition: str) -> list[Table]:
    """Returns the tables that have this write disposition in a package's schema."""
    described = schema["tables"]
    return [table for table in TABLES.values() if described.get(table.name, {}).get(_DISPOSITION) == disposition]


def _schema(package: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((package / PackageStorage.SCHEMA_FILE_NAME).read_bytes())
    return found


def _write(package: Path, schema: dict[str, Any]) -> None:
    """Writes the schema of a package atomically: after a kill, either the old or the new one exists."""
    file = package / PackageStorage.SCHEMA_FILE_NAME
    new = file.with_suffix(".new")
    new.write_text(json.dumps(schema), "utf-8")
    os.replace(new, file)
