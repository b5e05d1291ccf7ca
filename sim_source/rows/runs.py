"""Converts the list row and the detail of a run to rows of four tables. Pure functions.

The list row is the base; the detail completes it if it was requested. Uses neither HTTP nor dlt.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from decimal import Decimal
from typing import Any

import msgspec
import pyarrow as pa

from .. import jsons
from ..api import decode, wire
from ..api.wire import present
from ..jsons import json_text
from ..options import Details
from ..run_tables import LOGS
from ..schema import Row
from ..timestamps import in_utc, utc_or_none
from . import cost, ending, extras, life, privacy, spans
from .detail_rows import detail_row
from .extras import files_text, text_of_unknown
from .run_facts import NO_DATA, RunFacts
from .run_rows import RunOptions, RunRows


def read_run(
    run: wire.Run,
    workspace_id: str,
    options: RunOptions,
    detail: wire.Run | None = None,
    *,
    asked: bool = False,
) -> RunRows:
    """Converts a run to rows.

    Args:
        run: Its list row.
        workspace_id: Its workspace.
        options: What to keep.
        detail: Its detail, or None if that was not read.
        asked: Whether the detail was requested; if so and ``detail`` is None, the server no longer has it (404), and
            nothing more can be read.

    Raises:
        msgspec.DecodeError: A part of it does not fit its structure.
        ArithmeticError: An amount or a count is not a valid number.
    """
    if options.logs_only and detail is None:
        (log,) = zip(*_plain([run], workspace_id), strict=True)
        return RunRows(id=run.id, log=log, pending=False, evidence=life.Evidence.PLAIN)
    facts = _facts_of(run, workspace_id, options, detail, asked=asked)
    trace, total, split = facts.trace, facts.total, facts.split
    status, evidence = ending.told(run, detail, facts.data, facts.final_output, has_spans=bool(trace.rows))
    if detail is None and not asked:
        pending, untold = _open_questions(facts, status)
    else:
        pending, untold = False, facts.latest.ended_at is not None and split is None and trace.untold and bool(total)
    workflow_id, amount = facts.workflow_id, cost.money(total)
    items = cost.items(total, split, trace.charges, untold=untold)
    return RunRows(
        id=run.id,
        log=_log_row(facts, workflow_id, status, amount),
        pending=pending,
        evidence=evidence,
        detail=detail_row(facts, workflow_id, amount),
        items=[item_row(item, run, workspace_id, workflow_id, payloads=options.full) for item in items],
        spans=trace.rows,
    )


def _facts_of(
    run: wire.Run, workspace_id: str, options: RunOptions, detail: wire.Run | None = None, *, asked: bool = False
) -> RunFacts:
    """Combines the list row and the detail of a run."""
    data, rest = NO_DATA, {}
    source = run if detail is None else detail
    if present(source.execution_data):
        data = decode.one(source.execution_data, wire.ExecutionData)
        rest = _rest_of(source.execution_data, options)
    roots = spans.decoded(data.trace_spans) or spans.decoded(run.trace_spans)  # it may expire between both requests
    trace = spans.read_trace(roots, run.id, workspace_id, payloads=options.full)
    split = _split_of(detail)
    if split is None:
        split = _split_of(run)
    return RunFacts(
        run=run,
        detail=detail,
        workspace_id=workspace_id,
        options=options,
        asked=asked,
        trace=trace,
        data=data,
        data_rest=rest,
        split=data.models if split is None else split,
    )


_COLUMNS_OF_EXECUTION_DATA = frozenset(
    {"traceSpans", "finalOutput", "finalizationPath", "tokens", "models", "tokenBreakdown", "error"}
)


def _rest_of(raw: msgspec.Raw, options: RunOptions) -> dict[str, Any]:
    """The part of ``executionData`` that has no column of its own."""
    shallow: dict[str, msgspec.Raw] = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    rest = {
        name: jsons.anything(entry)
        for name, entry in shallow.items()
        if name not in _COLUMNS_OF_EXECUTION_DATA and (options.full or name not in privacy.PAYLOAD_NAMES)
    }
    cleaned: dict[str, Any] = privacy.without_secrets(rest) if options.full else privacy.safe_execution_data(rest)
    return cleaned


def _split_of(answer: wire.Run | None) -> dict[str, wire.ModelCost] | None:
    return answer.cost.models if answer is not None and answer.cost is not None else None


def plain_rows(listed: Sequence[wire.Run], workspace_id: str) -> pa.Table:
    """Converts plain list rows, at least one, to rows of ``logs``; faster than ``read_run`` for each of them.

    Raises:
        ArithmeticError, ValueError: A row does not fit the table.
    """
    return LOGS.arrow(_plain(listed, workspace_id))


def _plain(listed: Sequence[wire.Run], workspace_id: str) -> list[list[Any]]:
    """The columns of ``logs``, in order."""
    # the common cases are checked inline, to avoid a function call per row
    ends = [at if (at := run.ended_at) is None or at.tzinfo is UTC else in_utc(at) for run in listed]
    levels = [run.level for run in listed]
    return [
        [run.id for run in listed],
        [workspace_id] * len(listed),
        [run.execution_id for run in listed],
        [run.workflow_id for run in listed],
        [run.workflow.name if run.workflow else None for run in listed],
        [run.deployment_version_id for run in listed],
        levels,
        [run.trigger for run in listed],
        [
            life.listed_status(end is not None, level, (paid := run.cost) is not None and paid.total is not None)
            for end, level, run in zip(ends, levels, listed, strict=True)
        ],
        [None] * len(listed),
        [at if (at := run.started_at).tzinfo is UTC else in_utc(at) for run in listed],
        ends,
        [cost.whole_number(run.total_duration_ms) for run in listed],
        [cost.money(run.cost.total) if run.cost else None for run in listed],
        [None if run.files is wire.NO_RAW or run.files == wire.NULL else files_text(run.files) for run in listed],
        [None if run.unknown is wire.NO_RAW else text_of_unknown(run.unknown) for run in listed],
    ]


def _open_questions(facts: RunFacts, status: life.Status) -> tuple[bool, bool]:
    """Returns whether to request the detail, and whether the split is not known yet (independent of ``details``).

    An empty split does not count if nothing else shows the end of the run: 2026-03 servers send one, with the base
    charge, from the start of a run (``sim-2026-03/logs_full_spans_output_running``).
    """
    run, split, trace = facts.run, facts.split, facts.trace
    shows_end = present(run.final_output) or bool(trace.rows)

    def needed(mode: Details, *, paused: bool = False) -> bool:
        return life.needs_detail(
            mode,
            ended_at=run.ended_at,
            has_split=bool(split) or (split is not None and shows_end),
            cost_total=facts.total,
            names_model=trace.names_model,
            span_count=len(trace.rows),
            paused=paused,
        )

    return needed(facts.options.details, paused=status == "paused"), needed("costly")


def _log_row(facts: RunFacts, workflow_id: str | None, status: str, total: Decimal | None) -> Row:
    run, latest = facts.run, facts.latest
    files = run.files if present(run.files) else latest.files
    workflow = latest.workflow or run.workflow
    return (
        run.id,
        facts.workspace_id,
        run.execution_id,
        workflow_id,
        workflow.name if workflow else None,
        run.deployment_version_id,
        latest.level,
        latest.trigger,
        status,
        None,
        in_utc(run.started_at),
        utc_or_none(latest.ended_at),
        cost.whole_number(latest.total_duration_ms),
        total,
        files_text(files),
        text_of_unknown(run.unknown),
    )


def item_row(
    item: cost.CostItem, run: wire.Run, workspace_id: str, workflow_id: str | None, *, payloads: bool = False
) -> Row:
    """Builds a row of ``cost_items``."""
    more = extras.of_model(item.entry, payloads) if item.entry is not None else None
    return (
        run.id,
        item.kind,
        item.name,
        workspace_id,
        workflow_id,
        run.execution_id,
        run.started_at,
        item.input,
        item.output,
        item.tool,
        item.total,
        item.tokens.prompt,
        item.tokens.completion,
        item.tokens.total,
        json_text(more) if more else None,
    )
