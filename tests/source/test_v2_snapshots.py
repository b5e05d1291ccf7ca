"""Snapshots from the v2 API while the rate limit of v1 holds back details, and every workspace that a key may read."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.rate_limit import RateLimit
from pipelines.sim_api import (
    OWNER_KEY,
    SECOND_WORKSPACE,
    WORKSPACE,
    WORKSPACE_KEY,
    SimServer,
    World,
    custom_block_call,
    finished_run,
    serve,
    small_world,
)
from pipelines.sim_api.http import faults as fault
from pipelines.sim_api.http.faults import Faults
from pipelines.sim_api.world import plans
from sim_source import SimClient, SyncLog, SyncSession, errors
from tests.helpers import oracle
from tests.helpers.app import App
from tests.helpers.warehouse import Warehouse, full_world

NEVER_USED_UP = RateLimit(900, 900)
"""A limit that the client sees and does not reach here."""


def drafts(runs: int = 12) -> World:
    """Runs of a draft, each with a snapshot of its own."""
    world = small_world()
    for place in range(runs):
        moment = world.now_ms - 86_400_000 + place * 60_000
        run = world.start_run("wf-triage", plans.agent_plan(), started_ms=moment, draft=True)
        world.end_run(run.id, ended_ms=moment + 1_000)
    return world


def synced(warehouse: Warehouse, server: SimServer, log: SyncLog) -> Counter[str]:
    """Loads as an application does, in two extractions; returns how many requests asked for a snapshot, by API."""
    with SyncSession(SimClient(OWNER_KEY, server.base_url, backoff_s=0.01), log) as session:
        warehouse.load(server, session=session, max_details=0, max_snapshots=0)
        warehouse.load(server, session=session)
    paths = [each.path for each in server.requests]
    return Counter(
        "v2" if path.startswith("/api/v2/logs/") else "v1"
        for path in paths
        if path.startswith(("/api/v2/logs/", "/api/v1/logs/executions/"))
    )


def same_snapshots(warehouse: Warehouse, other: Warehouse) -> None:
    for table in ("execution_snapshots", "workflow_states"):
        assert warehouse.table(table) == other.table(table)
        assert warehouse.table(table)


def test_snapshots_come_from_v2_if_v1_is_limited_and_are_the_same(warehouse: Warehouse, tmp_path: Path) -> None:
    world, other = drafts(), Warehouse(tmp_path, "v1")
    with serve(world, v2="on", limit=NEVER_USED_UP) as server:
        assert synced(warehouse, server, SyncLog()) == {"v2": 12}
    with serve(world, v2="off", limit=NEVER_USED_UP) as server:
        assert synced(other, server, SyncLog()) == {"v1": 12}
    same_snapshots(warehouse, other)


def test_without_a_limit_v1_is_asked(warehouse: Warehouse) -> None:
    with serve(drafts(), v2="on") as server:
        assert synced(warehouse, server, SyncLog()) == {"v1": 12}


@pytest.mark.parametrize(
    "down", [fault.server_error(), fault.reset(), fault.cut_off(), fault.bad_gateway()], ids=lambda each: each.name
)
def test_what_v2_cannot_return_is_asked_of_v1(warehouse: Warehouse, tmp_path: Path, down: fault.Fault) -> None:
    world, other, log = drafts(), Warehouse(tmp_path, "v1"), SyncLog()
    odd = world.runs_of(WORKSPACE)[3].execution_id
    with serve(world, v2="on", limit=NEVER_USED_UP, faults=Faults().always(down, path=f"/api/v2/logs/{odd}")) as server:
        assert synced(warehouse, server, log) == {"v2": 12, "v1": 1}
    assert log.failures == []
    with serve(world, v2="off") as server:
        synced(other, server, SyncLog())
    same_snapshots(warehouse, other)


def test_a_v2_that_returns_no_snapshot_is_not_asked_for_all(warehouse: Warehouse) -> None:
    world, log = drafts(100), SyncLog()
    faults = Faults()
    for run in world.runs_of(WORKSPACE):
        faults.always(fault.server_error(), path=f"/api/v2/logs/{run.execution_id}")
    with serve(world, v2="on", limit=NEVER_USED_UP, faults=faults) as server:
        asked = synced(warehouse, server, log)
    assert (asked["v1"], asked["v2"] < 100) == (100, True)
    assert log.failures == []
    assert len(warehouse.table("execution_snapshots")) == 100


@pytest.mark.parametrize(("newer", "kinds"), [(True, {"model", "other"}), (False, {"unknown"})])
def test_a_split_that_v1_does_not_tell_is_read_from_v2_if_it_is_there(
    warehouse: Warehouse, newer: bool, kinds: set[str]
) -> None:
    world = small_world()
    runs = [finished_run(world, "wf-triage", plans.two_model_plan()) for _ in range(3)]
    for run in runs:
        world.expire_trace(run.id)  # v1 returns the total alone from now on
    with serve(world, v2="on", v2_sort_order=newer) as server:
        synced(warehouse, server, SyncLog())
        asked = [each.path for each in server.requests if each.path.startswith("/api/v2/logs/")]
        assert len(asked) == (3 if newer else 1)
    for run in runs:
        items = warehouse.table("cost_items", f"log_id = '{run.id}'")
        assert {item["kind"] for item in items} == kinds
        assert sum(item["total_cost"] for item in items) == warehouse.row("logs", run.id)["cost_total"]
        models = {item["name"]: item["total_cost"] for item in items if item["kind"] == "model"}
        truth = {name: oracle.money(model.total) for name, model in run.seen.cost.models.items()}
        assert models == (truth if newer else {})


def test_a_custom_block_is_a_run_below_the_one_that_called_it(app: App) -> None:
    """Its cost is not part of the caller's, and both are in the ledger."""
    world = small_world(now=datetime.now(UTC))
    flow = next(id_ for id_, each in world.workflows.items() if each.workspace_id == SECOND_WORKSPACE)
    above, below = custom_block_call(world, "wf-triage", flow)
    with serve(world, v2="on") as server:
        app.account(server, workspace="all")
        done = app("run")
    assert done.code == 0, done.err
    tree = app.rows(
        "SELECT execution_id, workspace_id, parent_execution_id, depth, own_cost, tree_cost FROM sim.run_tree "
        "ORDER BY depth, execution_id"
    )
    costs = [oracle.money(run.total_cost or 0) for run in (above, below)]
    assert tree == [
        (above.execution_id, WORKSPACE, None, 0, costs[0], sum(costs)),
        (below.execution_id, SECOND_WORKSPACE, above.execution_id, 1, costs[1], costs[1]),
    ]
    kinds = app.rows(f"SELECT DISTINCT kind FROM sim.cost_items WHERE log_id = '{below.id}'")
    assert kinds == [("model",)]  # no base charge
    assert app("check", "--data").code == 0


