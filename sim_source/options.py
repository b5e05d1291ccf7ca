"""Choices of the settings, and how dates, lengths and workspaces are read; dlt is not needed for any of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal, get_args

from .errors import ConfigurationError

Details = Literal["costly", "all", "none"]
"""Which runs' detail is asked for: those whose cost the list does not split, all, or none."""
Snapshots = Literal["version", "all", "none"]
"""Whose snapshot is asked for: of one run per workflow and deployment version, of all, or of none."""
Payloads = Literal["none", "full"]
"""Whether inputs and outputs are kept."""

EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""Sim has nothing before, and will have nothing after: a date out there means all."""


def choice(name: str, value: object, choices: Any) -> Any:
    """One of the choices of a setting.

    Raises:
        ConfigurationError: It is none of them.
    """
    if value not in get_args(choices):
        raise ConfigurationError(f"{name}: {value!r} is not a choice; choose {', '.join(get_args(choices))}")
    return value


def moment(name: str, value: str | None, now: datetime | None = None) -> datetime | None:
    """An ISO date or date-time, or so many days before now (``30d``); UTC where no zone is named.

    Raises:
        ConfigurationError: Neither.
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
    import pendulum  # processes that only decode pages need none of it

    found = pendulum.parse(text, exact=True)
    if not isinstance(found, date):  # an hour, or a length of time
        raise ValueError(text)
    moment = datetime(found.year, found.month, found.day, tzinfo=UTC)
    # a zone must not lead out of the calendar, nor a period before this one
    if isinstance(found, datetime) and EARLIEST.year < found.year < LATEST.year:
        moment = datetime.fromtimestamp(found.timestamp(), UTC)
    return moment


def length(name: str, value: Any) -> timedelta:
    """A length of time, in the unit that the setting's name ends with.

    Raises:
        ConfigurationError: It is negative, not a number, or longer than the calendar.
    """
    unit = name.rsplit("_", 1)[1]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1_000_000:
        raise ConfigurationError(f"{name}: {value!r} is not a number of {unit}")
    return timedelta(**{unit: value})


def workspace_ids(value: Any) -> tuple[str, ...]:
    """Ids of workspaces: a list, or one string (comma-separated).

    Raises:
        ConfigurationError: There is none, or it is something else.
    """
    parts = value.split(",") if isinstance(value, str) else value if value is not None else ()
    if not isinstance(parts, Sequence) or not all(isinstance(part, str) for part in parts):
        raise ConfigurationError(f"workspace_id: {value!r} is neither a workspace id nor a list of them")
    found = tuple(dict.fromkeys(each.strip() for part in parts for each in part.split(",") if each.strip()))
    if not found:
        raise ConfigurationError(
            "SIM_WORKSPACE_ID is not set; it is in the address of your workspace in Sim (…/workspace/<id>/…)"
        )
    return found
