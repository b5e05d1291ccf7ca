"""A run as the destination holds it, and rows by the names of their columns. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from .. import jsons
from ..api import wire
from ..schema import Row, Table
from ..tables import LOG_DETAILS, LOGS
from .fingerprint import Fingerprint, fingerprint_of

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run as the destination holds it.

    Attributes:
        log: Its row of ``logs``.
        detail: Its row of ``log_details``; None where that is not there.
        items: Its rows of ``cost_items``.
        spans: Its rows of ``trace_spans``, where it is read again on purpose: then nothing of a span is lost either,
            and what is stored of the run is no reason not to ask for its detail. None where it is not.
    """

    log: Row
    detail: Row | None = None
    items: Sequence[Row] = field(default_factory=list)
    spans: Sequence[Row] | None = None

    @property
    def fingerprint(self) -> Fingerprint:
        """What to compare with what is read."""
        if self.detail is None:
            return fingerprint_of(self.log, None)
        detail = by_name(LOG_DETAILS, self.detail)
        found = fingerprint_of(self.log, detail["span_count"])
        return found._replace(path=detail["finalization_path"], error=detail["error"] is not None)


def same_row(table: Table, one: Row, other: Row) -> bool:
    """Whether two rows say the same; JSON is compared by what it says, since some databases write it anew."""
    return all(
        a == b or (column.kind == "json" and None not in (a, b) and _parsed(a) == _parsed(b))
        for column, a, b in zip(table.columns, one, other, strict=True)
    )


def _parsed(text: str) -> Any:
    return jsons.anything(text.encode())


def by_name(table: Table, row: Row) -> Fields:
    """Values of a row, by column."""
    return dict(zip(table.column_names, row, strict=True))


def in_order(table: Table, fields: Fields) -> Row:
    """The row whose values these are."""
    return tuple(fields[name] for name in table.column_names)


def run_of(stored: StoredRun) -> wire.Run:
    """What a stored run's list row said, as far as its detail does not say it again."""
    log: dict[str, Any] = dict(zip(LOGS.column_names, stored.log, strict=True))
    workflow = wire.RunWorkflow(name=log["workflow_name"]) if log["workflow_name"] else None
    return wire.Run(
        id=log["id"],
        started_at=log["started_at"],
        workflow_id=log["workflow_id"],
        execution_id=log["execution_id"],
        deployment_version_id=log["deployment_version_id"],
        level=log["level"],
        trigger=log["trigger"],
        ended_at=log["ended_at"],
        total_duration_ms=log["total_duration_ms"],
        cost=wire.Cost(total=log["cost_total"]) if log["cost_total"] is not None else None,
        files=_raw(log["files"]),
        workflow=workflow,
        unknown=_raw(log["extra"]),
    )


def _raw(text: str | None) -> msgspec.Raw:
    return wire.NO_RAW if text is None else msgspec.Raw(text.encode())
