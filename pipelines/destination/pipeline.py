"""The dlt pipelines of a dataset: their names, their working directories and their state.

A dataset has one pipeline for each writer (see ``lock``). A single sync at a time is always the first writer.

State belongs to the dataset. It is stored next to the rows, under a name that does not depend on their location. A
database that was renamed, copied or mounted elsewhere therefore continues where it was. The working directory only
holds a copy of the state, which is used only if it matches the destination.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dlt
from dlt.common.destination import Destination
from dlt.common.destination.configuration import ParquetFormatConfiguration
from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials
from dlt.pipeline.state_sync import decompress_state  # type: ignore[attr-defined]

from sim_source.paging.source_state import SourceState
from sim_source.stored.warehouse import Warehouse

from ..dlt_internals import repair_working_dir, switch
from ..dlt_internals.resolved_once import resolve_once
from ..dlt_internals.reused_connections import reuse_connections
from . import drivers, duckdb_file, duckdb_hold, lake, names, postgres_rights
from .duckdb_hold import Hold
from .held_warehouse import HeldWarehouse
from .target import Target
from .working_dirs import EARLIER_NAME, NAME, folder_of, moved_from, pipeline_name, record_of, write_known_loads

logger = logging.getLogger("sim_sync")

_NAMES_OF_STATES = """
    SELECT max(l.load_id), s.pipeline_name
    FROM {_dlt_pipeline_state} s JOIN {_dlt_loads} l ON l.load_id = s._dlt_load_id
    WHERE l.status = 0
    GROUP BY s.pipeline_name
"""
_DATASETS = "SELECT table_schema FROM information_schema.tables WHERE table_name = '_dlt_loads'"
_LAST_LOAD = """
    SELECT max(l.load_id)
    FROM {_dlt_pipeline_state} s JOIN {_dlt_loads} l ON l.load_id = s._dlt_load_id
    WHERE l.status = 0 AND s.pipeline_name = %s
"""
_NEWEST_STATES = """
    SELECT n.pipeline_name, n.state
    FROM (
        SELECT s.pipeline_name, s.state, ROW_NUMBER() OVER (PARTITION BY s.pipeline_name ORDER BY l.load_id DESC) AS age
        FROM {_dlt_pipeline_state} s JOIN {_dlt_loads} l ON l.load_id = s._dlt_load_id
        WHERE l.status = 0
    ) n
    WHERE n.age = 1
"""


def pipeline_for(target: Target, writer: int = 0, held: DuckDbCredentials | None = None) -> dlt.Pipeline:
    """Creates the dlt pipeline of a writer. Each destination has its own folder of working directories.

    Args:
        target: The destination.
        writer: Number of the writer.
        held: Credentials of a DuckDB file that is already open.
    """
    return _pipeline(target, pipeline_name(writer), folder_of(target), held)


@contextmanager
def reached(target: Target) -> Iterator[dlt.Pipeline]:
    """Creates a pipeline to query a destination or to lock it; it reads and writes no state.

    Its working directory is temporary, since those of writers belong to them.
    """
    with TemporaryDirectory(prefix="sim-sync-") as folder:
        yield _pipeline(target, NAME, Path(folder), None)


def attached(
    target: Target,
    pipeline: dlt.Pipeline,
    hold: Hold,
    warn: Callable[[str], None] = logger.warning,
) -> tuple[dlt.Pipeline, Warehouse]:
    """Returns the pipeline whose state the dataset holds, with a repaired and up-to-date working directory.

    The caller must have been admitted as its writer; see ``lock.admitted``.

    Args:
        target: The destination.
        pipeline: The pipeline of the writer, as ``pipeline_for`` returns it.
        hold: Keeps a DuckDB file open.
        warn: Called with a warning if the destination does not match the working directory.

    Returns:
        The pipeline, and a warehouse that queries its destination.

    Raises:
        ConfigurationError: The user of the server may not load, or the name of the dataset collides with another.
    """
    postgres_rights.check_rights(target, pipeline)
    warehouse: Warehouse = HeldWarehouse(pipeline, hold)
    if target.database is not None or target.destination in ("postgres", lake.DUCKLAKE):
        with warehouse.connected() as client:
            names.check_apart(target.dataset, [row[0] for row in client.execute_sql(_DATASETS) or []])
    first = pipeline.pipeline_name == NAME
    name = _stored_name(warehouse) if first else pipeline.pipeline_name
    if (first and _follow_move(target, warehouse)) or name != pipeline.pipeline_name:
        pipeline = _pipeline(target, name, folder_of(target), hold.credentials)
        warehouse = HeldWarehouse(pipeline, hold)
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
        TryLater: A sync is writing to it, and it has no published copy.
    """
    opened = nullcontext() if target.database is None else duckdb_file.opened_to_read(target)
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
        ConfigurationError: The file or the lake cannot be opened; the driver or the credentials are missing; the
            server cannot be reached, or its user may not load.
        TryLater: Another process has the file open.
        Exception: An error of the driver.
    """
    if target.database is not None:
        duckdb_file.check_database(target, wait_s=0.0)
        return
    with reached(target) as pipeline:
        if target.destination == lake.DUCKLAKE:
            lake.check_if_there(target, pipeline)
        elif target.destination == "postgres":
            postgres_rights.check_rights(target, drivers.proven(pipeline))
        else:
            drivers.proven(pipeline)
            with pipeline.sql_client() as client:
                client.execute_sql("SELECT 1")


def state_of(pipeline: dlt.Pipeline) -> SourceState | None:
    """Returns the source's part of the pipeline state; None if the source has never run."""
    kept = pipeline.state.get("sources", {}).get("sim_source")
    return None if kept is None else SourceState(kept)


