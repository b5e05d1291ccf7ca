"""What acceptance tests of connectors ask (Airbyte's list): reads agree, checkpoints resume, odd state does no harm.

Not here because asked elsewhere: configuration and access (test_app_run, test_app_commands), records and schemas
(test_streams), a second read that finds nothing new (test_source_syncs).
"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines.sim_api import WORKSPACE, World, audit_burst, finished_run, serve
from pipelines.sim_api.world import plans
from sim_source import TABLES, SyncLog
from tests.helpers.streams import rich_world
from tests.helpers.warehouse import Row, Warehouse, full_world

KEPT = ("logs", "log_details", "cost_items", "trace_spans", "execution_snapshots", "workflow_states", "audit_logs")
PIECE: dict[str, Any] = {"max_runs": 6, "max_details": 7, "max_snapshots": 7, "max_audit_logs": 4}
GROWING = tuple(name for name in KEPT if TABLES[name].replaces is None)
OFF = (
    "SELECT l.id FROM logs l LEFT JOIN cost_items i ON i.log_id = l.id "
    "GROUP BY l.id, l.cost_total HAVING l.cost_total IS DISTINCT FROM sum(i.total_cost)"
)
"""Runs whose items do not add up to their cost."""
TOLD = {"details": "all", "snapshots": "all"}


def test_two_reads_of_the_same_give_the_same_records(tmp_path: Path) -> None:
    """Of rejected rows all but the moment at which they were seen."""
    one, two = Warehouse(tmp_path / "one"), Warehouse(tmp_path / "two")
    with serve(rich_world()) as server:
        for warehouse in (one, two):
            warehouse.load(server)
    assert one.contents() == two.contents()
    assert _rejected(one) == _rejected(two)
    assert _rejected(one)


def _rejected(warehouse: Warehouse) -> list[Row]:
    return [{**row, "seen_at": None} for row in warehouse.table("rejected_rows")]


@pytest.mark.parametrize("dialect", ["2026-03", "2026-08"])
def test_a_sync_resumed_from_any_checkpoint_ends_as_one_sync_does(tmp_path: Path, dialect: str) -> None:
    """Each piece is a checkpoint; a copy of the database goes on from it without any bound.

    No piece takes back what an earlier one gave, and after each the items add up.
    """
    world = full_world()
    whole, pieces = Warehouse(tmp_path / "whole", "same"), Warehouse(tmp_path / "pieces", "same")
    with serve(world, dialect, max_limit=5) as server:
        whole.load(server, **TOLD)
        told = whole.contents(*KEPT)
        checkpoints = 0
        while not checkpoints or pieces.contents(*KEPT) != told:
            checkpoints += 1
            assert checkpoints < 12, "pieces do not get on"
            before = pieces.counts() if pieces.file.exists() else dict.fromkeys(KEPT, 0)
            pieces.load(server, **TOLD, **PIECE)
            assert {name: now for name, now in pieces.counts().items() if name in GROWING and now < before[name]} == {}
            assert pieces.ask(OFF) == []
            resumed = Warehouse(tmp_path / f"resumed-{checkpoints}", "same")
            resumed.folder.mkdir(exist_ok=True)
            shutil.copy(pieces.file, resumed.file)
            resumed.load(server, **TOLD)
            assert resumed.contents(*KEPT) == told, f"from checkpoint {checkpoints}"
    assert checkpoints >= 3


# state nobody wrote

READ = ("logs", "audit_logs", "usage")


def change_state(warehouse: Warehouse, change: Any) -> None:
    """Changes what dlt remembers, and commits it."""
    with warehouse.pipeline.managed_state(extract_state=True) as state:
        source: Any = state["sources"]["sim_source"]
        for each in (source["workspaces"][WORKSPACE]["logs"], source["audit_logs"]):
            change(each)
    warehouse.pipeline.normalize()
    warehouse.pipeline.load()


def happens(world: World) -> None:
    """An hour and a half passes, in which a run and a few actions happen."""
    world.now_ms += 90 * 60_000
    finished_run(world, "wf-triage", plans.two_model_plan(), started_ms=world.now_ms - 45 * 60_000)
    audit_burst(world, 3, world.now_ms - 40 * 60_000)


def assert_complete(warehouse: Warehouse, world: World) -> None:
    assert len(warehouse.table("logs")) == len(world.runs_of(WORKSPACE))
    assert len(warehouse.table("audit_logs")) == len(world.audit)


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param("2026-11-21T12:00:00+00:00", id="tomorrow"),
        pytest.param("9998-12-31T23:59:59.999000+00:00", id="the last year"),
    ],
)
def test_state_of_the_far_future_hides_nothing(warehouse: Warehouse, moment: str) -> None:
    world, log = full_world(), SyncLog()
    with serve(world, clock=lambda: world.now_ms / 1000) as server:
        warehouse.load(server, *READ)
        change_state(warehouse, lambda state: state.update(until=moment, high=moment))
        happens(world)
        warehouse.load(server, *READ, log=log)
    assert log.failures == []
    assert_complete(warehouse, world)


def test_an_until_in_the_future_hides_nothing_that_comes_later(warehouse: Warehouse) -> None:
    world = full_world()
    with serve(world, clock=lambda: world.now_ms / 1000) as server:
        warehouse.load(server, *READ, until="2040-01-01")
        happens(world)
        warehouse.load(server, *READ)
    assert_complete(warehouse, world)


def test_state_with_keys_and_values_of_another_version_does_no_harm(warehouse: Warehouse) -> None:
    world, log = full_world(), SyncLog()
    odd = {"cursor": "eyJ4Ijox", "pages": 2**60, "nested": {"deep": [1, None, {"a": "b" * 10_000}]}, "": ""}
    with serve(world) as server:
        warehouse.load(server, *READ)
        change_state(warehouse, lambda state: state.update(odd))
        happens(world)
        warehouse.load(server, *READ, log=log)
        happens(world)
        warehouse.load(server, *READ, log=log)
    assert log.failures == []
    assert_complete(warehouse, world)


def test_a_walk_in_hand_that_ends_before_it_begins_is_got_over(warehouse: Warehouse) -> None:
    world, log = full_world(), SyncLog()
    walk = {"start": "2026-11-20T11:00:00+00:00", "at": "2026-11-20T11:30:00+00:00", "end": "2026-11-20T11:00:00+00:00"}
    with serve(world) as server:
        warehouse.load(server, *READ)
        change_state(warehouse, lambda state: state.update(walk=dict(walk)))
        happens(world)
        warehouse.load(server, *READ, log=log)
    assert log.failures == []
    assert_complete(warehouse, world)


def test_state_that_is_older_than_what_is_stored_reads_again_and_doubles_nothing(warehouse: Warehouse) -> None:
    world = full_world()
    old = datetime(2026, 1, 1, tzinfo=UTC).isoformat()
    with serve(world) as server:
        warehouse.load(server, *READ)
        before = warehouse.contents("logs", "audit_logs")
        change_state(warehouse, lambda state: state.update(until=old, high=old))
        world.now_ms += 60_000
        warehouse.load(server, *READ)
    assert warehouse.contents("logs", "audit_logs") == before
