"""Computes how many requests a first sync sends and how long they take under a rate limit. Pure, no I/O.

Sim adds a fixed number of tokens to a bucket once per interval (``sim_api.http.limits``). Every request below
``/api/v1`` takes one token, including failed ones; usage requests are not limited. ``docs/rates.md`` lists the results
for Sim's plans.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sim_source.api.client import CONNECTIONS
from sim_source.paging.chunks import LARGEST_PAGE, TRUSTED_ROWS
from sim_source.paging.walk_audit import AUDIT_PAGE
from sim_source.paging.walk_states import STATES_PAGE

from ..rate_limit import RateLimit

WORKFLOWS_PAGE = 100
ROUNDING = 1e-9
"""Tolerance for rounding errors of float sums, as a fraction of an interval."""


@dataclass(frozen=True, slots=True)
class Work:
    """Requests by kind.

    Attributes:
        lists: Pages of runs.
        details: Per-run details.
        snapshots: Workflow states of runs.
        workflows: Pages of workflows.
        audit_logs: Pages of audit logs, or the one request that is denied without the Enterprise plan.
        usage: Requests for the account's usage, which the rate limit does not count.
        v2: Requests of the v2 API, which have rate limits of their own.
        v2_snapshots: Workflow states that are read from the v2 API meanwhile if v1's rate limit holds back details.
    """

    lists: int = 0
    details: int = 0
    snapshots: int = 0
    workflows: int = 0
    audit_logs: int = 0
    usage: int = 0
    v2: int = 0
    v2_snapshots: int = 0

    def __add__(self, other: Work) -> Work:
        return Work(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))

    @property
    def pages(self) -> int:
        """Rate-limited requests that are sent one after the other: each page starts where the last one ended."""
        return self.lists + self.workflows + self.audit_logs

    @property
    def calls(self) -> int:
        """Rate-limited requests that are sent concurrently."""
        return self.details + self.snapshots

    @property
    def total(self) -> int:
        """All requests."""
        return self.pages + self.calls + self.usage + self.v2 + self.v2_snapshots


PROOF = Work(workflows=1, usage=1)
"""Requests that check API key and workspace before a new DuckDB file is created."""


def pages_by_time(rows: int, page: int = LARGEST_PAGE) -> int:
    """Counts the requests of a walk by time. Each page repeats the last rows of the previous one."""
    again = 2 if page >= TRUSTED_ROWS else 1
    return 1 if rows <= page else math.ceil((rows - again) / max(page - again, 1))


def pages_by_cursor(rows: int, page: int = WORKFLOWS_PAGE) -> int:
    """Counts the requests of a walk by cursor."""
    return max(1, math.ceil(rows / page))


def first_sync(
    runs: int,
    *,
    details: int,
    snapshots: int,
    workflows: int = 1,
    audit_logs: int = 0,
    page: int = LARGEST_PAGE,
    v2: bool = False,
) -> Work:
    """Returns the requests of ``sim-sync run`` for one workspace and a new DuckDB file.

    Args:
        runs: Runs of the workspace.
        details: Runs whose details are read.
        snapshots: Number of deployment versions, plus the number of draft runs.
        workflows: Workflows that are not archived.
        audit_logs: Audit log rows; 0 also if the API key may not read them.
        page: Rows per page of runs.
        v2: Whether the server offers the v2 API: snapshots and the status of runs are read there.
    """
    return PROOF + Work(
        lists=pages_by_time(runs, page),
        details=details,
        snapshots=0 if v2 else snapshots,
        v2=pages_by_cursor(runs, STATES_PAGE) if v2 else 0,
        v2_snapshots=snapshots if v2 else 0,
        workflows=pages_by_cursor(workflows),
        audit_logs=pages_by_time(audit_logs, AUDIT_PAGE),
        usage=1,
    )


@dataclass(frozen=True, slots=True)
class Bucket:
    """State of a token bucket.

    Attributes:
        limit: Its size and refill rate.
        left: Tokens in it.
        refill_s: Seconds until the next refill.
    """

    limit: RateLimit
    left: int
    refill_s: float

    @classmethod
    def full(cls, limit: RateLimit) -> Bucket:
        """Returns a full bucket, as the first request finds it. The server's interval starts with that request."""
        return cls(limit, limit.capacity, limit.interval)

    def least_s(self, requests: int) -> float:
        """Returns the seconds until the last of this number of requests can be sent at the earliest."""
        refills = self._refills(requests)
        return self.refill_s + (refills - 1) * self.limit.interval if refills else 0.0

    def _refills(self, requests: int) -> float:
        missing, refill = requests - self.left, self._refill
        if missing <= 0:
            return 0
        return math.ceil(missing / refill) if refill > 0 else math.inf

    @property
    def _refill(self) -> int:
        """Tokens that a refill adds to an empty bucket."""
        return min(self.limit.rate, self.limit.capacity)

    def spent(self, requests: int, each_s: float = 0.0) -> tuple[float, Bucket]:
        """Returns the seconds until the requests are answered, and the state of the bucket after that.

        Args:
            requests: Number of requests.
            each_s: Seconds that each request takes without a rate limit.
        """
        refills = self._refills(requests)
        if math.isinf(refills):
            return math.inf, self
        last = requests - self.left - (int(refills) - 1) * self._refill if refills else requests
        took = max(self.least_s(requests) + last * each_s, requests * each_s)
        since = took - self.refill_s
        came = max(0, 1 + math.floor(since / self.limit.interval + ROUNDING))
        left = min(self.limit.capacity, self.left + came * self._refill - requests)
        return took, Bucket(self.limit, max(left, 0), came * self.limit.interval - since)


@dataclass(frozen=True, slots=True)
class Pace:
    """Speed of the server and this machine without a rate limit.

    Attributes:
        page_s: Seconds per list page until it is stored; pages are read one after the other.
        call_s: Seconds per detail or snapshot.
        cpu_s: CPU seconds per detail or snapshot on this machine; concurrency does not shorten them.
    """

    page_s: float = 0.0
    call_s: float = 0.0
    cpu_s: float = 0.0

    @property
    def each_call_s(self) -> float:
        """Seconds per detail or snapshot if all connections of the client are in use."""
        return max(self.call_s / CONNECTIONS, self.cpu_s)


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds from the start of a sync.

    Attributes:
        lists: Until all runs are loaded.
        all: Until their details and snapshots are loaded as well.
    """

    lists: float
    all: float


def times(work: Work, bucket: Bucket | None, pace: Pace) -> Times:
    """Returns how long requests take: first the pages, one after the other, then details and snapshots, concurrently.

    Snapshots of v2 have a bucket of their own, of the same size.

    Args:
        work: The requests.
        bucket: The server's token bucket at the start; None without a rate limit.
        pace: Speed without a rate limit.
    """
    if bucket is None:
        lists = work.pages * pace.page_s
        return Times(lists, lists + (work.calls + work.v2_snapshots) * pace.each_call_s)
    lists, after = bucket.spent(work.pages, pace.page_s)
    rest, _ = after.spent(work.calls, pace.each_call_s)
    beside, _ = Bucket.full(bucket.limit).spent(work.v2_snapshots, pace.each_call_s)
    return Times(lists, lists + max(rest, beside))


def span(seconds: float) -> str:
    """Formats seconds as ``90 s``, ``5 min``, ``2.0 h`` or ``3.0 days``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 48 * 3600 else f"{seconds / 86400:.1f} days"
