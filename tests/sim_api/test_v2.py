"""The v2 API: responses match the published documents; gates, errors and cursors behave as they were seen to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pipelines.sim_api import (
    FREE_KEY,
    MEMBER_KEY,
    OWNER_KEY,
    SECOND_WORKSPACE,
    WORKSPACE,
    WORKSPACE_KEY,
    EmbeddedApi,
    RateLimit,
    World,
    dialect,
    finished_run,
    plans,
    tied_runs,
)
from pipelines.sim_api.http.v2.ledger_answers import shared_out
from pipelines.sim_api.http.v2.v2_runs import status_in_v2_logs
from tests.sim_api.conftest import Ask, asker

DOCUMENT = json.loads((Path(__file__).parent / "sim-openapi-v2.json").read_text())
"""Sim's published OpenAPI documents of v2 (Apache-2.0), the parts that are used here, without their prose."""
IDS = {"{id}": "wf-triage", "{workspaceId}": WORKSPACE}
LISTS = {
    "/api/v2/logs": f"workspaceId={WORKSPACE}&includeTraceSpans=true&includeFinalOutput=true&limit=1000",
    "/api/v2/workflows": f"workspaceId={WORKSPACE}",
    "/api/v2/workflows/{id}/versions": "",
    "/api/v2/workflows/{id}/runs": "limit=100",
    "/api/v2/workflows/folders": f"workspaceId={WORKSPACE}",
    "/api/v2/billing/logs": "period=all",
    "/api/v2/billing/status": f"workspaceId={WORKSPACE}",
    "/api/v2/workspaces": "",
    "/api/v2/workspaces/{workspaceId}/members": "",
    "/api/v2/audit-logs": "organizationId=org-acme",
}


@pytest.fixture
def billed_world(full_world: World) -> World:
    """Beside the runs a chat, a knowledge base and a voice; two of them in one millisecond."""
    for place, source in enumerate(("sim-chat", "knowledge-base", "voice-output", "mothership_block")):
        moment = full_world.now_ms * 1000 - 90_000_000 + place // 2 * 1000 + place
        full_world.charge(source, 0.0123 * (place + 1), WORKSPACE, created_us=moment)  # type: ignore[arg-type]
    return full_world


def on(world: World, **options: Any) -> Ask:
    return asker(world, "2026-08", v2="on", **options)


def fits(path: str, status: int, body: Any) -> None:
    response = DOCUMENT["paths"][path]["get"]["responses"][str(status)]
    if "$ref" in response:
        response = DOCUMENT["components"]["responses"][response["$ref"].rpartition("/")[2]]
    schema = {**response["content"]["application/json"]["schema"], "components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(schema).validate(body)


def filled(path: str) -> str:
    for name, value in IDS.items():
        path = path.replace(name, value)
    return path


@pytest.mark.parametrize("path", LISTS)
def test_what_is_listed_fits_the_published_document(billed_world: World, path: str) -> None:
    reply, body = on(billed_world)(filled(path), LISTS[path])
    assert reply.status == 200
    assert body["data"]
    fits(path, 200, body)


@pytest.mark.parametrize("path", ["/api/v2/logs/{runId}", "/api/v2/workflows/{id}/runs/{runId}"])
def test_what_is_told_of_one_run_fits_the_published_document(billed_world: World, path: str) -> None:
    ask = on(billed_world)
    for run in billed_world.runs_of(WORKSPACE):
        if not run.workflow.deleted and run.workflow.id == "wf-triage":
            reply, body = ask(filled(path).replace("{runId}", run.execution_id))
            assert reply.status == 200, run.id
            fits(path, 200, body)


@pytest.mark.parametrize(
    ("v2", "key", "status", "kind"),
    [
        ("absent", OWNER_KEY, 404, "text/html"),
        ("absent", None, 404, "text/html"),
        ("off", None, 401, "json"),
        ("off", "wrong", 401, "json"),
        ("off", OWNER_KEY, 404, "json"),
        ("on", None, 401, "json"),
        ("on", "wrong", 401, "json"),
        ("on", OWNER_KEY, 200, "json"),
    ],
)
def test_whether_it_is_there(full_world: World, v2: str, key: str | None, status: int, kind: str) -> None:
    api = EmbeddedApi(full_world, dialect("2026-08", v2=v2))
    reply = api.answer("GET", "/api/v2/workspaces", "", key, None)
    assert (reply.status, kind in reply.content_type) == (status, True)
    assert ("x-ratelimit-limit" in reply.headers) == (status == 200)


def test_with_the_flag_off_bad_parameters_are_not_looked_at(full_world: World) -> None:
    reply, body = asker(full_world, "2026-08", v2="off")("/api/v2/logs", "limit=many&no=such")
    assert (reply.status, body) == (404, {"error": {"code": "NOT_FOUND", "message": "Not found"}})


@pytest.mark.parametrize(
    "query",
    ["limit=", "no=such", "order=asc&order=asc", "startDate=2026-11-01", "endDate=2026-11-01T00:00:00%2B00:00",
     "startDate=2026-11-02T00:00:00Z&endDate=2026-11-01T00:00:00Z"],
    ids=["blank", "unknown", "repeated", "a bare date", "another zone", "start after end"],
)  # fmt: skip
def test_parameters_are_read_strictly(full_world: World, query: str) -> None:
    reply, body = on(full_world)("/api/v2/logs", f"workspaceId={WORKSPACE}&{query}")
    assert (reply.status, body["error"]["code"]) == (400, "BAD_REQUEST")
    fits("/api/v2/logs", 400, body)


@pytest.mark.parametrize(
    ("key", "path", "query", "status"),
    [
        (FREE_KEY, "/api/v2/logs", f"workspaceId={WORKSPACE}", 403),
        (FREE_KEY, "/api/v2/billing/logs", f"workspaceId={WORKSPACE}", 404),
        (FREE_KEY, "/api/v2/workflows/wf-triage/runs", "", 404),
        (WORKSPACE_KEY, "/api/v2/audit-logs", "organizationId=org-acme", 403),
        (MEMBER_KEY, "/api/v2/audit-logs", "organizationId=org-acme", 403),
    ],
)
def test_what_a_key_may_not_read(full_world: World, key: str, path: str, query: str, status: int) -> None:
    assert on(full_world)(path, query, key)[0].status == status


def walked(ask: Ask, path: str, query: str, key: str = OWNER_KEY) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    cursor = None
    while True:
        reply, body = ask(path, query + (f"&cursor={cursor.replace('=', '%3D')}" if cursor else ""), key)
        assert reply.status == 200, body
        rows += body["data"]
        cursor = body["nextCursor"]
        if cursor is None:
            return rows


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 3, 100])
def test_runs_of_one_instant_are_neither_skipped_nor_doubled(world: World, order: str, limit: int) -> None:
    tied_runs(world, "wf-triage", 8, world.now_ms - 60_000)
    tied_runs(world, "wf-triage", 8, world.now_ms - 50_000)
    rows = walked(on(world), "/api/v2/logs", f"workspaceId={WORKSPACE}&limit={limit}&order={order}")
    assert len(rows) == len({row["runId"] for row in rows}) == 16


