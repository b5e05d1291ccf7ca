"""The `documents` dialect answers what the published OpenAPI document describes."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pipelines.sim_api import WORKSPACE, World
from tests.sim_api.conftest import asker

DOCUMENT = Path(__file__).parent / "sim-openapi.json"
"""Sim's published OpenAPI document (Apache-2.0)."""
FULL = f"workspaceId={WORKSPACE}&details=full&includeTraceSpans=true&includeFinalOutput=true"

PATHS = {
    "/api/v1/logs": FULL,
    "/api/v1/logs/{id}": "",
    "/api/v1/logs/executions/{executionId}": "",
    "/api/v1/audit-logs": "limit=5",
    "/api/v1/audit-logs/{id}": "",
    "/api/v1/workflows": f"workspaceId={WORKSPACE}&limit=1",
    "/api/v1/workflows/{id}": "",
    "/api/users/me/usage-limits": "",
}


def with_null(schema: Any) -> Any:
    """The document calls itself OpenAPI 3.1 but says `nullable`, as 3.0 did."""
    if isinstance(schema, list):
        return [with_null(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: with_null(value) for key, value in schema.items() if key != "example"}
    if schema.get("nullable") is True:
        made["type"] = [schema["type"], "null"]
    return made


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return with_null(json.loads(DOCUMENT.read_text()))


def check(document: dict[str, Any], path: str, status: int, body: Any) -> None:
    response = document["paths"][path]["get"]["responses"][str(status)]
    if "$ref" in response:
        response = document["components"]["responses"][response["$ref"].rpartition("/")[2]]
    schema = {**response["content"]["application/json"]["schema"], "components": document["components"]}
    jsonschema.Draft202012Validator(schema).validate(body)


@pytest.fixture
def finished_world(full_world: World) -> World:
    """The document knows no nulls of unfinished, deleted or uncharged runs: those are only recorded."""
    for run in list(full_world.runs_of(WORKSPACE)):
        if run.total_cost is None or run.workflow.deleted or run.ended_ms is None:
            full_world.purge_run(run.id)
    return full_world


@pytest.mark.parametrize("path", PATHS)
def test_answer_is_valid(document: dict[str, Any], finished_world: World, path: str) -> None:
    ask = asker(finished_world, "documents")
    run = finished_world.runs["wf-triage.file"]
    ids = {"executionId": run.execution_id, "id": run.id}
    if "audit" in path:
        ids["id"] = finished_world.audit[-1].id
    if "workflows" in path:
        ids["id"] = "wf-triage"
    answer, body = ask(path.format(**ids), PATHS[path])
    assert answer.status == 200
    check(document, path, 200, body)


@pytest.mark.parametrize(
    ("path", "query", "key", "status"),
    [
        ("/api/v1/logs", "", "sk-sim-demo-owner", 400),
        ("/api/v1/logs", f"workspaceId={WORKSPACE}", None, 401),
        ("/api/v1/audit-logs", "", "sk-sim-demo-member", 403),
        ("/api/v1/audit-logs", "limit=0", "sk-sim-demo-owner", 400),
    ],
)
def test_error_is_valid(
    document: dict[str, Any], full_world: World, path: str, query: str, key: str | None, status: int
) -> None:
    answer, body = asker(full_world, "documents")(path, query, key)
    assert answer.status == status
    check(document, path, status, body)


def test_every_described_parameter_is_read(document: dict[str, Any], full_world: World) -> None:
    """Each filter narrows the list, none is an unknown word."""
    ask = asker(full_world, "2026-08")
    values = {
        "workflowIds": "wf-report", "folderIds": "folder-1", "triggers": "chat", "level": "error",
        "startDate": "2026-11-20T11:59:30Z", "endDate": "2026-11-20T00:00:00Z", "executionId": "x",
        "minDurationMs": "999999999", "maxDurationMs": "1", "minCost": "9", "maxCost": "0.001",
        "model": "claude-sonnet-4-5", "limit": "2",
    }  # fmt: skip
    _, everything = ask("/api/v1/logs", f"workspaceId={WORKSPACE}")
    described = {p["name"] for p in document["paths"]["/api/v1/logs"]["get"]["parameters"]}
    shaping = {"workspaceId", "details", "includeTraceSpans", "includeFinalOutput", "cursor", "order"}
    assert described - shaping == set(values)
    for name, value in values.items():
        answer, body = ask("/api/v1/logs", f"workspaceId={WORKSPACE}&{name}={value}")
        assert answer.status == 200
        assert len(body["data"]) < len(everything["data"]), name


def test_cost_and_tokens_have_the_documents_form(full_world: World) -> None:
    ask = asker(full_world, "documents")
    _, page = ask("/api/v1/logs", FULL)
    row = next(row for row in page["data"] if row["id"] == "wf-triage.multi")
    assert row["cost"] == {"total": 0.030100000000000002}
    _, body = ask("/api/v1/logs/wf-triage.multi")
    cost = body["data"]["cost"]
    assert set(cost) == {"total", "tokens", "models"}
    assert cost["tokens"] == {"prompt": 2400, "completion": 680, "total": 3080}
    assert set(cost["models"]["gpt-4o"]) == {"input", "output", "total", "tokens"}
    assert "models" not in body["data"]["executionData"]
