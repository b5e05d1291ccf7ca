"""The stored rows of a run, and access to row values by column name. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from .. import jsons
from ..api import wire
from ..run_tables import LOG_DETAILS, LOGS
from ..schema import Row, Table
from .fingerprint import Fingerprint, fingerprint_of

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class StoredRun:
    """The rows of a run in the destination.

    Attributes:
        log: Its row of ``logs``.
        detail: Its row of ``log_details``, or None.
        items: Its rows of ``cost_items``.
        spans: Its rows of ``trace_spans`` if the run is read again in full, for example by ``sim-sync resync``; else
            None. If set, values of stored spans are kept, and the detail is requested even if it was read before.
    """

    log: Row
    detail: Row | None = None
    items: Sequence[Row] = field(default_factory=list)
    spans: Sequence[Row] | None = None

    @property
    def fingerprint(self) -> Fingerprint:
        """Fingerprint to compare with that of a run just read."""
        if self.detail is None:
            return fingerprint_of(self.log, None)
        detail = by_name(LOG_DETAILS, self.detail)
        found = fingerprint_of(self.log, detail["span_count"])
        return found._replace(path=detail["finalization_path"], error=detail["error"] is not None)


def same_row(table: Table, one: Row, other: Row) -> bool:
    """Whether two rows are equal; JSON is compared by value, since some databases change its formatting."""
    return all(
        a == b or (column.kind == "json" and None not in (a, b) and _parsed(a) == _parsed(b))
        for column, a, b in zip(table.columns, one, other, strict=True)
    )


def _parsed(text: str) -> Any:
    return jsons.anything(text.encode())


def by_name(table: Table, row: Row) -> Fields:
    """Returns the values of a row by column name."""
    return dict(zip(table.column_names, row, strict=True))


def in_order(table: Table, fields: Fields) -> Row:
    """Builds a row from values by column name."""
    return tuple(fields[name] for name in table.column_names)


def run_of(stored: StoredRun) -> wire.Run:
    """Rebuilds a run's list row from its stored row of ``logs``; a detail adds the other fields."""
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
