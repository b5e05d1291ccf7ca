"""Cost items of a run that is stored: no split gives way to one that tells less. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ..schema import Row
from ..tables import COST_ITEMS, LOGS
from .cost import ZERO, ItemKind
from .run_rows import RunRows
from .stored_run import StoredRun, by_name, in_order

_SPLIT = ("model", "tool")


def merged_items(new: RunRows, stored: StoredRun, total: Decimal | None) -> tuple[list[Row], bool]:
    """Items to store, and whether the stored split is all there is to know. No split gives way to ``unknown``."""
    split = any(item[KIND] in _SPLIT for item in stored.items)
    itemised = sum((item[TOTAL] for item in stored.items), ZERO)
    untold = any(item[KIND] == "unknown" for item in new.items)
    if any(item[KIND] in _SPLIT for item in new.items) or not (split or (untold and is_itemised(stored))):
        return _or_zero(new, total, itemised), False
    if itemised == total and stored.detail is not None:
        return [], is_itemised(stored)
    kept = kept_split(stored, total or ZERO, "unknown" if untold else "other")
    return (new.items if kept is None else kept), False


def is_itemised(stored: StoredRun) -> bool:
    """Whether it is known what the whole cost of a run that has ended is made of."""
    ended = by_name(LOGS, stored.log)["ended_at"] is not None
    return ended and bool(stored.items) and all(item[KIND] != "unknown" for item in stored.items)


def kept_split(stored: StoredRun, total: Decimal, kind: ItemKind) -> list[Row] | None:
    """The stored split, and what the run cost beyond it as one item; None where the split was more than that.

    Args:
        stored: The run.
        total: What it cost.
        kind: ``other`` where that is known not to be itemised, ``unknown`` where nothing has told its split; then
            a stored ``other`` is known, too, and stays.
    """
    known = _SPLIT if kind == "other" else (*_SPLIT, "other")
    kept = [item for item in stored.items if item[KIND] in known]
    rest = total - sum((item[TOTAL] for item in kept), ZERO)
    if rest < 0:
        return None
    return [*kept, rest_item(stored.log, rest, kind)] if rest else kept


def _or_zero(new: RunRows, total: Decimal | None, itemised: Decimal) -> list[Row]:
    """A run that turns out to have cost nothing: an item that says so replaces those that say otherwise."""
    if new.items or total is None or itemised == total or not new.detail:
        return new.items
    return [rest_item(new.log, total, "other")]


def rest_item(log: Row, amount: Decimal, kind: ItemKind) -> Row:
    """What a run cost beyond its split, as a row of ``cost_items``."""
    run = by_name(LOGS, log)
    about = {name: run[name] for name in ("workspace_id", "workflow_id", "execution_id", "started_at")}
    item = dict.fromkeys(COST_ITEMS.column_names) | about
    return in_order(COST_ITEMS, item | {"log_id": run["id"], "kind": kind, "name": kind, "total_cost": amount})


KIND = COST_ITEMS.column_names.index("kind")


TOTAL = COST_ITEMS.column_names.index("total_cost")


WORKFLOW = COST_ITEMS.column_names.index("workflow_id")


def with_values(row: Row, **values: Any) -> Row:
    """A row of ``cost_items`` with other values in some columns."""
    return in_order(COST_ITEMS, by_name(COST_ITEMS, row) | values)
