"""The status of every recorded run of all three servers, from its list row alone and with its detail.

The right values are those of the life of a run as Sim's servers keep it; ``cancelled_directly``,
``paused_then_cancelled`` and ``resume_attempt_failed`` are as near as v1 comes: only v2 names their end.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sim_source import jsons
from sim_source.api import decode, wire
from sim_source.parallel import worker
from sim_source.rows import run_rows, runs
from tests.helpers import recorded

BOTH_OLD = {
    "deleted_workflow": ("completed", "completed"),
    "fail": ("failed", "failed"),
    "file": ("completed", "completed"),
    "multi": ("completed", "completed"),
    "nocost": ("completed", "completed"),
    "paused": ("paused", "paused"),
    "running": ("running", "running"),
    "tool": ("completed", "completed"),
}
STATUSES: dict[str, dict[str, tuple[str | None, str | None]]] = {
    "2026-03": {**BOTH_OLD, "2025-09_style_row": (None, "completed")},
    "2026-08": {**BOTH_OLD, "tool_with_cost": (None, "completed"), "archived_workflow": ("completed", None)},
    "v0.8.9": {
        "byok": ("completed", "completed"),
        "cancelled": ("cancelled", "cancelled"),
        "cancelled_directly": ("failed", "failed"),
        "cancelled_without_model": ("cancelled", "cancelled"),
        "custom": ("completed", "completed"),
        "deleted_workflow": ("completed", "completed"),
        "expired_trace": ("completed", "completed"),
        "mothership": ("completed", "completed"),
        "parent": ("completed", "completed"),
        "paused": ("paused", "paused"),
        "paused_again": ("paused", "paused"),
        "paused_then_cancelled": ("paused", "paused"),
        "resume_attempt_failed": ("completed", "completed"),
        "resumed_completed": ("completed", "completed"),
        "resumed_running": ("paused", "paused"),
        "resumed_then_swept": ("paused", "failed"),
        "swept_timed_out": ("failed", "failed"),
    },
}
LIVES = {
    "1a_running": ("running", "running"),
    "1b_running_after_block_start": ("running", "running"),
    "1c_running_after_block_complete": ("running", "running"),
    "1d_completed_with_files": ("completed", "completed"),
    "2a_paused": ("paused", "paused"),
    "2b_resumed_running": ("paused", "paused"),
    "2c_completed_after_resume": ("completed", "completed"),
    "4_markAsFailed": ("failed", "failed"),
}
UNLISTED = wire.Run(id="x", started_at=datetime(2026, 11, 1, tzinfo=UTC))
"""Stands for the list row where only a detail was recorded."""


def read(row: wire.Run, detail: wire.Run | None = None) -> run_rows.RunRows:
    return runs.read_run(row, recorded.WORKSPACE, run_rows.RunOptions(), detail, asked=detail is not None)


@pytest.mark.parametrize(
    ("generation", "name", "by_list", "by_detail"),
    [(generation, name, *told) for generation, names in STATUSES.items() for name, told in names.items()],
    ids=[f"{generation}-{name}" for generation, names in STATUSES.items() for name in names],
)
def test_status_of_a_recorded_run(generation: str, name: str, by_list: str | None, by_detail: str | None) -> None:
    row = recorded.listed(generation, name) if by_list else UNLISTED
    listed = read(row)
    if by_list:
        assert listed.fingerprint.status == by_list
    if by_detail is None:
        return
    assert read(row, recorded.detailed(generation, name)).fingerprint.status == by_detail
    assert listed.pending or by_list in (None, by_detail), "where only the detail tells it, the detail is asked for"


@pytest.mark.parametrize("name", STATUSES["v0.8.9"])
def test_another_process_reads_the_same_status_or_leaves_the_run(name: str) -> None:
    body = recorded.answer("v0.8.9", f"logs_full_{name}").body
    row = recorded.listed("v0.8.9", name)
    tables = ["logs", "log_details", "cost_items", "trace_spans"]
    task = worker.Task(body, frozenset(), recorded.WORKSPACE, run_rows.RunOptions(), tables, True)
    found = worker.decode_page(task)
    by_list, _ = STATUSES["v0.8.9"][name]
    if read(row).pending:
        assert found.left == [row.id]
    else:
        assert found.arrow()["logs"]["status"].to_pylist() == [by_list]


@pytest.mark.parametrize(("moment", "by_list", "by_detail"), [(name, *told) for name, told in LIVES.items()])
def test_status_at_a_recorded_moment_of_a_life(moment: str, by_list: str, by_detail: str) -> None:
    """2b runs again after its pause, and neither answer tells: it is followed as a paused one."""
    told = recorded.life(moment)
    row = decode.one(jsons.encode(told["list_full"]), wire.Run)
    detail = decode.one(jsons.encode(told["detail"]), wire.Run)
    assert read(row).fingerprint.status == by_list
    assert read(row, detail).fingerprint.status == by_detail


def test_no_recorded_run_is_left_out() -> None:
    for generation, names in STATUSES.items():
        assert recorded.kinds(generation) == names.keys()
    assert {file.stem.removeprefix("life_") for file in recorded.FOLDER.glob("*/life_*.json")} == LIVES.keys()
