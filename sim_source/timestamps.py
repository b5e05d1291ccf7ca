"""Conversion of timestamps to UTC and to the API's date format. Pure functions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

MILLISECOND = timedelta(milliseconds=1)
"""Resolution of timestamps in the API."""


def in_utc(moment: datetime) -> datetime:
    """Converts a timestamp to UTC; one without a time zone is assumed to be UTC.

    Raises:
        OverflowError: The result is outside the range of ``datetime``; if stored, it could not be read back.
    """
    if moment.tzinfo is UTC:
        return moment
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def utc(moment: datetime) -> datetime:
    """As ``in_utc``, but drops the time zone if the conversion would leave the range of ``datetime``."""
    try:
        return in_utc(moment)
    except OverflowError:
        return moment.replace(tzinfo=UTC)


def iso(moment: datetime) -> str:
    """Formats a timestamp as the API does: ``YYYY-MM-DDTHH:mm:ss.sssZ``."""
    return utc(moment).strftime("%Y-%m-%dT%H:%M:%S.") + f"{utc(moment).microsecond // 1000:03d}Z"


def utc_or_none(moment: datetime | None) -> datetime | None:
    """As ``in_utc``; None stays None."""
    return None if moment is None else in_utc(moment)
