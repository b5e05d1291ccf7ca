"""Merges new cost items of a run with the stored ones; a less complete split never replaces a stored one. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ..run_tables import COST_ITEMS, LOGS
from ..schema import Row
from .cost import ZERO, ItemKind
from .run_rows import RunRows
from .stored_run import StoredRun, by_name, in_order

_SPLIT = ("model", "tool")


def merged_items(new: RunRows, stored: StoredRun, total: Decimal | None) -> tuple[list[Row], bool]:
    """Returns the items to store, and whether the stored split is complete; ``unknown`` never replaces a split.

    The list is empty if the stored items stay unchanged.
    """
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
    """Whether a run has ended and all of its cost is itemised: it has items, and none of them is ``unknown``."""
    ended = by_name(LOGS, stored.log)["ended_at"] is not None
    return ended and bool(stored.items) and all(item[KIND] != "unknown" for item in stored.items)


def kept_split(stored: StoredRun, total: Decimal, kind: ItemKind) -> list[Row] | None:
    """Returns the stored split plus one item for the rest of the cost; None if the split exceeds the cost.

    Args:
        stored: The stored run.
        total: Cost of the run in USD.
        kind: Kind of the item for the rest: ``other`` if the API does not itemise it, ``unknown`` if its split is not
            known yet. With ``unknown``, a stored ``other`` item is kept as well.
    """
    known = _SPLIT if kind == "other" else (*_SPLIT, "other")
    kept = [item for item in stored.items if item[KIND] in known]
    rest = total - sum((item[TOTAL] for item in kept), ZERO)
    if rest < 0:
        return None
    return [*kept, rest_item(stored.log, rest, kind)] if rest else kept


def _or_zero(new: RunRows, total: Decimal | None, itemised: Decimal) -> list[Row]:
    """The new items; if the cost turns out to be zero, one item of zero that replaces stored items of another sum."""
    if new.items or total is None or itemised == total or not new.detail:
        return new.items
    return [rest_item(new.log, total, "other")]


def rest_item(log: Row, amount: Decimal, kind: ItemKind) -> Row:
    """Builds the row of ``cost_items`` for the part of a run's cost that is not split."""
    run = by_name(LOGS, log)
    about = {name: run[name] for name in ("workspace_id", "workflow_id", "execution_id", "started_at")}
    item = dict.fromkeys(COST_ITEMS.column_names) | about
    return in_order(COST_ITEMS, item | {"log_id": run["id"], "kind": kind, "name": kind, "total_cost": amount})


KIND = COST_ITEMS.column_names.index("kind")


TOTAL = COST_ITEMS.column_names.index("total_cost")


WORKFLOW = COST_ITEMS.column_names.index("workflow_id")


def with_values(row: Row, **values: Any) -> Row:
    """Returns a copy of a row of ``cost_items`` with some values replaced."""
    return in_order(COST_ITEMS, by_name(COST_ITEMS, row) | values)
