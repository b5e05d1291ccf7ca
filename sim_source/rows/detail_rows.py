"""Rows of ``log_details``. Pure functions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ..api import wire
from ..jsons import json_text
from ..schema import Row
from ..timestamps import utc_or_none
from . import cost, extras
from .extras import fields_of
from .run_facts import NO_DATA, RunFacts


def detail_row(facts: RunFacts, workflow_id: str | None, total: Decimal | None) -> Row:
    """Builds a row of ``log_details``.

    Args:
        facts: The combined responses of the run.
        workflow_id: The workflow of the run.
        total: Cost of the run in USD.
    """
    run, latest, data, trace = facts.run, facts.latest, facts.data, facts.trace
    workflow = latest.workflow or run.workflow or wire.RunWorkflow()
    tokens = facts.tokens
    return (
        run.id,
        facts.workspace_id,
        "list" if facts.detail is None and not facts.asked else "detail",
        run.execution_id,
        workflow_id,
        workflow.name,
        workflow.description,
        workflow.folder_id,
        workflow.deleted,
        data.finalization_path,
        extras.error_text(data.error) or (trace.error if latest.level == "error" else None),
        tokens.prompt,
        tokens.completion,
        tokens.total,
        total,
        len(trace.rows),
        extras.payload_text(facts.final_output) if facts.options.full else None,
        json_text(facts.data_rest) if facts.data_rest else None,
        utc_or_none(latest.created_at),
        _extra(facts, workflow, _more(facts, total, tokens)),
    )


def _extra(facts: RunFacts, workflow: wire.RunWorkflow, more: dict[str, Any]) -> str | None:
    """Text of ``extra``: known fields without a column and unknown fields, at the place where the API has them."""
    about = {
        "color": workflow.color,
        "userId": workflow.user_id,
        "createdAt": workflow.created_at,
        "updatedAt": workflow.updated_at,
    }
    parts: dict[str, Any] = {name: value for name, value in about.items() if value is not None}
    parts |= fields_of(workflow.unknown)
    found: dict[str, Any] = {"workflow": parts} if parts else {}
    found |= more
    known = fields_of(facts.run.unknown)  # stored in logs.extra already
    found |= {name: value for name, value in fields_of(facts.latest.unknown).items() if name not in known}
    return json_text(found) if found else None


def _more(facts: RunFacts, total: Decimal | None, tokens: cost.TokenCount) -> dict[str, Any]:
    """Parts of cost, tokens and error without a column, and values that the responses repeat with differences."""
    data, detail, payloads = facts.data, facts.detail, facts.options.full
    more = {"cost": extras.of_cost(facts.run.cost)}
    if detail is not None:
        more["cost"] |= extras.of_cost(detail.cost)
    if data is not NO_DATA:
        more["error"] = extras.of_error(data.error, payloads)
        for name, told in (("tokens", data.tokens), ("tokenBreakdown", data.token_breakdown)):
            same = cost.token_count(told) == tokens
            more[name] = extras.of_tokens(told, payloads, extras.TOKENS if same else extras.NONE)
        if data.models is not None and (total is None or data.models != facts.split):
            more["models"] = extras.of_models(data.models, payloads)
    return {name: value for name, value in more.items() if value}
