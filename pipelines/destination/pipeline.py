"""The dlt pipeline of a dataset: its name, its working folder, and the state it goes on from.

State belongs to the dataset. It is stored beside the rows, under a name that says nothing of where they are, so a
database that was renamed, copied or mounted elsewhere goes on where it was. The working folder is only a copy of
it, and is trusted only while the destination shows that it is the right one.
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
from . import duckdb_file, duckdb_hold
from .target import Target

logger = logging.getLogger("sim_sync")

NAME = "sim_sync"
"""Name of every new pipeline. Earlier versions named theirs ``sim_sync_<hash of the place>``; a dataset keeps its."""
_RECORD = "destination.json"
"""Beside the working folder: where its destination is, and with which loads it knows it to end."""


class _Record(msgspec.Struct):
    """What a working folder knows of its destination.

    Attributes:
        database: File of a DuckDB destination.
        loads: The last load that came to its end there, and those that may have followed; None where there was none.
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
    """A dlt pipeline that loads into a place; its working folder is that place's alone.

    Args:
        target: The place.
        name: The pipeline's name.
        held: How a DuckDB file that is held open is reached.
    """
    return _pipeline(target, name, _folder(target), held)


def attached(
    target: Target,
    pipeline: dlt.Pipeline,
    warn: Callable[[str], None] = logger.warning,
    held: DuckDbCredentials | None = None,
) -> tuple[dlt.Pipeline, Warehouse]:
    """The pipeline whose state a dataset holds, its working folder mended and in step with the destination.

    Only who holds the lock of the place may; see ``lock.locked``.

    Args:
        target: The dataset.
        pipeline: One of the usual name.
        warn: Told where the destination is not what the working folder knows.
        held: How a DuckDB file that is held open is reached.

    Returns:
        The pipeline, and who asks its destination.
    """
    warehouse = Warehouse(pipeline)
    name = _stored_name(warehouse)
    if _follow_move(target, warehouse) or name != NAME:
        pipeline = pipeline_for(target, name, held)
        warehouse = Warehouse(pipeline)
    if switch.in_use():
        repair_working_dir.working_folder(pipeline)
    elif pipeline.has_pending_data:
        pipeline.drop()  # what was read and not loaded is asked for again
    restore(target, pipeline, warehouse, warn)
    return pipeline, warehouse


@contextmanager
def attached_to_read(target: Target) -> Iterator[tuple[dlt.Pipeline, Warehouse]]:
    """The same, to look only: a DuckDB file is opened read-only, and no working folder is touched.

    Raises:
        ConfigurationError: There is no such database, or it cannot be opened.
        TryLater: A sync holds it.
    """
    file = target.database
    opened = nullcontext() if file is None else duckdb_file.opened_to_read(file)
    with TemporaryDirectory(prefix="sim-sync-") as folder, opened as connection:
        held = None if connection is None else DuckDbCredentials(connection)
        pipeline = _pipeline(target, NAME, Path(folder), held)
        name = _stored_name(Warehouse(pipeline))
        if name != NAME:
            pipeline = _pipeline(target, name, Path(folder), held)
        pipeline.sync_destination()
        yield pipeline, Warehouse(pipeline)


def state_of(pipeline: dlt.Pipeline) -> SourceState | None:
    """What the source remembers in this pipeline's state; None where it has never run."""
    kept = pipeline.state.get("sources", {}).get("sim_source")
    return None if kept is None else SourceState(kept)


def note_loads(target: Target, pipeline: dlt.Pipeline, warehouse: Warehouse) -> None:
    """Remembers the last load of the destination, and those about to follow: one of them is the last afterwards."""
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
            # one table after the other: four at once take 60 MB more, and 5 % less time (measured)
            max_parallel_load_jobs=None if workers else 1,
            # files of a piece live for seconds: packing them takes a quarter of writing them (bench: full100k); what is
            # configured under [normalize.data_writer] wins
            parquet_format=ParquetFormatConfiguration(compression="none"),
        )
    return dlt.pipeline(name, pipelines_dir=str(folder), destination=destination, dataset_name=target.dataset)


def _folder(target: Target) -> Path:
    """The folder of a place in dlt's own; two places never share one."""
    identity = "|".join((target.destination, str(target.database or ""), target.dataset, "dataset"))
    return Path(get_dlt_pipelines_dir(), f"{NAME}_{hashlib.sha256(identity.encode()).hexdigest()[:10]}")


def _stored_name(warehouse: Warehouse) -> str:
    """Under which name the dataset holds our state: that of its newest load, as dlt reads it."""
    ours = [
        (last, name) for last, name in warehouse.ask(_NAMES_OF_STATES) if name == NAME or name.startswith(f"{NAME}_")
    ]
    return max(ours)[1] if ours else NAME


def _last_load(warehouse: Warehouse) -> str | None:
    """The last load of the destination that came to its end; None where there is none, or it cannot be asked."""
    rows = warehouse.ask(_LAST_LOAD)
    return rows[0][0] if rows else None


def _follow_move(target: Target, asked: Warehouse) -> bool:
    """Takes over the working folder of a database that was moved here: what was read and not loaded is in it.

    It is known by the last load, and by the database that it names not being there any more.

    Returns:
        Whether there was one.
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
    """What a working folder knows of its destination; nothing where it has no record."""
    try:
        return msgspec.json.decode((folder / _RECORD).read_bytes(), type=_Record)
    except (OSError, msgspec.DecodeError):
        return _Record()


def restore(
    target: Target, pipeline: dlt.Pipeline, warehouse: Warehouse, warn: Callable[[str], None] = logger.warning
) -> None:
    """Takes the state from the destination, unless the working folder is the one that wrote it.

    It is not where the database was deleted, replaced by another or an old copy, or written to from elsewhere: going
    on from the working folder's state would leave a hole, and loading what waits in it would put old rows over
    new ones.
    """
    local, held = pipeline.state.get("_state_version", 0), warehouse.stored_version()
    own = _last_load(warehouse) in _record(_folder(target)).loads
    if own and (pipeline.has_pending_data or held is None or held == local):
        return
    if not own or local > (held or 0):
        if pipeline.schema_names or pipeline.has_pending_data:
            warn("the destination is not as the working folder left it; going on from what it holds")
        pipeline.drop()
    pipeline.sync_destination()
    note_loads(target, pipeline, warehouse)
