"""What happens in a sync: counts, failures and warnings, for the caller."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from .. import errors
from ..api.throttle import Counters

logger = logging.getLogger("sim_source")


MOST_STRETCHES_TOLD = 20
"""Most time ranges with missing rows that are reported one by one, per resource and workspace."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A resource that could not be read completely; rows already read are kept."""

    resource: str
    workspace_id: str | None
    message: str
    error: errors.SimError


@dataclass(slots=True)
class SyncLog:
    """What happened in a sync, during and after it.

    Attributes:
        counters: HTTP requests, retries, 429s, seconds waited.
        rows: Rows extracted, by table.
        runs: Runs that lists returned, counted as new, changed or unchanged since they were stored.
        failures: Resources that failed.
        warnings: Messages about things that are not failures (audit logs without Enterprise).
        on_progress: Called with a resource and its rows so far.
        on_wait: Called with seconds and the reason of each wait.
    """

    counters: Counters = field(default_factory=Counters)
    rows: Counter[str] = field(default_factory=Counter)
    runs: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    on_progress: Callable[[str, int], None] | None = None
    on_wait: Callable[[float, str], None] | None = None

    def extracted(self, table: str, rows: int) -> None:
        """Counts rows of a table that were handed to dlt."""
        self.rows[table] += rows
        if self.on_progress is not None and rows:
            self.on_progress(table, self.rows[table])

    def warn(self, message: str) -> None:
        """Records a warning, once."""
        if message not in self.warnings:
            self.warnings.append(message)
            logger.warning("%s", message)

    def failed(self, resource: str, workspace_id: str | None, error: errors.SimError) -> None:
        """Records that a resource could not be read completely.

        There is one entry for each kind of error, resource and workspace; for ``Incomplete``, one for each time range:
        the first ``MOST_STRETCHES_TOLD``, then one that says that there are more.
        """
        alike = [
            failure
            for failure in self.failures
            if (failure.resource, failure.workspace_id, type(failure.error)) == (resource, workspace_id, type(error))
        ]
        message = str(error)
        if isinstance(error, errors.Incomplete):
            if len(alike) > MOST_STRETCHES_TOLD or any(_is_known(error, failure.error) for failure in alike):
                return
            if len(alike) == MOST_STRETCHES_TOLD:
                message = "rows may be missing from more time ranges, too"
        elif alike:
            return
        self.failures.append(Failure(resource, workspace_id, message, error))
        where = f" of workspace {workspace_id}" if workspace_id else ""
        logger.error("%s%s: %s", resource, where, message)


def _is_known(error: errors.Incomplete, told: errors.SimError) -> bool:
    """Whether a time range was already reported; a retry may read a little more of it."""
    return isinstance(told, errors.Incomplete) and (error.first, error.last) == (told.first, told.last)
