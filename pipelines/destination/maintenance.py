"""Maintenance of a destination: compacts it, and removes what nobody needs any more."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dlt
import duckdb
from dlt.destinations.sql_client import SqlClientBase

from sim_source.errors import ConfigurationError

from . import drivers, duckdb_file, duckdb_hold, lake, lake_lock, pipeline
from .sql_text import literal
from .target import Target
from .working_dirs import folder_of

UNUSED = timedelta(hours=1)
"""Age of files that no snapshot of a lake needs, after which they are deleted: a query may still read them."""
ORPHANED = timedelta(days=1)
"""Age of files that the catalog of a lake does not know, after which they are deleted: a killed load leaves some, and
a running one has some for a while."""


@dataclass(slots=True)
class Maintained:
    """What was done.

    Attributes:
        steps: The steps, in words.
        bytes_before: Size before, in bytes.
        bytes_after: Size after.
    """

    steps: list[str] = field(default_factory=list)
    bytes_before: int = 0
    bytes_after: int = 0


def maintained(target: Target, older_than: timedelta, tell: Callable[[str], None]) -> Maintained:
    """Maintains a DuckDB file, a DuckLake, or the tables of a PostgreSQL dataset.

    Args:
        target: The destination.
        older_than: Age from which the snapshots of a lake are removed.
        tell: Prints a line before a wait.

    Raises:
        ConfigurationError: There is nothing yet, or no maintenance for this destination.
        TryLater: Somebody else uses the database.
        DestinationException: The destination rejects a statement.
    """
    if target.database is not None:
        with duckdb_hold.turn_of(target.database, 0.0):
            return _compact(target.database, tell)
    if target.destination not in ("postgres", lake.DUCKLAKE):
        raise ConfigurationError(
            f"sim-sync maintain is for DuckDB, DuckLake and PostgreSQL; {target.destination} maintains itself, or has "
            "commands of its own"
        )
    with pipeline.reached(target) as made:
        drivers.proven(made)
        if target.destination == "postgres":
            return _vacuum(target, made)
        lake.check_lake(target, made)
        with lake_lock.turn(target, made, folder_of(target), tell), made.sql_client() as client:
            return _tidy(client, lake.credentials_of(made).ducklake_name, datetime.now(UTC), older_than)


def _compact(file: Path, tell: Callable[[str], None]) -> Maintained:
    """Copies a DuckDB database into a new file, which replaces the old one in one step.

    The old file stays open until then, so nobody else can open it.
    """
    if not file.exists():
        raise ConfigurationError(f"{file} does not exist; run sim-sync run first")
    before = file.stat()
    new = file.with_name(f".{file.name}.compacting")
    _remove(new)
    try:
        with duckdb_file.opened(file, 0.0, tell) as connection:
            connection.execute("SET enable_progress_bar = false")  # DuckDB would print it
            connection.execute("CHECKPOINT")
            ((name,),) = connection.execute("SELECT current_database()").fetchall()
            connection.execute(f"ATTACH {literal(str(new))} AS sim_sync_compacting")
            connection.execute(f'COPY FROM DATABASE "{name}" TO sim_sync_compacting')
            rows = {catalog: _counts(connection, catalog) for catalog in (name, "sim_sync_compacting")}
            if rows[name] != rows["sim_sync_compacting"]:
                raise duckdb.InternalException("the copy has other tables, views or rows than the database")
            connection.execute("DETACH sim_sync_compacting")
            shutil.copymode(file, new)
            if os.geteuid() == 0:
                os.chown(new, before.st_uid, before.st_gid)
            _synced(new)
            os.replace(new, file)
            _synced(file.parent)
    finally:
        _remove(new)
    return Maintained(["copied the database into a new file"], before.st_size, file.stat().st_size)


def _counts(connection: duckdb.DuckDBPyConnection, catalog: str) -> dict[tuple[str, str], int | None]:
    """Returns the number of rows of each table of a database, and None for each view."""
    relations = connection.execute(
        "SELECT table_schema, table_name, table_type FROM information_schema.tables WHERE table_catalog = ?", [catalog]
    ).fetchall()
    found: dict[tuple[str, str], int | None] = {}
    for schema, name, kind in relations:
        found[schema, name] = None
        if kind == "BASE TABLE":
            count = connection.execute(f'SELECT count(*) FROM "{catalog}"."{schema}"."{name}"').fetchone()
            found[schema, name] = count[0] if count else None
    return found


def _remove(new: Path) -> None:
    """Removes an unfinished copy, also that of a process that was killed."""
    for path in (new, new.with_name(f"{new.name}.wal")):
        path.unlink(missing_ok=True)


def _synced(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _tidy(client: SqlClientBase[Any], name: str, now: datetime, older_than: timedelta) -> Maintained:
    """Maintains the whole lake: DuckLake keeps its snapshots and files for all datasets together."""

    def call(function: str, *more: str) -> list[Sequence[Any]]:
        return list(client.execute_sql(f"CALL {function}({', '.join([literal(name), *more])})") or [])

    def until(age: timedelta) -> str:
        return f"older_than => TIMESTAMPTZ {literal((now - age).isoformat())}"

    def size() -> tuple[int, int]:
        told = "SELECT coalesce(sum(file_count + delete_file_count), 0), "
        told += "coalesce(sum(file_size_bytes + delete_file_size_bytes), 0)"
        rows = client.execute_sql(f"{told} FROM ducklake_table_info({literal(name)})") or []
        return int(rows[0][0]), int(rows[0][1])

    (files, before) = size()
    flushed = sum(int(row[-1]) for row in call("ducklake_flush_inlined_data"))
    expired = len(call("ducklake_expire_snapshots", until(older_than)))
    call("ducklake_rewrite_data_files")
    call("ducklake_merge_adjacent_files")
    deleted = len(call("ducklake_cleanup_old_files", until(UNUSED)))
    deleted += len(call("ducklake_delete_orphaned_files", until(ORPHANED)))
    (left, after) = size()
    steps = [
        f"wrote {flushed:,} rows from the catalog to files",
        f"merged {files:,} data files into {left:,}",
        f"expired {expired:,} snapshots",
        f"deleted {deleted:,} unused files",
    ]
    return Maintained(steps, before, after)


def _vacuum(target: Target, made: dlt.Pipeline) -> Maintained:
    """Vacuums and analyzes the tables of the dataset, each outside of a transaction. Syncs can go on meanwhile."""
    tables = "SELECT c.relname FROM pg_class c WHERE c.relnamespace = to_regnamespace(%s)::oid AND c.relkind = 'r'"
    size = (
        f"SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0) FROM pg_class c {tables.partition('pg_class c ')[2]}"
    )
    with made.sql_client() as client:
        names = sorted(row[0] for row in client.execute_sql(tables, target.dataset) or [])
        if "logs" not in names:
            raise ConfigurationError(f"nothing was synced into {target} yet; run sim-sync run first")

        def bytes_now() -> int:
            return int((client.execute_sql(size, target.dataset) or [(0,)])[0][0])

        done = Maintained(bytes_before=bytes_now())
        skipped = 0
        for name in names:
            del client.native_connection.notices[:]
            client.execute_sql(f"VACUUM (ANALYZE) {client.make_qualified_table_name(name)}")
            # a table of somebody else is skipped with a warning, whose text depends on version and language
            skipped += bool(client.native_connection.notices)
        if skipped == len(names):
            raise ConfigurationError(f"{target}: its user owns none of the tables, so none was vacuumed; use the owner")
        done.steps.append(f"vacuumed and analyzed {len(names) - skipped} tables")
        if skipped:
            done.steps.append(f"skipped {skipped} tables that the user does not own")
        done.bytes_after = bytes_now()
    return done
