"""What state a run is in, as far as one answer tells, and when its detail is asked for."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from sim_source.options import Details
from sim_source.rows import life

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
        ({"ended": True, "level": "info", "output": "paused"}, "paused"),
        ({"ended": True, "level": "info", "finalization_path": "paused"}, "paused"),
        ({"ended": True, "level": "info", "finalization_path": "cancelled"}, "cancelled"),
        ({"ended": True, "level": "error", "finalization_path": "cancelled"}, "cancelled"),
        ({"ended": True, "level": "error", "finalization_path": "force_failed"}, "failed"),
        ({"ended": True, "level": "info", "finalization_path": "completed"}, "completed"),
        ({"ended": True, "level": "info", "finalization_path": "completed", "output": "paused"}, "completed"),
        ({"ended": True, "level": "error", "finalization_path": "completed"}, "failed"),
        ({"ended": True, "level": "info", "finalization_path": "a new path"}, "completed"),
        ({"ended": True, "level": "info", "finalization_path": "paused", "error": "timed out"}, "failed"),
        ({"ended": True, "level": "info", "output": "paused", "error": "timed out"}, "failed"),
        ({"ended": True, "level": "error", "finalization_path": "paused"}, "failed"),
        ({"ended": True, "level": "info", "output": "cancelled"}, "cancelled"),
        ({"ended": True, "level": "error", "output": "cancelled"}, "cancelled"),
        ({"ended": True, "level": "info", "finalization_path": "completed", "output": "cancelled"}, "completed"),
        ({"ended": True, "level": "info", "shows_end": False}, "failed"),
        ({"ended": False, "level": "info", "shows_end": False}, "running"),
        ({"ended": True, "level": "info", "finalization_path": "completed", "shows_end": False}, "completed"),
    ],
)
def test_status(facts: dict[str, Any], status: str) -> None:
    assert life.status_of(**facts) == status


@pytest.mark.parametrize(
    ("output", "told"),
    [
        (b'{"paused":true}', "paused"),
        (b'{ "paused" : true }\n', "paused"),
        (b'{"cancelled":true}', "cancelled"),
        (b'{ "cancelled": true }', "cancelled"),
        (b'{"paused":false}', None),
        (b'{"cancelled":false}', None),
        (b'{"paused":true,"content":"x"}', None),
        (b'{"cancelled":true,"orders":[]}', None),
        (b'{"cancelled":true' + b" " * 64 + b"}", None),
        (b"", None),
        (b"null", None),
        (b'"paused"', None),
    ],
)
def test_an_output_that_sim_writes_itself_is_known_by_its_form(output: bytes, told: str | None) -> None:
    assert life.told_by_output(output) == told


@pytest.mark.parametrize(
    ("facts", "status", "doubtful"),
    [
        ((False, "info", False), "running", False),
        ((True, "info", True), "completed", False),
        ((True, "error", False), "failed", False),
        ((True, "info", False), "failed", True),
    ],
)
def test_what_a_plain_list_row_says(facts: tuple[bool, str, bool], status: str, doubtful: bool) -> None:
    assert life.listed_status(*facts) == status
    ended, level, has_cost = facts
    assert life.leaves_end_open(ended=ended, level=level, has_cost=has_cost) is doubtful


def wants(mode: Details, **facts: Any) -> bool:
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
        ({"has_split": True, "paused": True}, True),
        ({"paused": True, "ended_at": None}, False),
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
        "paused, or swept after a pause",
        "running again",
    ],
)
def test_details_are_asked_for_only_where_the_list_cannot_know(facts: dict[str, Any], costly: bool) -> None:
    assert wants("costly", **facts) is costly
    assert wants("none", **facts) is False
    assert wants("all", **facts) is (facts.get("ended_at", ENDED) is not None)
