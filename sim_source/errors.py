"""What can go wrong, in the words of the person who reads the cron mail.

Every error says what happened and what to do. None ever holds the API key or a payload.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime


class SimError(Exception):
    """Base of all errors of this source."""


class ConfigurationError(SimError):
    """A setting is missing or wrong; nothing was attempted."""


class AccessDenied(SimError):
    """The server refuses the key (401) or what it asks for (403).

    Attributes:
        status: 401 or 403.
        reason: The server's own words.
    """

    def __init__(self, message: str, status: int, reason: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


class NotFound(SimError):
    """The server has no such thing (404): purged, foreign or never there."""


class BadRequest(SimError):
    """The server does not take a parameter (400)."""


class OutOfTime(SimError):
    """Waiting longer would overrun the time this run was given."""


class Transient(SimError):
    """A fault that may pass: worth another try."""


class UnreadableAnswer(Transient):
    """The body is not the JSON that was expected: HTML, or cut off."""


class ServerFault(Transient):
    """5xx, a reset connection, a time-out, or one of the two transient 401 texts.

    Attributes:
        retry_after: Seconds the server asks to wait, where it says.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unreached(ServerFault):
    """The server was not reached: its name is not known, nobody listens there, or no network."""


class RateLimited(Transient):
    """429: the bucket is empty; the pacer knows for how long."""


class Unavailable(SimError):
    """The API stayed unavailable after all tries; try again later."""


class NotReached(Unavailable):
    """Not even a connection was to be had: asking for less, or for something else, changes nothing."""


class NoProgress(SimError):
    """The server answers page after page that there is more, and shows nothing new; tried again by the next sync."""


class Incomplete(SimError):
    """The API cannot be brought to show all rows of a stretch; what it showed is kept, the next sync tries again.

    Attributes:
        first: First moment of the stretch.
        last: Its last, inclusive.
    """

    def __init__(self, message: str, first: datetime, last: datetime) -> None:
        super().__init__(message)
        self.first = first
        self.last = last


def causes(error: BaseException) -> Iterator[BaseException]:
    """An error, and what it was raised for: libraries wrap faults in their own."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = (
            current.__cause__
            or getattr(current, "exception", None)
            or getattr(current, "dbapi_exception", None)
            or current.__context__
        )
