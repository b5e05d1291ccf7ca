"""Allowed values of settings, and parsing of dates, durations and workspace ids. Does not import dlt."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal, get_args

from .errors import ConfigurationError

Details = Literal["costly", "all", "none"]
"""Runs whose detail is requested: those whose cost the list does not split by model, all, or none."""
Snapshots = Literal["version", "all", "none"]
"""Runs whose snapshot is requested: one run per workflow and deployment version, all, or none."""
Api = Literal["auto", "v1"]
"""Whether the v2 API is read, too, if the server offers it."""
Payloads = Literal["none", "full"]
"""Whether inputs and outputs are stored."""

ALL = "all"
"""Instead of workspace ids: every workspace that the API key may list."""
DEFAULT_ACCOUNT = "default"
"""Name of the account if none is configured."""
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""Sim has no rows outside this range; dates outside it are moved to its limits."""


def choice(name: str, value: object, choices: Any) -> Any:
    """Checks the value of a setting and returns it.

    Raises:
        ConfigurationError: The value is not one of the choices.
    """
    if value not in get_args(choices):
        raise ConfigurationError(f"{name}: unknown value {value!r}; choose from {', '.join(get_args(choices))}")
    return value


def moment(name: str, value: str | None, now: datetime | None = None) -> datetime | None:
    """Parses an ISO date or date-time, or a number of days before now (``30d``); UTC if it has no time zone.

    Raises:
        ConfigurationError: The value is neither.
    """
    if value is None:
        return None
    text = str(value).strip()
    days = re.fullmatch(r"(\d{1,5})d", text)
    try:
        found = (now or datetime.now(UTC)) - timedelta(days=int(days[1])) if days else _iso(text)
    except ValueError as error:
        raise ConfigurationError(
            f"{name}: {value!r} is not a date; write 2026-11-01, 2026-11-01T08:00:00Z or 30d"
        ) from error
    return min(max(found, EARLIEST), LATEST)


def _iso(text: str) -> datetime:
    import pendulum  # imported here: processes that only decode pages do not need it

    found = pendulum.parse(text, exact=True)
    if not isinstance(found, date):  # a time of day or a duration
        raise ValueError(text)
    moment = datetime(found.year, found.month, found.day, tzinfo=UTC)
    # years outside of this range are clamped by ``moment``; converting them to UTC may overflow
    if isinstance(found, datetime) and EARLIEST.year < found.year < LATEST.year:
        moment = datetime.fromtimestamp(found.timestamp(), UTC)
    return moment


def length(name: str, value: Any) -> timedelta:
    """Parses a duration; its unit is the last part of the setting's name, as in ``lookback_minutes``.

    Raises:
        ConfigurationError: The value is not a number, is negative, or is 1,000,000 or more.
    """
    unit = name.rsplit("_", 1)[1]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1_000_000:
        raise ConfigurationError(f"{name}: {value!r} is not a number of {unit}")
    return timedelta(**{unit: value})


def workspace_ids(value: Any) -> tuple[str, ...]:
    """Parses workspace ids, given as a list or as one comma-separated string; or ``all``, alone.

    Raises:
        ConfigurationError: There is no id, or the value has another type.
    """
    parts = value.split(",") if isinstance(value, str) else value if value is not None else ()
    if not isinstance(parts, Sequence) or not all(isinstance(part, str) for part in parts):
        raise ConfigurationError(f"workspace_id: {value!r} is neither a workspace id nor a list of them")
    found = tuple(dict.fromkeys(each.strip() for part in parts for each in part.split(",") if each.strip()))
    if not found:
        raise ConfigurationError(
            "SIM_WORKSPACE_ID is not set; copy the id from the URL of your workspace in Sim (…/workspace/<id>/…)"
        )
    found = tuple(ALL if each.lower() == ALL else each for each in found)
    if ALL in found and len(found) > 1:
        raise ConfigurationError("SIM_WORKSPACE_ID: all stands for every workspace; no other id can be added")
    return found
