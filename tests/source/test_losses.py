"""What an API does not show is never lost in silence: said on the screen and in JSON, 1, and tried again."""

from __future__ import annotations

import logging
import shutil
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest

from pipelines.destination import comments, keep_views
from pipelines.sim_api import NOW, WORKSPACE, Plan, World, audit_bulk, serve, small_world, tied_runs
from pipelines.sim_api.world import plans
from pipelines.sim_api.world.moments import iso_of_ms
from sim_source import SyncLog, errors
from sim_source.paging.state import ResourceState
from sim_source.reading.workspace import WorkspaceContext
from tests.helpers.app import App, Result
from tests.helpers.warehouse import Warehouse

STORED = "SELECT count(*) FROM sim.audit_logs"


def world_of_now() -> World:
    """A world whose present is now: syncs end now."""
    return small_world(now=datetime.now(UTC))


def stretches(result: Result, resource: str) -> list[str]:
    """Messages of what may be missing of a resource."""
    return [each["message"] for each in result.json["errors"] if each["resource"] == resource]


def assert_partial(result: Result, resource: str, workspace: str | None) -> None:
    """Rows may be missing: in JSON, on the screen and in the exit code."""
    assert (result.code, result.json["status"]) == (1, "partial")
    for each in result.json["errors"]:
        assert (each["resource"], each["workspace"]) == (resource, workspace)
        assert each["message"] in result.err


@pytest.mark.parametrize("dialect", ["2026-03", "2026-08", "documents"])
def test_a_millisecond_of_260_audit_logs_is_loaded_in_full(app: App, dialect: str) -> None:
    world = world_of_now()
    audit_bulk(world, 260, (world.now_ms - 60_000) * 1000 + 555)
    with serve(world, dialect) as server:
        app.account(server)
        done = app("run", "--resources", "audit_logs", "--json")
    assert (done.code, done.json["status"], done.json["errors"], done.json["warnings"]) == (0, "ok", [], [])
    assert app.rows(STORED) == [(260,)]


def test_audit_logs_of_people_who_left_are_loaded_though_their_actor_cannot_be_asked_for(app: App) -> None:
    world = world_of_now()
    audit_bulk(world, 260, (world.now_ms - 60_000) * 1000)
    world.remove_user("user-mika")
    with serve(world) as server:
        app.account(server)
        done = app("run", "--resources", "audit_logs", "--json")
        refused = [request for request in server.requests if request.status == 400]
    assert (done.code, done.json["status"]) == (1, "partial")  # 43 or 44 rows of hers are shown by no page provably
    assert all("actorId=user-mika" in request.query for request in refused)
    assert refused
    assert app.rows(STORED)[0][0] > 200
    assert app.rows(f"{STORED} WHERE actor_id = 'user-mika'")[0][0] > 0


@pytest.mark.parametrize("nobody", [(None,), (None, "user-olga")], ids=["of nobody", "of nobody and somebody"])
def test_audit_logs_without_an_actor_are_told_apart_by_the_rest(app: App, nobody: tuple[str | None, ...]) -> None:
    world = world_of_now()
    actions = ("workflow.updated", "workflow.deleted", "file.deleted")
    audit_bulk(world, 290, (world.now_ms - 60_000) * 1000, actions=actions, actors=nobody)
    with serve(world) as server:
        app.account(server)
        assert app("run", "--resources", "audit_logs", "--json").json["errors"] == []
    assert app.rows(STORED) == [(290,)]


