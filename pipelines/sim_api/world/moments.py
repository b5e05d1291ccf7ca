"""Times in responses: ISO 8601 with milliseconds and Z, as written by JavaScript's `toISOString`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The formats sent by clients that `new Date(text)` accepts; "yesterday" and "1763625600000" are Invalid Date
# (recordings logs_startDate_malformed, logs_startDate_epoch_ms).
_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?(Z|[+-]\d\d:?\d\d)?",
    re.IGNORECASE,
)


@lru_cache(maxsize=65536)
def _second(seconds: int) -> str:
    return (EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")


def iso_of_ms(epoch_ms: int) -> str:
    """Epoch milliseconds as `YYYY-MM-DDTHH:mm:ss.sssZ`."""
    seconds, millis = divmod(epoch_ms, 1000)
    return f"{_second(seconds)}.{millis:03d}Z"


def iso_or_none(epoch_ms: int | None) -> str | None:
    """As `iso_of_ms`; None for None."""
    return None if epoch_ms is None else iso_of_ms(epoch_ms)


def to_ms(moment: datetime) -> int:
    """An aware datetime as epoch milliseconds."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def month_of(epoch_ms: int) -> tuple[int, int]:
    """Start of the UTC month of a time, and of the month after it, in epoch milliseconds."""
    now = datetime.fromtimestamp(epoch_ms / 1000, UTC)
    after = datetime(now.year + now.month // 12, now.month % 12 + 1, 1, tzinfo=UTC)
    return to_ms(datetime(now.year, now.month, 1, tzinfo=UTC)), to_ms(after)


def js_date(text: str) -> int | None:
    """Parses a parameter as `new Date(text)` does; epoch milliseconds, None for Invalid Date."""
    match = _ISO.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        moment = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=UTC
        )
    except ValueError:
        return None
    millis = int(((fraction or "") + "000")[:3])
    if zone and zone.upper() != "Z":
        sign = -1 if zone[0] == "-" else 1
        moment -= sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    return to_ms(moment) + millis
