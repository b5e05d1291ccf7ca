"""A run's answers, list row and per-run detail, as rows of four tables. Pure.

The list row is the base; the detail completes it where it was asked. Nothing here knows of HTTP or dlt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple

import msgspec
import pyarrow as pa

from . import cost, decode, ending, extra, life, privacy, spans, wire
from .moments import in_utc
from .spans import present
from .tables import COST_ITEMS, LOG_DETAILS, LOGS, TRACE_SPANS, Row

Payloads = Literal["none", "full"]

ROW_FAULTS = (msgspec.DecodeError, ArithmeticError, ValueError, OverflowError, RecursionError)
"""What a row that does not fit raises: it is set aside, never fatal."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What is kept of a run, and what is asked for beyond the list; of ``logs_only``, no other table's rows."""

    details: life.Details = "costly"
    payloads: Payloads = "none"
    logs_only: bool = False

    @property
    def full(self) -> bool:
        """Whether payloads are kept."""
        return self.payloads == "full"


class Fingerprint(NamedTuple):
    """What tells that a run changed: there is no updatedAt.

    Attributes:
        spans: None where nobody counts them.
        path: ``finalizationPath`` as stored, where it was told.
        error: An error is stored with the run.
    """

    ended_at: datetime | None
    cost_total: Decimal | None
    level: str | None
    status: str
    spans: int | None = None
    path: str | None = None
    error: bool | None = None


class RunRows(msgspec.Struct, gc=False):
    """A run as rows, in the order of the tables' columns.

    Attributes:
        pending: The per-run detail is still to be asked for.
        evidence: How much the answer says of how the run ended.
    """

    id: str
    log: Row
    pending: bool
    evidence: life.Evidence = life.Evidence.SILENT
    detail: Row = ()
    items: list[Row] = []
    spans: Sequence[Row] = ()

    @property
    def fingerprint(self) -> Fingerprint:
        """What to compare with what is stored."""
        return fingerprint_of(self.log, len(self.spans))


def by_table(read: Sequence[RunRows]) -> dict[str, list[Row]]:
    """The rows of several runs, by table."""
    return {
        LOGS.name: [each.log for each in read if each.log],
        LOG_DETAILS.name: [each.detail for each in read if each.detail],
        COST_ITEMS.name: [item for each in read for item in each.items],
        TRACE_SPANS.name: [span for each in read for span in each.spans],
    }


def fingerprint_of(log: Row, spans: int | None) -> Fingerprint:
    """The fingerprint of a row of ``logs``."""
    ended_at, total, level, status = (log[index] for index in _TELLING)
    return Fingerprint(_utc_or_none(ended_at), total, level, status, spans)


_TELLING = tuple(LOGS.column_names.index(name) for name in ("ended_at", "cost_total", "level", "status"))


class _Facts(msgspec.Struct, gc=False):
    """What all answers of a run say together."""

    trace: spans.Trace
    detail: wire.Run | None
    data: wire.ExecutionData
    data_rest: dict[str, Any]


def read(
    run: wire.Run,
    workspace_id: str,
    options: RunOptions,
    detail: wire.Run | None = None,
    *,
    asked: bool = False,
) -> RunRows:
    """Reads a run.

    Args:
        run: Its list row.
        workspace_id: Where it belongs.
        options: What is kept.
        detail: Its per-run detail, where that was read.
        asked: The detail was asked for and is not to be had (404): what is known is all there is.

    Raises:
        msgspec.DecodeError: Part of it is not what it can be.
        ArithmeticError: An amount that is no amount.
    """
    if options.logs_only and detail is None:
        (log,) = zip(*_plain([run], workspace_id), strict=True)
        return RunRows(id=run.id, log=log, pending=False, evidence=life.Evidence.PLAIN)
    facts = _facts(run, detail, workspace_id, options)
    trace = facts.trace
    latest = detail or run
    total = latest.cost.total if latest.cost else None
    split = _split(run, facts)
    output = _final_output(run, facts)
    status, evidence = ending.told(run, detail, facts.data, output, has_spans=bool(trace.rows))
    if detail is None and not asked:
        pending, untold = _open_questions(run, facts, options, total, split, status)
    else:
        pending, untold = False, latest.ended_at is not None and split is None and trace.untold and bool(total)
    workflow_id = latest.workflow_id or _environment_workflow(facts)
    amount = cost.money(total)
    items = cost.items(total, split, trace.charges, untold=untold)
    return RunRows(
        id=run.id,
        log=_log_row(run, latest, workspace_id, workflow_id, status, amount),
        pending=pending,
        evidence=evidence,
        detail=_detail_row(run, facts, workspace_id, workflow_id, options, asked, amount, split),
        items=[item_row(item, run, workspace_id, workflow_id, payloads=options.full) for item in items],
        spans=trace.rows,
    )


