"""The dlt pipeline of a dataset: its name, its working directory and its state.

State belongs to the dataset. It is stored next to the rows, under a name that does not depend on their location. A
database that was renamed, copied or mounted elsewhere therefore continues where it was. The working directory only
holds a copy of the state, which is used only if it matches the destination.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dlt
import msgspec
from dlt.common.destination.configuration import ParquetFormatConfiguration
from dlt.common.pipeline import get_dlt_pipelines_dir
from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials

from sim_source.paging.source_state import SourceState
from sim_source.stored.warehouse import Warehouse

from ..dlt_internals import repair_working_dir, switch
from . import duckdb_file, duckdb_hold, lake
from .target import Target

logger = logging.getLogger("sim_sync")

NAME = "sim_sync"
"""Name of new pipelines. Earlier versions used ``sim_sync_<hash of the location>``; their datasets keep that name."""
_RECORD = "destination.json"
"""File in a pipeline's folder. Holds the location of the destination and its last known loads."""


class _Record(msgspec.Struct):
    """What a working directory knows of its destination.

    Attributes:
        database: File of a DuckDB destination.
        loads: Id of the last completed load (None if there was none), and of loads that may have followed it.
    """

    database: str | None = None
    loads: list[str | None] = []


_NAMES_OF_STATES = """
    SELECT max(l.load_id), s.pipeline_name
    FROM {_dlt_pipeline_state} s JOIN {_dlt_loads} l ON l.load_id = s._dlt_load_id
    WHERE l.status = 0
    GROUP BY s.pipeline_name
"""
_LAST_LOAD = "SELECT max(load_id) FROM {_dlt_loads} WHERE status = 0 AND schema_name = 'sim_source'"


def pipeline_for(target: Target, name: str = NAME, held: DuckDbCredentials | None = None) -> dlt.Pipeline:
    """Creates a dlt pipeline for a destination. Each destination has its own working directory.

    Args:
        target: The destination.
        name: Name of the pipeline.
        held: Credentials of a DuckDB file that is already open.
    """
    return _pipeline(target, name, _folder(target), held)


def attached(
    target: Target,
    pipeline: dlt.Pipeline,
    warn: Callable[[str], None] = logger.warning,
    held: DuckDbCredentials | None = None,
) -> tuple[dlt.Pipeline, Warehouse]:
    """Returns the pipeline whose state the dataset holds, with a repaired and up-to-date working directory.

    The caller must hold the lock of the destination; see ``lock.locked``.

    Args:
        target: The destination.
        pipeline: A pipeline with the default name.
        warn: Called with a warning if the destination does not match the working directory.
        held: Credentials of a DuckDB file that is already open.

    Returns:
        The pipeline, and a warehouse that queries its destination.
    """
    warehouse = Warehouse(pipeline)
    name = _stored_name(warehouse)
    if _follow_move(target, warehouse) or name != NAME:
        pipeline = pipeline_for(target, name, held)
        warehouse = Warehouse(pipeline)
    if switch.in_use():
        repair_working_dir.working_folder(pipeline)
    elif pipeline.has_pending_data:
        pipeline.drop()  # rows that were extracted but not loaded are read again
    restore(target, pipeline, warehouse, warn)
    return pipeline, warehouse


@contextmanager
def attached_to_read(target: Target) -> Iterator[tuple[dlt.Pipeline, Warehouse]]:
    """Like ``attached``, but read-only: opens a DuckDB file read-only and uses a temporary working directory.

    Raises:
        ConfigurationError: The database does not exist or cannot be opened.
        TryLater: A sync is writing to it.
    """
    file = target.database
    opened = nullcontext() if file is None else duckdb_file.opened_to_read(file)
    with TemporaryDirectory(prefix="sim-sync-") as folder, opened as connection:
        held = None if connection is None else DuckDbCredentials(connection)
        pipeline = _pipeline(target, NAME, Path(folder), held)
        lake.check_lake(target, pipeline)
        name = _stored_name(Warehouse(pipeline))
        if name != NAME:
            pipeline = _pipeline(target, name, Path(folder), held)
        pipeline.sync_destination()
        yield pipeline, Warehouse(pipeline)


def check_reachable(target: Target) -> None:
    """Connects to a destination, or opens its file; creates nothing.

    Raises:
        ConfigurationError: The file or the lake cannot be opened.
        TryLater: Another process has the file open.
        Exception: An error of the driver.
    """
    if target.database is not None:
        duckdb_file.check_database(target, wait_s=0.0)
    elif target.destination == lake.DUCKLAKE:
        lake.check_if_there(target, pipeline_for(target))
    else:
        with pipeline_for(target).sql_client() as client:
            client.execute_sql("SELECT 1")


