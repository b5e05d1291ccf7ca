"""The demo's month: the same every time, and believable."""

from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise

import msgspec
import pytest

from pipelines.sim_api import WORKSPACE, EmbeddedApi, World, demo_month, dialect, many_runs, small_world
from pipelines.sim_api.world.builders import OWNER_KEY, one_of_each

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def month() -> World:
    return demo_month(seed=7, now=NOW)


def whole(world: World) -> bytes:
    """Everything two servers of this world say."""
    said = b""
    for name in ("2026-03", "2026-08"):
        api = EmbeddedApi(world, dialect(name), clock=lambda: 1.0)
        query = f"workspaceId={WORKSPACE}&details=full&includeTraceSpans=true&includeFinalOutput=true&limit=1000"
        for path, asked in (("logs", query), ("audit-logs", "limit=100"), ("workflows", query)):
            said += api.answer("GET", f"/api/v1/{path}", asked, OWNER_KEY, None).body
    return said


def test_same_seed_and_now_give_the_same_world() -> None:
    assert whole(demo_month(seed=3, now=NOW, runs=300)) == whole(demo_month(seed=3, now=NOW, runs=300))
    assert whole(demo_month(seed=3, now=NOW, runs=300)) != whole(demo_month(seed=4, now=NOW, runs=300))
    first, second = small_world(), small_world()
    one_of_each(first)
    one_of_each(second)
    assert whole(first) == whole(second)


def test_month_ends_now_and_has_about_the_runs_asked_for(month: World) -> None:
    runs = month.runs_of(WORKSPACE)
    assert 2800 < len(runs) < 3200
    assert runs[-1].started_ms <= month.now_ms
    assert month.now_ms - runs[0].started_ms < 31 * 86_400_000
    assert {run.trigger for run in runs} == {"api", "schedule", "webhook", "chat", "manual"}


def test_most_runs_use_a_model_and_carry_a_deployment(month: World) -> None:
    runs = month.runs_of(WORKSPACE)
    assert 0.5 < sum(bool(run.seen.cost.models) for run in runs) / len(runs) < 0.7
    assert sum(run.deployment_version_id is not None for run in runs) / len(runs) > 0.9
    assert any(run.deployment_version_id is None for run in runs)
    assert len({model for run in runs for model in run.seen.cost.models}) == 5


def test_every_fate_occurs(month: World) -> None:
    states = Counter(run.state for run in month.runs_of(WORKSPACE))
    assert states["running"] == states["paused"] == 3
    assert min(states["failed"], states["cancelled"], states["swept"]) >= 2
    assert any(run.trace_expired for run in month.runs_of(WORKSPACE))
    assert any(run.was_resumed for run in month.runs_of(WORKSPACE))
    assert month.workflows["wf-prototype"].deleted
    assert month.workflows["wf-newsletter"].archived


def test_chat_jumps_in_cost_in_one_day(month: World) -> None:
    per_day: dict[int, float] = {}
    for run in month.runs_of(WORKSPACE):
        if run.workflow.id == "wf-chat":
            day = (run.started_ms - month.now_ms) // 86_400_000
            per_day[day] = per_day.get(day, 0.0) + (run.total_cost or 0.0)
    before = [cost for day, cost in per_day.items() if day < -9]
    after = [cost for day, cost in per_day.items() if day >= -9]
    assert min(after) > 2 * max(before)


def test_one_version_of_the_triage_fails(month: World) -> None:
    runs = [run for run in month.runs_of(WORKSPACE) if run.workflow.id == "wf-triage"]
    total = Counter(run.deployment_version_id for run in runs)
    failed = Counter(run.deployment_version_id for run in runs if run.level == "error")
    rates = sorted(failed[version] / count for version, count in total.items() if version and count > 20)
    assert rates[-1] > 0.3 > 0.1 > rates[-2]


def test_audit_has_bursts_inside_a_millisecond(month: World) -> None:
    per_ms = Counter(row.created_ms for row in month.audit)
    # nearly a page; of more than 100 within one millisecond the API itself cannot show all
    assert 80 < max(per_ms.values()) <= 100
    assert len({row.created_us for row in month.audit}) > 0.9 * len(month.audit)


def test_planted_secrets_can_be_searched_for(month: World) -> None:
    said = whole(month)
    for place in ("input", "output"):
        assert f"sk-super-secret-{place}".encode() in said
    run = month.runs_of(WORKSPACE)[-10]
    api = EmbeddedApi(month, dialect("2026-08"))
    assert b"sk-super-secret-env" in api.answer("GET", f"/api/v1/logs/{run.id}", "", OWNER_KEY, None).body


def test_usage_is_what_the_month_has_cost(month: World) -> None:
    api = EmbeddedApi(month, dialect("2026-08"))
    body = msgspec.json.decode(api.answer("GET", "/api/users/me/usage-limits", "", OWNER_KEY, None).body)
    begin = datetime(2026, 11, 1, tzinfo=UTC).timestamp() * 1000
    spent = sum(run.total_cost or 0 for run in month.runs_of(WORKSPACE) if run.started_ms >= begin)
    assert body["usage"]["currentPeriodCost"] == pytest.approx(spent, abs=1e-5)


def test_many_runs_are_cheap_and_in_order() -> None:
    world = many_runs(5000, every_ms=10)
    runs = world.runs_of(WORKSPACE)
    assert len(runs) == 5000
    assert all(one.started_ms <= two.started_ms for one, two in pairwise(runs))
    assert len({id(run.plan) for run in runs}) < 20
