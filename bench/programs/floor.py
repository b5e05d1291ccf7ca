"""The floor: urllib3, msgspec and an Arrow insert, the same ``logs`` table, nothing else.

What a sync costs that knows no state, no retry, no second run and no other destination.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import duckdb
import msgspec
import pyarrow as pa
import urllib3

from bench.programs.common import KEY, arguments, database, say

BATCH_ROWS = 10_000
UNIT = Decimal(1).scaleb(-12)
TEXT, TIME, MONEY = pa.string(), pa.timestamp("us", tz="UTC"), pa.decimal128(38, 12)


class Cost(msgspec.Struct):
    """Cost of a run."""

    total: Decimal | None = None


class Run(msgspec.Struct, rename="camel"):
    """A row of the list."""

    id: str
    started_at: datetime
    workflow_id: str | None = None
    execution_id: str | None = None
    deployment_version_id: str | None = None
    level: str | None = None
    trigger: str | None = None
    ended_at: datetime | None = None
    total_duration_ms: int | None = None
    cost: Cost | None = None


class Page(msgspec.Struct, rename="camel"):
    """A page of the list."""

    data: list[Run]
    next_cursor: str | None = None


def arrow(runs: list[Run], workspace: str) -> pa.Table:
    """The runs in the columns of ``logs``."""
    nothing = pa.nulls(len(runs), TEXT)
    return pa.table(
        {
            "id": pa.array([run.id for run in runs], TEXT),
            "workspace_id": pa.array([workspace] * len(runs), TEXT),
            "execution_id": pa.array([run.execution_id for run in runs], TEXT),
            "workflow_id": pa.array([run.workflow_id for run in runs], TEXT),
            "workflow_name": nothing,
            "deployment_version_id": pa.array([run.deployment_version_id for run in runs], TEXT),
            "level": pa.array([run.level for run in runs], TEXT),
            "trigger": pa.array([run.trigger for run in runs], TEXT),
            "status": pa.array([_status(run) for run in runs], TEXT),
            "started_at": pa.array([run.started_at for run in runs], TIME),
            "ended_at": pa.array([run.ended_at for run in runs], TIME),
            "total_duration_ms": pa.array([run.total_duration_ms for run in runs], pa.int64()),
            "cost_total": pa.array([_cost(run) for run in runs], MONEY),
            "files": nothing,
            "extra": nothing,
        }
    )


def _cost(run: Run) -> Decimal | None:
    return run.cost.total.quantize(UNIT) if run.cost and run.cost.total is not None else None


def _status(run: Run) -> str:
    return "running" if run.ended_at is None else "failed" if run.level == "error" else "completed"


def main() -> None:
    """Loads all runs of a workspace."""
    args = arguments()
    http, decoder = urllib3.PoolManager(), msgspec.json.Decoder(Page)
    connection = duckdb.connect(database(args.folder))
    connection.execute("CREATE SCHEMA sim")
    fields = {"workspaceId": args.workspace, "order": "asc", "limit": "1000"}
    runs: list[Run] = []
    made = False
    while True:
        page = decoder.decode(
            http.request("GET", f"{args.url}/api/v1/logs", fields=fields, headers={"X-API-Key": KEY}).data
        )
        runs += page.data
        if runs and (len(runs) >= BATCH_ROWS or page.next_cursor is None):
            batch = arrow(runs, args.workspace)
            connection.register("batch", batch)
            connection.execute("INSERT INTO sim.logs FROM batch" if made else "CREATE TABLE sim.logs AS FROM batch")
            runs, made = [], True
        if page.next_cursor is None:
            break
        fields["cursor"] = page.next_cursor
    connection.close()
    say({})


if __name__ == "__main__":
    main()