def plain(listed: Sequence[wire.Run], workspace_id: str) -> pa.Table:
    """Plain list rows, at least one, as rows of ``logs``; column by column, which takes half as long as run by run.

    Raises:
        ArithmeticError, ValueError: One of them does not fit.
    """
    return LOGS.arrow(_plain(listed, workspace_id))


def _plain(listed: Sequence[wire.Run], workspace_id: str) -> list[list[Any]]:
    """The columns of ``logs``, in order."""
    # what most rows are is told here already: a call takes longer
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
        [at if (at := run.started_at).tzinfo is UTC else in_utc(at) for run in listed],
        ends,
        [cost.whole(run.total_duration_ms) for run in listed],
        [cost.money(run.cost.total) if run.cost else None for run in listed],
        [None if run.files is wire.NO_RAW or run.files == wire.NULL else _files_text(run.files) for run in listed],
        [None if run.unknown is wire.NO_RAW else _unknown_text(run.unknown) for run in listed],
    ]


def _open_questions(
    run: wire.Run,
    facts: _Facts,
    options: RunOptions,
    total: Decimal | None,
    split: dict[str, wire.ModelCost] | None,
    status: life.Status,
) -> tuple[bool, bool]:
    """Whether the detail is to be asked for, and whether the split is unread (so too under details=none).

    A split without models says nothing where nothing else shows an end: 2026-03 gives it, with the base charge, from
    the start of a run (``sim-2026-03/logs_full_spans_output_running``).
    """
    shows_end = present(run.final_output) or bool(facts.trace.rows)

    def needed(mode: life.Details, *, paused: bool = False) -> bool:
        return life.needs_detail(
            mode,
            ended_at=run.ended_at,
            has_split=bool(split) or (split is not None and shows_end),
            cost_total=total,
            names_model=facts.trace.names_model,
            span_count=len(facts.trace.rows),
            paused=paused,
        )

    return needed(options.details, paused=status == "paused"), needed("costly")


def _facts(run: wire.Run, detail: wire.Run | None, workspace_id: str, options: RunOptions) -> _Facts:
    data, rest = _NO_DATA, {}
    source = run if detail is None else detail
    if present(source.execution_data):
        data = decode.one(source.execution_data, wire.ExecutionData)
        rest = _rest_of(source.execution_data, options)
    roots = spans.decoded(data.trace_spans) or spans.decoded(run.trace_spans)  # a trace may expire between the two
    return _Facts(spans.read(roots, run.id, workspace_id, payloads=options.full), detail, data, rest)


_NO_DATA = wire.ExecutionData()
_COLUMNS_OF_EXECUTION_DATA = frozenset(
    {"traceSpans", "finalOutput", "finalizationPath", "tokens", "models", "tokenBreakdown", "error"}
)


def _rest_of(raw: msgspec.Raw, options: RunOptions) -> dict[str, Any]:
    """What of executionData has no column of its own."""
    shallow: dict[str, msgspec.Raw] = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    rest = {
        name: decode.anything(entry)
        for name, entry in shallow.items()
        if name not in _COLUMNS_OF_EXECUTION_DATA and (options.full or name not in privacy.PAYLOAD_NAMES)
    }
    cleaned: dict[str, Any] = privacy.without_secrets(rest) if options.full else privacy.safe_execution_data(rest)
    return cleaned


def _split(run: wire.Run, facts: _Facts) -> dict[str, wire.ModelCost] | None:
    """The API's own split by model, the detail's before the list's."""
    for answer in (facts.detail, run):
        if answer is not None and answer.cost is not None and answer.cost.models is not None:
            return answer.cost.models
    return facts.data.models


def _final_output(run: wire.Run, facts: _Facts) -> msgspec.Raw:
    return facts.data.final_output if facts.detail is not None else run.final_output


def _environment_workflow(facts: _Facts) -> str | None:
    """A hard-deleted workflow's id survives in the run's environment (recorded)."""
    if not present(facts.data.environment):
        return None
    environment = decode.anything(facts.data.environment)
    found = environment.get("workflowId") if isinstance(environment, dict) else None
    return found if isinstance(found, str) else None


def _log_row(
    run: wire.Run,
    latest: wire.Run,
    workspace_id: str,
    workflow_id: str | None,
    status: str,
    total: Decimal | None,
) -> Row:
    files = run.files if present(run.files) else latest.files
    workflow = latest.workflow or run.workflow
    return (
        run.id,
        workspace_id,
        run.execution_id,
        workflow_id,
        workflow.name if workflow else None,
        run.deployment_version_id,
        latest.level,
        latest.trigger,
        status,
        in_utc(run.started_at),
        _utc_or_none(latest.ended_at),
        cost.whole(latest.total_duration_ms),
        total,
        _files_text(files),
        _unknown_text(run.unknown),
    )


