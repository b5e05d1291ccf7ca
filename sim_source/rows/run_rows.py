"""The rows of a run in four tables, and the options for reading it. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from ..options import Details, Payloads
from ..run_tables import COST_ITEMS, LOG_DETAILS, LOGS, TRACE_SPANS
from ..schema import Row
from . import life
from .fingerprint import Fingerprint, fingerprint_of

ROW_FAULTS = (msgspec.DecodeError, ArithmeticError, ValueError, OverflowError, RecursionError)
"""Errors raised by a row that does not fit its table; the row is rejected and the sync continues."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Options for reading runs.

    Attributes:
        details: Runs whose detail is requested.
        payloads: Whether inputs and outputs are kept.
        logs_only: Build only rows of ``logs``, none of the other tables.
    """

    details: Details = "costly"
    payloads: Payloads = "none"
    logs_only: bool = False

    @property
    def full(self) -> bool:
        """Whether payloads are kept."""
        return self.payloads == "full"


class RunRows(msgspec.Struct, gc=False):
    """The rows of a run; values are in the order of the tables' columns.

    Attributes:
        id: Id of the run.
        log: Row of ``logs``; empty if it stays as stored.
        pending: Whether the per-run detail still has to be requested.
        evidence: How reliably the response shows the end of the run.
        detail: Row of ``log_details``; empty if there is none, or it stays as stored.
        items: Rows of ``cost_items``.
        spans: Rows of ``trace_spans``.
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
        """Fingerprint to compare with that of the stored run."""
        return fingerprint_of(self.log, len(self.spans))


def by_table(read: Sequence[RunRows]) -> dict[str, list[Row]]:
    """Groups the rows of several runs by table."""
    return {
        LOGS.name: [each.log for each in read if each.log],
        LOG_DETAILS.name: [each.detail for each in read if each.detail],
        COST_ITEMS.name: [item for each in read for item in each.items],
        TRACE_SPANS.name: [span for each in read for span in each.spans],
    }
