"""The benchmark API serves each run once, in either order, page by page, and a workspace that grows."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from bench.server import Api


def ask(api: Api, path: str, **query: str) -> Any:
    status, body, *_ = api.answer(path, query)
    assert status == 200
    return json.loads(body)


def walked(api: Api, workspace: str, **query: str) -> list[dict[str, Any]]:
    """All rows of a list, by its cursor."""
    query |= {"workspaceId": workspace, "limit": "300"}
    page = ask(api, "/api/v1/logs", **query)
    rows: list[dict[str, Any]] = page["data"]
    while page["nextCursor"] is not None:
        assert len(page["data"]) == 300
        page = ask(api, "/api/v1/logs", cursor=page["nextCursor"], **query)
        rows += page["data"]
    return rows


@pytest.mark.parametrize("workspace", ["basic-1000", "march-700", "august-700"])
@pytest.mark.parametrize("details", ["basic", "full"])
def test_a_list_has_every_run_once_in_its_order(workspace: str, details: str) -> None:
    api = Api()
    facts = ask(api, "/bench/prepare", workspace=workspace)
    oldest_first = walked(api, workspace, order="asc", details=details)
    assert len({row["id"] for row in oldest_first}) == len(oldest_first) == facts["rows"]
    assert oldest_first == sorted(oldest_first, key=lambda row: row["startedAt"])
    assert walked(api, workspace, order="desc", details=details) == oldest_first[::-1]
    assert ("traceSpans" in oldest_first[0]) == (details == "full" and not workspace.startswith("basic"))
    assert ask(api, "/bench/requests") == {"list": 2 * -(-facts["rows"] // 300)}


def test_spans_are_those_that_the_rows_hold() -> None:
    def count(spans: list[dict[str, Any]]) -> int:
        return sum(1 + count(span.get("children", [])) for span in spans)

    api = Api()
    rows = walked(api, "march-300", order="asc", details="full")
    assert ask(api, "/bench/prepare", workspace="march-300") == {
        "rows": 300,
        "spans": sum(count(row["traceSpans"]) for row in rows),
    }


def test_a_detail_is_that_of_its_run() -> None:
    api = Api()
    for row in walked(api, "august-50", order="asc"):
        detail = ask(api, f"/api/v1/logs/{row['id']}")["data"]
        assert detail["executionId"] == row["executionId"]
        assert detail["executionData"]["traceSpans"]
    assert api.answer("/api/v1/logs/no-such-run", {})[0] == 404


def test_runs_that_come_later_are_served_only_then_and_started_within_ten_minutes() -> None:
    api, workspace = Api(), "basic-500-200later"
    assert ask(api, "/bench/prepare", workspace=workspace)["rows"] == 500
    before = walked(api, workspace, order="asc")
    assert ask(api, "/bench/grow", workspace=workspace)["rows"] == 700
    after = walked(api, workspace, order="asc")
    assert after[:500] == before
    assert len(after) == 700
    new = walked(api, workspace, order="asc", startDate=after[500]["startedAt"])
    assert new == after[500:]
    starts = [datetime.fromisoformat(row["startedAt"]) for row in (before[-1], new[0], new[-1])]
    assert starts == sorted(starts)
    assert starts[2] - starts[1] < timedelta(minutes=10)