def _detail_row(
    run: wire.Run,
    facts: _Facts,
    workspace_id: str,
    workflow_id: str | None,
    options: RunOptions,
    asked: bool,
    total: Decimal | None,
    split: dict[str, wire.ModelCost] | None,
) -> Row:
    latest = facts.detail or run
    workflow = latest.workflow or run.workflow or wire.RunWorkflow()
    tokens = _tokens(latest, facts)
    output = _final_output(run, facts)
    return (
        run.id,
        workspace_id,
        "list" if facts.detail is None and not asked else "detail",
        run.execution_id,
        workflow_id,
        workflow.name,
        workflow.description,
        workflow.folder_id,
        workflow.deleted,
        facts.data.finalization_path,
        spans.error_text(facts.data.error) or (facts.trace.error if latest.level == "error" else None),
        tokens.prompt,
        tokens.completion,
        tokens.total,
        total,
        len(facts.trace.rows),
        spans.payload_text(output) if options.full else None,
        json_text(facts.data_rest) if facts.data_rest else None,
        _utc_or_none(latest.created_at),
        _detail_extra(run, latest, workflow, _more(run, facts, options.full, total, tokens, split)),
    )


def _tokens(latest: wire.Run, facts: _Facts) -> cost.TokenCount:
    """Tokens of a run: told by its cost, by executionData, or else summed over its blocks."""
    told = latest.cost.tokens if latest.cost else None
    for tokens in (told, facts.data.tokens, facts.data.token_breakdown):
        counted = cost.token_count(tokens)
        if counted:
            return counted
    return facts.trace.tokens


def _detail_extra(run: wire.Run, latest: wire.Run, workflow: wire.RunWorkflow, more: dict[str, Any]) -> str | None:
    """Known fields without a column and unknown ones, where they stood."""
    about = {
        "color": workflow.color,
        "userId": workflow.user_id,
        "createdAt": workflow.created_at,
        "updatedAt": workflow.updated_at,
    }
    parts: dict[str, Any] = {name: value for name, value in about.items() if value is not None}
    parts |= _unknown(workflow.unknown)
    found: dict[str, Any] = {"workflow": parts} if parts else {}
    found |= more
    known = _unknown(run.unknown)  # in logs.extra
    found |= {name: value for name, value in _unknown(latest.unknown).items() if name not in known}
    return json_text(found) if found else None


def _more(
    run: wire.Run,
    facts: _Facts,
    payloads: bool,
    total: Decimal | None,
    tokens: cost.TokenCount,
    split: dict[str, wire.ModelCost] | None,
) -> dict[str, Any]:
    """What cost, tokens and error of a run tell beyond their columns, and what was told twice and differs."""
    data, detail = facts.data, facts.detail
    more = {"cost": extra.of_cost(run.cost)}
    if detail is not None:
        more["cost"] |= extra.of_cost(detail.cost)
    if data is not _NO_DATA:
        more["error"] = extra.of_error(data.error, payloads)
        for name, told in (("tokens", data.tokens), ("tokenBreakdown", data.token_breakdown)):
            same = cost.token_count(told) == tokens
            more[name] = extra.of_tokens(told, payloads, extra.TOKENS if same else extra.NONE)
        if data.models is not None and (total is None or data.models != split):
            more["models"] = extra.of_models(data.models, payloads)
    return {name: value for name, value in more.items() if value}


def item_row(
    item: cost.CostItem, run: wire.Run, workspace_id: str, workflow_id: str | None, *, payloads: bool = False
) -> Row:
    """A row of ``cost_items``."""
    more = extra.of_model(item.entry, payloads) if item.entry is not None else None
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


def json_text(value: Any) -> str:
    """JSON text of plain objects."""
    return decode.encode(value).decode()


def _files_text(files: msgspec.Raw) -> str | None:
    return json_text(decode.anything(files)) if present(files) else None


def _unknown(raw: msgspec.Raw) -> dict[str, Any]:
    found: dict[str, Any] = privacy.without_payloads(decode.anything(raw)) if present(raw) else {}
    return found


def _unknown_text(raw: msgspec.Raw) -> str | None:
    if raw is wire.NO_RAW:
        return None
    found = _unknown(raw)
    return json_text(found) if found else None


def unknown_text(row: wire.Wire, **known: Any) -> str | None:
    """Text of ``extra``: a row's unknown fields, and known ones without a column."""
    found = {name: value for name, value in known.items() if value is not None} | _unknown(row.unknown)
    return json_text(found) if found else None


def _utc_or_none(moment: datetime | None) -> datetime | None:
    return None if moment is None else in_utc(moment)