def states_elsewhere(pipeline: dlt.Pipeline, warehouse: Warehouse) -> list[SourceState]:
    """Returns the newest state of every other pipeline that loads into the dataset."""
    ours = [
        decompress_state(state)
        for name, state in warehouse.ask(_NEWEST_STATES)
        if name != pipeline.pipeline_name and (name == NAME or name.startswith(f"{NAME}_"))
    ]
    return [SourceState(kept) for state in ours if (kept := state.get("sources", {}).get("sim_source"))]


def state_in(pipeline: dlt.Pipeline, warehouse: Warehouse) -> SourceState | None:
    """Returns the newest state of everything in the dataset, whoever read it; None if nothing has been read yet."""
    state, elsewhere = state_of(pipeline), states_elsewhere(pipeline, warehouse)
    if state is None and not elsewhere:
        return None
    found = state or SourceState({})
    found.adopt(elsewhere)
    return found


def note_loads(target: Target, pipeline: dlt.Pipeline, warehouse: Warehouse) -> None:
    """Records the last load of the destination and the pending packages. One of them is the last load afterwards."""
    waiting = [*pipeline.list_extracted_load_packages(), *pipeline.list_normalized_load_packages()]
    write_known_loads(target, pipeline.pipeline_name, [_last_load(warehouse, pipeline.pipeline_name), *waiting])


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
    elif name != NAME and EARLIER_NAME.fullmatch(name) is None:
        # writers that share staging tables lose rows
        layout = f"%s_staging_{name.removeprefix(f'{NAME}_')}"
        destination = Destination.from_reference(destination, staging_dataset_name_layout=layout)
    if switch.in_use():
        destination = Destination.from_reference(destination)
        resolve_once(destination)
        reuse_connections(destination)
    return dlt.pipeline(name, pipelines_dir=str(folder), destination=destination, dataset_name=target.dataset)


def _stored_name(warehouse: Warehouse) -> str:
    """Returns the pipeline name of the newest state of the first writer, as dlt would read it."""
    ours = [
        (last, name) for last, name in warehouse.ask(_NAMES_OF_STATES) if name == NAME or EARLIER_NAME.fullmatch(name)
    ]
    return max(ours)[1] if ours else NAME


def _last_load(warehouse: Warehouse, name: str) -> str | None:
    """Returns the id of a pipeline's last completed load; None if there is none or it cannot be queried."""
    rows = warehouse.ask(_LAST_LOAD, name)
    return rows[0][0] if rows else None


def _follow_move(target: Target, asked: Warehouse) -> bool:
    """Takes over the working directory of a database that was moved here, since it can hold pending packages.

    The directory is recognized by the last load of this database, and by a recorded path that no longer exists.

    Returns:
        Whether such a directory was found.
    """
    own, name = folder_of(target), _stored_name(asked)
    last = _last_load(asked, name)
    if target.database is None or last is None or last in record_of(own, name).loads:
        return False
    folder = moved_from(target, name, last)
    if folder is None:
        return False
    shutil.rmtree(own, ignore_errors=True)
    folder.rename(own)
    return True


def restore(
    target: Target, pipeline: dlt.Pipeline, warehouse: Warehouse, warn: Callable[[str], None] = logger.warning
) -> None:
    """Restores the state from the destination, unless the working directory is the one that wrote it last.

    It is not if the database was deleted, replaced by another one or an old copy, or written to from elsewhere.
    Continuing with the working directory's state would then leave a gap, and loading its pending packages would
    overwrite new rows with old ones.
    """
    local, held = pipeline.state.get("_state_version", 0), warehouse.stored_version()
    name = pipeline.pipeline_name
    own = _last_load(warehouse, name) in record_of(folder_of(target), name).loads
    if own and pipeline.has_pending_data:
        # another machine may have read the same workspaces meanwhile
        read = state_of(pipeline)
        own = read is None or not read.is_superseded(states_elsewhere(pipeline, warehouse))
    if own and (pipeline.has_pending_data or held is None or held == local):
        return
    if not own or local > (held or 0):
        if pipeline.schema_names or pipeline.has_pending_data:
            warn("the destination has changed since the last sync from here; continuing from the state stored there")
        pipeline.drop()
    pipeline.sync_destination()
    note_loads(target, pipeline, warehouse)
