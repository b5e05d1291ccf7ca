"""What `sim-sync check` foretells of a first sync is what the sync then takes: requests to the last, time in virtual
time, against the embedded API with its bucket."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines.check import estimate, forecast
from pipelines.check.access import FirstSync, try_access
from pipelines.check.forecast import Times, Work
from pipelines.commands.outcome import Outcome
from pipelines.commands.sync import Sync
from pipelines.destination.target import Target
from pipelines.settings import RunSettings
from pipelines.sim_api import OWNER_KEY, WORKSPACE, Faults, RateLimit, SimServer, World, demo_month, organization, serve
from pipelines.sim_api.http import faults
from sim_source import SimSourceSettings, SyncLog
from sim_source.tables import TABLES
from tests.helpers.virtual import VirtualTime


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path / "dlt"))
    return tmp_path


@pytest.fixture(scope="module")
def month() -> World:
    return demo_month(runs=400)


def settings_for(server: SimServer, folder: Path, **others: Any) -> RunSettings:
    where = Target(database=folder / "sync.duckdb")
    told = {name: others.pop(name) for name in ("details", "snapshots") if name in others}
    source = SimSourceSettings(workspace_id=WORKSPACE, api_key=OWNER_KEY, base_url=server.base_url, **told)
    return RunSettings.of(source, where, **others)


def foretold(settings: RunSettings) -> FirstSync:
    checked = try_access(settings)
    assert checked.ok
    assert checked.first_sync is not None
    return checked.first_sync


def synced(settings: RunSettings) -> Outcome:
    outcome = Sync(settings, SyncLog(), lambda _: None).run()
    assert outcome.exit_code == 0
    return outcome


@pytest.mark.parametrize("dialect", ["2026-03", "2026-08"])
@pytest.mark.parametrize(
    ("limit", "most"),
    [
        (RateLimit.per_minute(30), 20),
        (RateLimit.per_minute(100), 20),
        (RateLimit(1, 60, 0.1), 45),
        (RateLimit(10, 60, 1.0), 45),
    ],
    ids=["30 a minute", "100 a minute", "600 a minute, burst 60", "600 a minute by tens, burst 60"],
)
def test_a_sync_that_begins_after_a_check_takes_the_time_the_check_foretells(
    folder: Path, month: World, dialect: str, limit: RateLimit, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = VirtualTime(monkeypatch)
    with serve(month, dialect, limit=limit, clock=clock) as server:
        settings = settings_for(server, folder, details="all")
        told = foretold(settings)
        assert len(server.requests) <= most
        server.requests.clear()
        begun = clock.now
        outcome = synced(settings)
        refused = [request for request in server.requests if request.status == 429]
    assert told.unsure == 0
    assert told.work.total == outcome.log.counters.requests
    assert clock.now - begun == pytest.approx(told.times.all, abs=2.0)
    assert told.times.all > 30
    assert refused == []


@pytest.mark.parametrize("part", [0.0, 0.25, 0.94, 0.96, 0.999])
@pytest.mark.parametrize("limit", [RateLimit(1, 60, 0.1), RateLimit(10, 60, 1.0), RateLimit(20, 60, 2.0)], ids=str)
def test_a_bucket_that_is_filled_soon_is_known_at_any_part_of_a_second(
    folder: Path, month: World, limit: RateLimit, part: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``Date`` is cut to whole seconds: late in a second a refill looks as if it came up to a second later."""
    clock = VirtualTime(monkeypatch, part)
    with serve(month, "2026-08", limit=limit, clock=clock) as server:
        told = foretold(settings_for(server, folder, details="all"))
        assert len(server.requests) <= 45
    assert told.limit is not None
    assert told.limit.rate / told.limit.interval == pytest.approx(10, rel=0.02)
    assert told.times.all == pytest.approx(46, abs=2.0)


ALL = tuple(TABLES)


@pytest.mark.parametrize("dialect", ["2026-03", "2026-08"])
@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"details": "none", "snapshots": "all"},
        {"snapshots": "none", "resources": tuple(name for name in ALL if name != "workflows")},
        {"resources": ("logs", "usage")},
        {"resources": ("logs", "cost_items", "trace_spans", "audit_logs")},
        {"resources": ("workflows", "audit_logs")},
    ],
    ids=lambda asked: " ".join(str(value) for value in asked.values() if isinstance(value, str)) or str(len(asked)),
)
def test_every_request_of_a_first_sync_is_foretold(folder: Path, dialect: str, asked: dict[str, Any]) -> None:
    month = demo_month(runs=150)
    with serve(month, dialect, max_limit=1000) as server:
        settings = settings_for(server, folder, **asked)
        told = foretold(settings)
        server.requests.clear()
        outcome = synced(settings)
        limited = [request for request in server.requests if request.path.startswith("/api/v1/")]
    assert told.work.total == outcome.log.counters.requests
    assert told.work.total - told.work.usage - told.work.v2 == len(limited)
    assert told.limit is None


