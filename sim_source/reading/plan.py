"""What a sync reads, and how much of it one extraction reads at most."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from .. import errors
from ..options import DEFAULT_ACCOUNT, Api, Snapshots
from ..paging import windows
from ..paging.resync import Resync
from ..rows.pseudonyms import Pseudonyms
from ..rows.run_rows import RunOptions

UNLIMITED = 1 << 62


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """What a sync reads; see ``sim_source.sim_source`` for each setting."""

    workspace_ids: tuple[str, ...]
    since: datetime | None = None
    until: datetime | None = None
    options: RunOptions = field(default_factory=RunOptions)
    snapshots: Snapshots = "version"
    lookback: timedelta = windows.LOOKBACK
    reconcile: timedelta = windows.RECONCILE
    pseudonyms: Pseudonyms | None = None
    resync: Resync | None = None
    api: Api = "auto"
    account: str = DEFAULT_ACCOUNT


@dataclass(slots=True)
class Bounds:
    """How much one extraction reads at most, so that a first sync is committed in pieces; the next one continues.

    Attributes:
        runs: List rows; 0 reads no list.
        details: Per-run details requested; the cost split of the others stays ``unknown`` until later.
        snapshots: Snapshots requested.
        audit_logs: Rows of audit logs; 0 reads none, and skips usage and workflows, too.
        ledger: Events of the billing ledger; 0 reads none, and nothing else that only the v2 API tells.
        rows: Rows of all tables that lists fill, approximately: list rows, spans and cost items count alike.
        seconds: Seconds after which lists stop: under a low rate limit, a bound on rows alone would make a piece slow.
        catch_up: Whether to request details and snapshots that earlier extractions left.

    Raises:
        ConfigurationError: One of them is not a number.
    """

    runs: int = UNLIMITED
    details: int = UNLIMITED
    snapshots: int = UNLIMITED
    audit_logs: int = UNLIMITED
    ledger: int = UNLIMITED
    rows: int = UNLIMITED
    seconds: float = math.inf
    catch_up: bool = True
    _until: float = field(default=math.inf, repr=False)

    def __post_init__(self) -> None:
        for name in ("runs", "details", "snapshots", "audit_logs", "ledger", "rows"):
            value = getattr(self, name)
            if type(value) is not int or value < 0:
                raise errors.ConfigurationError(f"bounds: {name}={value!r} is not a number of rows or requests")
        if type(self.seconds) not in (int, float) or not self.seconds >= 0:
            raise errors.ConfigurationError(f"bounds: seconds={self.seconds!r} is not a number of seconds")

    def begun(self) -> Bounds:
        """Returns a copy for an extraction that starts now, which counts it down."""
        return replace(self, _until=time.monotonic() + self.seconds)

    @property
    def spent(self) -> bool:
        """Whether lists have reached a bound."""
        return self.runs <= 0 or self.rows <= 0 or time.monotonic() >= self._until
