"""Servers of pages in memory, with every quirk of order, ties, cursors and sizes that generations have."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sim_source import errors
from sim_source.api import wire
from sim_source.api.decode import Page
from sim_source.api.query import Query
from sim_source.paging.chunks import Chunk, Gap
from sim_source.timestamps import iso

BASE = datetime(2026, 11, 1, tzinfo=UTC)
END = BASE + timedelta(milliseconds=10_000_000)
"""After everything."""
Ties = Literal["by id", "as inserted", "unordered"]
Cursors = Literal["work", "without order", "fail", "page 1"]


def at(ms: int) -> datetime:
    """A moment in milliseconds after the base."""
    return BASE + timedelta(milliseconds=ms)


@dataclass
class Runs:
    """Runs by start, asked as `/api/v1/logs` is.

    Attributes:
        starts: Milliseconds after the base, in the order in which the runs were inserted.
        clamp: Largest page; None: no bound.
        ties: Order of runs that started in one instant.
        cursors: `work` (their text names the order, as on 2026-08), `without order` (as before), `fail`
            (2026-03: 500), or `page 1`: silently taken for none.
        fails_above: Pages of more rows than this fail.
        facts: What rows have besides, by their number in ``starts``: workflow, level, trigger, duration.
        shown: Starts that answers show and the server does not go by, by number, as moments.
    """

    starts: list[int]
    facts: dict[int, dict[str, Any]] = field(default_factory=dict)
    shown: dict[int, datetime] = field(default_factory=dict)
    clamp: int | None = None
    ties: Ties = "by id"
    cursors: Cursors = "work"
    fails_above: int | None = None
    seed: int = 0
    requests: int = 0
    failures: int = 0
    row_bytes: int = 100
    _chance: random.Random = field(default_factory=random.Random)

    def __post_init__(self) -> None:
        self._chance.seed(self.seed)
        self.rows = [(start, f"r{number:05d}", number) for number, start in enumerate(self.starts)]
        self._chance.shuffle(self.rows)  # ids are no order of insertion
        self.rows = [(start, f"{place:05d}", number) for place, (start, _, number) in enumerate(self.rows)]

    @property
    def ids(self) -> list[str]:
        return sorted(id_ for _, id_, _ in self.rows)

    def least_requests(self, page: int) -> int:
        """The fewest pages that can hold all rows; one at least tells that there is none."""
        return max(1, -(-len(self.rows) // page))

    def ask(self, query: Query) -> Page[wire.Run]:
        self.requests += 1
        if self.requests > 5000:
            raise AssertionError("the walk does not end")
        if self.fails_above is not None and query.limit > self.fails_above:
            self.failures += 1
            raise errors.Unavailable("500")
        after = None if query.cursor is None else self._after(query.cursor)
        found = self._ordered(query)
        if after is not None:
            found = [row for row in found if (row[:2] > after if query.order == "asc" else row[:2] < after)]
        limit = query.limit if self.clamp is None else min(self.clamp, query.limit)
        page = found[:limit]
        cursor = self._cursor(page[-1], query.order) if len(found) > limit else None
        rows = [
            wire.Run(id=id_, started_at=self.shown.get(number, at(start)), **self.facts.get(number, {}))
            for start, id_, number in page
        ]
        return Page(rows, cursor, self.row_bytes * len(rows))

    def _ordered(self, query: Query) -> list[tuple[int, str, int]]:
        low = 0 if query.start is None else _ms(query.start)
        only = dict(query.only)
        kept = [row for row in self.rows if low <= row[0] <= _ms(query.end) and self._matches(row[2], only)]
        if self.ties == "unordered":
            self._chance.shuffle(kept)
            kept.sort(key=lambda row: row[0])
        else:
            kept.sort(key=lambda row: (row[0], row[1] if self.ties == "by id" else row[2]))
        return kept if query.order == "asc" else kept[::-1]

    def _matches(self, number: int, only: dict[str, str]) -> bool:
        facts = self.facts.get(number, {})
        names = {"level": "level", "workflowIds": "workflow_id", "triggers": "trigger"}
        if any(only.get(asked, facts.get(name)) != facts.get(name) for asked, name in names.items()):
            return False
        bounds = only.get("minDurationMs"), only.get("maxDurationMs")
        took = facts.get("total_duration_ms")
        if bounds == (None, None):
            return True
        return took is not None and float(bounds[0] or "-inf") <= took <= float(bounds[1] or "inf")

    def _cursor(self, row: tuple[int, str, int], order: str) -> str:
        told = {"startedAt": iso(at(row[0])), "id": row[1]}
        if self.cursors == "work":
            told["order"] = order
        return base64.b64encode(json.dumps(told).encode()).decode()

    def _after(self, cursor: str) -> tuple[int, str] | None:
        if self.cursors == "fail":
            raise errors.Unavailable("500")
        if self.cursors == "page 1":
            return None
        told = json.loads(base64.b64decode(cursor))
        return _ms(datetime.fromisoformat(told["startedAt"])), told["id"]


@dataclass
class Audit:
    """Audit rows in microseconds after the base, asked as `/api/v1/audit-logs` is: newest first.

    Attributes:
        facts: What rows have besides, by id: actor, workspace, type and id of the resource.
        refused: Values of filters that are answered with 400.
        shown: Moments that answers show and the server does not go by, by id.
    """

    moments: list[int]
    actions: int = 1
    requests: int = 0
    facts: dict[str, dict[str, str]] = field(default_factory=dict)
    refused: frozenset[str] = frozenset()
    shown: dict[str, datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rows = sorted(
            ((moment, f"a{number:05d}", f"act.{number % self.actions}") for number, moment in enumerate(self.moments)),
            reverse=True,
        )

    @property
    def ids(self) -> list[str]:
        return sorted(id_ for _, id_, _ in self.rows)

    def ask(self, query: Query) -> Page[wire.AuditLog]:
        """Dates have milliseconds and are compared at .000 microseconds; the wire cuts microseconds off."""
        self.requests += 1
        if self.requests > 5000:
            raise AssertionError("the walk does not end")
        low = -1 if query.start is None else _ms(query.start) * 1000
        only = dict(query.only)
        if self.refused.intersection(only.values()):
            raise errors.BadRequest("400 actorId is not a member of your organization")
        found = [row for row in self.rows if low <= row[0] <= _ms(query.end) * 1000 and self._matches(row, only)]
        rows = [
            wire.AuditLog(
                id=id_,
                created_at=self.shown.get(id_, at(moment // 1000)),
                action=action,
                **self.facts.get(id_, {}),
            )
            for moment, id_, action in found[: query.limit]
        ]
        return Page(rows, "more" if len(found) > query.limit else None, 100 * len(rows))

    def _matches(self, row: tuple[int, str, str], only: dict[str, str]) -> bool:
        facts = {"action": row[2], **self.facts.get(row[1], {})}
        names = {"action": "action", "actorId": "actor_id", "workspaceId": "workspace_id",
                 "resourceType": "resource_type", "resourceId": "resource_id"}  # fmt: skip
        return all(facts.get(names[name]) == value for name, value in only.items())


def _ms(moment: datetime) -> int:
    return (moment - BASE) // timedelta(milliseconds=1)


def gaps_of(chunks: Iterable[Chunk[Any]]) -> list[Gap]:
    return [chunk.gap for chunk in chunks if chunk.gap is not None]


def given_ids(chunks: Iterable[Chunk[wire.Run]] | Iterable[Chunk[wire.AuditLog]]) -> list[str]:
    return [row.id for chunk in chunks for row in chunk.rows]
