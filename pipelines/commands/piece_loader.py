"""Reads, normalizes and loads a sync in pieces. Each piece is committed together with the state it reached."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TypeVar

import dlt
import duckdb
from dlt.common.exceptions import DltException
from dlt.common.pipeline import LoadInfo

from sim_source import Bounds, SyncSession, source_in_session
from sim_source.paging.source_state import SourceState
from sim_source.stored.warehouse import Warehouse

from ..destination import comments, keep_views, load_faults, pipeline, postgres_tables
from ..destination.duckdb_hold import Hold
from ..destination.file_lock import TryLater
from ..destination.lock import Admission
from ..dlt_internals import append_new_rows, switch
from ..settings import RunSettings

DIRECT_ROWS = 5_000
"""Minimum number of rows of a table for which it is worth checking whether all of them are new."""

A = TypeVar("A")


@dataclass(slots=True)
class PieceLoader:
    """Loads the pieces of a sync into its destination.

    Attributes:
        settings: Settings of the sync.
        session: State that all pieces share.
        hold: Keeps the DuckDB file open; does nothing for other destinations.
        admission: The right to load into the dataset.
        tell: Prints a progress line.
        pipeline: The dlt pipeline. After ``attach``, the one whose state is stored in the destination.
        warehouse: Runs queries on the destination.
    """

    settings: RunSettings
    session: SyncSession
    hold: Hold
    admission: Admission
    tell: Callable[[str], None]
    pipeline: dlt.Pipeline
    warehouse: Warehouse = field(init=False)
    _attached: bool = False
    _schema: str | None = None
    _in_step: str | None = None
    _viewed: set[str | None] = field(default_factory=set)

    def attach(self) -> None:
        """Restores the state from the destination and loads what an earlier sync has read but not loaded."""
        target, warn = self.settings.target, self.session.log.warn
        self.pipeline, self.warehouse = self.with_retries(
            lambda: pipeline.attached(target, self.pipeline, self.hold, warn)
        )
        self.session.warehouse, self._attached = self.warehouse, True
        self.session.elsewhere = pipeline.states_elsewhere(self.pipeline, self.warehouse)
        self.with_retries(self._finish_pending)

    def describe(self) -> None:
        """Writes the descriptions of tables and columns to the destination, if it supports comments."""
        with self.admission.alone(), self.hold.in_use():
            comments.keep_comments(self.pipeline, self._schema, self.session.log.warn)

    def state(self) -> SourceState:
        """Returns the state of the source; empty before the first load."""
        found = pipeline.state_of(self.pipeline) or SourceState({})
        found.adopt(self.session.elsewhere)
        return found

    def with_retries(self, step: Callable[[], A]) -> A:
        """Runs a step, and runs it again after an error that can be resolved.

        If another process has opened the database in between, waits a limited time for it to close the file. If DuckDB
        ran out of memory, raises its memory limit, as long as that is possible.
        """
        again = False
        while True:
            try:
                if again and self._attached:
                    self._finish_pending()
                return step()
            except (DltException, duckdb.Error) as error:
                if load_faults.is_out_of_memory(error):
                    if not self.hold.raise_memory_limit():
                        raise
                elif not isinstance(load_faults.explained(error, self.settings.target), TryLater):
                    raise
            self.hold.take()
            again = True

    def load(self, bounds: Bounds) -> None:
        """Reads a piece and commits it.

        If the destination rejects its rows, the piece is read again and each row is tried before it is passed on;
        rejected rows are set aside. A load package that would be rejected again is not left behind.
        """
        self.with_retries(lambda: self._read(bounds))
        try:
            self.with_retries(self._commit)
        except DltException as error:
            if not load_faults.is_refusal(error):
                raise
            self.tell(f"{self.settings.target} rejected rows; reading them again to find out which")
            self._drop()
            self.warehouse.doubted = True
            self.with_retries(lambda: self._read(bounds))
            try:
                self.with_retries(self._commit)
            except DltException:
                self._drop()
                raise
            self.warehouse.drop_orphans()

    @property
    def _appends(self) -> bool:
        """Whether new rows may be appended without a merge: only to a DuckDB file, which nobody else writes to."""
        return self.settings.target.database is not None and switch.in_use()

    def _finish_pending(self) -> None:
        """Loads packages that were extracted but not loaded. Until then, dlt accepts no new rows."""
        if not self.pipeline.has_pending_data:
            return
        with self.hold.in_use():
            self.tell("finishing the load that the previous sync left incomplete")
            pipeline.note_loads(self.settings.target, self.pipeline, self.warehouse)
            if self._appends:
                append_new_rows.delete_unrecorded(self.pipeline, self.warehouse)
            self.pipeline.normalize()
            self._load()
            # the previous sync may have been killed before dlt wrote its state
            pipeline.restore(self.settings.target, self.pipeline, self.warehouse)

    def _read(self, bounds: Bounds) -> None:
        self.hold.let_go()
        source = source_in_session(self.settings.plan, self.session, bounds)
        self.pipeline.extract(source.with_resources(*self.settings.resources))

    def _commit(self) -> None:
        with self.hold.in_use():
            pipeline.note_loads(self.settings.target, self.pipeline, self.warehouse)
            self.pipeline.normalize()
            with self.hold.limited_for_copies():
                straight = self._appends and append_new_rows.switch_to_append(
                    self.pipeline, self.warehouse, DIRECT_ROWS
                )
            with self.hold.limited_for_copies() if straight else nullcontext():
                loaded = self._load()
            if loaded.load_packages:
                self._schema = self.pipeline.default_schema.version_hash
            if self._schema not in self._viewed:  # once per sync, and again after a schema change
                with self.admission.alone():
                    postgres_tables.create_indexes(self.pipeline)
                    keep_views.ensure_views(self.pipeline, self.warehouse, self.session.log.warn)
                self._viewed.add(self._schema)

    def _load(self) -> LoadInfo:
        """Loads the pending packages. Tables are created and changed by one writer at a time."""
        self.admission.confirm()
        # without a name, a sync was killed before dlt wrote its state: dlt loads what it left all the same
        if self.settings.target.database is None and self.pipeline.default_schema_name:
            version = self.pipeline.default_schema.version_hash
            if version != self._in_step:
                with self.admission.alone():
                    self.pipeline.sync_schema()
                    postgres_tables.create_staging(self.pipeline)
                self._in_step = version
        return self.pipeline.load()

    def _drop(self) -> None:
        """Drops pending load packages and restores the state from the destination."""
        self.session.walks.close()
        with self.hold.in_use():
            self.pipeline.drop()
            pipeline.restore(self.settings.target, self.pipeline, self.warehouse)
