"""Extracts from a run's responses what ``life`` needs to decide how the run ended. Pure functions."""

from __future__ import annotations

import msgspec

from ..api import wire
from ..api.wire import present
from . import extras, life


def told(
    run: wire.Run, detail: wire.Run | None, data: wire.ExecutionData, output: msgspec.Raw, *, has_spans: bool
) -> tuple[life.Status, life.Evidence]:
    """Returns a run's status, and the evidence for it.

    Args:
        run: Its full list row.
        detail: Its detail, or None if that was not read.
        data: ``executionData`` of the detail, else of the list row.
        output: Its final output.
        has_spans: Whether any response has trace spans.
    """
    latest, error = detail or run, extras.error_text(data.error)
    has_cost = _has_cost(run) or (detail is not None and _has_cost(detail))
    status = life.status_of(
        ended=latest.ended_at is not None,
        level=latest.level,
        finalization_path=data.finalization_path,
        output=life.told_by_output(bytes(output)),
        error=error,
        shows_end=has_cost or has_spans or present(output) or data.had_spans,
    )
    by_detail = data.finalization_path is not None or error is not None
    return status, life.evidence(told=by_detail, shown=present(output) or latest.level == "error")


def is_doubtful_row(run: wire.Run) -> bool:
    """Whether a plain list row does not show how its run ended; see ``life.leaves_end_open``."""
    return life.leaves_end_open(ended=run.ended_at is not None, level=run.level, has_cost=_has_cost(run))


def _has_cost(run: wire.Run) -> bool:
    return run.cost is not None and run.cost.total is not None