def state_of(pipeline: dlt.Pipeline) -> SourceState | None:
    """Returns the source's part of the pipeline state; None if the source has never run."""
    kept = pipeline.state.get("sources", {}).get("sim_source")
    return None if kept is None else SourceState(kept)


def note_loads(target: Target, pipeline: dlt.Pipeline, warehouse: Warehouse) -> None:
    """Records the last load of the destination and the pending packages. One of them is the last load afterwards."""
    waiting = [*pipeline.list_extracted_load_packages(), *pipeline.list_normalized_load_packages()]
    database = None if target.database is None else str(target.database)
    file = _folder(target) / _RECORD
    new = file.with_suffix(".new")
    new.write_bytes(msgspec.json.encode(_Record(database, [_last_load(warehouse), *waiting])))
    os.replace(new, file)


def _pipeline(target: Target, name: str, folder: Path, held: DuckDbCredentials | None) -> dlt.Pipeline:
    destination: Any = target.destination
    if target.database is not None:
        workers: Any = dlt.config.get("load.workers")
        destination = dlt.destinations.duckdb(
            duckdb_hold.credentials(target.database) if held is None else held,
            # one table after the other needs less memory than several at once
            max_parallel_load_jobs=None if workers else 1,
            # the files of a piece exist for seconds only, so compressing them is not worth its time; settings under
            # [normalize.data_writer] take precedence
            parquet_format=ParquetFormatConfiguration(compression="none"),
        )
    elif target.destination == lake.DUCKLAKE:
        destination = lake.lake_destination(target.dataset)
    return dlt.pipeline(name, pipelines_dir=str(folder), destination=destination, dataset_name=target.dataset)


def _folder(target: Target) -> Path:
    """Returns the folder for the pipelines of a destination, below dlt's pipelines directory."""
    identity = "|".join((target.destination, str(target.database or ""), target.dataset, "dataset"))
    return Path(get_dlt_pipelines_dir(), f"{NAME}_{hashlib.sha256(identity.encode()).hexdigest()[:10]}")


def _stored_name(warehouse: Warehouse) -> str:
    """Returns the pipeline name of the newest state in the dataset, as dlt would read it."""
    ours = [
        (last, name) for last, name in warehouse.ask(_NAMES_OF_STATES) if name == NAME or name.startswith(f"{NAME}_")
    ]
    return max(ours)[1] if ours else NAME


def _last_load(warehouse: Warehouse) -> str | None:
    """Returns the id of the last completed load; None if there is none or the destination cannot be queried."""
    rows = warehouse.ask(_LAST_LOAD)
    return rows[0][0] if rows else None


def _follow_move(target: Target, asked: Warehouse) -> bool:
    """Takes over the working directory of a database that was moved here, since it can hold pending packages.

    The directory is recognized by the last load of this database, and by a recorded path that no longer exists.

    Returns:
        Whether such a directory was found.
    """
    own = _folder(target)
    last = _last_load(asked)
    if target.database is None or last is None or last in _record(own).loads:
        return False
    for folder in own.parent.glob(f"{NAME}_*"):
        there = _record(folder)
        if last in there.loads and there.database is not None and not Path(there.database).exists():
            shutil.rmtree(own, ignore_errors=True)
            folder.rename(own)
            return True
    return False


def _record(folder: Path) -> _Record:
    """Reads what a working directory knows of its destination; empty if it has no record."""
    try:
        return msgspec.json.decode((folder / _RECORD).read_bytes(), type=_Record)
    except (OSError, msgspec.DecodeError):
        return _Record()


def restore(
    target: Target, pipeline: dlt.Pipeline, warehouse: Warehouse, warn: Callable[[str], None] = logger.warning
) -> None:
    """Restores the state from the destination, unless the working directory is the one that wrote it last.

    It is not if the database was deleted, replaced by another one or an old copy, or written to from elsewhere.
    Continuing with the working directory's state would then leave a gap, and loading its pending packages would
    overwrite new rows with old ones.
    """
    local, held = pipeline.state.get("_state_version", 0), warehouse.stored_version()
    own = _last_load(warehouse) in _record(_folder(target)).loads
    if own and (pipeline.has_pending_data or held is None or held == local):
        return
    if not own or local > (held or 0):
        if pipeline.schema_names or pipeline.has_pending_data:
            warn("the destination has changed since the last sync from here; continuing from the state stored there")
        pipeline.drop()
    pipeline.sync_destination()
    note_loads(target, pipeline, warehouse)