def test_all_means_every_workspace_that_the_key_may_read(warehouse: Warehouse) -> None:
    world = full_world()
    finished_run(
        world,
        next(id_ for id_, flow in world.workflows.items() if flow.workspace_id == SECOND_WORKSPACE),
        plans.plain_plan(),
    )
    with serve(world, v2="on") as server:
        warehouse.load(server, "logs", "workflows", workspace_id="all")
        assert {row["workspace_id"] for row in warehouse.table("logs")} == {WORKSPACE, SECOND_WORKSPACE}


def test_all_of_a_workspace_key_is_its_workspace(warehouse: Warehouse) -> None:
    with serve(full_world(), v2="on") as server:
        warehouse.load(server, "logs", workspace_id="all", api_key=WORKSPACE_KEY)
        assert {row["workspace_id"] for row in warehouse.table("logs")} == {WORKSPACE}


@pytest.mark.parametrize(
    ("v2", "more", "words"),
    [
        ("off", {}, "does not offer to this API key; name the workspaces"),
        ("absent", {}, "does not offer to this API key; name the workspaces"),
        ("on", {"api": "v1"}, "excludes; name the workspaces"),
        ("on", {"api_key": "sk-sim-wrong"}, "rejected the API key"),
    ],
)
def test_all_without_v2_is_a_wrong_setting(warehouse: Warehouse, v2: str, more: dict[str, str], words: str) -> None:
    with serve(full_world(), v2=v2) as server, pytest.raises(Exception, match=words) as caught:
        warehouse.load(server, "logs", workspace_id="all", **more)
    assert any(isinstance(error, errors.ConfigurationError) for error in errors.causes(caught.value))
