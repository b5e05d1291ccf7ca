"""Many audit logs of one moment, people who left, and lists without end: as recorded, or worse."""

from __future__ import annotations

from collections import Counter
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from pipelines.sim_api import SECOND_WORKSPACE, WORKSPACE, EmbeddedApi, Fault, Faults, World, audit_bulk, dialect
from pipelines.sim_api.http import faults
from tests.helpers import recorded
from tests.sim_api.conftest import Ask, asker

AUDIT = "/api/v1/audit-logs"
THEIRS = {"user-owner": "user-olga", "user-member": "user-mika",
          "11111111-1111-4111-8111-111111111111": WORKSPACE,
          "22222222-2222-4222-8222-222222222222": SECOND_WORKSPACE}  # fmt: skip


def burst(world: World) -> str:
    """The recorded burst, and how to ask for its millisecond."""
    audit_bulk(world, 260, (world.now_ms - 1000) * 1000 + 321)
    return "limit=100&startDate=2026-11-20T11:59:59.000Z&endDate=2026-11-20T11:59:59.001Z"


def kinds(rows: list[dict[str, Any]]) -> set[tuple[str, ...]]:
    return {
        (row["action"], row["resourceType"], THEIRS.get(row["actorId"], row["actorId"]),
         THEIRS.get(row["workspaceId"], row["workspaceId"]))
        for row in rows
    }  # fmt: skip


def test_a_burst_is_shown_as_recorded(world: World) -> None:
    ask, query = asker(world, "2026-08"), burst(world)
    _, page = ask(AUDIT, query)
    theirs = recorded.answer("v0.8.9", "audit_burst_page").json
    assert (len(page["data"]), kinds(page["data"])) == (len(theirs["data"]), kinds(theirs["data"]))
    assert set(page["data"][0]) == set(theirs["data"][0])
    assert [row["id"] for row in page["data"]] == sorted((row["id"] for row in page["data"]), reverse=True)
    assert [row["id"] for row in theirs["data"]] == sorted((row["id"] for row in theirs["data"]), reverse=True)
    _, behind = ask(AUDIT, f"{query}&cursor={quote(page['nextCursor'])}")
    assert behind["data"] == recorded.answer("v0.8.9", "audit_burst_cursor_p1").json["data"] == []
    _, narrower = ask(AUDIT, f"{query}&action=workflow.updated&actorId=user-olga")
    theirs = recorded.answer("v0.8.9", "audit_burst_by_actor").json
    assert (len(narrower["data"]), kinds(narrower["data"])) == (len(theirs["data"]), kinds(theirs["data"]))
    assert "nextCursor" not in narrower
    assert "nextCursor" not in theirs


def of_mika(ask: Ask, query: str) -> Counter[bool]:
    return Counter(row["actorId"] == "user-mika" for row in ask(AUDIT, query)[1]["data"])


@pytest.mark.parametrize("name", ["2026-03", "2026-08", "documents"])
def test_rows_of_people_who_left_are_shown_only_when_asked_for(world: World, name: str) -> None:
    ask, query = asker(world, name), burst(world)
    assert of_mika(ask, query)[True]
    world.remove_user("user-mika")
    assert not of_mika(ask, query)[True]
    assert of_mika(ask, f"{query}&includeDeparted=true")[True]
    answer, body = ask(AUDIT, f"{query}&includeDeparted=true&actorId=user-mika")
    assert (answer.status, body) == (400, {"error": "actorId is not a member of your organization"})


@pytest.mark.parametrize(
    ("fault", "rows", "cursors"),
    [
        (faults.endless(), 100, {"x"}),
        (faults.endless(cursor="new"), 100, {"x1", "x2", "x3"}),
        (faults.endless(empty=True), 0, {"x"}),
    ],
    ids=["one page", "one page, other cursors", "empty"],
)
def test_a_list_without_end_shows_the_same_page_whatever_is_asked(
    world: World, fault: Fault, rows: int, cursors: set[str]
) -> None:
    query = burst(world)
    api = EmbeddedApi(world, dialect("2026-08"), faults=Faults().always(fault, path=AUDIT))
    pages = [
        msgspec.json.decode(api.answer("GET", AUDIT, asked, "sk-sim-demo-owner", api.faults.pick(AUDIT, asked)).body)
        for asked in (query, f"{query}&cursor=x", f"{query}&action=none")
    ]
    assert [len(page["data"]) for page in pages] == [rows] * 3
    assert pages[0]["data"] == pages[1]["data"] == pages[2]["data"]
    assert {page["nextCursor"] for page in pages} == cursors
    other = api.answer("GET", "/api/v1/workflows", f"workspaceId={WORKSPACE}", "sk-sim-demo-owner", None)
    assert "nextCursor" not in msgspec.json.decode(other.body)
