"""Folds rows of the views into columns of integers for the HTML page.

A cell is a combination of day, workflow and trigger. Its cost items and durations refer to it by number. An amount is
two integers, micro-dollars and millionths of a micro-dollar, so that sums on the page equal those of SQL to all 12
digits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

MAX_NAMES = 25
"""Maximum number of models, and of tools, that are listed by name."""
CELL_COLUMNS = ("runs", "completed", "failed", "costed", "split", "prompt", "completion", "checked", "unreconciled")
CELL_MONEY = ("cost", "wasted", "said", "itemised")
CELL_WEIGHT = 4
"""Approximate size of a cell on the page, in cost items."""

Key = tuple[str | None, str | None, str | None]
"""A workflow: workspace id, workflow id, and the name if it has no id."""
Row = tuple[Any, ...]


@dataclass(slots=True)
class Cubes:
    """The run data of the page.

    Attributes:
        first_day: Day number 0.
        workflows: Workspace, id and name of each workflow; id and name are None for "other workflows".
        folded: Number of workflows in "other workflows", by workspace.
        triggers: Triggers of runs.
        items: Kind and name of each cost item; the name is None for the other items of a kind.
        cells: Columns of the cells.
        parts: Columns of the cost items of cells.
        durations: Columns of the durations of cells.
        step: Width of the duration buckets, as a factor.
    """

    first_day: date
    workflows: list[tuple[str | None, str | None, str | None]] = field(default_factory=list)
    folded: dict[str, int] = field(default_factory=dict)
    triggers: list[str | None] = field(default_factory=list)
    items: list[tuple[str, str | None]] = field(default_factory=list)
    cells: dict[str, list[int]] = field(default_factory=dict)
    parts: dict[str, list[int]] = field(default_factory=dict)
    durations: dict[str, list[int]] = field(default_factory=dict)
    step: float = 1.0


@dataclass(slots=True)
class _Cell:
    number: int
    counts: list[int] = field(default_factory=lambda: [0] * len(CELL_COLUMNS))
    money: list[int] = field(default_factory=lambda: [0] * len(CELL_MONEY))

    def add(self, at: int, amount: Decimal | None) -> None:
        self.money[at] += pico(amount)


class Book:
    """Assigns numbers to days, workflows, triggers, items and cells. Only the largest workflows and items are named.

    Args:
        runs: Rows of runs, by cell.
        items: Rows of cost items, by cell and item.
        room: Maximum number of cost items. The smallest workflows beyond it become "other workflows".
    """

    def __init__(self, runs: Sequence[Row], items: Sequence[Row], room: int) -> None:
        self.first_day: date = min(row[0] for row in runs)
        self._names: dict[Key, str | None] = {}
        cost: dict[Key, int] = defaultdict(int)
        rows: dict[Key, int] = defaultdict(int)
        for row in sorted(runs, key=lambda row: row[0]):
            self._names[key_of(row)] = row[3]  # the name on the latest day
            cost[key_of(row)] += pico(row[12])
            rows[key_of(row)] += CELL_WEIGHT
        for row in items:
            rows[key_of(row)] += 1
        ranked = sorted(cost, key=lambda key: (-cost[key], tuple(map(str, key))))
        self._kept = set(_while_room(ranked, rows, room))
        self._left_out = [key for key in ranked if key not in self._kept]
        self._workflows: dict[tuple[str | None, str | None, str | None], int] = {}
        for key in ranked:
            if key in self._kept:
                self._workflow(key)
        self._triggers: dict[str | None, int] = {}
        self._cells: dict[tuple[int, int, int], _Cell] = {}
        self._items = _ranked_items(items)

    def _workflow(self, key: Key) -> int:
        named = (key[0], key[1], self._names.get(key, key[2])) if key in self._kept else (key[0], None, None)
        return self._workflows.setdefault(named, len(self._workflows))

    def cell(self, row: Row) -> _Cell:
        """Returns the cell of a row that starts with the columns of ``cubes.KEY``."""
        at = (
            (row[0] - self.first_day).days,
            self._workflow(key_of(row)),
            self._triggers.setdefault(row[4], len(self._triggers)),
        )
        return self._cells.setdefault(at, _Cell(len(self._cells)))

    def cubes(self, items: Sequence[Row], durations: Sequence[Row], step: float) -> Cubes:
        """Returns all data in columns, in the order of the cells."""
        parts, counted = self._parts(items), self._durations(durations)
        cells = list(self._cells.items())
        money = {name: [cell.money[at] for _, cell in cells] for at, name in enumerate(CELL_MONEY)}
        return Cubes(
            self.first_day,
            list(self._workflows),
            self._folded(),
            list(self._triggers),
            list(self._items),
            {name: [at[n] for at, _ in cells] for n, name in enumerate(("day", "workflow", "trigger"))}
            | {name: [cell.counts[at] for _, cell in cells] for at, name in enumerate(CELL_COLUMNS)}
            | amounts(money),
            parts,
            counted,
            step,
        )

    def _parts(self, items: Sequence[Row]) -> dict[str, list[int]]:
        parts: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0, 0])
        for row in items:
            item = self._items.get((row[5], row[6]), self._items.get((row[5], None), 0))
            part = parts[self.cell(row).number, item]
            for at, value in enumerate((int(row[7] or 0), int(row[8] or 0), pico(row[9]))):
                part[at] += value
        ordered = sorted(parts.items())
        return {
            "cell": _steps(cell for (cell, _), _ in ordered),
            "item": [item for (_, item), _ in ordered],
            "prompt": [part[0] for _, part in ordered],
            "completion": [part[1] for _, part in ordered],
        } | amounts({"cost": [part[2] for _, part in ordered]})

    def _durations(self, durations: Sequence[Row]) -> dict[str, list[int]]:
        """Returns the columns of durations. Each row has a text of pairs: "ms runs ms runs …"."""
        counted: dict[int, dict[int, int]] = {}
        for row in durations:
            runs_by_ms = counted.setdefault(self.cell(row).number, {})
            numbers = map(int, row[5].split())
            for ms, runs in zip(numbers, numbers, strict=True):
                runs_by_ms[ms] = runs_by_ms.get(ms, 0) + runs
        ordered = [(cell, ms, runs) for cell, by_ms in sorted(counted.items()) for ms, runs in sorted(by_ms.items())]
        return {
            "cell": _steps(cell for cell, _, _ in ordered),
            "ms": [ms for _, ms, _ in ordered],
            "runs": [runs for _, _, runs in ordered],
        }

    def _folded(self) -> dict[str, int]:
        found: dict[str, int] = defaultdict(int)
        for key in self._left_out:
            found[key[0] or ""] += 1
        return dict(found)


def key_of(row: Row) -> Key:
    """Returns the key of a row's workflow. A workflow without id is identified by its name."""
    return row[1], row[2], None if row[2] is not None else row[3]