def test_the_status_of_each_run(full_world: World) -> None:
    rows = walked(on(full_world), "/api/v2/logs", f"workspaceId={WORKSPACE}")
    told = {row["runId"]: row["status"] for row in rows}
    for run in full_world.runs_of(WORKSPACE):
        assert told[run.execution_id] == status_in_v2_logs(run)
        expected = {"paused": "pending"}.get(run.status, run.status)
        assert told[run.execution_id] == ("cancelled" if run.state == "cancelled_directly" else expected), run.id
    (paused,) = [run for run in full_world.runs_of(WORKSPACE) if run.state == "paused"]
    runs = walked(on(full_world), "/api/v2/workflows/wf-triage/runs", "status=paused")
    assert [row["runId"] for row in runs] in ([], [paused.execution_id])


@pytest.mark.parametrize(
    "narrow",
    ["model=gpt-4o", "minCost=0.02", "maxCost=0.01", "minDurationMs=3000", "folderPaths=/nowhere", "triggers=chat"],
)
def test_a_filter_narrows_the_list(full_world: World, narrow: str) -> None:
    ask, query = on(full_world), f"workspaceId={WORKSPACE}&limit=1000"
    everything = ask("/api/v2/logs", query)[1]["data"]
    narrowed = ask("/api/v2/logs", f"{query}&{narrow}")[1]["data"]
    assert len(narrowed) < len(everything)


def test_one_odd_row_makes_its_page_a_500(full_world: World) -> None:
    run = full_world.runs_of(WORKSPACE)[3]
    full_world.change_run(run.id, v2_status="unheard of")
    ask = on(full_world)
    reply, body = ask("/api/v2/logs", f"workspaceId={WORKSPACE}")
    assert (reply.status, body["error"]["code"]) == (500, "INTERNAL_ERROR")
    assert ask(f"/api/v2/logs/{run.execution_id}")[0].status == 500
    assert asker(full_world, "2026-08")("/api/v1/logs", f"workspaceId={WORKSPACE}")[0].status == 200


def test_span_tokens_are_cut_to_three(full_world: World) -> None:
    rows = walked(on(full_world), "/api/v2/logs", f"workspaceId={WORKSPACE}&includeTraceSpans=true")
    tokens = [span["tokens"] for row in rows for span in _spans(row["traceSpans"]) if "tokens" in span]
    assert tokens
    assert all(set(each) <= {"input", "output", "total"} for each in tokens if isinstance(each, dict))


