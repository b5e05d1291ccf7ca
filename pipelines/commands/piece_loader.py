"""Pieces of a sync: each is read, normalized and loaded, and with it the state that says how far the sync has come."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TypeVar

import dlt
import duckdb
from dlt.common.exceptions import DltException

from sim_source import Bounds, SyncSession, source_in_session
from sim_source.paging.source_state import SourceState
from sim_source.stored.warehouse import Warehouse

from ..destination import comments, duckdb_file, keep_views, load_faults, pipeline
from ..destination.duckdb_hold import Hold
from ..dlt_internals import append_new_rows, switch
from ..settings import RunSettings

DIRECT_ROWS = 5_000
"""Rows of a table from which a DuckDB file is asked whether they are all new to it."""

A = TypeVar("A")


@dataclass(slots=True)
class PieceLoader:
    """Loads pieces into the destination of a sync, which it holds.

    Attributes:
        settings: What is to be done.
        session: What the pieces share.
        hold: The DuckDB file, where there is one.
        tell: Says a line to whoever watches.
        pipeline: The dlt pipeline; the one whose state the destination holds, once it is attached.
        warehouse: Asks the destination.
    """

    settings: RunSettings
    session: SyncSession
    hold: Hold
    tell: Callable[[str], None]
    pipeline: dlt.Pipeline
    warehouse: Warehouse = field(init=False)
    _attached: bool = False
    _schema: str | None = None
    _viewed: set[str | None] = field(default_factory=set)

    def attach(self) -> None:
        """Goes on from the state that the destination holds; loads what an earlier sync has read and not loaded."""
        target, warn, held = self.settings.target, self.session.log.warn, self.hold.credentials
        self.pipeline, self.warehouse = self.patiently(lambda: pipeline.attached(target, self.pipeline, warn, held))
        self.session.warehouse, self._attached = self.warehouse, True
        self.patiently(self._finish_pending)

    def describe(self) -> None:
        """Keeps descriptions of tables and columns in the destination, where it can hold them."""
        comments.keep_comments(self.pipeline, self._schema, self.session.log.warn)

    def state(self) -> SourceState:
        """What the source remembers."""
        return pipeline.state_of(self.pipeline) or SourceState({})

    def patiently(self, step: Callable[[], A]) -> A:
        """Takes a step; where somebody opened the database in between, waits for them, bounded, and takes it again.

        So, too, where DuckDB has too little memory: it gets more, as long as there is more to give.
        """
        again = False
        while True:
            try:
                if again and self._attached:
                    self._finish_pending()
                return step()
            except (DltException, duckdb.Error) as error:
                if load_faults.is_out_of_memory(error):
                    if not self.hold.be_generous():
                        raise
                elif not isinstance(load_faults.explained(error, self.settings.target), duckdb_file.TryLater):
                    raise
            self.hold.take()
            again = True

    def load(self, bounds: Bounds) -> None:
        """Reads a piece and commits it.

        Where the destination refuses what is in it, the piece is read once more, and each row tried before it is
        handed over: those that are refused are set aside. No package is left behind that would be refused again.
        """
        self.patiently(lambda: self._read(bounds))
        try:
            self.patiently(self._commit)
        except DltException as error:
            if not load_faults.is_refusal(error):
                raise
            self.tell(f"{self.settings.target} refuses rows; reading them again to find out which")
            self._drop()
            self.warehouse.doubted = True
            self.patiently(lambda: self._read(bounds))
            try:
                self.patiently(self._commit)
            except DltException:
                self._drop()
                raise
            self.warehouse.drop_orphans()

    @property
    def _appends(self) -> bool:
        """Whether new rows go straight into their tables: into a DuckDB file, which this sync has to itself."""
        return self.settings.target.database is not None and switch.in_use()

    def _finish_pending(self) -> None:
        """Loads what was read and not loaded: dlt would otherwise take up no new rows."""
        if self.pipeline.has_pending_data:
            self.tell("finishing what the last run left")
            pipeline.note_loads(self.settings.target, self.pipeline, self.warehouse)
            if self._appends:
                append_new_rows.take_back(self.pipeline, self.warehouse)
            self.pipeline.normalize()
            self.pipeline.load()
            # a kill may have come before dlt wrote down its state
            pipeline.restore(self.settings.target, self.pipeline, self.warehouse)

    def _read(self, bounds: Bounds) -> None:
        source = source_in_session(self.settings.plan, self.session, bounds)
        self.pipeline.extract(source.with_resources(*self.settings.resources))

    def _commit(self) -> None:
        pipeline.note_loads(self.settings.target, self.pipeline, self.warehouse)
        self.pipeline.normalize()
        with self.hold.sparing():
            straight = self._appends and append_new_rows.straighten(self.pipeline, self.warehouse, DIRECT_ROWS)
        with self.hold.sparing() if straight else nullcontext():
            loaded = self.pipeline.load()
        if loaded.load_packages:
            self._schema = self.pipeline.default_schema.version_hash
        if self._schema not in self._viewed:  # once a sync, and again where tables came or changed
            keep_views.ensure_views(self.pipeline, self.warehouse, self.session.log.warn)
            self._viewed.add(self._schema)

    def _drop(self) -> None:
        """Drops what waits to be loaded: the state is that of the destination again."""
        self.session.walks.close()
        self.pipeline.drop()
        pipeline.restore(self.settings.target, self.pipeline, self.warehouse)
