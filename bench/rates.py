"""``python -m bench.rates``: writes ``docs/rates.md``, how long first syncs take at the limits of Sim's plans.

Nothing is measured and nothing sleeps: requests and time are those of ``pipelines.check.forecast``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.measure import ROOT
from pipelines.check.forecast import Bucket, Pace, Work, first_sync, pages_by_cursor, span, times
from pipelines.rate_limit import RateLimit
from sim_source.api.client import CONNECTIONS
from sim_source.paging.chunks import LARGEST_PAGE

DOCUMENT = ROOT / "docs" / "rates.md"
RUNS = (10_000, 1_000_000, 10_000_000)


INTRODUCTION = """\
# Rate limits: how long a first sync takes

Written by `make rates`. Nothing is measured here and nothing sleeps: requests and time are worked out by
`pipelines/forecast.py`. Tests hold it against this project's own pacing in simulated time, with a server's bucket and
{connections} requests under way (`tests/app/test_forecast.py`), and against whole syncs of the embedded API with its
bucket (`tests/app/test_check.py`). **`sim-sync check` works it out for your account**, with what it finds there.

How to read it:

- Sim fills a bucket once a minute with as many requests as the plan has, and it holds twice as many: that burst is
  there at the start. Every request takes one, errors too; the account's usage is free.
- *All runs*: every run is in SQL, with its cost and trace, {page:,} a request. *Everything*: so are the split of the
  cost by model, and the workflow states. They come after the runs, newest first; a sync that is stopped goes on there,
  and runs that start meanwhile go first.
- *A request per run* is a client that asks for pages of {page:,} and then for the detail of each run, as fast as the
  limit allows; the last column is one that asks for the snapshot of each run, too. In brackets: how many times as long
  as this project takes for everything.
- Taken for granted: {assumed.models:.0%} of the runs use a model, {assumed.drafts:.0%} are of a draft (each has a
  snapshot of its own), {assumed.versions} deployment versions, {assumed.workflows} workflows, no audit trail, rows of
  up to 16 KB, {pace.page_s:g} s for a page until it is stored, {pace.call_s:g} s for a detail, and no run that starts
  meanwhile.
"""
SHARES = """\
## What the shares of models and drafts change

One million runs at Team's limit on a server of August 2026. With `--details none` a run's cost is there, its split is
not; with `--snapshots none` no workflow state is asked for.
"""
UNLIMITED = """\
## Without a limit

A server of your own names no practical limit. Then the answers themselves take the time: pages one after the other,
details {connections} at once, and {cpu_ms:g} ms of this machine's processor for each. These figures are as good as what
is taken for granted above; `sim-sync check` takes what it sees.
"""


@dataclass(frozen=True, slots=True)
class Servers:
    """A generation of servers and the limits it came with.

    Attributes:
        title: Which.
        about: What its lists tell.
        plans: Requests a minute by plan.
        splits: Whether lists split a run's cost by model: no detail is needed then.
    """

    title: str
    about: str
    plans: dict[str, int]
    splits: bool


AUGUST = Servers(
    "Servers of August 2026",
    "Lists tell only the total cost of a run: those that use a model need a detail each for the split.",
    {"Free": 30, "Pro": 100, "Team": 200, "Enterprise": 500},
    splits=False,
)
MARCH = Servers(
    "Servers of March 2026",
    "Lists split the cost by model: no run needs a detail. The limits are those of the published documents; there,\n"
    "Enterprise is custom; 500 is what the recorded server has.",
    {"Free": 10, "Pro": 30, "Team": 60, "Enterprise": 500},
    splits=True,
)


@dataclass(frozen=True, slots=True)
class Assumed:
    """What is taken for a workspace, where nobody looks at a real one.

    Attributes:
        models: Share of runs that use a model.
        drafts: Share of runs of an undeployed draft: each is asked for its own snapshot.
        versions: Deployment versions: one snapshot each.
        workflows: Workflows.
        pace: Speed where no limit is met; a page holds 1,000 full rows.
    """

    models: float = 0.6
    drafts: float = 0.01
    versions: int = 200
    workflows: int = 50
    pace: Pace = field(default_factory=lambda: Pace(page_s=0.5, call_s=0.1, cpu_s=0.002))


def ours(runs: int, assumed: Assumed, *, splits: bool) -> Work:
    """What this project asks for."""
    return first_sync(
        runs,
        details=0 if splits else round(runs * assumed.models),
        snapshots=assumed.versions + round(runs * assumed.drafts),
        workflows=assumed.workflows,
    )


def per_run(runs: int, *, snapshots: bool) -> Work:
    """What a client asks for that takes pages of the largest size, and then every run's detail (and snapshot)."""
    return Work(lists=pages_by_cursor(runs, LARGEST_PAGE), details=runs, snapshots=runs * snapshots)


def _table(servers: Servers, assumed: Assumed) -> Iterator[str]:
    yield "| plan: a minute, burst | runs | requests | all runs | everything | a request per run | a snapshot, too |"
    yield "|---|--:|--:|--:|--:|--:|--:|"
    for plan, rate in servers.plans.items():
        limit = RateLimit.per_minute(rate)
        for runs in RUNS:
            work = ours(runs, assumed, splits=servers.splits)
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
    """``docs/rates.md``."""
    assumed = Assumed()
    parts = [INTRODUCTION.format(page=LARGEST_PAGE, connections=CONNECTIONS, assumed=assumed, pace=assumed.pace)]
    for servers in (AUGUST, MARCH):
        parts += [f"## {servers.title}\n\n{servers.about}\n", *_table(servers, assumed), ""]
    parts += [SHARES, *_shares(assumed), ""]
    parts += [UNLIMITED.format(connections=CONNECTIONS, cpu_ms=assumed.pace.cpu_s * 1000), *_unlimited(assumed)]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
    print("Written: docs/rates.md")