def pico(amount: Decimal | None) -> int:
    """Converts an amount in USD to pico-dollars."""
    return int(amount.scaleb(12)) if amount else 0


def amounts(columns: dict[str, list[int]]) -> dict[str, list[int]]:
    """Splits amounts in pico-dollars for the page: into micro-dollars and the remaining pico-dollars."""
    found = {}
    for name, values in columns.items():
        found[f"{name}_micro"] = [value // 1_000_000 for value in values]
        found[f"{name}_pico"] = [value % 1_000_000 for value in values]
    return found


def _while_room(ranked: Iterable[Key], rows: dict[Key, int], room: int) -> Iterable[Key]:
    for key in ranked:
        room -= rows[key]
        if room < 0:
            return
        yield key


def _ranked_items(items: Sequence[Row]) -> dict[tuple[str, str | None], int]:
    """Numbers the cost items: models by cost, then tools by cost, then the other kinds."""
    cost: dict[tuple[str, str | None], int] = defaultdict(int)
    for row in items:
        cost[row[5], row[6]] += pico(row[9])
    ranked: list[tuple[str, str | None]] = []
    for kind in ("model", "tool", "other", "unknown"):
        names = sorted((at for at in cost if at[0] == kind), key=lambda at: (-cost[at], str(at[1])))
        ranked += names[:MAX_NAMES] + [(kind, None)] * (len(names) > MAX_NAMES)
    return {item: number for number, item in enumerate(ranked)}


def _steps(numbers: Iterable[int]) -> list[int]:
    """Returns the differences between neighbouring numbers; small numbers compress well."""
    found, before = [], 0
    for number in numbers:
        found.append(number - before)
        before = number
    return found
