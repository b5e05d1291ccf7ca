"""What state a run is in, as far as one answer tells, and when its detail is asked for."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from sim_source import decode, life, runs, wire
from tests import recorded

ENDED = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ({"ended": False, "level": "info"}, "running"),
        ({"ended": False, "level": "error"}, "running"),
        ({"ended": False, "level": "info", "finalization_path": "paused"}, "running"),
        ({"ended": True, "level": "info"}, "completed"),
        ({"ended": True, "level": None}, "completed"),
        ({"ended": True, "level": "error"}, "failed"),
        ({"ended": True, "level": "info", "error": "timed out"}, "failed"),
        ({"ended": True, "level": "info", "paused_output": True}, "paused"),
        ({"ended": True, "level": "info", "finalization_path": "paused"}, "paused"),
        ({"ended": True, "level": "info", "finalization_path": "cancelled"}, "cancelled"),
        ({"ended": True, "level": "error", "finalization_path": "cancelled"}, "cancelled"),
        ({"ended": True, "level": "error", "finalization_path": "force_failed"}, "failed"),
        ({"ended": True, "level": "info", "finalization_path": "completed"}, "completed"),
        ({"ended": True, "level": "info", "finalization_path": "completed", "paused_output": True}, "completed"),
        ({"ended": True, "level": "error", "finalization_path": "completed"}, "failed"),
        ({"ended": True, "level": "info", "finalization_path": "a new path"}, "completed"),
    ],
)
def test_status(facts: dict[str, Any], status: str) -> None:
    assert life.status(**facts) == status


@pytest.mark.parametrize(
    ("output", "paused"),
    [
        (b'{"paused":true}', True),
        (b'{ "paused" : true }\n', True),
        (b'{"paused":false}', False),
        (b'{"paused":true,"content":"x"}', False),
        (b"", False),
        (b"null", False),
        (b'"paused"', False),
    ],
)
def test_the_output_of_a_paused_run_is_known_by_its_form(output: bytes, paused: bool) -> None:
    assert life.is_paused_output(output) is paused


def wants(mode: life.Details, **facts: Any) -> bool:
    told: dict[str, Any] = {
        "ended_at": ENDED,
        "has_split": False,
        "cost_total": Decimal("0.01"),
        "names_model": False,
        "span_count": 5,
    }
    return life.needs_detail(mode, **{**told, **facts})


@pytest.mark.parametrize(
    ("facts", "costly"),
    [
        ({}, False),
        ({"names_model": True}, True),
        ({"names_model": True, "has_split": True}, False),
        ({"names_model": True, "cost_total": None}, True),
        ({"span_count": 0}, True),
        ({"span_count": 0, "cost_total": None}, False),
        ({"span_count": 0, "cost_total": Decimal(0)}, False),
        ({"span_count": 0, "has_split": True}, False),
        ({"names_model": True, "ended_at": None}, False),
    ],
    ids=[
        "no model",
        "a model without split",
        "a model with split",
        "a model without cost",
        "a cost without spans",
        "neither cost nor spans",
        "no charge and no spans",
        "a split without spans",
        "still running",
    ],
)
def test_details_are_asked_for_only_where_the_list_cannot_know(facts: dict[str, Any], costly: bool) -> None:
    assert wants("costly", **facts) is costly
    assert wants("none", **facts) is False
    assert wants("all", **facts) is (facts.get("ended_at", ENDED) is not None)


@pytest.mark.parametrize(
    ("moment", "by_list", "by_detail"),
    [
        ("1a_*", "running", "running"),
        ("1d_*", "completed", "completed"),
        ("2a_*", "paused", "paused"),
        ("2b_*", "paused", "paused"),
        ("2c_*", "completed", "completed"),
        ("4_*", "failed", "failed"),
    ],
)
def test_recorded_moments_of_a_life(moment: str, by_list: str, by_detail: str) -> None:
    """2b runs again after its pause, and neither answer tells: it is followed as a paused one."""
    told = recorded.life(moment)
    row = decode.one(decode.encode(told["list_full"]), wire.Run)
    detail = decode.one(decode.encode(told["detail"]), wire.Run)
    options = runs.RunOptions()
    assert runs.read(row, "ws", options).fingerprint.status == by_list
    assert runs.read(row, "ws", options, detail).fingerprint.status == by_detail
