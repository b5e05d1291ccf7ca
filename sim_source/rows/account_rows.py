"""Rows of ``audit_logs``, ``usage``, ``workflows`` and ``rejected_rows``. Pure functions."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

import msgspec

from .. import jsons, nesting
from ..api import wire
from ..api.wire import present
from ..jsons import json_text
from ..options import DEFAULT_ACCOUNT
from ..schema import Row
from . import cost, extras, privacy
from .extras import unknown_text


def audit_row(row: wire.AuditLog, account: str = DEFAULT_ACCOUNT) -> Row:
    """Builds a row of ``audit_logs``, without secrets; ``account`` is the account whose API key read it."""
    metadata = privacy.without_secrets(jsons.anything(row.metadata)) if present(row.metadata) else None
    return (
        row.id,
        row.workspace_id,
        row.actor_id,
        row.actor_name,
        row.actor_email,
        row.action,
        row.resource_type,
        row.resource_id,
        _clean(row.resource_name),
        _clean(row.description),
        None if metadata is None else json_text(metadata),
        row.created_at,
        account,
        unknown_text(row),
    )


def _clean(text: str | None) -> str | None:
    return None if text is None else privacy.text_without_secrets(text)


def workflow_row(row: wire.Workflow, workspace_id: str, folder_path: str | None = None) -> Row:
    """Builds a row of ``workflows``; only the v2 API returns the path of a folder."""
    return (
        row.id,
        row.workspace_id or workspace_id,
        row.name,
        row.description,
        row.folder_id,
        folder_path,
        row.color,
        row.is_deployed,
        row.deployed_at,
        cost.whole_number(row.run_count),
        row.last_run_at,
        row.created_at,
        row.updated_at,
        unknown_text(row),
    )


def usage_row(usage: wire.Usage, observed_at: datetime, account: str = DEFAULT_ACCOUNT) -> Row:
    """Builds a row of ``usage``."""
    limits = usage.rate_limit or wire.UsageRateLimit()
    spend = usage.usage or wire.UsageSpend()
    storage = usage.storage or wire.UsageStorage()
    more = extras.of_usage(usage)
    return (
        observed_at,
        None,
        spend.plan,
        cost.money(spend.current_period_cost),
        cost.money(spend.limit),
        *_limits(limits.sync),
        *_limits(limits.async_),
        cost.whole_number(storage.used_bytes),
        cost.whole_number(storage.limit_bytes),
        None if storage.percent_used is None else float(storage.percent_used),
        account,
        json_text(more) if more else None,
    )


def _limits(limits: wire.ExecutionLimits | None) -> Row:
    limits = limits or wire.ExecutionLimits()
    return (
        limits.is_limited,
        cost.whole_number(limits.requests_per_minute),
        cost.whole_number(limits.max_burst),
        cost.whole_number(limits.remaining),
        limits.reset_at,
    )


def rejected_row(
    table: str, record_id: str | None, row: bytes, reason: str, workspace_id: str | None, seen_at: datetime
) -> Row:
    """Builds a row of ``rejected_rows``; payloads and secrets are removed from ``row``.

    Args:
        table: The table that the row was meant for.
        record_id: Its id; None if it has none, then a hash of ``row`` is used.
        row: The rejected row as JSON.
        reason: Why it was rejected.
        workspace_id: Its workspace.
        seen_at: When it was read.
    """
    shown: Any = None
    try:
        shown = _spans_withheld(privacy.without_payloads(jsons.anything(nesting.readable(row))))
    except ValueError:
        reason = f"{reason} (the row is not JSON)"
    return (
        table,
        record_id or hashlib.sha256(row).hexdigest()[:32],
        seen_at,
        workspace_id,
        reason,
        None if shown is None else json_text(shown),
        None,
    )


_SPAN_FIELDS = frozenset(field.encode_name for field in msgspec.structs.fields(wire.Span))


def _spans_withheld(value: Any) -> Any:
    """A copy in which undocumented fields of spans are withheld, as in ``trace_spans``: they may be payloads."""
    if isinstance(value, list):
        return [_spans_withheld(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    return {
        name: [_span(span) for span in entry]
        if name in ("traceSpans", "children") and isinstance(entry, list)
        else _spans_withheld(entry)
        for name, entry in value.items()
    }


def _span(span: Any) -> Any:
    if not isinstance(span, dict):
        return None
    known = {name: entry for name, entry in span.items() if name in _SPAN_FIELDS}
    unknown = {name: entry for name, entry in span.items() if name not in _SPAN_FIELDS}
    return {**_spans_withheld(known), **privacy.withheld(unknown)}


def rows_hash(rows: list[Row]) -> str:
    """A short hash of rows, to detect whether a small table has changed since the last sync."""
    return hashlib.sha256(repr(rows).encode()).hexdigest()[:16]
