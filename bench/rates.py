"""``python -m bench.rates`` writes ``docs/rates.md``: how long first syncs take at the limits of Sim's plans.

Nothing is measured: ``pipelines.check.forecast`` calculates requests and time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from bench.measure import ROOT
from pipelines.check.forecast import Bucket, Pace, Work, first_sync, pages_by_cursor, span, times
from pipelines.rate_limit import RateLimit
from sim_source.api.client import CONNECTIONS
from sim_source.paging.chunks import LARGEST_PAGE

DOCUMENT = ROOT / "docs" / "rates.md"
RUNS = (10_000, 1_000_000, 10_000_000)


INTRODUCTION = """\
# Rate limits: how long a first sync takes

Written by `make rates`. These figures are calculated by `pipelines/check/forecast.py`, not measured. Tests compare the
calculation with this project's own pacing in simulated time, with a server's bucket and {connections} concurrent
requests (`tests/app/test_forecast.py`), and with whole syncs of the embedded API and its bucket
(`tests/app/test_check.py`). **`sim-sync check` calculates the figures for your account** from what it finds there.

How to read the tables:

- Sim refills a bucket once a minute with the plan's requests per minute. The bucket holds twice as many, and it is full
  at the start. Every request takes one, including those that fail; reading the account's usage is free.
- *All runs*: every run is in SQL, with its cost and trace; {page:,} runs per request. *Everything*: the split of the
  cost by model and the workflow states are there too. These are read after the runs, newest first. A sync that is
  stopped continues from there, and runs that start in the meantime are read first.
- *A request per run* is a client that reads pages of {page:,} and then the detail of each run, as fast as the limit
  allows. The last column is a client that also reads the snapshot of each run. In brackets: how many times as long as
  this project takes for everything.
- Assumptions: {assumed.models:.0%} of the runs use a model, {assumed.drafts:.0%} run a draft (each with its own
  snapshot), {assumed.versions} deployment versions, {assumed.workflows} workflows, no audit logs, rows of up to 16 KB,
  {pace.page_s:g} s to read and store a page, {pace.call_s:g} s for a detail, and no new runs in the meantime.
"""
SHARES = """\
## Effect of the shares of models and drafts

One million runs at the limit of the Team plan, on a server of August 2026. With `--details none`, the cost of a run is
loaded but not its split; with `--snapshots none`, no workflow state is read.
"""
UNLIMITED = """\
## Without a limit

A self-hosted server has no practical rate limit. The time then depends on the responses: pages are read one after the
other, details {connections} at a time, and each takes {cpu_ms:g} ms of CPU on this machine. These figures depend on the
assumptions above; `sim-sync check` uses what it measures.
"""


@dataclass(frozen=True, slots=True)
class Servers:
    """A generation of servers and the limits it came with.

    Attributes:
        title: Heading in the document.
        about: What its lists contain.
        plans: Requests per minute, by plan.
        splits: Whether lists split the cost of a run by model, so that no detail is needed.
        v2: Whether they offer the v2 API, where each operation has a bucket of its own.
    """

    title: str
    about: str
    plans: dict[str, int]
    splits: bool
    v2: bool = False


AUGUST = Servers(
    "Servers of August 2026",
    "Lists contain only the total cost of a run: each run that uses a model needs a detail request for the split.",
    {"Free": 30, "Pro": 100, "Team": 200, "Enterprise": 500},
    splits=False,
)
V2 = replace(
    AUGUST,
    title="Servers of August 2026 with the v2 API",
    about="Snapshots are read from the v2 API while v1's limit holds back details. The status of 1,000 runs is one\n"
    "request of v2, which v1 does not wait for.",
    v2=True,
)
MARCH = Servers(
    "Servers of March 2026",
    "Lists split the cost by model: no run needs a detail. The limits are those of the published documents, where the\n"
    "limit of Enterprise is custom; 500 is the limit of the recorded server.",
    {"Free": 10, "Pro": 30, "Team": 60, "Enterprise": 500},
    splits=True,
)


@dataclass(frozen=True, slots=True)
class Assumed:
    """Assumptions about a workspace.

    Attributes:
        models: Share of runs that use a model.
        drafts: Share of runs of an undeployed draft; each needs its own snapshot.
        versions: Number of deployment versions; one snapshot each.
        workflows: Number of workflows.
        pace: Speed without a rate limit; a page holds 1,000 full rows.
    """

    models: float = 0.6
    drafts: float = 0.01
    versions: int = 200
    workflows: int = 50
    pace: Pace = field(default_factory=lambda: Pace(page_s=0.5, call_s=0.1, cpu_s=0.002))


def ours(runs: int, assumed: Assumed, *, splits: bool, v2: bool = False) -> Work:
    """Returns the requests of this project."""
    return first_sync(
        runs,
        details=0 if splits else round(runs * assumed.models),
        snapshots=assumed.versions + round(runs * assumed.drafts),
        workflows=assumed.workflows,
        v2=v2,
    )


def per_run(runs: int, *, snapshots: bool) -> Work:
    """Returns the requests of a client that reads pages of the largest size, then each run's detail (and snapshot)."""
    return Work(lists=pages_by_cursor(runs, LARGEST_PAGE), details=runs, snapshots=runs * snapshots)


