"""``sim-sync status``: synced up to when, open runs, backlog, loads and rows. Reads the destination only."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sim_source import TABLES
from sim_source.errors import ConfigurationError
from sim_source.paging.state import ResourceState
from sim_source.stored.queries import WorkspaceQueries
from sim_source.stored.warehouse import Warehouse

from ..destination import pipeline
from ..destination.target import Target
from ..screen import terminal
from . import answering


@dataclass(frozen=True, slots=True)
class ResourceStatus:
    """Sync progress of a resource of a workspace.

    Attributes:
        workspace: Id of the workspace; None for resources of the account.
        resource: Name of the resource.
        synced_to: The watermark: everything before it has been read, and no late rows are expected.
        lag_s: Seconds between the watermark and now.
        unfinished: Whether a first sync or backfill is in progress.
        open_runs: Runs that are not final yet.
        detail_backlog: Runs whose details are still to be read.
        unconfirmed_since: The earliest moment from which v2 has still to confirm the status of runs.
    """

    workspace: str | None
    resource: str
    synced_to: datetime | None
    lag_s: float | None
    unfinished: bool
    open_runs: int | None = None
    detail_backlog: int | None = None
    unconfirmed_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """The status of a destination.

    Attributes:
        resources: Progress of each resource.
        rows: Number of rows, by table.
        last_loads: When the last loads were completed, newest first.
        as_of: Completion of the last load in the published copy, if that answered.
    """

    resources: list[ResourceStatus]
    rows: dict[str, int]
    last_loads: list[datetime]
    as_of: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """Returns the JSON object that ``--json`` prints."""
        return {
            "resources": [
                {
                    "workspace": r.workspace,
                    "resource": r.resource,
                    "synced_to": r.synced_to.isoformat() if r.synced_to else None,
                    "lag_s": r.lag_s,
                    "unfinished": r.unfinished,
                    "open_runs": r.open_runs,
                    "detail_backlog": r.detail_backlog,
                    "unconfirmed_since": r.unconfirmed_since.isoformat() if r.unconfirmed_since else None,
                }
                for r in self.resources
            ],
            "rows": self.rows,
            "last_loads": [moment.isoformat() for moment in self.last_loads],
        } | answering.as_of_json(self.as_of)


def read_status(target: Target, now: datetime | None = None) -> Standing:
    """Reads the status of a destination.

    Raises:
        ConfigurationError: Nothing has been synced there yet.
    """
    now = now or datetime.now(UTC)
    with answering.one_state(target) as as_of, pipeline.attached_to_read(target) as (attached, warehouse):
        state = pipeline.state_in(attached, warehouse)
        if state is None:
            raise ConfigurationError(f"nothing was synced into {target} yet; run sim-sync run first")
        resources = [_resource(None, "audit_logs", held.audit_logs, now) for _, held in state.accounts()]
        resources += [_resource(None, "billing_logs", ledger, now) for ledger in state.ledgers if ledger.kept]
        resources += [_runs(warehouse, held.id, held.logs, now) for held in state.workspaces() if held.was_read]
        return Standing(resources, {name: warehouse.count(name) for name in TABLES}, _last_loads(warehouse), as_of)


def _resource(workspace: str | None, name: str, state: ResourceState, now: datetime) -> ResourceStatus:
    reached = state.watermark
    lag = (now - reached).total_seconds() if reached else None
    return ResourceStatus(workspace, name, reached, lag, state.in_hand("walk"))


def _runs(warehouse: Warehouse, workspace_id: str, state: ResourceState, now: datetime) -> ResourceStatus:
    told = _resource(workspace_id, "logs", state, now)
    unfinished = WorkspaceQueries(warehouse, workspace_id).unfinished("costly", snapshots="none")
    return ResourceStatus(
        told.workspace,
        told.resource,
        told.synced_to,
        told.lag_s,
        told.unfinished,
        open_runs=unfinished.open_runs - len(state.closed),
        detail_backlog=unfinished.details,
        unconfirmed_since=state.unconfirmed[0].first if state.unconfirmed else None,
    )


def _remark(found: ResourceStatus) -> str:
    if found.unconfirmed_since is not None:
        return f"status of runs since {found.unconfirmed_since:%Y-%m-%d %H:%M} not confirmed by v2 yet"
    return "in progress" if found.unfinished else ""


_LAST_LOADS = "SELECT inserted_at FROM {_dlt_loads} ORDER BY inserted_at DESC LIMIT 5"


def _last_loads(warehouse: Warehouse) -> list[datetime]:
    return [row[0].astimezone(UTC) for row in warehouse.ask(_LAST_LOADS)]


def print_status(found: Standing, as_json: bool) -> None:
    """Prints the status as tables or as JSON."""
    if as_json:
        print(json.dumps(found.as_json()))
        return
    terminal.table(
        ("workspace", "resource", "synced to (UTC)", "behind", "open runs", "details to read", ""),
        [
            (
                each.workspace or "account",
                each.resource,
                each.synced_to.strftime("%Y-%m-%d %H:%M:%S") if each.synced_to else "–",
                f"{each.lag_s / 60:.0f} min" if each.lag_s is not None else "–",
                each.open_runs,
                each.detail_backlog,
                _remark(each),
            )
            for each in found.resources
        ],
    )
    terminal.table(("table", "rows"), [(name, f"{count:,}") for name, count in found.rows.items()])
    if found.last_loads:
        shown = ", ".join(moment.strftime("%Y-%m-%d %H:%M:%S") for moment in found.last_loads)
        terminal.out.print(f"last loads (UTC): {shown}")
