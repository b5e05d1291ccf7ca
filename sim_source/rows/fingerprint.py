"""Fingerprint of a run, to detect changes: the API has no ``updatedAt``. Pure functions."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from ..run_tables import LOGS
from ..schema import Row
from ..timestamps import utc_or_none


class Fingerprint(NamedTuple):
    """Values of a run that show whether it has changed; the API has no ``updatedAt``.

    Attributes:
        spans: Number of trace spans; None if not counted.
        path: The stored ``finalizationPath``, or None.
        error: Whether an error is stored with the run; None if not known.
        v2_status: The stored status of v2, or None.
    """

    ended_at: datetime | None
    cost_total: Decimal | None
    level: str | None
    status: str
    spans: int | None = None
    path: str | None = None
    error: bool | None = None
    v2_status: str | None = None


def fingerprint_of(log: Row, spans: int | None) -> Fingerprint:
    """Returns the fingerprint of a row of ``logs``."""
    ended_at, total, level, status, v2_status = (log[index] for index in _TELLING)
    return Fingerprint(utc_or_none(ended_at), total, level, status, spans, v2_status=v2_status)


_TELLING = tuple(LOGS.column_names.index(name) for name in ("ended_at", "cost_total", "level", "status", "v2_status"))
