"""The errors of this source.

Every message says what happened and what to do next, for a person who reads it in a cron mail. No message contains the
API key or a payload.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime


class SimError(Exception):
    """Base of all errors of this source. They can be sent to another process, with their attributes."""

    def __reduce__(self) -> tuple[Callable[..., SimError], tuple[object, ...]]:
        return _restored, (type(self), self.args, self.__dict__)


def _restored(kind: type[SimError], args: tuple[object, ...], attributes: dict[str, object]) -> SimError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(attributes)
    return error


class ConfigurationError(SimError):
    """A setting is missing or invalid."""


class AccessDenied(SimError):
    """The server rejected the API key (401) or does not allow it to make this request (403).

    Attributes:
        status: 401 or 403.
        reason: The error text that the server sent.
    """

    def __init__(self, message: str, status: int, reason: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


class NotFound(SimError):
    """The server does not have this resource (404): it was deleted, belongs to someone else, or never existed."""


class NotOffered(SimError):
    """The server has no such endpoint of the v2 API, or does not offer v2 to this API key; nothing is wrong.

    Attributes:
        everything: Whether that holds for all of v2.
    """

    def __init__(self, message: str, *, everything: bool) -> None:
        super().__init__(message)
        self.everything = everything


class BadRequest(SimError):
    """The server rejected the request: 400, or any other status without an error class of its own."""


class OutOfTime(SimError):
    """The next wait would exceed the time limit of this sync."""


class Transient(SimError):
    """A fault that may be temporary; the request is retried."""


class UnreadableAnswer(Transient):
    """The response body is not the expected JSON, for example HTML or truncated JSON."""


class ServerFault(Transient):
    """A 5xx response, a reset connection, a timeout, a temporary 401, or a 429 of an endpoint without a rate limit.

    Attributes:
        retry_after: Seconds to wait as requested by the server, or None.
        status: Status of the response; None if there was none.
    """

    def __init__(self, message: str, retry_after: float | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.status = status


class Unreached(ServerFault):
    """The connection failed: the host name does not resolve, the connection was refused, or the network is down."""


class RateLimited(Transient):
    """A 429 response: the rate limit is used up; ``rate.Pacer`` knows how long to wait."""


class Unavailable(SimError):
    """The API was still unavailable after all retries; try again later."""


class NotReached(Unavailable):
    """No connection was possible after all retries, so smaller pages or other endpoints would fail as well."""


class NoProgress(SimError):
    """The server keeps returning a next page without any new rows; the next sync tries again."""


class Incomplete(SimError):
    """The API did not return all rows of a time range; the rows it returned are kept, the next sync tries again.

    Attributes:
        first: Start of the time range.
        last: End of the time range, inclusive.
    """

    def __init__(self, message: str, first: datetime, last: datetime) -> None:
        super().__init__(message)
        self.first = first
        self.last = last


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yields an error and the errors that caused it, including those that dlt or SQLAlchemy wrapped."""
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
