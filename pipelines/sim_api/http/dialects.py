"""Differences between generations of Sim servers; the recordings show each of them.

`2026-03` and `2026-08` answer like the recorded servers; `documents` answers as the published OpenAPI document
describes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

Generation = Literal["2026-03", "2026-08", "documents"]
Ties = Literal["fixed", "inserted", "unordered"]


@dataclass(frozen=True, slots=True)
class Dialect:
    """One server generation. Add a field here for a new quirk, not an `if` on a name elsewhere."""

    name: Generation
    zod: Literal[3, 4]
    """Wording of a 400: 3 says `Invalid parameters`, 4 repeats the first problem."""
    log_cursors: Literal["work", "fail"] = "work"
    """`fail`: any well-formed cursor on /logs answers 500 (2026-03, logs_walk_asc_50_p01)."""
    max_limit: int | None = None
    """Upper clamp of `limit` on /logs; None: no limit."""
    ties: Ties = "fixed"
    """Order of runs with the same startedAt: by id, by insertion, or different in every request."""
    any_flag_is_true: bool = False
    """`includeTraceSpans=false` counts as true (logs_full_includeTraceSpans_false)."""
    model_filter_fails: bool = False
    access_errors: bool = True
    """False: 200 without rows for a workspace that the caller may not read (logs_workspace_no_access)."""
    audit_lists: bool = True
    """`resourceType=a,b` means either (audit_filter_types)."""
    audit_by_actor: bool = False
    """Only rows of current members, without rows that have no actor (audit_first_page)."""
    detail_execution_models: bool = True
    """Whether executionData has `models` and `tokens`."""
    list_cost_when_full: bool = False
    """details=full lists have the whole cost object."""
    detail_cost: Literal["total", "models", "whole"] = "total"
    cost_while_running: bool = False
    """A running row already shows the base charge."""
    token_keys: tuple[str, str] = ("input", "output")
    tokens_key: Literal["tokens", "tokenBreakdown"] = "tokens"
    """Where executionData has the run's tokens."""
    tool_costs: bool = True
    """Model entries have `toolCost`."""
    span_costs: bool = False
    segment_tokens: bool = True
    """Model segments have tokens, model and provider themselves."""
    tool_children: bool = True
    """Agent spans have children; otherwise `toolCalls`."""
    run_facts: bool = True
    """executionData has finalizationPath, hasTraceSpans, lastStartedBlock, billingAttribution."""
    forgets_when_resumed: bool = True
    cancelled_output: bool = True
    """A cancelled run has a final output that says so (v0.8.9: logs_full_cancelled_without_model)."""
    errors_of_sweeps: bool = False
    """executionData has the error of a run swept before it paused (not in v0.8.9: log_detail_swept_timed_out)."""
    secrets_in_snapshots: bool = False
    workflow_color: bool = False
    objects_for_lists: bool = False
    """`files` and `inputs` are objects, as in the OpenAPI document."""
    header_limit: Literal["capacity", "rate"] = "capacity"
    headers_on_errors: bool = True
    headers_on_401: bool = False
    request_ids: bool = True
    foreign_workflow: Literal[403, 404] = 404
    v2: Literal["absent", "off", "on"] = "absent"
    """Whether there is a v2 API: not before v0.8.0; then behind a flag, for whoever it is on."""
    v2_sort_order: bool = False
    """v2's /logs takes `sortBy` and `sortOrder` instead of `order`, rows have a `kind`, and the detail
    has the items of the cost (pull request 6912)."""

    def telling(self, legacy: str | None) -> Dialect:
        """Returns the dialect for a row: changed if one of the earliest servers stored the row."""
        if legacy is None:
            return self
        return replace(self, **_EARLIEST)


_OLD: dict[str, Any] = {
    "zod": 3,
    "audit_lists": False,
    "audit_by_actor": True,
    "span_costs": True,
    "segment_tokens": False,
    "run_facts": False,
    "forgets_when_resumed": False,
    "cancelled_output": False,
    "errors_of_sweeps": True,
    "workflow_color": True,
    "header_limit": "rate",
    "headers_on_errors": False,
    "headers_on_401": True,
    "request_ids": False,
    "foreign_workflow": 403,
    "secrets_in_snapshots": True,
}

# Stored by servers of 2025 and never rewritten (log_detail_2025-09_style_row).
_EARLIEST: dict[str, Any] = {
    "token_keys": ("prompt", "completion"),
    "tokens_key": "tokenBreakdown",
    "tool_costs": False,
}

DIALECTS: dict[str, Dialect] = {
    "2026-08": Dialect("2026-08", zod=4, max_limit=1000),
    "2026-03": Dialect(
        "2026-03",
        log_cursors="fail",
        ties="inserted",
        any_flag_is_true=True,
        model_filter_fails=True,
        access_errors=False,
        list_cost_when_full=True,
        detail_cost="whole",
        cost_while_running=True,
        **_OLD,
    ),
    "documents": Dialect(
        "documents",
        max_limit=1000,
        detail_execution_models=False,
        detail_cost="models",
        tool_children=False,
        objects_for_lists=True,
        **_OLD,
        **_EARLIEST,
    ),
}


def dialect(name: str, **options: Any) -> Dialect:
    """Returns a generation by name, with options such as `ties="unordered"` or `max_limit=50`.

    Raises:
        KeyError: The generation is unknown.
    """
    return replace(DIALECTS[name], **options)
