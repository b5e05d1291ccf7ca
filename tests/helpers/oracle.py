"""What a warehouse must say of a world of the embedded Sim API, worked out from the world's own truth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from pipelines.sim_api import BASE_CHARGE, Block, SimRun
from pipelines.sim_api.http.v2.v2_runs import status_in_v2_logs

Items = dict[tuple[str, str], Decimal]


def money(value: float) -> Decimal:
    """USD to 12 digits."""
    return round(Decimal(repr(value)), 12)


def told_total(run: SimRun, dialect: str) -> Decimal | None:
    """The cost the API tells: 2026-03 shows the base charge while a run is running."""
    if run.state == "running" and dialect == "2026-03":
        return money(BASE_CHARGE)
    return None if run.total_cost is None else money(run.total_cost)


def items(run: SimRun, dialect: str) -> Items:
    """Items of a run whose detail was read, as far as this generation tells them."""
    total = told_total(run, dialect)
    if total is None:
        return {}
    if run.trace_expired and dialect == "2026-08":
        return {("unknown", "unknown"): total}
    found: Items = {}
    if run.has_trace:
        found = {("model", name): money(cost.total) for name, cost in run.seen.cost.models.items()}
        if not run.trace_expired:
            for block in blocks(run.seen.blocks):
                if block.tool_cost:
                    key = ("tool", block.name)
                    found[key] = found.get(key, Decimal(0)) + money(block.tool_cost)
    rest = total - sum(found.values(), Decimal(0))
    return {**found, ("other", "other"): rest} if rest else found


def status(run: SimRun, dialect: str) -> str:
    """The status as far as this generation tells it.

    A resumed run looks paused until it ends; before 2026-08 a cancellation shows nowhere.
    """
    if run.state == "resumed":
        return "paused"
    if run.state == "cancelled" and dialect != "2026-08":
        return "completed"
    return run.status


def status_by_v2(run: SimRun) -> str:
    """The status with v2: the truth."""
    return {"pending": "paused", "redacting": "running"}.get(status_in_v2_logs(run), status_in_v2_logs(run))


def blocks(found: Iterable[Block]) -> Iterator[Block]:
    """Every block, containers first."""
    for block in found:
        yield block
        yield from blocks(block.children)
