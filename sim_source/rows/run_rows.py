"""A run as rows of four tables, and what is wanted of it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from ..options import Details, Payloads
from ..schema import Row
from ..tables import COST_ITEMS, LOG_DETAILS, LOGS, TRACE_SPANS
from . import life
from .fingerprint import Fingerprint, fingerprint_of

ROW_FAULTS = (msgspec.DecodeError, ArithmeticError, ValueError, OverflowError, RecursionError)
"""What a row that does not fit raises: it is set aside, never fatal."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What is kept of a run, and what is asked for beyond the list; of ``logs_only``, no other table's rows."""

    details: Details = "costly"
    payloads: Payloads = "none"
    logs_only: bool = False

    @property
    def full(self) -> bool:
        """Whether payloads are kept."""
        return self.payloads == "full"


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
