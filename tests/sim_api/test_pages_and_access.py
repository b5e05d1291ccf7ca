"""Pages, order, cursors, dates, access and audit logs: the quirks of each generation."""

import base64
import json

import pytest

from pipelines.sim_api import (
    FREE_KEY,
    LOCKED_WORKSPACE,
    OWNER_KEY,
    SECOND_WORKSPACE,
    WORKSPACE,
    WORKSPACE_KEY,
    World,
    audit_burst,
    finished_run,
    tied_runs,
)
from pipelines.sim_api.world import plans
from tests.sim_api.conftest import Ask, asker

LOGS = "/api/v1/logs"
IN_WORKSPACE = f"workspaceId={WORKSPACE}"


def walk(ask: Ask, path: str, query: str) -> list[str]:
    """Ids of all pages under the answer's own cursor."""
    ids: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        answer, body = ask(path, f"{query}&cursor={cursor}" if cursor else query)
        assert answer.status == 200
        ids += [row["id"] for row in body["data"]]
        cursor = body.get("nextCursor")
    return ids


# pages, order, cursors --------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_cursor_walks_every_row_once_on_2026_08(world: World, order: str) -> None:
    tied_runs(world, "wf-triage", 13, world.now_ms - 9000)
    tied_runs(world, "wf-triage", 5, world.now_ms - 8000)
    ids = walk(asker(world, "2026-08"), LOGS, f"{IN_WORKSPACE}&limit=4&order={order}")
    expected = [run.id for run in world.runs_of(WORKSPACE)]
    assert ids == (expected if order == "asc" else expected[::-1])


def test_cursor_is_500_on_2026_03(world: World) -> None:
    tied_runs(world, "wf-triage", 3, world.now_ms)
    ask = asker(world, "2026-03")
    _, page = ask(LOGS, f"{IN_WORKSPACE}&limit=1")
    assert set(json.loads(base64.b64decode(page["nextCursor"]))) == {"startedAt", "id"}
    answer, _ = ask(LOGS, f"{IN_WORKSPACE}&limit=1&cursor={page['nextCursor']}")
    assert answer.status == 500


def test_bad_cursor_is_page_one_on_2026_03_and_refused_on_2026_08(world: World) -> None:
    tied_runs(world, "wf-triage", 3, world.now_ms)
    assert len(asker(world, "2026-03")(LOGS, f"{IN_WORKSPACE}&cursor=nonsense")[1]["data"]) == 3
    answer, body = asker(world, "2026-08")(LOGS, f"{IN_WORKSPACE}&cursor=nonsense")
    assert (answer.status, body) == (400, {"error": "Invalid cursor"})


def test_cursor_is_bound_to_its_order(world: World) -> None:
    tied_runs(world, "wf-triage", 3, world.now_ms)
    ask = asker(world, "2026-08")
    _, page = ask(LOGS, f"{IN_WORKSPACE}&limit=1&order=asc")
    answer, _ = ask(LOGS, f"{IN_WORKSPACE}&limit=1&order=desc&cursor={page['nextCursor']}")
    assert answer.status == 400


def test_unordered_ties_let_a_cursor_skip_rows(world: World) -> None:
    tied_runs(world, "wf-triage", 30, world.now_ms)
    ask = asker(world, "2026-08", ties="unordered")
    walks = [set(walk(ask, LOGS, f"{IN_WORKSPACE}&limit=10")) for _ in range(5)]
    assert min(len(found) for found in walks) < 30


def test_ties_come_as_inserted_on_2026_03(world: World) -> None:
    runs = tied_runs(world, "wf-triage", 8, world.now_ms)
    _, page = asker(world, "2026-03")(LOGS, IN_WORKSPACE)
    assert [row["id"] for row in page["data"]] == [run.id for run in runs]


@pytest.mark.parametrize(
    ("generation", "limit", "rows"),
    [("2026-08", "5000", 1000), ("2026-03", "5000", 1200), ("2026-08", "0", 1), ("2026-03", "0", 0),
     ("2026-08", "1.9", 1), ("2026-03", "-5", 1195), ("2026-08", "-5", 1), ("2026-08", "", 1)],
)  # fmt: skip
def test_limit_of_logs(world: World, generation: str, limit: str, rows: int) -> None:
    tied_runs(world, "wf-triage", 1200, world.now_ms)
    _, page = asker(world, generation)(LOGS, f"{IN_WORKSPACE}&limit={limit}")
    assert len(page["data"]) == rows


def test_an_option_bounds_the_page(world: World) -> None:
    tied_runs(world, "wf-triage", 30, world.now_ms)
    _, page = asker(world, "2026-08", max_limit=7)(LOGS, f"{IN_WORKSPACE}&limit=30")
    assert len(page["data"]) == 7


