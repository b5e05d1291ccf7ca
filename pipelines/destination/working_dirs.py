"""The working directories of a dataset's writers: their names, and what they know of their destination."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

import msgspec
from dlt.common.pipeline import get_dlt_pipelines_dir

from ..dlt_internals.repair_working_dir import folders
from .target import Target

NAME = "sim_sync"
"""Name of new pipelines. Earlier versions used ``sim_sync_<hash of the location>``; their datasets keep that name."""
EARLIER_NAME = re.compile(rf"{NAME}_[0-9a-f]{{10}}")
_RECORD = "destination"
"""Name of the files in a dataset's folder, one per writer, that hold its location and the last known loads."""


class KnownLoads(msgspec.Struct):
    """What a working directory knows of its destination.

    Attributes:
        database: File of a DuckDB destination.
        loads: Id of the last completed load (None if there was none), and of loads that may have followed it.
    """

    database: str | None = None
    loads: list[str | None] = []


def pipeline_name(writer: int) -> str:
    """Returns the name of a writer's pipeline, if no earlier version has chosen one."""
    return f"{NAME}_w{writer}" if writer else NAME


def has_leftovers(target: Target, writer: int) -> bool:
    """Whether a writer was killed on this machine after it had read rows and before they were loaded."""
    names = [each.name for each in folders(folder_of(target)) if is_of_writer(each.name, writer)]
    packages = ("load/normalized", "normalize/extracted")
    return any(folders(folder_of(target) / name / package) for name in names for package in packages)


def is_of_writer(name: str, writer: int) -> bool:
    """Whether a pipeline name is that of a writer, in this version or an earlier one."""
    return name == pipeline_name(writer) or (not writer and EARLIER_NAME.fullmatch(name) is not None)


def folder_of(target: Target) -> Path:
    """Returns the folder for the pipelines of a destination, below dlt's pipelines directory."""
    identity = "|".join((target.destination, str(target.database or ""), target.dataset, "dataset"))
    return Path(get_dlt_pipelines_dir(), f"{NAME}_{hashlib.sha256(identity.encode()).hexdigest()[:10]}")


def _record_file(folder: Path, name: str) -> Path:
    """Returns the file of a pipeline's record. That of the first writer has the name that earlier versions use."""
    return folder / (f"{_RECORD}.json" if is_of_writer(name, 0) else f"{_RECORD}.{name}.json")


def record_of(folder: Path, name: str) -> KnownLoads:
    """Reads what a pipeline's working directory knows of its destination; empty if it has no record."""
    try:
        return msgspec.json.decode(_record_file(folder, name).read_bytes(), type=KnownLoads)
    except (OSError, msgspec.DecodeError):
        return KnownLoads()


def write_known_loads(target: Target, name: str, loads: list[str | None]) -> None:
    """Records the last known loads of a pipeline, atomically."""
    database = None if target.database is None else str(target.database)
    file = _record_file(folder_of(target), name)
    new = file.with_suffix(".new")
    new.write_bytes(msgspec.json.encode(KnownLoads(database, loads)))
    os.replace(new, file)


def moved_from(target: Target, name: str, last: str) -> Path | None:
    """Returns the folder of a dataset that was moved here: it knows the last load, and its database is gone."""
    own = folder_of(target)
    for folder in own.parent.glob(f"{NAME}_*"):
        there = record_of(folder, name)
        if last in there.loads and there.database is not None and not Path(there.database).exists():
            return folder
    return None
