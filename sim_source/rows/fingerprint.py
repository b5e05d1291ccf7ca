"""What tells that a run changed: there is no updatedAt. Pure."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from ..schema import Row
from ..tables import LOGS
from ..timestamps import utc_or_none


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


def fingerprint_of(log: Row, spans: int | None) -> Fingerprint:
    """The fingerprint of a row of ``logs``."""
    ended_at, total, level, status = (log[index] for index in _TELLING)
    return Fingerprint(utc_or_none(ended_at), total, level, status, spans)


_TELLING = tuple(LOGS.column_names.index(name) for name in ("ended_at", "cost_total", "level", "status"))
