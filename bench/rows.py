"""Workspaces of the benchmark API: list rows serialised once into a file, and served from it as whole pages.

Full rows and details of ``march`` (2026-03) and ``august`` (2026-08) are joined with traces that recur.
"""

from __future__ import annotations

import mmap
import os
import random
import tempfile
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from bench import traces
from bench.traces import Json, Trace, iso

POOL = 10_000
"""Distinct traces of a workspace; with more runs than that they recur under other runs."""
DAYS = 30
"""Over so many days the runs of a workspace are spread."""
RATE_MS = 25_920
"""Where runs come later, those before came at one rate, 100,000 in 30 days: of two such tables one is older."""
LATER_MS = 600_000
"""Runs that come later started in the last ten minutes: well inside the lookback of any sync."""


@dataclass(slots=True)
class Workspace:
    """A workspace's runs, oldest first, each with a startedAt of its own.

    Attributes:
        times: startedAt in epoch ms, strictly increasing.
        plain: The rows of a list that is not asked for in full.
        traces: What full rows and details hold beside them, recurring; none where a list has no full rows.
        places: Where a run with a detail is, by log id.
        served: Runs that are there; those behind them come later.
        delay_s: Seconds every answer takes.
        limited: Its rate limit; None where it has none.
    """

    times: array[int]
    plain: Rows
    traces: list[Trace]
    places: dict[str, int]
    served: int
    delay_s: float = 0.0
    limited: str | None = None

    def grow(self) -> None:
        """Lets the runs come that were held back."""
        self.served = len(self.times)

    def facts(self) -> dict[str, int]:
        """What a client must end up with."""
        spans = [trace.spans for trace in self.traces]
        whole, rest = divmod(self.served, len(spans) or 1)
        return {"rows": self.served, "spans": whole * sum(spans) + sum(spans[:rest])}

    def between(self, start: int | None, end: int | None) -> tuple[int, int]:
        """Positions of the runs that started in ``[start, end]``, epoch ms."""
        first = 0 if start is None else bisect_left(self.times, start, hi=self.served)
        return first, self.served if end is None else bisect_right(self.times, end, hi=self.served)

    def page(self, first: int, last: int, *, full: bool, newest_first: bool) -> bytes:
        """The list rows of the runs ``first`` to before ``last``, with commas between them."""
        if not (self.traces and full):
            plain = self.plain.part
            return b",".join(plain(at - 1, at) for at in range(last, first, -1)) if newest_first else plain(first, last)
        order = range(last - 1, first - 1, -1) if newest_first else range(first, last)
        parts = [part for at in order for part in (b",", self._head(at), self._trace(at).row)]
        return b"".join(parts[1:])

    def detail(self, log_id: str) -> bytes | None:
        """The detail of a run; None where there is none to be had."""
        at = self.places.get(log_id, self.served)
        return self._head(at) + self._trace(at).detail if at < self.served else None

    def _head(self, at: int) -> bytes:
        return self.plain.part(at, at + 1).partition(b'"cost"')[0]

    def _trace(self, at: int) -> Trace:
        return self.traces[at % len(self.traces)]


@dataclass(slots=True)
class Rows:
    """Serialised rows one behind the other, with commas, in a file without a name.

    A million rows take the memory of their positions, and a page is one copy.
    """

    _ends: array[int] = field(default_factory=lambda: array("Q", [0]))
    _mapped: mmap.mmap | None = None

    def fill(self, rows: Iterator[bytes]) -> None:
        """Writes all rows; on disk at once, since writing it later would disturb what is measured by then."""
        with tempfile.TemporaryFile() as file:
            for row in rows:
                file.write(row + b",")
                self._ends.append(self._ends[-1] + len(row) + 1)
            file.flush()
            os.fsync(file.fileno())
            self._mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def part(self, first: int, last: int) -> bytes:
        """Rows ``first`` to before ``last``."""
        assert self._mapped is not None
        return self._mapped[self._ends[first] : self._ends[last] - 1] if first < last else b""


def make(name: str, now_ms: int) -> Workspace:
    """Makes ``<kind>-<runs>[-<more>later][-<delay>ms][-<a minute>x<burst>]``; kind is basic, march or august."""
    kind, runs, *options = name.split("-")
    count, later = int(runs), sum(int(each.removesuffix("later")) for each in options if each.endswith("later"))
    delay = sum(float(each.removesuffix("ms")) for each in options if each.endswith("ms"))
    chance = random.Random(name)
    pool = [] if kind == "basic" else [traces.make(chance, kind) for _ in range(min(count, POOL))]
    times = array("q", _times(chance, count, later, now_ms))
    limit = next((each for each in options if "x" in each), None)
    workspace = Workspace(times, Rows(), pool, {}, served=count, delay_s=delay / 1000, limited=limit)

    def rows() -> Iterator[bytes]:
        for index, at in enumerate(times):
            head = _head(chance, at)
            if kind == "august":
                workspace.places[head["id"]] = index
            rest: Json = {"cost": {"total": _cost(chance)}, "files": None}
            yield msgspec.json.encode(head)[:-1] + b"," + msgspec.json.encode(rest)[1:]

    workspace.plain.fill(rows())
    return workspace


def _times(chance: random.Random, count: int, later: int, now_ms: int) -> Iterator[int]:
    step = RATE_MS if later else DAYS * 86_400_000 // count
    yield from _spread(chance, count, step, now_ms - LATER_MS if later else now_ms)
    if later:
        yield from _spread(chance, later, LATER_MS // later, now_ms)


def _spread(chance: random.Random, count: int, step: int, end: int) -> Iterator[int]:
    return (end - (count - index) * step + chance.randrange(step // 2) for index in range(count))


def _uuid(chance: random.Random) -> str:
    digits = f"{chance.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"


def _cost(chance: random.Random) -> float:
    return 0.005 + chance.randrange(1, 400) * 0.000157


def _head(chance: random.Random, at: int) -> Json:
    duration = chance.randrange(200, 20_000)
    return {
        "id": _uuid(chance),
        "workflowId": f"aaaaaaaa-0001-4000-8000-{chance.randrange(20):012d}",
        "executionId": _uuid(chance),
        "deploymentVersionId": f"dddddddd-0001-4000-8000-{chance.randrange(60):012d}",
        "level": "error" if chance.random() < 0.05 else "info",
        "trigger": chance.choice(("api", "schedule", "webhook", "chat", "manual")),
        "startedAt": iso(at),
        "endedAt": iso(at + duration),
        "totalDurationMs": duration,
    }