def _table(servers: Servers, assumed: Assumed) -> Iterator[str]:
    yield "| plan: a minute, burst | runs | requests | all runs | everything | a request per run | a snapshot, too |"
    yield "|---|--:|--:|--:|--:|--:|--:|"
    for plan, rate in servers.plans.items():
        limit = RateLimit.per_minute(rate)
        for runs in RUNS:
            work = ours(runs, assumed, splits=servers.splits, v2=servers.v2)
            took = times(work, Bucket.full(limit), assumed.pace)
            peers = [
                times(per_run(runs, snapshots=also), Bucket.full(limit), assumed.pace).all for also in (False, True)
            ]
            cells = [f"{plan}: {rate}, {limit.capacity}", f"{runs:,}", f"{work.total - work.usage:,}"]
            cells += [span(took.lists), span(took.all), *(f"{span(peer)} ({_times(peer, took.all)})" for peer in peers)]
            yield f"| {' | '.join(cells)} |"


def _times(more: float, less: float) -> str:
    ratio = more / less
    return f"{ratio:.1f} ×" if ratio < 10 else f"{ratio:,.0f} ×"


def _shares(assumed: Assumed) -> Iterator[str]:
    runs, limit = 1_000_000, RateLimit.per_minute(AUGUST.plans["Team"])
    yield "| runs that use a model | drafts | requests | all runs | everything | a request per run takes |"
    yield "|--:|--:|--:|--:|--:|--:|"
    peer = times(per_run(runs, snapshots=False), Bucket.full(limit), assumed.pace).all
    for models, drafts in ((0.0, 0.0), (0.1, 0.01), (0.3, 0.01), (0.6, 0.01), (0.6, 0.1), (1.0, 0.01)):
        work = ours(runs, Assumed(models, drafts), splits=False)
        took = times(work, Bucket.full(limit), assumed.pace)
        cells = [f"{models:.0%}", f"{drafts:.0%}", f"{work.total - work.usage:,}", span(took.lists), span(took.all)]
        yield f"| {' | '.join([*cells, f'{span(peer)} ({_times(peer, took.all)})'])} |"


def _unlimited(assumed: Assumed) -> Iterator[str]:
    yield "| lists tell | runs | requests | all runs | everything | a request per run, one after the other |"
    yield "|---|--:|--:|--:|--:|--:|"
    for servers in (MARCH, AUGUST):
        for runs in RUNS:
            work = ours(runs, assumed, splits=servers.splits)
            took = times(work, None, assumed.pace)
            client = per_run(runs, snapshots=False)
            peer = client.lists * assumed.pace.page_s + client.calls * assumed.pace.call_s
            told = "the split" if servers.splits else "only the total"
            cells = [told, f"{runs:,}", f"{work.total - work.usage:,}", span(took.lists), span(took.all)]
            yield f"| {' | '.join([*cells, f'{span(peer)} ({_times(peer, took.all)})'])} |"


def document() -> str:
    """Returns the text of ``docs/rates.md``."""
    assumed = Assumed()
    parts = [INTRODUCTION.format(page=LARGEST_PAGE, connections=CONNECTIONS, assumed=assumed, pace=assumed.pace)]
    for servers in (AUGUST, V2, MARCH):
        parts += [f"## {servers.title}\n\n{servers.about}\n", *_table(servers, assumed), ""]
    parts += [SHARES, *_shares(assumed), ""]
    parts += [UNLIMITED.format(connections=CONNECTIONS, cpu_ms=assumed.pace.cpu_s * 1000), *_unlimited(assumed)]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
    print("Written: docs/rates.md")
