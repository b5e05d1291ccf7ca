"""The bill of the latest billing period, by source, as Sim's ledger has it. Queries ``bill`` and ``billing_logs``."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sim_source.paging.walk_ledger import LEDGER_PAGE
from sim_source.rows.billing_rows import USD_PER_CREDIT

Rows = list[dict[str, Any]]

LATEST = """FROM {dataset}.bill
WHERE period_end > (SELECT MAX(period_start) FROM {dataset}.bill WHERE {where}) AND {where}"""
"""The latest period; where workspaces have other periods, those that overlap with it."""
BY_SOURCE = """
SELECT source,
  CAST(SUM(events) AS BIGINT) AS events,
  CAST(SUM(credits) AS BIGINT) AS credits,
  SUM(cost_usd) AS cost,
  SUM(explained_by_runs_usd) AS explained,
  SUM(unexplained_usd) AS unexplained
{latest}
GROUP BY source
ORDER BY cost DESC, source
""".replace("{latest}", LATEST)
"""The sources of the latest period."""
PERIOD = """
SELECT MIN(period_start) AS period_start, MAX(period_end) AS period_end,
  CAST(SUM(events) AS BIGINT) AS events, CAST(SUM(credits) AS BIGINT) AS credits,
  COALESCE(SUM(CASE WHEN also_in_runs THEN cost_usd END), 0) AS twice
{latest}
""".replace("{latest}", LATEST)
LEDGER = """
SELECT COUNT(*) FILTER (WHERE created_at < (SELECT MAX(period_start) FROM {dataset}.bill WHERE {where})) AS earlier,
  COALESCE(CAST(SUM(credits) AS BIGINT), 0) AS credits,
  (SELECT COALESCE(CAST(SUM(credits) AS BIGINT), 0) FROM {dataset}.bill WHERE {where}) AS billed,
  (SELECT COUNT(DISTINCT account) FROM {dataset}.workspace_accounts WHERE {where}) AS accounts
FROM {dataset}.billing_logs WHERE {where}
"""


@dataclass(frozen=True, slots=True)
class Bill:
    """The bill of a period; amounts are in USD.

    Attributes:
        events: Number of events.
        credits: Credits charged.
        rows: source, events, credits, cost, explained (cost of the runs that the events belong to), unexplained; the
            most expensive source first.
        twice: Part of the cost that is also part of the cost of runs: that of Sim-agent blocks.
        uncertainty: By how much ``cost`` may be off: Sim rounds credits over pages of 100 events.
        adds_up: Whether the bills of all periods have the credits of the ledger.
    """

    period_start: datetime
    period_end: datetime
    events: int
    credits: int
    rows: Rows
    twice: Decimal
    uncertainty: Decimal
    adds_up: bool

    def total(self, name: str) -> Decimal:
        """Sum of a column of amounts."""
        return sum((row[name] for row in self.rows), Decimal(0))


def read_bill(ask: Callable[[str], Rows], *, by_workspace: bool) -> Bill | None:
    """Returns the bill of the latest period; None if the ledger has no events.

    Args:
        ask: Returns the rows of a query.
        by_workspace: Some workspaces were chosen, so pages of the ledger hold events of others, too.
    """
    rows = ask(BY_SOURCE)
    if not rows:
        return None
    (period,), (ledger,) = ask(PERIOD), ask(LEDGER)
    events = period["events"]
    is_cut = ledger["earlier"] > 0  # the part of a page is off by half of its events at most, since the whole is not
    accounts = max(1, ledger["accounts"])  # each has pages of its own, the last of them not full
    pages = math.ceil(events / LEDGER_PAGE) + accounts - 1
    off_by = events if by_workspace else min(events, pages / 2 + accounts * (LEDGER_PAGE / 2 if is_cut else 1))
    uncertainty = Decimal(str(off_by)) * USD_PER_CREDIT
    return Bill(**period, rows=rows, uncertainty=uncertainty, adds_up=ledger["credits"] == ledger["billed"])
