"""What a caller sees of a sync while it runs and after."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from . import errors
from .client import Counters
from .rate import Pacer
from .warehouse import Warehouse

logger = logging.getLogger("sim_source")


@dataclass(frozen=True, slots=True)
class Failure:
    """A resource that could not be read to its end; what was read of it is kept."""

    resource: str
    workspace_id: str | None
    message: str
    error: errors.SimError


@dataclass(slots=True)
class Watch:
    """Counts, failures and progress of one or more sources.

    Given to ``sim_source(watch=...)``, failures of one resource are noted here and the others go on;
    without it they are raised.

    Attributes:
        counters: HTTP requests, retries, 429s, seconds waited.
        rows: Rows extracted, by table.
        failures: Resources that failed.
        warnings: What is worth a line but no failure (audit logs without Enterprise).
        out_of_time: The time bound was reached.
        more: A list was left at its bound; the next piece goes on there.
        end: The moment up to which the last source read; ``until`` of the next piece of the same sync.
        pacer: The bucket as seen so far; the next source of the same key goes on with it.
        warehouse: Who asks the destination of all sources that are given this watch; None: each makes its own.
        on_progress: Called with a resource and its rows so far.
        on_wait: Called with seconds and the reason of each wait.
    """

    counters: Counters = field(default_factory=Counters)
    rows: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    out_of_time: bool = False
    more: bool = False
    end: datetime | None = None
    pacer: Pacer = field(default_factory=Pacer)
    warehouse: Warehouse | None = None
    on_progress: Callable[[str, int], None] | None = None
    on_wait: Callable[[float, str], None] | None = None

    def extracted(self, table: str, rows: int) -> None:
        """Rows of a table were handed to dlt."""
        self.rows[table] += rows
        if self.on_progress is not None and rows:
            self.on_progress(table, self.rows[table])

    def warn(self, message: str) -> None:
        """Notes a warning once."""
        if message not in self.warnings:
            self.warnings.append(message)
            logger.warning("%s", message)

    def failed(self, resource: str, workspace_id: str | None, error: errors.SimError) -> None:
        """Notes that a resource could not be read to its end; one note for each kind of fault."""
        message = str(error)
        if not any(f.resource == resource and f.workspace_id == workspace_id for f in self.failures):
            self.failures.append(Failure(resource, workspace_id, message, error))
            logger.error("%s of workspace %s: %s", resource, workspace_id, message)