def test_audit_logs_that_nothing_tells_apart_are_said_and_tried_again_until_all_are_there(app: App) -> None:
    world = world_of_now()
    moment = world.now_ms - 7_200_000  # out of what each sync reads again
    alike = audit_bulk(
        world, 150, moment * 1000 + 7, actions=("file.deleted",), actors=("user-olga",), workspaces=(WORKSPACE,),
        resource_id="file-1",
    )  # fmt: skip
    with serve(world) as server:
        app.account(server)
        done = app("run", "--resources", "audit_logs", "--json")
        assert_partial(done, "audit_logs", None)
        (message,) = stretches(done, "audit_logs")
        assert iso_of_ms(moment) in message
        assert "100 rows were read and kept" in message
        assert app.rows(STORED) == [(100,)]
        again = app("run", "--resources", "audit_logs", "--json")
        assert stretches(again, "audit_logs") == [message]
        assert_partial(again, "audit_logs", None)
        for row in alike[:50]:  # from now on something tells them apart
            row.resource_id = "file-2"
            row.action = "file.uploaded"
        whole = app("run", "--resources", "audit_logs", "--json")
        asked = server.count()
        assert app("run", "--resources", "audit_logs", "--json").json["errors"] == []
        assert server.count() - asked < 5  # nothing is tried again any more
    assert (whole.code, whole.json["errors"]) == (0, [])
    assert app.rows(STORED) == [(150,)]


def tied(world: World, count: int, moment: int, plan: Plan | None = None) -> None:
    tied_runs(world, "wf-triage", count, moment, plan)
    for place in range(5):
        tied_runs(world, "wf-report", 1, moment + 1000 * (place + 1))


def test_runs_of_one_instant_that_nothing_tells_apart_are_said_and_tried_again(app: App) -> None:
    world = world_of_now()
    moment = world.now_ms - 7_200_000
    tied(world, 3000, moment)
    with serve(world, "documents", ties="unordered") as server:
        app.account(server)
        done = app("run", "--resources", "logs", "--json")
        assert_partial(done, "logs", WORKSPACE)
        (message,) = stretches(done, "logs")
        assert f"at {iso_of_ms(moment)}" in message
        assert app("run", "--resources", "logs", "--json").code == 1
        server.use("2026-08")  # a server whose cursor keeps an order
        whole = app("run", "--resources", "logs", "--json")
        assert app("run", "--resources", "logs", "--json").json["rows"] == {}
    assert (whole.code, whole.json["status"], whole.json["errors"]) == (0, "ok", [])
    assert app.rows("SELECT count(*) FROM sim.logs") == [(3005,)]


def test_runs_of_one_instant_are_told_apart_by_workflow_trigger_outcome_and_duration(app: App) -> None:
    world = world_of_now()
    moment = world.now_ms - 7_200_000
    for place in range(1500):
        workflow, trigger = ("wf-triage", "wf-report")[place % 2], ("api", "schedule", "chat")[place % 3]
        run = world.start_run(workflow, plans.plain_plan(), trigger=trigger, started_ms=moment)
        world.end_run(run.id, ended_ms=moment + 100 + place)
    with serve(world, "documents", ties="unordered", max_limit=100) as server:
        app.account(server)
        done = app("run", "--resources", "logs", "--json")
    assert (done.code, done.json["errors"]) == (0, [])
    assert app.rows("SELECT count(*) FROM sim.logs") == [(1500,)]


def test_in_a_library_what_may_be_missing_is_an_error_in_the_log(
    warehouse: Warehouse, caplog: pytest.LogCaptureFixture
) -> None:
    world = small_world()
    audit_bulk(world, 150, (world.now_ms - 60_000) * 1000 + 7, actions=("file.deleted",), actors=("user-olga",),
               workspaces=(WORKSPACE,), resource_id="file-1")  # fmt: skip
    with serve(world) as server:
        warehouse.load(server, "audit_logs")  # does not raise: what was read is loaded
    assert len(warehouse.table("audit_logs")) == 100
    (record,) = [
        record for record in caplog.records if record.name == "sim_source" and "may be missing" in record.message
    ]
    assert record.levelno == logging.ERROR
    assert logging.getLogger("sim_source").isEnabledFor(logging.ERROR)