def test_both_dates_are_inclusive_to_the_millisecond(world: World) -> None:
    for offset in (-1, 0, 1):
        finished_run(world, "wf-triage", plans.plain_plan(), started_ms=world.now_ms + offset)
    moment = "2026-11-20T12:00:00.000Z"
    _, page = asker(world, "2026-08")(LOGS, f"{IN_WORKSPACE}&startDate={moment}&endDate={moment}")
    assert [row["startedAt"] for row in page["data"]] == [moment]


@pytest.mark.parametrize("generation", ["2026-03", "2026-08"])
def test_malformed_date_is_500_on_logs_and_400_on_audit(world: World, generation: str) -> None:
    ask = asker(world, generation)
    assert ask(LOGS, f"{IN_WORKSPACE}&startDate=yesterday")[0].status == 500
    assert ask("/api/v1/audit-logs", "startDate=yesterday")[0].status == 400


def test_false_is_true_on_2026_03(full_world: World) -> None:
    query = f"{IN_WORKSPACE}&details=full&includeTraceSpans=false"
    _, old = asker(full_world, "2026-03")(LOGS, query)
    _, new = asker(full_world, "2026-08")(LOGS, query)
    assert any("traceSpans" in row for row in old["data"])
    assert not any("traceSpans" in row for row in new["data"])


# access -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("workspace", "key", "message"),
    [
        ("nowhere", OWNER_KEY, "Personal API keys are not allowed for this workspace"),
        (LOCKED_WORKSPACE, OWNER_KEY, "Personal API keys are not allowed for this workspace"),
        (WORKSPACE, FREE_KEY, "Access denied"),
        (SECOND_WORKSPACE, WORKSPACE_KEY, "API key is not authorized for this workspace"),
    ],
)
def test_refusals_of_2026_08_are_empty_pages_of_2026_03(
    full_world: World, workspace: str, key: str, message: str
) -> None:
    query = f"workspaceId={workspace}"
    answer, body = asker(full_world, "2026-08")(LOGS, query, key)
    assert (answer.status, body) == (403, {"error": message})
    answer, body = asker(full_world, "2026-03")(LOGS, query, key)
    assert (answer.status, body["data"]) == (200, [])


def test_foreign_run_and_execution_are_404(full_world: World) -> None:
    run = next(iter(full_world.runs_of(WORKSPACE)))
    ask = asker(full_world, "2026-08")
    assert ask(f"{LOGS}/{run.id}", key=FREE_KEY)[0].status == 404
    assert ask(f"{LOGS}/executions/{run.execution_id}", key=FREE_KEY)[0].status == 404


# audit ------------------------------------------------------------------------------------------


def by_end_date(ask: Ask, size: int) -> set[str]:
    """The way around: endDate = last createdAt + 1 ms, seen ids dropped."""
    seen: set[str] = set()
    end = ""
    while True:
        _, body = ask("/api/v1/audit-logs", f"limit={size}{end}")
        fresh = {row["id"] for row in body["data"]} - seen
        if not fresh:
            return seen
        seen |= fresh
        moment = body["data"][-1]["createdAt"]
        end = f"&endDate={moment[:-4]}{int(moment[-4:-1]) + 1:03d}Z"


def test_audit_cursor_loses_rows_of_the_boundary_millisecond(world: World) -> None:
    for second in range(1, 9):
        audit_burst(world, 5, world.now_ms - second * 1000)
    ask = asker(world, "2026-08")
    assert len(walk(ask, "/api/v1/audit-logs", "limit=100")) == 40
    assert len(walk(ask, "/api/v1/audit-logs", "limit=7")) < 40
    assert len(by_end_date(ask, 7)) == 40


def test_end_date_is_compared_at_zero_microseconds(world: World) -> None:
    world.add_audit("workflow.created", world.now_ms * 1000 + 456, workspace_id=WORKSPACE, actor_id="user-olga")
    ask = asker(world, "2026-08")
    start = "startDate=2026-11-20T12:00:00.000Z"
    assert not ask("/api/v1/audit-logs", f"{start}&endDate=2026-11-20T12:00:00.000Z")[1]["data"]
    assert ask("/api/v1/audit-logs", f"{start}&endDate=2026-11-20T12:00:00.001Z")[1]["data"]


def test_list_of_resource_types_works_only_on_2026_08(full_world: World) -> None:
    query = "resourceType=workflow,api_key"
    assert not asker(full_world, "2026-03")("/api/v1/audit-logs", query)[1]["data"]
    assert asker(full_world, "2026-08")("/api/v1/audit-logs", query)[1]["data"]
