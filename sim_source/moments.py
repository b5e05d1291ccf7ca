"""Moments in UTC: the one conversion that all others build on. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

MILLISECOND = timedelta(milliseconds=1)
"""What the wire can tell apart."""


def in_utc(moment: datetime) -> datetime:
    """The moment in UTC; without a zone it is taken for UTC.

    Raises:
        OverflowError: Its zone leads out of the calendar: stored, it could not be read back.
    """
    if moment.tzinfo is UTC:
        return moment
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
