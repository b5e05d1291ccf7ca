"""What many runs need, told from some of them."""

from __future__ import annotations

import random
from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from pipelines.check import estimate
from pipelines.check.forecast import pages_by_time
from pipelines.check.sampling import Needs, SampledPage, Seen, counted, rows_in, sampled, standard_error
from sim_source.api import wire
from sim_source.api.decode import Page
from sim_source.api.query import Query
from sim_source.paging import windows
from sim_source.paging.walk_audit import AUDIT_PAGE

AGENT = Seen("agent", "v1", pending=True, snapshot=True)
PLAIN = Seen("plain", "v2", pending=False, snapshot=True)
DRAFT = Seen("plain", None, pending=False, snapshot=True)
GONE = Seen("archived", "v3", pending=True, snapshot=True)
UNBORN = Seen("agent", "v9", pending=False, snapshot=False)


def test_what_was_seen_in_full_is_counted() -> None:
    seen = [AGENT, AGENT, PLAIN, DRAFT, DRAFT, GONE, UNBORN]
    assert counted(seen, "version") == Needs(7, 3, 3 + 2)
    assert counted(seen, "all") == Needs(7, 3, 6)
    assert counted(seen, "none") == Needs(7, 3, 0)


def test_each_workflow_counts_as_often_as_it_ran_not_as_often_as_it_was_seen() -> None:
    """At night, where samples fall, only one of them runs."""
    samples = [[AGENT, PLAIN, PLAIN, PLAIN], [PLAIN, PLAIN, PLAIN, DRAFT]]
    assert sampled(samples, {"agent": 7_000, "plain": 7_000}, "version") == Needs(14_000, 7_000, 1_000 + 2)
    assert sampled(samples, {"agent": 7_000, "plain": 7_000}, "all").snapshots == 14_000
    assert sampled(samples, {"agent": 7_000, "plain": 7_000}, "none").snapshots == 0


def test_runs_of_workflows_that_no_list_shows_are_as_many_as_in_the_samples() -> None:
    assert sampled([[AGENT, PLAIN, PLAIN, GONE]], {"agent": 100, "plain": 200}, "none") == Needs(400, 200, 0)


def test_workflows_that_no_sample_shows_are_like_all_others() -> None:
    assert sampled([[AGENT, PLAIN]], {"agent": 4, "plain": 6, "rare": 10}, "none") == Needs(20, 4 + 5, 0)


def test_a_server_that_does_not_count_has_as_many_runs_as_time_tells() -> None:
    assert sampled([[AGENT, PLAIN]], {}, "none", by_time=900) == Needs(900, 450, 0)
    assert sampled([[]], {"agent": 4}, "version", by_time=900) == Needs(4, 0, 0)


def test_the_error_is_that_of_the_mean_of_what_differs_between_samples() -> None:
    """For a mean the jackknife is the textbook's standard error."""
    samples = [[AGENT] * pending + [PLAIN] * (10 - pending) for pending in (2, 4, 4, 6)]

    def share(some: object) -> float:
        every = [run for sample in some for run in sample]  # type: ignore[attr-defined]
        return sum(run.pending for run in every) / len(every)

    assert standard_error(samples, share) == pytest.approx((0.08 / 3 / 4) ** 0.5)
    assert standard_error(samples[:1], share) == 0.0


def test_rows_between_stretches_are_as_dense_as_around() -> None:
    assert rows_in([SampledPage(0, 10, 100), SampledPage(30, 40, 300)]) == 100 + 300 + 20 * 20
    assert rows_in([SampledPage(30, 40, 100), SampledPage(0, 35, 100)]) == 200


@pytest.mark.parametrize("rows", [0, 1, 100, 101, 470, 3_000, 20_000])
@pytest.mark.parametrize("days", [0.5, 30, 400])
@pytest.mark.parametrize("growth", [1, 3], ids=["even", "more and more"])
def test_audit_pages_are_estimated_with_few_requests(rows: int, days: float, growth: int) -> None:
    chance = random.Random(rows)
    now = windows.BEGINNING + timedelta(days=700)
    ages = sorted(days * (1 - chance.random() ** (1 / growth)) for _ in range(rows))
    moments = [now - timedelta(days=age) for age in ages]
    asked: list[Query] = []

    def ask(query: Query) -> Page[wire.AuditLog]:
        asked.append(query)
        first = bisect_left(moments, -query.end.timestamp(), key=lambda moment: -moment.timestamp())
        shown = [wire.AuditLog(id=str(place), created_at=moments[place]) for place in range(first, rows)[:AUDIT_PAGE]]
        return Page(shown, "more" if rows - first > AUDIT_PAGE else None, 1)

    told = estimate.audit_pages(ask, now)
    assert len(asked) <= estimate.COUNTED_PAGES + estimate.AUDIT_LOOKS
    assert told == pytest.approx(pages_by_time(rows, AUDIT_PAGE), rel=0 if rows < 500 else 0.35)


def test_samples_are_spread_over_all_the_time_and_over_the_day() -> None:
    """Thirty days, an hour of the day each: no two samples within two hours of the day."""
    moments = [datetime(2026, 11, 1, tzinfo=UTC) + share * timedelta(days=30) for share in estimate.MOMENTS]
    gaps = [later - earlier for earlier, later in pairwise(sorted(moments))]
    assert max(gaps) < timedelta(days=9)
    hours = sorted(moment.hour + moment.minute / 60 for moment in moments)
    assert min(later - earlier for earlier, later in pairwise(hours)) > 0.3
