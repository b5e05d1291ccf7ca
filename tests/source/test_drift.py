"""What the API may send one day: new values pass, changed types are set aside, nothing is fatal and nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from pipelines.sim_api import WORKSPACE, Fault, Faults, SimServer, World, one_of_each, serve, small_world
from pipelines.sim_api.http.answers import Reply
from sim_source import SyncLog, errors, jsons
from sim_source.api import decode, wire
from sim_source.api.decode import Rejected
from sim_source.rows import account_rows, run_rows, runs, snapshots
from sim_source.rows.run_rows import ROW_FAULTS
from sim_source.run_tables import LOGS
from tests.helpers import recorded
from tests.helpers.app import App
from tests.helpers.warehouse import Warehouse

AT = "2026-11-20T08:00:00.000Z"
Json = dict[str, Any]


@pytest.fixture
def world() -> World:
    world = small_world()
    one_of_each(world)
    return world


def run(**fields: Any) -> Json:
    return {"id": "r1", "startedAt": AT, "endedAt": AT, "cost": {"total": 0.01}, **fields}


def read(told: Json, detail: Json | None = None) -> run_rows.RunRows:
    row = decode.one(jsons.encode(told), wire.Run)
    full = None if detail is None else decode.one(jsons.encode(detail), wire.Run)
    return runs.read_run(row, "ws", run_rows.RunOptions(), full)


# new values of what looks like a fixed set


@pytest.mark.parametrize(
    ("column", "fields", "value"),
    [
        ("level", {"level": "warning"}, "warning"),
        ("trigger", {"trigger": "mcp"}, "mcp"),
        ("status", {"level": "warning"}, "completed"),
        ("status", {"level": "fatal", "endedAt": None}, "running"),
    ],
)
def test_a_new_value_of_a_run_passes_unchanged(column: str, fields: Json, value: str) -> None:
    assert read(run(**fields)).log[LOGS.column_names.index(column)] == value


@pytest.mark.parametrize("column", ["type", "status", "finishReason", "provider", "model", "errorType"])
def test_a_new_value_of_a_span_passes_unchanged(column: str) -> None:
    (span,) = read(run(traceSpans=[{"name": "s", column: "never seen"}])).spans
    assert "never seen" in span


def test_a_new_way_to_end_passes_unchanged() -> None:
    found = read(run(), run(executionData={"finalizationPath": "timed_out"}))
    assert "timed_out" in found.detail
    assert "completed" in found.log


def test_a_new_kind_of_audit_log_passes_unchanged() -> None:
    told = {"id": "a", "createdAt": AT, "action": "robot.dreamt", "resourceType": "sheep"}
    row = account_rows.audit_row(decode.one(jsons.encode(told), wire.AuditLog))
    assert {"robot.dreamt", "sheep"} <= set(row)


def test_a_run_that_ended_before_it_started_stays(warehouse: Warehouse, world: World) -> None:
    world.change_run("wf-triage.plain", extra={"endedAt": "2020-01-01T00:00:00.000Z", "totalDurationMs": -5})
    with serve(world) as server:
        warehouse.load(server, "logs", "rejected_rows")
    row = warehouse.row("logs", "wf-triage.plain")
    assert (row["ended_at"].year, row["total_duration_ms"]) == (2020, -5)
    assert warehouse.table("rejected_rows") == []


@pytest.mark.parametrize(
    "fields",
    [{"endedAt": "9999-12-31T23:59:59-14:00"}, {"startedAt": "0001-01-01T00:00:00+14:00"}],
    ids=["end", "begin"],
)
def test_a_moment_outside_the_calendar_is_set_aside(warehouse: Warehouse, world: World, fields: Json) -> None:
    world.change_run("wf-triage.plain", extra=fields)
    with serve(world) as server:
        for _ in range(2):
            warehouse.load(server, "logs", "rejected_rows")
            world.now_ms += 60_000
    assert [row["record_id"] for row in warehouse.table("rejected_rows")] == ["wf-triage.plain"]
    assert len(warehouse.table("logs")) == len(world.runs_of(WORKSPACE)) - 1


# any field of any type


OTHERS = (None, True, 5, 0.5, -1, 1e300, "text", "", [], [1], {}, {"a": 1}, "9999-12-31T23:59:59-14:00")


def outcomes(kind: str, told: Json) -> Iterator[tuple[str, Any]]:
    """Every field of a recorded answer with every other type in its place: (what, what was read)."""

    def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
        if path:
            yield path
        if isinstance(value, dict):
            for name, entry in value.items():
                yield from places(entry, (*path, name))
        elif isinstance(value, list) and value:
            yield from places(value[0], (*path, 0))

    for path in places(told):
        for other in OTHERS:
            changed = json.loads(json.dumps(told))
            holder = changed
            for part in path[:-1]:
                holder = holder[part]
            holder[path[-1]] = other
            body = jsons.encode(changed)
            yield f"{kind}: {path} = {other!r}", read_any(kind, body)


def read_any(kind: str, body: bytes) -> Any:
    """What becomes of an answer: rows, or a row that is set aside. Everything else is a fault of ours."""
    structure = {"run": wire.Run, "execution": wire.Execution, "audit": wire.AuditLog}.get(kind, wire.Usage)
    if kind == "workflow":
        structure = wire.Workflow
    found: Any = decode.one_or_rejected(body, structure)
    if isinstance(found, Rejected):
        return found
    try:
        if kind == "run":
            return runs.read_run(found, "ws", run_rows.RunOptions(), found)
        if kind == "execution":
            return snapshots.read_snapshot(found, "ws", "asked")
        if kind == "audit":
            return account_rows.audit_row(found)
        return (
            account_rows.workflow_row(found, "ws")
            if kind == "workflow"
            else account_rows.usage_row(found, datetime.now(UTC))
        )
    except ROW_FAULTS as fault:
        return decode.rejected(wire.NO_RAW, str(fault))


def plain(value: Any) -> Any:
    return json.loads(json.dumps(value, default=float))


@pytest.mark.parametrize("generation", recorded.GENERATIONS)
@pytest.mark.parametrize("kind", ["run", "execution", "audit", "workflow", "usage"])
def test_any_other_type_in_any_field_is_a_row_or_set_aside(kind: str, generation: str) -> None:
    names = {
        "run": "log_detail_tool",
        "execution": "execution_multi",
        "audit": "audit_walk_50_p00",
        "workflow": "workflows_first_page",
        "usage": "usage_limits_enterprise",
    }
    told = recorded.answer(generation, names[kind]).json
    told = told["data"] if kind == "run" else told["data"][0] if "data" in told else told
    count = set_aside = 0
    for what, found in outcomes(kind, plain(told)):
        count += 1
        set_aside += isinstance(found, Rejected)
        if isinstance(found, Rejected):
            assert found.reason, what
    assert count > 100
    assert 0 < set_aside < count


# odd pages


def page(*rows: Any, **more: Any) -> bytes:
    return jsons.encode({"data": list(rows), **more})


@pytest.mark.parametrize(
    ("sent", "cursor"),
    [
        ("abc", "abc"), (7, "7"), (0, "0"), (7.5, "7.5"), ({"after": 7}, '{"after":7}'), (["a"], '["a"]'),
        (None, None), ("", None), (False, None),
    ],
    ids=repr,
)  # fmt: skip
@pytest.mark.parametrize("row", [run(), {**run(), "new": 1}], ids=["plain", "with an unknown field"])
def test_a_cursor_of_any_type_is_handed_back(row: Json, sent: Any, cursor: str | None) -> None:
    for found in (
        decode.run_page(page(row, nextCursor=sent)),
        decode.page_of(page(row, nextCursor=sent), wire.Workflow),
    ):
        assert found.next_cursor == cursor
        assert found.count == 1


def test_an_unknown_field_around_the_rows_changes_nothing() -> None:
    body = page(run(), run(id="r2"), warnings=["new"], total={"count": 2}, nextCursor="c")
    found = decode.run_page(body)
    assert ([row.id for row in found.rows], found.rejected, found.next_cursor) == (["r1", "r2"], [], "c")


def odd(body: bytes) -> Fault:
    return Fault("odd", "answer", Reply(200, body))


def answering(world: World, path: str, body: bytes) -> Any:
    return serve(world, faults=Faults().always(odd(body), path=path))


def set_aside(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    return [
        (row["table_name"], row["record_id"], json.loads(row["row_json"]) if row["row_json"] else None)
        for row in warehouse.table("rejected_rows")
    ]


def test_a_page_with_nulls_and_numbers_for_rows_loses_no_row(warehouse: Warehouse, world: World) -> None:
    body = page(None, run(), 5, "text", run(id=7), None, run(id="r2"), extra="around")
    with answering(world, "/api/v1/logs?", body) as server:
        warehouse.load(server, "logs", "rejected_rows")
    assert [row["id"] for row in warehouse.table("logs")] == ["r1", "r2"]
    found = set_aside(warehouse)
    assert sorted((repr(row) for _, _, row in found)) == sorted(map(repr, [None, 5, "text", run(id=7)]))
    assert ("logs", "7", run(id=7)) in found


def test_a_page_whose_cursor_is_a_number_is_walked_on(warehouse: Warehouse, world: World) -> None:
    rows = [{"id": f"w{number}", "name": "W"} for number in range(4)]
    faults = Faults().script([odd(page(*rows[:2], nextCursor=2)), odd(page(*rows[2:]))], path="/api/v1/workflows")
    with serve(world, faults=faults) as server:
        warehouse.load(server, "workflows")
        assert [request.query for request in server.requests if "/v1/" in request.path][-1].endswith("cursor=2")
    assert [row["id"] for row in warehouse.table("workflows")] == ["w0", "w1", "w2", "w3"]


WORKFLOWS = [
    {"id": "w1", "name": "Fine", "new": {"a": 1}},
    {"id": 7, "name": "A number for an id"},
    {"id": "w2", "name": ["a list"]},
    {"id": "w3", "runCount": 1e300},
    {"name": "no id"},
    None,
]


def test_odd_workflows_are_set_aside_and_the_others_loaded(warehouse: Warehouse, world: World) -> None:
    log = SyncLog()
    with answering(world, "/api/v1/workflows", page(*WORKFLOWS)) as server:
        warehouse.load(server, "workflows", "logs", "rejected_rows", log=log)
    (row,) = warehouse.table("workflows")
    assert (row["id"], json.loads(row["extra"])) == ("w1", {"new": {"a": 1}})
    found = {repr(row) for _, _, row in set_aside(warehouse)}
    assert found == {repr(row) for row in WORKFLOWS[1:]}
    assert (log.failures, log.rows["rejected_rows"]) == ([], 5)
    assert len(warehouse.table("logs")) == len(world.runs_of(WORKSPACE))


def test_a_page_of_odd_workflows_does_not_end_the_list(warehouse: Warehouse, world: World) -> None:
    faults = Faults().script(
        [odd(page(*WORKFLOWS[1:3], nextCursor="2")), odd(page(WORKFLOWS[0]))], path="/api/v1/workflows"
    )
    with serve(world, faults=faults) as server:
        warehouse.load(server, "workflows", "rejected_rows")
    assert [row["id"] for row in warehouse.table("workflows")] == ["w1"]


# odd answers about one run


def ask_for_all(server: SimServer, warehouse: Warehouse) -> SyncLog:
    log = SyncLog()
    warehouse.load(server, details="all", snapshots="all", log=log)
    return log


STATE = {"blocks": {"b": {"type": "agent", "subBlocks": {"apiKey": {"value": "sk-super-secret"}}}}}
SNAPSHOTS: list[tuple[str, Json, bool]] = [
    ("plain", {"workflowId": "wf-triage", "workflowState": STATE}, True),
    ("agent", {"executionId": None, "workflowState": STATE}, True),
    ("multi", {"executionId": 7, "workflowState": STATE}, False),
    ("tool", {"executionId": "x", "workflowState": [STATE]}, False),
    ("paused", {"executionId": "x", "executionMetadata": {"totalDurationMs": 1e300}}, False),
]
"""No id, null, a number; a list for the state; a number beyond bigint. And whether that can be stored."""


def test_a_snapshot_that_does_not_fit_is_set_aside_under_its_execution(warehouse: Warehouse, world: World) -> None:
    faults, stored, odd_ones = Faults(), set(), set()
    for kind, body, fits in SNAPSHOTS:
        execution = world.runs[f"wf-triage.{kind}"].execution_id
        faults.always(odd(jsons.encode(body)), path=f"/api/v1/logs/executions/{execution}")
        (stored if fits else odd_ones).add(execution)
    with serve(world, faults=faults) as server:
        log = ask_for_all(server, warehouse)
    assert log.failures == []
    assert ["execution_snapshots" in text and "set aside" in text for text in log.warnings] == [True]
    assert {row[:2] for row in set_aside(warehouse)} == {("execution_snapshots", each) for each in odd_ones}
    assert log.rows["rejected_rows"] == len(odd_ones)
    found = {row["execution_id"] for row in warehouse.table("execution_snapshots")}
    assert found == {run.execution_id for run in world.runs_of(WORKSPACE)} - odd_ones
    assert stored <= found
    assert b"sk-super-secret" not in warehouse.written()


DETAILS: dict[str, Json] = {
    "plain": {"level": 3},
    "agent": {"executionData": []},
    "multi": {"executionData": {"traceSpans": 5}},
    "tool": {"cost": {"total": 1e40}},
    "paused": {"id": 7},
}


def test_a_detail_that_does_not_fit_is_set_aside_and_its_run_stays(warehouse: Warehouse, world: World) -> None:
    faults = Faults()
    for kind, fields in DETAILS.items():
        body = {"data": {**run(id=f"wf-triage.{kind}", finalOutput={"text": "on fire"}), **fields}}
        faults.always(odd(jsons.encode(body)), path=f"/api/v1/logs/wf-triage.{kind}?")
    with serve(world, faults=faults) as server:
        log = ask_for_all(server, warehouse)
        world.now_ms += 60_000
        again = ask_for_all(server, warehouse)
    assert (log.failures, log.rows["rejected_rows"]) == ([], len(DETAILS))
    told, set_aside_too = log.warnings
    assert "log_details" in set_aside_too
    assert "set aside" in set_aside_too
    assert "requested again by every sync" in told
    assert (again.rows["rejected_rows"], again.warnings) == (0, [told])  # its runs still lack a detail
    assert [row[:2] for row in set_aside(warehouse)] == [
        ("log_details", f"wf-triage.{kind}") for kind in sorted(DETAILS)
    ]
    assert b"on fire" not in warehouse.written()
    assert warehouse.row("log_details", "wf-triage.agent")["detail_source"] == "list"
    assert len(warehouse.table("logs")) == len(world.runs_of(WORKSPACE))


def test_a_usage_that_does_not_fit_is_set_aside(warehouse: Warehouse, world: World) -> None:
    with answering(world, "/api/users/me/usage-limits", b'{"usage":{"currentPeriodCost":1e40}}') as server:
        warehouse.load(server, "usage", "logs", "rejected_rows")
    assert warehouse.table("usage") == []
    assert [row[0] for row in set_aside(warehouse)] == ["usage"]
    assert len(warehouse.table("logs")) == len(world.runs_of(WORKSPACE))


def test_what_was_set_aside_is_counted_for_scripts(app: App) -> None:
    world = small_world(now=datetime.now(UTC))
    one_of_each(world)
    world.change_run("wf-triage.plain", extra={"level": 3})
    with serve(world) as server:
        app.account(server)
        done = app("run", "--json")
        assert (done.code, done.json["status"], done.json["rows"]["rejected_rows"]) == (0, "ok", 1)
        assert "rejected_rows" not in app("run", "--json").json["rows"]


def test_an_answer_that_is_no_page_is_unreadable_and_tried_again() -> None:
    for body in (b'{"data":null}', b'{"data":5}', b"5"):
        with pytest.raises(errors.UnreadableAnswer):
            decode.run_page(body)
