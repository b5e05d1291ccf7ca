"""The tables are those of the contract: names, keys, columns, kinds, descriptions, hints."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pyarrow as pa
import pytest

from sim_source import TABLES
from sim_source.api import wire
from sim_source.rows import account_rows, run_rows, runs, snapshots
from sim_source.schema import Table

CONTRACT = {
    "logs": (
        "id",
        "execution_id, workflow_id, workflow_name, deployment_version_id, level, trigger, status, v2_status, "
        "started_at, ended_at, total_duration_ms, cost_total, files",
    ),
    "log_details": (
        "id",
        "detail_source, execution_id, workflow_id, workflow_name, workflow_description, workflow_folder_id, "
        "workflow_deleted, finalization_path, error, prompt_tokens, completion_tokens, total_tokens, cost_total, "
        "span_count, final_output, execution_data, created_at",
    ),
    "cost_items": (
        "log_id, kind, name",
        "workflow_id, execution_id, started_at, input_cost, output_cost, tool_cost, total_cost, prompt_tokens, "
        "completion_tokens, total_tokens",
    ),
    "trace_spans": (
        "log_id, span_index",
        "parent_index, depth, span_id, block_id, name, type, status, model, provider, started_at, ended_at, "
        "duration_ms, prompt_tokens, completion_tokens, total_tokens, cache_read_tokens, cache_write_tokens, "
        "reasoning_tokens, total_cost, finish_reason, ttft_ms, loop_id, parallel_id, iteration_index, "
        "child_execution_id, error_type, error_message, input, output",
    ),
    "execution_snapshots": (
        "execution_id",
        "workflow_id, state_hash, trigger, started_at, ended_at, total_duration_ms, cost_total",
    ),
    "workflow_states": ("state_hash", "workflow_id, blocks, edges, loops, parallels, variables, block_count"),
    "audit_logs": (
        "id",
        "actor_id, actor_name, actor_email, action, resource_type, resource_id, resource_name, description, metadata, "
        "created_at, account",
    ),
    "usage": (
        "observed_at, account",
        "plan, current_period_cost, usage_limit, sync_is_limited, sync_requests_per_minute, sync_max_burst, "
        "sync_remaining, sync_reset_at, async_is_limited, async_requests_per_minute, async_max_burst, async_remaining, "
        "async_reset_at, storage_used_bytes, storage_limit_bytes, storage_percent_used",
    ),
    "rejected_rows": ("table_name, record_id, seen_at", "reason, row_json"),
    "workflows": (
        "id",
        "name, description, folder_id, folder_path, color, is_deployed, deployed_at, run_count, last_run_at, "
        "created_at, updated_at",
    ),
    "workspaces": ("id", "name, member_count, created_at, updated_at"),
    "workflow_versions": (
        "id",
        "workflow_id, version, name, description, is_active, deployed_by, latest_operation_status, created_at",
    ),
    "billing_logs": (
        "id",
        "created_at, source, workflow_id, workflow_name, execution_id, credits, cost_usd",
    ),
    "billing_status": (
        "observed_at, workspace_id",
        "plan, status, period_start, period_end, credits_used, credits_limit, credits_remaining, storage_used_bytes, "
        "storage_limit_bytes, storage_percent_used, account",
    ),
}
"""Key and columns by table; every table has workspace_id and extra besides."""

each_table = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())


def test_the_tables_are_those_of_the_contract() -> None:
    assert TABLES.keys() == CONTRACT.keys()


@each_table
def test_columns_are_exactly_those_of_the_contract(table: Table) -> None:
    key, columns = CONTRACT[table.name]
    assert list(table.key) == key.split(", ")
    names = [*dict.fromkeys([*key.split(", "), "workspace_id"]), *columns.split(", "), "extra"]
    assert sorted(table.column_names) == sorted(names)
    assert len(set(table.column_names)) == len(table.column_names)


@each_table
def test_every_table_and_column_is_described(table: Table) -> None:
    assert table.description
    for column in table.columns:
        assert len(column.description) >= 3, column.name
        if column.kind == "money":
            assert "USD" in column.description, column.name
        hint = table.hints()["columns"][column.name]
        assert hint["description"] == column.description


@each_table
def test_keys_are_never_null_and_all_else_may_be(table: Table) -> None:
    assert {field.name for field in table.schema if not field.nullable} == set(table.key) - {"account"}
    assert table.hints()["primary_key"] == list(table.key)


@each_table
def test_money_is_decimal_and_moments_are_utc(table: Table) -> None:
    for column, field in zip(table.columns, table.schema, strict=True):
        if column.name.endswith(("_cost", "cost_total")) or column.kind == "money":
            assert field.type == pa.decimal128(38, 12), column.name
        if column.name.endswith("_at"):
            assert field.type == pa.timestamp("us", tz="UTC"), column.name
        assert not (column.kind == "double" and "cost" in column.name)


@each_table
@pytest.mark.parametrize(
    ("strategies", "chosen"),
    [
        (("delete-insert", "upsert", "scd2"), "delete-insert"),
        (("upsert",), "upsert"),
        ((), "delete-insert"),
    ],
    ids=["both", "upsert only", "not known"],
)
def test_the_merge_strategy_is_one_the_destination_has(table: Table, strategies: tuple[str, ...], chosen: str) -> None:
    hints = table.hints(strategies)
    assert hints["write_disposition"] == {"disposition": "merge", "strategy": chosen}
    family = {"cost_items": "log_id", "trace_spans": "log_id"}.get(table.name)
    assert hints.get("merge_key") == (family if chosen == "delete-insert" else None)


@each_table
def test_an_empty_table_has_all_columns(table: Table) -> None:
    assert table.empty().num_rows == 0
    assert table.empty().schema.names == list(table.column_names)


def test_rows_of_every_builder_have_the_width_of_their_table() -> None:
    """A tuple one short would shift every column behind it."""
    now = datetime(2026, 11, 20, tzinfo=UTC)

    trace = msgspec.Raw(b'[{"name": "s", "model": "m", "cost": {}}]')
    run = runs.read_run(wire.Run(id="r", started_at=now, trace_spans=trace), "ws", run_rows.RunOptions())
    found = {
        "logs": run.log,
        "log_details": run.detail,
        "trace_spans": run.spans[0],
        "execution_snapshots": snapshots.gone_snapshot("x", "ws", None).snapshot,
        "audit_logs": account_rows.audit_row(wire.AuditLog(id="a", created_at=now)),
        "workflows": account_rows.workflow_row(wire.Workflow(id="w"), "ws"),
        "usage": account_rows.usage_row(wire.Usage(), now),
        "rejected_rows": account_rows.rejected_row("logs", None, b"{}", "odd", "ws", now),
    }
    for name, row in found.items():
        table = TABLES[name].arrow([[value] for value in row])
        assert table.num_rows == 1, name