def test_an_answer_that_cannot_be_read_is_a_failure(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    def odd(*_: Any) -> None:
        raise ValueError("no answer can be like that")

    world = world_of_now()
    run = world.start_run("wf-triage", plans.agent_plan(), started_ms=world.now_ms - 60_000)
    world.end_run(run.id)
    monkeypatch.setattr(WorkspaceContext, "detail", odd)
    with serve(world) as server:
        app.account(server)
        done = app("run", "--details", "all", "--snapshots", "none", "--json")
    assert (done.code, done.json["status"]) == (1, "partial")
    assert [each["resource"] for each in done.json["errors"]] == ["log_details"]


def test_a_note_of_each_stretch_but_of_other_faults_one() -> None:
    log = SyncLog()
    moments = [NOW + timedelta(milliseconds=number) for number in range(1000)]
    for number, message in enumerate(("a", "b", "a, read further")):
        log.failed("logs", "w", errors.Incomplete(message, moments[number % 2], moments[number % 2]))
        log.failed("logs", "w", errors.Unavailable(message))
    assert [failure.message for failure in log.failures] == ["a", "a", "b"]
    for moment in moments:
        log.failed("audit_logs", None, errors.Incomplete(str(moment), moment, moment))
    told = [failure.message for failure in log.failures if failure.resource == "audit_logs"]
    assert (len(told), told[-1]) == (21, "rows may be missing from more time ranges, too")


def test_whatever_is_warned_of_is_on_the_screen_and_in_json(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """A view that somebody else made, descriptions and views that cannot be written, a database that was put back."""
    world = world_of_now()
    with serve(world) as server:
        app.account(server)
        app("run", "--resources", "logs")
        shutil.copy("sim_sync.duckdb", "copy.duckdb")
        tied_runs(world, "wf-triage", 1, world.now_ms - 60_000)
        app("run", "--resources", "logs")
        shutil.copy("copy.duckdb", "sim_sync.duckdb")
        with duckdb.connect("sim_sync.duckdb") as connection:
            connection.execute("DROP VIEW sim.latency_by_workflow")
            connection.execute("CREATE VIEW sim.latency_by_workflow AS SELECT 7 AS mine")
        monkeypatch.setattr(comments, "literal", lambda text: "no literal")
        done = app("run", "--resources", "logs,usage", "--json")
        again = app("run", "--json")
    told = done.json["warnings"]
    for part in (
        "the destination has changed since the last sync from here",
        "latency_by_workflow",
        "descriptions could not be written",
    ):
        assert [part in text for text in told].count(True) == 1
    assert all(text in done.err for text in told)
    assert done.err.count("latency_by_workflow") == 1
    assert (done.code, done.json["status"]) == (0, "ok")
    assert any("descriptions could not be written" in text for text in again.json["warnings"])  # tried again


def test_views_that_cannot_be_made_are_warned_of(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep_views, "rewritten", lambda *_: "SELECT nothing FROM nowhere")
    with serve(world_of_now()) as server:
        app.account(server)
        done = app("run", "--resources", "logs", "--json")
    assert (done.code, any("views could not be created" in text for text in done.json["warnings"])) == (0, True)
    assert "note: the views could not be created" in done.err


def test_audit_logs_read_before_those_of_people_who_left_were_asked_for_are_read_once_more(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = small_world()
    audit_bulk(world, 5, (world.now_ms - 7_200_000) * 1000)
    with serve(world) as server:
        with monkeypatch.context() as earlier:
            earlier.setattr(ResourceState, "cover_departed", lambda state: None)
            warehouse.load(server, "audit_logs")
        audit_bulk(world, 3, (world.now_ms - 7_300_000) * 1000)  # as if hidden by the question that was asked then
        for _ in range(2):
            asked = server.count("/api/v1/audit-logs")
            warehouse.load(server, "audit_logs")
        assert server.count("/api/v1/audit-logs") - asked <= 2
    assert len(warehouse.table("audit_logs")) == 8
