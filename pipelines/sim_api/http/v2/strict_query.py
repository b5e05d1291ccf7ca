"""Query parameters of the v2 API: unknown, blank and repeated ones are 400, dates must be UTC with `Z`."""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import parse_qsl

from ...world.moments import js_date
from .replies import bad_request

_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?Z")


class V2Query:
    """The parameters of one request.

    Raises:
        V2Error: One is unknown, blank or repeated.
    """

    def __init__(self, query: str, known: Collection[str]) -> None:
        pairs = parse_qsl(query, keep_blank_values=True)
        self.values = dict(pairs)
        for name, value in pairs:
            if name not in known:
                raise bad_request(f'Unrecognized key: "{name}"')
            if not value:
                raise bad_request(f"{name} must not be empty")
        if len(self.values) != len(pairs):
            raise bad_request("a parameter was repeated")

    def text(self, name: str) -> str | None:
        """A text; None if it is absent."""
        return self.values.get(name)

    def required(self, name: str) -> str:
        """A required text."""
        value = self.values.get(name)
        if value is None:
            raise bad_request(f"{name} is required")
        return value

    def choice(self, name: str, options: Collection[str], default: str | None = None) -> str | None:
        """One of several words."""
        value = self.values.get(name, default)
        if value is not None and value not in options:
            shown = "|".join(f'"{option}"' for option in options)
            raise bad_request(f"Invalid option: expected one of {shown}")
        return value

    def flag(self, name: str) -> bool:
        """`true` or `false`; absent is false."""
        return self.choice(name, ("true", "false")) == "true"

    def clamped_limit(self, default: int, most: int) -> int:
        """`limit` of /logs: truncated and clamped to 1..most."""
        return max(1, min(most, int(self._number("limit", default))))

    def strict_limit(self, default: int = 50, most: int = 100) -> int:
        """`limit` of the other lists: 1..most, else 400."""
        value = self._number("limit", default)
        if not value.is_integer() or not 1 <= value <= most:
            raise bad_request(f"limit must be an integer from 1 to {most}")
        return int(value)

    def number(self, name: str) -> float | None:
        """A number; None if it is absent."""
        return self._number(name, 0) if name in self.values else None

    def _number(self, name: str, default: float) -> float:
        try:
            return float(self.values.get(name, default))
        except ValueError as error:
            raise bad_request(f"{name} must be a number") from error

    def dates(self) -> tuple[int | None, int | None]:
        """`startDate` and `endDate` in epoch milliseconds, both inclusive."""
        start, end = self._date("startDate"), self._date("endDate")
        if start is not None and end is not None and start > end:
            raise bad_request("startDate must not be after endDate")
        return start, end

    def _date(self, name: str) -> int | None:
        text = self.values.get(name)
        if text is None:
            return None
        moment = js_date(text) if _UTC.fullmatch(text) else None
        if moment is None:
            raise bad_request(f"{name} must be an ISO 8601 date-time in UTC")
        return moment