@pytest.mark.parametrize("dialect", ["2026-03", "2026-08"])
def test_of_many_runs_some_are_read_and_the_rest_is_foretold(
    folder: Path, dialect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    month = demo_month(runs=4_000, now=datetime(2026, 11, 20, tzinfo=UTC))
    with serve(month, dialect, max_limit=1000) as server:
        every = foretold(settings_for(server, folder))
    monkeypatch.setattr(estimate, "LARGEST_PAGE", 100)  # ten times as many pages: too many to be read
    with serve(month, dialect, max_limit=100) as server:
        some = foretold(settings_for(server, folder))
        asked = [request for request in server.requests if request.path == "/api/v1/logs"]
    assert len(asked) == 2 + len(estimate.MOMENTS)
    assert some.work.snapshots == pytest.approx(every.work.snapshots, rel=0.1)
    # on 2026-03 hardly a run needs its detail: of what is that rare, samples say how unsure they are
    assert some.work.details == pytest.approx(every.work.details, rel=0.1, abs=some.unsure)
    assert every.unsure == 0
    assert abs(some.work.calls - every.work.calls) < 2 * some.unsure


def test_the_forecast_of_the_document_is_that_of_a_check(folder: Path, month: World) -> None:
    with serve(month, "2026-08") as server:
        told = foretold(settings_for(server, folder)).work
    runs, live = len(month.runs_of(WORKSPACE)), [each for each in month.workflows.values() if not each.archived]
    asked = {"details": told.details, "snapshots": told.snapshots, "workflows": len(live)}
    assert replace(told, audit_logs=1, v2=0) == forecast.first_sync(runs, **asked)


def test_a_server_that_fails_on_large_pages_and_does_not_count_is_sampled_in_smaller_ones(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    month = demo_month(runs=3_000)
    for workflow in month.workflows.values():
        workflow.run_count = 0
    monkeypatch.setattr(estimate, "LARGEST_PAGE", 200)
    monkeypatch.setattr(estimate, "COUNTED_PAGES", 12)
    with serve(month, "2026-08", max_limit=200, faults=Faults().always(faults.oversize(100))) as server:
        settings = settings_for(server, folder)
        monkeypatch.setattr("sim_source.api.throttle.Throttle.sleep", lambda *_: None)
        told = foretold(settings)
    runs = len(month.runs_of(WORKSPACE))
    assert told.work.lists == pytest.approx(runs / 100, rel=0.25)
    assert told.work.details / runs == pytest.approx(0.66, rel=0.1)


def test_where_nothing_ran_nothing_is_foretold(folder: Path) -> None:
    with serve(organization(), "2026-08") as server:
        checked = try_access(settings_for(server, folder))
    assert checked.ok
    assert checked.first_sync is None
    assert checked.as_json()["first_sync"] == {"requests": None, "seconds": None, "requests_unsure": None}


def test_a_database_that_is_there_already_needs_no_proof_of_access(folder: Path, month: World) -> None:
    with serve(month, "2026-08") as server:
        settings = settings_for(server, folder)
        first = foretold(settings)
        synced(settings)
        assert foretold(settings).work.total == first.work.total - 2


WORK = Work(lists=1_002, details=9_000, snapshots=40, workflows=2, audit_logs=1, usage=2)
PLAN = RateLimit.per_minute(100)


@pytest.mark.parametrize(
    ("first_sync", "words"),
    [
        (
            FirstSync(WORK, 0.0, Times(480.0, 5_880.0), PLAN),
            "a first sync takes 10,047 requests: 1,002 pages of runs, 9,000 details, 40 snapshots, 5 others\n"
            "started now, it takes 1.6 h at the allowed rate (100 a minute, 200 at once); "
            "all runs are loaded after 8 min",
        ),
        (FirstSync(WORK, 301.4, Times(480.0, 5_880.0), PLAN), "takes about 10,047 (± 301) requests"),
        (FirstSync(Work(lists=3), 0.0, Times(4.0, 4.0), PLAN), "(100 a minute, 200 at once)"),
        (FirstSync(WORK, 0.0, Times(60.0, 75.0), None), "75 s or more, as fast as the server answers"),
    ],
    ids=["counted", "sampled", "lists only", "no limit"],
)
def test_the_estimate_is_told_in_words(first_sync: FirstSync, words: str) -> None:
    assert words in str(first_sync)
