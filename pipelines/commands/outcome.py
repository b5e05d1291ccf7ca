"""The result of a sync: as a summary line, as JSON and as an exit code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sim_source import SyncLog, errors
from sim_source.reading.list_pages import LIST_TABLES
from sim_source.run_tables import LOGS

from ..destination.file_lock import TryLater
from ..destination.target import Target

OK, FAILED, REFUSED, LATER = 0, 1, 2, 75


OutcomeStatus = Literal["ok", "partial", "failed"]


@dataclass(slots=True)
class Outcome:
    """The result of a sync.

    Attributes:
        log: What the sync recorded: counters, rows, warnings, failures.
        target: Destination of the rows.
        workspaces: How many workspaces are configured.
        open_runs: Runs that are not final yet.
        detail_backlog: Runs whose details are still to be read.
        duration_s: Duration in seconds.
        out_of_time: Whether the sync stopped at ``--max-minutes``.
        fault: The error that ended the sync, if any.
        workspace_ids: Ids of the configured workspaces.
    """

    log: SyncLog
    target: Target
    workspaces: int
    open_runs: int = 0
    detail_backlog: int = 0
    duration_s: float = 0.0
    out_of_time: bool = False
    fault: errors.SimError | None = None
    workspace_ids: tuple[str, ...] = ()

    @property
    def rows(self) -> dict[str, int]:
        """Rows read, by table. ``logs`` counts each run once; other rows count again if they were completed later."""
        found = {name: count for name, count in self.log.rows.items() if count}
        told = self.log.runs["new"] + self.log.runs["changed"]
        return found | ({LOGS.name: min(told, found[LOGS.name])} if told and LOGS.name in found else {})

    @property
    def status(self) -> OutcomeStatus:
        """``ok``, ``partial`` (a failure or the time limit; everything else is committed) or ``failed``."""
        not_read = [f for f in self.log.failures if not isinstance(f.error, errors.Incomplete)]
        if self.fault is not None or (not_read and not self.rows):
            return "failed"
        return "partial" if self.log.failures or self.out_of_time else "ok"

    @property
    def exit_code(self) -> int:
        """0 (ok), 1 (a resource failed), 2 (configuration or access) or 75 (try again later)."""
        if self.fault is not None:
            return code_of(self.fault)
        failures = self.log.failures
        if not failures:
            return OK
        refused = [f for f in failures if isinstance(f.error, errors.AccessDenied)]
        if len({f.workspace_id for f in refused}) == self.workspaces and not self.log.rows["logs"]:
            return REFUSED
        if all(isinstance(f.error, errors.Unavailable | TryLater) for f in failures) and set(self.rows) <= {"usage"}:
            return LATER
        return FAILED

    @property
    def summary(self) -> str:
        """The result in one line."""
        counters = self.log.counters
        parts = [f"{self.status}: {self._read} into {self.target} in {self.duration_s:.1f} s"]
        parts.append(f"{counters.requests:,} requests")
        if counters.waited_s >= 1:
            parts.append(f"waited {counters.waited_s:.0f} s")
        if self.open_runs:
            parts.append(f"{self.open_runs:,} runs still open")
        if self.detail_backlog:
            parts.append(f"details of {self.detail_backlog:,} runs still to read")
        return "; ".join(parts)

    @property
    def _read(self) -> str:
        """What was read, in words.

        Counts runs instead of the rows of their tables: a run that is completed later yields its rows again.
        """
        runs = self.log.runs
        told = [f"{runs['new']:,} new runs"] if runs["new"] else []
        told += [f"{runs['changed']:,} changed"] if runs["changed"] else []
        told += [f"{runs['unchanged']:,} checked and unchanged"] if runs["unchanged"] else []
        rows = self.rows
        if not (runs["new"] or runs["changed"]):  # details left over from earlier syncs
            told += [f"{count:,} {name}" for name, count in rows.items() if name in LIST_TABLES]
        told += [f"{count:,} {name}" for name, count in rows.items() if name not in LIST_TABLES]
        return ", ".join(told) or "nothing new"

    def as_json(self) -> dict[str, Any]:
        """Returns the JSON object that ``--json`` prints."""
        counters = self.log.counters
        found = [{"resource": f.resource, "workspace": f.workspace_id, "message": f.message} for f in self.log.failures]
        if self.fault is not None:
            found.append({"resource": None, "workspace": None, "message": str(self.fault)})
        return {
            "status": self.status,
            "rows": self.rows,
            "runs": {kind: self.log.runs[kind] for kind in ("new", "changed", "unchanged")},
            "requests": counters.requests,
            "retries": counters.retries,
            "rate_limited": counters.rate_limited,
            "waited_s": round(counters.waited_s, 3),
            "open_runs": self.open_runs,
            "detail_backlog": self.detail_backlog,
            "duration_s": round(self.duration_s, 3),
            "errors": found,
            "warnings": list(self.log.warnings),
        }


def failed(fault: errors.SimError) -> dict[str, Any]:
    """Returns the JSON object for an error before the sync started."""
    outcome = Outcome(SyncLog(), Target(), 0, fault=fault)
    return outcome.as_json()


def code_of(fault: Exception) -> int:
    """Returns the exit code for an error that ended the command."""
    if isinstance(fault, TryLater | errors.Unavailable):
        return LATER
    return REFUSED if isinstance(fault, errors.ConfigurationError | errors.AccessDenied) else FAILED
