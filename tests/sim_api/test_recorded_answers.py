"""Every recorded request, asked again here, is answered alike: status, shape, words of errors, headers."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest

from pipelines.sim_api import (
    FOREIGN_WORKSPACE,
    FREE_KEY,
    MEMBER_KEY,
    OWNER_KEY,
    WORKSPACE,
    WORKSPACE_KEY,
    RateLimit,
    SimRun,
    World,
)
from tests.sim_api.conftest import asker
from tests.sim_api.recorded import ALL, WHY_SKIPPED, Recording, recordings
from tests.sim_api.shapes import differences

KEYS = {
    "personalOwner": OWNER_KEY,
    "personalMember": MEMBER_KEY,
    "personalFree": FREE_KEY,
    "workspaceA": WORKSPACE_KEY,
    "None": None,
}
WORKSPACES = {
    "11111111-1111-4111-8111-111111111111": WORKSPACE,
    "22222222-2222-4222-8222-222222222222": FOREIGN_WORKSPACE,
}
KINDS = {"nocost": "plain", "tool_with_cost": "tool", "2025-09_style_row": "old"}
# The recorder could not authenticate here, as the 401 says; that is not a rule of the server.
NOT_THE_SERVERS = {"2026-03-usage_limits_while_rate_limited"}
# Agents that were recorded without their cost: their spans are no model of others.
ODD_SPANS = ("nocost", "file")
# What the recorder's runs had or lacked by its own choice: a correlation on every seventh run, tool segments
# without input, files only on 2026-03, and five unfinished runs as the newest.
OPTIONAL = re.compile(
    r"correlation|trigger: data|children\[1\]: (input|output) |data: files"
    r"|data\[\d\]: (finalOutput|traceSpans)"
)
HANDWRITTEN = re.compile(r"executionData: |children\[0\]|pricing")


def run_of_kind(world: World, name: str) -> SimRun | None:
    """The run that stands for the one a recording is about."""
    runs = {run.workflow.id: run for run in world.runs.values()}
    if "deleted_workflow" in name:
        return runs["wf-gone"]
    if "other_workspace" in name:
        return runs["wf-hobby"]
    kinds = (*KINDS, "multi", "tool", "fail", "file", "running", "paused")
    kind = next((kind for kind in kinds if name.endswith(kind)), None)
    return world.runs[f"wf-triage.{KINDS.get(kind, kind)}"] if kind else None


def translated(world: World, recording: Recording) -> tuple[str, str, str | None]:
    """Path, query and key of the recorded request, with this world's ids."""
    path, query = recording.path, recording.query
    for theirs, ours in WORKSPACES.items():
        query = query.replace(theirs, ours)
    run = run_of_kind(world, recording.name)
    if run is not None:
        for theirs in parse_qs(query).get("executionId", []):
            query = query.replace(theirs, run.execution_id)
        last = path.rpartition("/")[2]
        if path.startswith("/api/v1/logs/"):
            path = path.replace(last, run.execution_id if "/executions/" in path else run.id)
    path = path.replace("aaaaaaaa-0001-4000-8000-000000000001", "wf-triage")
    path = path.replace("bbbbbbbb-0004-4000-8000-000000000004", "wf-hobby")
    if path.startswith("/api/v1/audit-logs/") and recording.status != 404:
        path = f"/api/v1/audit-logs/{world.audit[-1].id}"
    given = recording.key
    if given is None:
        known = {"usage_limits_bad_key": "sk-sim-nope", "usage_limits_free": FREE_KEY}
        return path, query, known.get(recording.name, OWNER_KEY)
    return path, query, KEYS.get(given, given)


@pytest.fixture
def replay(full_world: World) -> Callable[[Recording], tuple[Any, Any]]:
    def ask(recording: Recording) -> tuple[Any, Any]:
        limit = RateLimit(rate=0, capacity=0) if recording.status == 429 else None
        path, query, key = translated(full_world, recording)
        return asker(full_world, recording.generation, limit)(path, query, key)

    return ask


def test_the_whole_set_is_replayed() -> None:
    if not ALL.is_dir():
        pytest.skip(WHY_SKIPPED)
    assert len(recordings()) > 200


@pytest.mark.parametrize("recording", recordings(), ids=lambda recording: recording.id)
def test_recorded_request_is_answered_alike(
    recording: Recording, replay: Callable[[Recording], tuple[Any, Any]]
) -> None:
    if recording.id in NOT_THE_SERVERS:
        pytest.skip("the recorder's own mistake")
    answer, body = replay(recording)
    assert answer.status == recording.status
    theirs = {name for name in recording.headers if name not in ("date", "content-length", "content-type")}
    assert set(answer.headers) == theirs
    if recording.status >= 400 and recording.status != 429:
        assert body == recording.body
        return
    found = differences(recording.body, body)
    if any(odd in recording.name for odd in ODD_SPANS):
        found = [line for line in found if "Spans" not in line and "executionData" not in line]
    if "2025-09" in recording.name:
        found = [line for line in found if not HANDWRITTEN.search(line)]
    # Whether a page is the last depends on the number of rows, not on the server.
    found = [line for line in found if "nextCursor" not in line and not OPTIONAL.search(line)]
    assert not found