def _spans(spans: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [found for span in spans for found in (span, *_spans(span.get("children", [])))]


def test_the_ledgers_cursor_loses_rows_of_the_boundarys_millisecond(world: World) -> None:
    for place in range(20):
        world.charge("wand", 0.01, WORKSPACE, created_us=world.now_ms * 1000 - 10_000_000 + place)
    ask = on(world)
    assert len(walked(ask, "/api/v2/billing/logs", "limit=100&period=all")) == 20
    assert len(walked(ask, "/api/v2/billing/logs", "limit=7&period=all")) < 20


def test_a_window_of_one_millisecond_misses_what_one_of_two_shows(world: World) -> None:
    world.charge("wand", 0.01, WORKSPACE, created_us=world.now_ms * 1000 - 9_999_500)
    start = "2026-11-20T11:59:50.000Z"
    ask, path = on(world), "/api/v2/billing/logs"
    assert ask(path, f"period=custom&startDate={start}&endDate={start}")[1]["data"] == []
    end = "2026-11-20T11:59:50.001Z"
    assert len(ask(path, f"period=custom&startDate={start}&endDate={end}")[1]["data"]) == 1


def test_credits_are_shared_out_per_page(world: World) -> None:
    for place in range(3):
        world.charge("wand", 0.002, WORKSPACE, created_us=world.now_ms * 1000 - place)  # 0.4 credits each
    assert sorted(shared_out(world.ledger.events)) == [0, 0, 1]
    assert shared_out(world.ledger.events[:1]) == [0]


def test_the_ledger_of_a_run_adds_up_to_its_cost_and_a_resume_adds_the_difference(world: World) -> None:
    run = world.start_run("wf-triage", plans.two_model_plan())
    world.pause_run(run.id, blocks=1)
    paused = sum(event.usd for event in world.ledger.events)
    assert paused == pytest.approx(run.total_cost)
    world.resume_run(run.id)
    world.end_run(run.id)
    assert sum(event.usd for event in world.ledger.events) == pytest.approx(run.total_cost)
    assert sum(event.usd for event in world.ledger.events) > paused


def test_a_raised_event_keeps_its_id_and_its_time(world: World) -> None:
    event = world.charge("sim-chat", 0.1, WORKSPACE)
    before = on(world)("/api/v2/billing/logs")[1]["data"][0]
    world.raise_charge(event.id, 0.2)
    after = on(world)("/api/v2/billing/logs")[1]["data"][0]
    assert (before["id"], before["createdAt"]) == (after["id"], after["createdAt"])
    assert (before["creditCost"], after["creditCost"]) == (20, 60)


def test_who_sees_what_of_the_ledger(world: World) -> None:
    world.charge("wand", 1, WORKSPACE)
    world.charge("wand", 1, WORKSPACE, actor_id="user-mika")
    world.charge("wand", 1, SECOND_WORKSPACE)
    ask = on(world)
    counts = {
        key: len(ask("/api/v2/billing/logs", "", key)[1]["data"]) for key in (OWNER_KEY, MEMBER_KEY, WORKSPACE_KEY)
    }
    assert counts == {OWNER_KEY: 2, MEMBER_KEY: 1, WORKSPACE_KEY: 2}


def test_the_payer_alone_is_told_of_credits(world: World) -> None:
    ask = on(world)
    told = {key: ask("/api/v2/billing/status", "", key)[1]["data"] for key in (OWNER_KEY, WORKSPACE_KEY, FREE_KEY)}
    assert told[OWNER_KEY]["credits"]["limit"] == 200_000
    assert told[WORKSPACE_KEY]["credits"] is None
    assert told[FREE_KEY]["period"] == {"start": "1970-01-01T00:00:00.000Z", "end": "9999-12-31T23:59:59.999Z"}


def test_each_operation_has_a_bucket_and_the_address_one_over_all(world: World) -> None:
    finished_run(world, "wf-triage", plans.plain_plan())
    ask = on(world, limit=RateLimit(rate=2, capacity=3))
    statuses = [ask("/api/v2/workspaces")[0].status for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    reply, body = ask("/api/v2/workspaces")
    assert body["error"]["code"] == "RATE_LIMITED"
    assert "retryAfter" in body["error"]["details"]
    assert int(reply.headers["retry-after"]) <= 60
    assert ask("/api/v2/logs", f"workspaceId={WORKSPACE}")[0].status == 200
    assert ask("/api/v1/logs", f"workspaceId={WORKSPACE}")[0].status == 200
    statuses = [ask("/api/v2/logs", f"workspaceId={WORKSPACE}", "wrong")[0].status for _ in range(600)]
    assert statuses[0] == 401
    assert statuses[-1] == 429
