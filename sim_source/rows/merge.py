"""Merges the rows just read of a run with its stored rows: the more complete value wins. Pure functions.

Sim updates a run in place, and later responses may be less complete: traces expire, workflows are deleted, and lists
have fewer fields than details. Values that change (status, end, error) are those of the latest response. Values that
last (ids, names, tokens, split, spans) are never removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .. import jsons
from ..api import decode, wire
from ..run_tables import COST_ITEMS, LOG_DETAILS, LOGS, TRACE_SPANS
from ..schema import Row, Table
from . import life, v2_status
from .cost import ZERO
from .fingerprint import Fingerprint
from .life import Evidence
from .merge_items import KIND, TOTAL, WORKFLOW, kept_split, merged_items, rest_item, with_values
from .run_rows import RunRows
from .stored_run import Fields, StoredRun, by_name, in_order, same_row

_LASTING = {
    LOGS.name: ("execution_id", "workflow_id", "deployment_version_id", "trigger", "files", "cost_total"),
    LOG_DETAILS.name: (
        "execution_id",
        "workflow_id",
        "workflow_description",
        "workflow_folder_id",
        "workflow_deleted",
        "cost_total",
        "final_output",
        "execution_data",
        "created_at",
    ),
}
"""Columns in which null never replaces a stored value."""
_TOKENS = ("prompt_tokens", "completion_tokens", "total_tokens")
_OF_THE_END = ("finalization_path", "error")
"""Columns that describe the end of a run: null does not replace a stored value as long as the end is the same."""


def evidence_of(known: Fingerprint) -> Evidence:
    """The evidence that the stored rows give for the end of a run.

    A stored ``paused`` may be replaced by any response with a final output. ``completed`` without a cost and without
    spans is weak: earlier versions of sim-sync stored it for swept runs. So is ``failed`` without the level ``error``,
    which ``life.status_of`` returns if a response shows nothing of an end.
    """
    if v2_status.is_final(known.v2_status):
        return Evidence.OFFICIAL
    if known.status == "paused":
        return Evidence.SHOWN
    if known.path is not None or known.error:
        return Evidence.TOLD
    bare = known.cost_total is None and (known.spans or 0) <= 0
    if (known.status == "completed" and bare) or (known.status == "failed" and known.level != "error"):
        return Evidence.SILENT
    return Evidence.SHOWN


def _is_swept(known: Fingerprint) -> bool:
    """Whether a run is stored as paused with an error: resumed and then swept, which earlier versions missed."""
    return known.status == "paused" and bool(known.error) and known.v2_status is None


def changed(known: Fingerprint, rows: RunRows) -> bool:
    """Whether a response has something new about a stored run; a response that only lacks values does not count."""
    now = rows.fingerprint
    if (now.ended_at, now.level) != (known.ended_at, known.level) or now.cost_total not in (None, known.cost_total):
        return True
    if known.spans is not None and (now.spans or 0) > known.spans:
        return True
    return _is_swept(known) or (now.status != known.status and rows.evidence >= evidence_of(known))


def richer(new: RunRows, stored: StoredRun) -> RunRows:
    """Returns the rows to store for a run that is stored already.

    Args:
        new: The rows just read.
        stored: The stored rows.

    Returns:
        Rows that are at least as complete as the stored ones. ``items`` or ``spans`` are empty, and other rows equal
        the stored ones, if the stored ones stay unchanged.
    """
    known, now = stored.fingerprint, new.fingerprint
    same_end = known.ended_at == now.ended_at and known.level == now.level
    same = same_end and now.cost_total in (None, known.cost_total)
    log = _lasting(LOGS, by_name(LOGS, new.log), by_name(LOGS, stored.log))
    if same:
        log["status"] = _status(new, known, stored)
        if log["v2_status"] is None and log["status"] == known.status:
            log["v2_status"] = known.v2_status
    spans = _spans(new.spans, stored, known.spans or 0) if same else new.spans
    items, settled = merged_items(new, stored, log["cost_total"])
    items = [with_values(item, workflow_id=log["workflow_id"]) if item[WORKFLOW] is None else item for item in items]
    detail = new.detail
    if stored.detail is not None and new.detail:
        merged = _detail(
            by_name(LOG_DETAILS, new.detail),
            by_name(LOG_DETAILS, stored.detail),
            same=same,
            has_spans=bool(spans),
        )
        detail = in_order(LOG_DETAILS, merged)
    return RunRows(
        id=new.id,
        log=in_order(LOGS, log),
        pending=new.pending and (stored.spans is not None or not _is_settled(stored, log, settled, same)),
        evidence=new.evidence,
        detail=detail,
        items=items,
        spans=spans,
    )


def _is_settled(stored: StoredRun, log: Fields, settled: bool, same: bool) -> bool:
    """Whether the detail has nothing to add: it was read in full, or the run is final and its split complete."""
    return (same and _is_whole(stored)) or (settled and log["status"] not in life.OPEN)


def _spans(new: Sequence[Row], stored: StoredRun, count: int) -> Sequence[Row]:
    """Spans to store for a run whose end is unchanged; empty if there are fewer spans than stored ones.

    If a run is read again in full (for example by ``sim-sync resync``), spans keep stored values that the new response
    lacks, such as inputs and outputs.
    """
    if len(new) < count or stored.spans is None:
        return [] if len(new) < count else new
    kept = {(row[_SPAN_INDEX], row[_SPAN_ID]): row for row in stored.spans}
    merged = [_filled(row, kept.get((row[_SPAN_INDEX], row[_SPAN_ID]))) for row in new]
    same = len(merged) == len(stored.spans) and all(
        same_row(TRACE_SPANS, one, other) for one, other in zip(merged, stored.spans, strict=True)
    )
    return [] if same else merged


def _filled(new: Row, old: Row | None) -> Row:
    if old is None:
        return new
    filled = [before if now is None else now for now, before in zip(new, old, strict=True)]
    filled[_SPAN_EXTRA] = _objects(new[_SPAN_EXTRA], old[_SPAN_EXTRA])
    return tuple(filled)


_SPAN_INDEX, _SPAN_ID, _SPAN_EXTRA = (
    TRACE_SPANS.column_names.index(name) for name in ("span_index", "span_id", "extra")
)


def _status(new: RunRows, known: Fingerprint, stored: StoredRun) -> str:
    """The status of a run whose end is unchanged: the one with the stronger evidence, stored or new."""
    if _is_swept(known):
        known = known._replace(status="failed")
    now: str = new.fingerprint.status
    expired = new.evidence is Evidence.SILENT and known.status == "completed" and _had_spans(stored)
    return known.status if expired or new.evidence < evidence_of(known) else now


def _had_spans(stored: StoredRun) -> bool:
    """Whether the stored detail shows that the run had a trace, expired or not."""
    data = by_name(LOG_DETAILS, stored.detail)["execution_data"] if stored.detail else None
    return data is not None and decode.one(data.encode(), wire.ExecutionData).had_spans


def is_untold(rows: RunRows) -> bool:
    """Whether the rows show the cost of a run, but not its split."""
    return any(item[KIND] == "unknown" for item in rows.items)


def is_read(stored: StoredRun) -> bool:
    """Whether the per-run detail has been read."""
    return stored.detail is not None and by_name(LOG_DETAILS, stored.detail)["detail_source"] == "detail"


def _is_whole(stored: StoredRun) -> bool:
    """Whether the per-run detail has been read and the stored items add up to the cost, so no request is needed."""
    total = by_name(LOGS, stored.log)["cost_total"] or ZERO
    return is_read(stored) and sum((item[TOTAL] for item in stored.items), ZERO) == total


def _detail(new: Fields, old: Fields, *, same: bool, has_spans: bool) -> Fields:
    merged = _lasting(LOG_DETAILS, new, old)
    # responses have less of it once a trace has expired, a pause is over, or payloads are no longer kept
    merged["execution_data"] = _objects(new["execution_data"], old["execution_data"])
    if not has_spans and old["span_count"]:
        merged["span_count"] = old["span_count"]
    if all(new[name] is None for name in _TOKENS) or (same and not has_spans):
        merged |= {name: new[name] if old[name] is None else old[name] for name in _TOKENS}
    if same:
        merged |= {name: old[name] if new[name] is None else new[name] for name in _OF_THE_END}
        if old["detail_source"] == "detail":
            merged["detail_source"] = "detail"
    return merged


def _lasting(table: Table, new: Fields, old: Fields) -> Fields:
    merged = {**new, **{name: old[name] for name in _LASTING[table.name] if new[name] is None}}
    if old["workflow_name"] is not None and (new["workflow_name"] is None or new["workflow_id"] is None):
        merged["workflow_name"] = old["workflow_name"]  # the API names a hard-deleted one "Deleted Workflow"
    merged["extra"] = _objects(new["extra"], old["extra"])
    return merged


def _objects(new: str | None, old: str | None) -> str | None:
    if new is None or old is None or new == old:
        return old if new is None else new
    told, kept = jsons.anything(new.encode()), jsons.anything(old.encode())
    merged = told | {name: value for name, value in kept.items() if name not in told}
    return old if merged == kept else jsons.encode(merged).decode()


def gone_run(stored: StoredRun) -> RunRows:
    """Returns the final rows of a run that the server deleted before all of it was read.

    Its detail counts as read; a cost whose split was never read stays ``unknown``.
    """
    log = by_name(LOGS, stored.log)
    total = log["cost_total"]
    items: list[Row] = []
    if total is not None and sum((item[TOTAL] for item in stored.items), ZERO) != total:
        kept = kept_split(stored, total, "unknown")
        items = [rest_item(stored.log, total, "unknown")] if kept is None else kept
    detail: Row = ()
    if stored.detail is not None:
        fields = by_name(LOG_DETAILS, stored.detail) | {"cost_total": total}
        detail = in_order(LOG_DETAILS, fields | ({"detail_source": "detail"} if log["ended_at"] else {}))
    return RunRows(id=log["id"], log=stored.log, pending=False, detail=detail, items=items)


def news(rows: RunRows, stored: StoredRun) -> RunRows | None:
    """The rows without those that are stored already; None if nothing is left."""
    log = () if same_row(LOGS, rows.log, stored.log) else rows.log
    detail = rows.detail
    if not detail or (stored.detail is not None and same_row(LOG_DETAILS, detail, stored.detail)):
        detail = ()
    items = [] if _same_items(rows.items, stored.items) else rows.items
    if not (log or detail or items):
        return None
    return RunRows(id=rows.id, log=log, pending=rows.pending, detail=detail, items=items, spans=rows.spans)


def _same_items(one: Sequence[Row], other: Sequence[Row]) -> bool:
    def in_order(rows: Iterable[Row]) -> list[Row]:
        return sorted(rows, key=lambda row: row[:3])

    return len(one) == len(other) and all(
        same_row(COST_ITEMS, a, b) for a, b in zip(in_order(one), in_order(other), strict=True)
    )
