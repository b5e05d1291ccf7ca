"""Each value of an answer lands in its column: rows are tuples, for speed, and a slip of one place would go unseen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from sim_source import TABLES, account_tables, jsons, run_tables
from sim_source.api import decode, wire
from sim_source.rows import account_rows, billing_rows, runs, snapshots
from sim_source.rows.run_rows import RunOptions, RunRows
from sim_source.schema import Row, Table


def at(minute: int) -> datetime:
    return datetime(2026, 11, 2, 12, minute, tzinfo=UTC)


def iso(minute: int) -> str:
    return at(minute).isoformat().replace("+00:00", "Z")


def usd(text: str) -> Decimal:
    return Decimal(text)


SPAN = {
    "id": "span-1", "blockId": "block-1", "name": "Writer", "type": "agent", "status": "error",
    "model": "gpt-4o", "provider": "openai", "startTime": iso(1), "endTime": iso(2), "duration": 101.5,
    "tokens": {"input": 11, "output": 12, "total": 13, "cacheRead": 14, "cacheWrite": 15, "reasoning": 16},
    "cost": {"input": 0.1, "output": 0.2, "total": 0.3}, "finishReason": "stop", "ttft": 17.5,
    "childExecutionId": "exec-2", "loopId": "loop-1", "parallelId": "parallel-1", "iterationIndex": 18,
    "errorType": "RateLimit", "errorMessage": "slow down", "input": {"prompt": "in"},
    "output": {"content": "out"}, "tries": 19, "children": [{"id": "span-2", "name": "child", "type": "function"}],
}  # fmt: skip
LISTED = {
    "id": "log-1", "workflowId": "wf-1", "executionId": "exec-1", "deploymentVersionId": "dep-1", "level": "error",
    "trigger": "api", "startedAt": iso(3), "endedAt": iso(4), "totalDurationMs": 205,
    "cost": {"total": 0.305}, "files": [{"key": "file-1"}], "workflow": {"id": "wf-1", "name": "Listed name"},
    "region": "eu",
}  # fmt: skip
DETAIL = LISTED | {
    "workflow": {"id": "wf-1", "name": "Flow", "description": "What it does", "folderId": "folder-1", "deleted": True},
    "createdAt": iso(5),
    "cost": {
        "total": 0.305,
        "models": {
            "gpt-4o": {"input": 0.1, "output": 0.15, "toolCost": 0.05, "total": 0.3,
                       "tokens": {"prompt": 21, "completion": 22, "total": 43}, "pricing": {"input": 2.5}},
        },
        "tokens": {"prompt": 31, "completion": 32, "total": 63},
    },
    "executionData": {
        "traceSpans": [SPAN], "finalOutput": {"answer": 42}, "finalizationPath": "completed",
        "error": {"message": "it broke"}, "environment": {"a": 1},
        "tokens": {"prompt": 31, "completion": 32, "total": 63},
    },
}  # fmt: skip
EXECUTION = {
    "executionId": "exec-1", "workflowId": "wf-1",
    "workflowState": {"blocks": {"b": {"id": "b"}}, "edges": [{"id": "e"}], "loops": {"l": {}}, "parallels": {"p": {}},
                      "variables": {"v": {"name": "v"}}, "metadata": {"m": 1}},
    "executionMetadata": {"trigger": "api", "startedAt": iso(3), "endedAt": iso(4), "totalDurationMs": 205,
                          "cost": {"total": 0.305, "input": 0.1}},
}  # fmt: skip
AUDIT = {
    "id": "audit-1", "workspaceId": "ws-1", "actorId": "user-1", "actorName": "Olga", "actorEmail": "olga@example.com",
    "action": "file.deleted", "resourceType": "file", "resourceId": "file-1", "resourceName": "report.pdf",
    "description": "deleted a file", "metadata": {"bytes": 7}, "createdAt": iso(6), "region": "eu",
}  # fmt: skip
WORKFLOW = {
    "id": "wf-1", "workspaceId": "ws-1", "name": "Flow", "description": "What it does", "folderId": "folder-1",
    "color": "#fff", "isDeployed": True, "deployedAt": iso(7), "runCount": 23, "lastRunAt": iso(8), "createdAt": iso(9),
    "updatedAt": iso(10), "region": "eu",
}  # fmt: skip
USAGE = {
    "success": True,
    "rateLimit": {
        "sync": {"isLimited": True, "requestsPerMinute": 41, "maxBurst": 42, "remaining": 43, "resetAt": iso(11)},
        "async": {"isLimited": False, "requestsPerMinute": 51, "maxBurst": 52, "remaining": 53, "resetAt": iso(12)},
    },
    "usage": {"currentPeriodCost": 6.1, "limit": 62, "plan": "team"},
    "storage": {"usedBytes": 71, "limitBytes": 72, "percentUsed": 73.5},
}  # fmt: skip

SPACE = {
    "id": "ws-1", "name": "Team", "memberCount": 4, "color": "#fff", "createdAt": iso(1), "updatedAt": iso(2),
}  # fmt: skip
VERSION = {
    "id": "dep-1", "version": 3, "name": "v3", "description": "faster", "isActive": True, "createdAt": iso(4),
    "deployedBy": "Olga", "latestOperationStatus": "active", "region": "eu",
}  # fmt: skip
EVENT = {
    "id": "event-1", "createdAt": iso(5), "source": "workflow", "workspaceId": "ws-1", "runId": "exec-1",
    "workflow": {"id": "wf-1", "name": "Flow"}, "creditCost": 7, "region": "eu",
}  # fmt: skip
STATUS = {
    "workspaceId": "ws-1", "period": {"start": iso(1), "end": iso(2)}, "plan": "team", "status": "active",
    "credits": {"used": 81, "limit": 100, "remaining": 19},
    "storage": {"usedBytes": 71, "limitBytes": 72, "percentUsed": 73.5}, "region": "eu",
}  # fmt: skip


def read(answer: Mapping[str, Any], kind: Any) -> Any:
    return decode.one(jsons.encode(answer), kind)


def run_read(detail: bool = True) -> RunRows:
    found = read(DETAIL, wire.Run) if detail else None
    return runs.read_run(read(LISTED, wire.Run), "ws-1", RunOptions(payloads="full"), found)


def audit_row() -> Row:
    return account_rows.audit_row(read(AUDIT, wire.AuditLog))


def workflow_row() -> Row:
    return account_rows.workflow_row(read(WORKFLOW, wire.Workflow), "another", "/team/flows")


def usage_row() -> Row:
    return account_rows.usage_row(read(USAGE, wire.Usage), at(0))


def snapshot() -> snapshots.SnapshotRows:
    return snapshots.read_snapshot(read(EXECUTION, wire.Execution), "ws-1")


def rejected() -> Row:
    return account_rows.rejected_row("logs", "log-1", b'{"id": "log-1"}', "no start", "ws-1", at(0))


STATE = EXECUTION["workflowState"]
DIGEST = hashlib.sha256(json.dumps(STATE, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

LOG = {
    "id": "log-1", "workspace_id": "ws-1", "execution_id": "exec-1", "workflow_id": "wf-1", "workflow_name": "Flow",
    "deployment_version_id": "dep-1", "level": "error", "trigger": "api", "status": "failed", "started_at": at(3),
    "ended_at": at(4), "total_duration_ms": 205, "cost_total": usd("0.305"), "files": [{"key": "file-1"}],
    "extra": {"region": "eu"},
}  # fmt: skip
EXPECTED: list[tuple[str, Table, Any, dict[str, Any]]] = [
    ("logs", run_tables.LOGS, lambda: run_read().log, LOG),
    (
        "logs, plain",
        run_tables.LOGS,
        lambda: runs.read_run(read(LISTED, wire.Run), "ws-1", RunOptions(logs_only=True)).log,
        LOG | {"workflow_name": "Listed name"},
    ),
    (
        "log_details", run_tables.LOG_DETAILS, lambda: run_read().detail,
        {
            "id": "log-1", "workspace_id": "ws-1", "detail_source": "detail", "execution_id": "exec-1",
            "workflow_id": "wf-1", "workflow_name": "Flow", "workflow_description": "What it does",
            "workflow_folder_id": "folder-1", "workflow_deleted": True, "finalization_path": "completed",
            "error": "it broke", "prompt_tokens": 31, "completion_tokens": 32, "total_tokens": 63,
            "cost_total": usd("0.305"), "span_count": 2, "final_output": {"answer": 42},
            "execution_data": {"environment": {"a": 1}}, "created_at": at(5),
        },
    ),
    (
        "cost_items", run_tables.COST_ITEMS, lambda: next(item for item in run_read().items if item[1] == "model"),
        {
            "log_id": "log-1", "kind": "model", "name": "gpt-4o", "workspace_id": "ws-1", "workflow_id": "wf-1",
            "execution_id": "exec-1", "started_at": at(3), "input_cost": usd("0.1"), "output_cost": usd("0.15"),
            "tool_cost": usd("0.05"), "total_cost": usd("0.3"), "prompt_tokens": 21, "completion_tokens": 22,
            "total_tokens": 43, "extra": {"pricing": {"input": 2.5}},
        },
    ),
    (
        "trace_spans", run_tables.TRACE_SPANS, lambda: run_read().spans[0],
        {
            "log_id": "log-1", "span_index": 0, "workspace_id": "ws-1", "parent_index": None, "depth": 0,
            "span_id": "span-1", "block_id": "block-1", "name": "Writer", "type": "agent", "status": "error",
            "model": "gpt-4o", "provider": "openai", "started_at": at(1), "ended_at": at(2), "duration_ms": 101.5,
            "prompt_tokens": 11, "completion_tokens": 12, "total_tokens": 13, "cache_read_tokens": 14,
            "cache_write_tokens": 15, "reasoning_tokens": 16, "total_cost": usd("0.3"), "finish_reason": "stop",
            "ttft_ms": 17.5, "loop_id": "loop-1", "parallel_id": "parallel-1", "iteration_index": 18,
            "child_execution_id": "exec-2",
            "error_type": "RateLimit", "error_message": "slow down", "input": {"prompt": "in"},
            "output": {"content": "out"}, "extra": {"tries": 19, "inputCost": 0.1, "outputCost": 0.2},
        },
    ),
    (
        "trace_spans, a child", run_tables.TRACE_SPANS, lambda: run_read().spans[1],
        {
            "log_id": "log-1", "span_index": 1, "workspace_id": "ws-1", "parent_index": 0, "depth": 1,
            "span_id": "span-2", "name": "child", "type": "function",
        },
    ),
    (
        "execution_snapshots", run_tables.EXECUTION_SNAPSHOTS, lambda: snapshot().snapshot,
        {
            "execution_id": "exec-1", "workspace_id": "ws-1", "workflow_id": "wf-1", "state_hash": DIGEST,
            "trigger": "api", "started_at": at(3), "ended_at": at(4), "total_duration_ms": 205,
            "cost_total": usd("0.305"), "extra": {"executionMetadata": {"cost": {"input": 0.1}}},
        },
    ),
    (
        "execution_snapshots, gone", run_tables.EXECUTION_SNAPSHOTS,
        lambda: snapshots.gone_snapshot("exec-1", "ws-1", "wf-1").snapshot,
        {"execution_id": "exec-1", "workspace_id": "ws-1", "workflow_id": "wf-1"},
    ),
    (
        "workflow_states", run_tables.WORKFLOW_STATES, lambda: snapshot().state,
        {
            "state_hash": DIGEST, "workspace_id": "ws-1", "workflow_id": "wf-1", "blocks": {"b": {"id": "b"}},
            "edges": [{"id": "e"}], "loops": {"l": {}}, "parallels": {"p": {}}, "variables": {"v": {"name": "v"}},
            "block_count": 1, "extra": {"metadata": {"m": 1}},
        },
    ),
    (
        "audit_logs", account_tables.AUDIT_LOGS, audit_row,
        {
            "id": "audit-1", "workspace_id": "ws-1", "actor_id": "user-1", "actor_name": "Olga",
            "actor_email": "olga@example.com", "action": "file.deleted", "resource_type": "file",
            "resource_id": "file-1", "resource_name": "report.pdf", "description": "deleted a file",
            "metadata": {"bytes": 7}, "created_at": at(6), "account": "default",
            "extra": {"region": "eu"},
        },
    ),
    (
        "workflows", account_tables.WORKFLOWS, workflow_row,
        {
            "id": "wf-1", "workspace_id": "ws-1", "name": "Flow", "description": "What it does",
            "folder_id": "folder-1", "folder_path": "/team/flows", "color": "#fff", "is_deployed": True,
            "deployed_at": at(7), "run_count": 23, "last_run_at": at(8), "created_at": at(9),
            "updated_at": at(10), "extra": {"region": "eu"},
        },
    ),
    (
        "usage", account_tables.USAGE, usage_row,
        {
            "observed_at": at(0), "plan": "team", "current_period_cost": usd("6.1"), "usage_limit": usd("62"),
            "sync_is_limited": True, "sync_requests_per_minute": 41, "sync_max_burst": 42, "sync_remaining": 43,
            "sync_reset_at": at(11), "async_is_limited": False, "async_requests_per_minute": 51, "async_max_burst": 52,
            "async_remaining": 53, "async_reset_at": at(12), "storage_used_bytes": 71, "storage_limit_bytes": 72,
            "storage_percent_used": 73.5, "account": "default",
        },
    ),
    (
        "workspaces", account_tables.WORKSPACES,
        lambda: billing_rows.workspace_row(read(SPACE, wire.ReadableWorkspace)),
        {
            "id": "ws-1", "workspace_id": "ws-1", "name": "Team", "member_count": 4, "created_at": at(1),
            "updated_at": at(2), "extra": {"color": "#fff"},
        },
    ),
    (
        "workflow_versions", account_tables.WORKFLOW_VERSIONS,
        lambda: billing_rows.version_row(read(VERSION, wire.WorkflowVersion), "ws-1", "wf-1"),
        {
            "id": "dep-1", "workspace_id": "ws-1", "workflow_id": "wf-1", "version": 3, "name": "v3",
            "description": "faster", "is_active": True, "deployed_by": "Olga", "latest_operation_status": "active",
            "created_at": at(4), "extra": {"region": "eu"},
        },
    ),
    (
        "billing_logs", account_tables.BILLING_LOGS, lambda: billing_rows.ledger_row(read(EVENT, wire.BillingEvent)),
        {
            "id": "event-1", "workspace_id": "ws-1", "created_at": at(5), "source": "workflow", "workflow_id": "wf-1",
            "workflow_name": "Flow", "execution_id": "exec-1", "credits": 7, "cost_usd": usd("0.035"),
            "extra": {"region": "eu"},
        },
    ),
    (
        "billing_status", account_tables.BILLING_STATUS,
        lambda: billing_rows.status_row(read(STATUS, wire.BillingStatus), "ws-1", at(0)),
        {
            "observed_at": at(0), "workspace_id": "ws-1", "plan": "team", "status": "active", "period_start": at(1),
            "period_end": at(2), "credits_used": 81, "credits_limit": 100, "credits_remaining": 19,
            "storage_used_bytes": 71, "storage_limit_bytes": 72, "storage_percent_used": 73.5, "account": "default",
            "extra": {"region": "eu"},
        },
    ),
    (
        "rejected_rows", account_tables.REJECTED_ROWS, rejected,
        {
            "table_name": "logs", "record_id": "log-1", "seen_at": at(0), "workspace_id": "ws-1", "reason": "no start",
            "row_json": {"id": "log-1"},
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("table", "row", "expected"), [case[1:] for case in EXPECTED], ids=[case[0] for case in EXPECTED]
)
def test_each_value_lands_in_its_column(table: Table, row: Any, expected: dict[str, Any]) -> None:
    """Columns that are not named here are null."""
    assert not expected.keys() - set(table.column_names)
    found = {
        column.name: value if column.kind != "json" or value is None else json.loads(value)
        for column, value in zip(table.columns, row(), strict=True)
    }
    assert found == dict.fromkeys(table.column_names) | expected


@pytest.mark.parametrize("name", TABLES)
def test_together_the_cases_have_a_value_for_every_column(name: str) -> None:
    told = {column for _, table, _, expected in EXPECTED if table.name == name for column in expected}
    missing = set(TABLES[name].column_names) - told
    assert missing <= {
        "logs": {"v2_status"},
        "usage": {"workspace_id", "extra"},
        "log_details": {"extra"},
        "rejected_rows": {"extra"},
    }.get(name, set())
