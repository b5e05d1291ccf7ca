"""The life of a run, as far as one answer tells it. Pure.

A row appears when the run starts and is filled in place; ``startedAt`` never changes and nothing says "updated".
``endedAt`` null means not final, and ``endedAt`` set does not always mean final (sim-api: the life of a run;
recordings ``life_*``). Which runs are followed, and until when, belongs here too.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal

Status = Literal["running", "paused", "completed", "failed", "cancelled"]
Details = Literal["costly", "all", "none"]

PAUSED_OUTPUT = b'{"paused":true}'
"""Final output of a paused run, on both recorded servers."""

_BY_PATH: dict[str, Status] = {"paused": "paused", "cancelled": "cancelled", "force_failed": "failed"}


def is_paused_output(final_output: bytes) -> bool:
    """Whether a final output is the one Sim writes when a run pauses for a human."""
    return final_output == PAUSED_OUTPUT or (len(final_output) < 64 and b"".join(final_output.split()) == PAUSED_OUTPUT)


def status(
    *,
    ended_at: datetime | None,
    level: str | None,
    finalization_path: str | None = None,
    paused_output: bool = False,
    error: str | None = None,
) -> Status:
    """What state a run is in.

    Args:
        ended_at: ``endedAt``; set while paused.
        level: info or error. A run killed by the stale-run sweep stays info.
        finalization_path: Only the per-run detail tells it.
        paused_output: The final output is ``{"paused": true}``.
        error: ``executionData.error``: the sweep's only trace.
    """
    if ended_at is None:
        return "running"
    told = _BY_PATH.get(finalization_path or "")
    if told is not None:
        return told
    if paused_output and finalization_path is None:
        return "paused"
    return "failed" if level == "error" or error else "completed"


def needs_detail(
    mode: Details,
    *,
    ended_at: datetime | None,
    has_split: bool,
    cost_total: Decimal | None,
    names_model: bool,
    span_count: int,
) -> bool:
    """Whether the per-run detail is asked for: only for what the list cannot know.

    With ``costly``: runs whose list row gives no per-model split and whose spans name a model, or that cost
    something and show no spans (2026-08 gives only the total in lists). A run that has not ended has
    nothing to tell yet; it is read again anyway.
    """
    if mode == "none" or ended_at is None:
        return False
    if mode == "all":
        return True
    if has_split:
        return False
    return names_model or (span_count == 0 and bool(cost_total))
