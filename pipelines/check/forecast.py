"""How many requests a first sync sends, and how long a rate limit makes them take. Pure; nothing sleeps.

Sim fills a bucket once per interval with a fixed number of tokens (``sim_api.limits``). Every request below
``/api/v1`` takes one, errors included; usage is not limited. ``docs/rates.md`` holds the figures of Sim's plans.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sim_source.api.client import CONNECTIONS
from sim_source.paging.chunks import LARGEST_PAGE, TRUSTED_ROWS
from sim_source.paging.walk_audit import AUDIT_PAGE

from ..rate_limit import RateLimit

WORKFLOWS_PAGE = 100
ROUNDING = 1e-9
"""Of an interval: what sums of floats may be short of."""


@dataclass(frozen=True, slots=True)
class Work:
    """Requests by kind.

    Attributes:
        lists: Pages of runs.
        details: Per-run details.
        snapshots: Workflow states of runs.
        workflows: Pages of workflows.
        audit_logs: Pages of audit logs, or the one that is refused without Enterprise.
        usage: Looks at the account's usage, which the rate limit leaves out.
    """

    lists: int = 0
    details: int = 0
    snapshots: int = 0
    workflows: int = 0
    audit_logs: int = 0
    usage: int = 0

    def __add__(self, other: Work) -> Work:
        return Work(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))

    @property
    def pages(self) -> int:
        """Limited requests that go one after the other: each begins where the last one ended."""
        return self.lists + self.workflows + self.audit_logs

    @property
    def calls(self) -> int:
        """Limited requests that many go of at once."""
        return self.details + self.snapshots

    @property
    def total(self) -> int:
        """Every request."""
        return self.pages + self.calls + self.usage


PROOF = Work(workflows=1, usage=1)
"""Key and workspace are tried before a DuckDB file is made."""


def pages_by_time(rows: int, page: int = LARGEST_PAGE) -> int:
    """Requests of a walk by time: each page shows the last rows of the one before again (``places_to_go_on``)."""
    again = 2 if page >= TRUSTED_ROWS else 1
    return 1 if rows <= page else math.ceil((rows - again) / max(page - again, 1))


def pages_by_cursor(rows: int, page: int = WORKFLOWS_PAGE) -> int:
    """Requests of a walk by cursor."""
    return max(1, math.ceil(rows / page))


def first_sync(
    runs: int, *, details: int, snapshots: int, workflows: int = 1, audit_logs: int = 0, page: int = LARGEST_PAGE
) -> Work:
    """What ``sim-sync run`` asks for into a new DuckDB file, of one workspace.

    Args:
        runs: Runs of the workspace.
        details: Runs whose detail is asked for.
        snapshots: Deployment versions, and runs of drafts.
        workflows: Workflows that are not archived.
        audit_logs: Rows of the audit trail; 0 also where it may not be read.
        page: Rows of a page of runs.
    """
    return PROOF + Work(
        lists=pages_by_time(runs, page),
        details=details,
        snapshots=snapshots,
        workflows=pages_by_cursor(workflows),
        audit_logs=pages_by_time(audit_logs, AUDIT_PAGE),
        usage=1,
    )


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket of tokens at one moment.

    Attributes:
        limit: How it is filled.
        left: Tokens in it.
        refill_s: Seconds until the next ones come.
    """

    limit: RateLimit
    left: int
    refill_s: float

    @classmethod
    def full(cls, limit: RateLimit) -> Bucket:
        """As the first request finds it: the server's interval begins with that one."""
        return cls(limit, limit.capacity, limit.interval)

    def least_s(self, requests: int) -> float:
        """Seconds after which the last of so many requests can be sent at the earliest."""
        refills = self._refills(requests)
        return self.refill_s + (refills - 1) * self.limit.interval if refills else 0.0

    def _refills(self, requests: int) -> float:
        missing, refill = requests - self.left, self._refill
        if missing <= 0:
            return 0
        return math.ceil(missing / refill) if refill > 0 else math.inf

    @property
    def _refill(self) -> int:
        """What comes at once into a bucket that is empty."""
        return min(self.limit.rate, self.limit.capacity)

    def spent(self, requests: int, each_s: float = 0.0) -> tuple[float, Bucket]:
        """Seconds until so many requests are answered, and the bucket then.

        Args:
            requests: How many.
            each_s: Seconds that each of them takes, where no limit holds it back.
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
    """How fast a server and this machine are, where no limit holds them back.

    Attributes:
        page_s: Seconds of a page of the list, until it is stored; one after the other.
        call_s: Seconds of a detail or snapshot.
        cpu_s: Seconds this machine works on a detail or snapshot: what many at once cannot share.
    """

    page_s: float = 0.0
    call_s: float = 0.0
    cpu_s: float = 0.0

    @property
    def each_call_s(self) -> float:
        """Seconds per detail or snapshot with as many under way as the client has connections."""
        return max(self.call_s / CONNECTIONS, self.cpu_s)


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds from the start of a sync.

    Attributes:
        lists: Until every run is there.
        all: Until their details and snapshots are there as well.
    """

    lists: float
    all: float


def times(work: Work, bucket: Bucket | None, pace: Pace) -> Times:
    """How long requests take: first the pages, then the rest, many at once.

    Args:
        work: The requests.
        bucket: The server's bucket as they begin; None where it has none.
        pace: The speed without any.
    """
    if bucket is None:
        lists = work.pages * pace.page_s
        return Times(lists, lists + work.calls * pace.each_call_s)
    lists, after = bucket.spent(work.pages, pace.page_s)
    rest, _ = after.spent(work.calls, pace.each_call_s)
    return Times(lists, lists + rest)


def span(seconds: float) -> str:
    """A length of time in words."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 48 * 3600 else f"{seconds / 86400:.1f} days"
