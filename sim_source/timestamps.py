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


def utc(moment: datetime) -> datetime:
    """The moment in UTC; without a zone it is taken for UTC, as is one whose zone leads out of the calendar."""
    try:
        return in_utc(moment)
    except OverflowError:
        return moment.replace(tzinfo=UTC)


def iso(moment: datetime) -> str:
    """As the API takes and gives dates: ``YYYY-MM-DDTHH:mm:ss.sssZ``."""
    return utc(moment).strftime("%Y-%m-%dT%H:%M:%S.") + f"{utc(moment).microsecond // 1000:03d}Z"


def utc_or_none(moment: datetime | None) -> datetime | None:
    """The moment in UTC, or none; as ``in_utc``."""
    return None if moment is None else in_utc(moment)
