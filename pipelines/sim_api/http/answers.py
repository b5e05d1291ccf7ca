"""Answers before they are sent as HTTP: status, body bytes, headers; and Sim's error messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from ..world.moments import iso_of_ms
from .dialects import Dialect

_encode = msgspec.json.encode


@dataclass(slots=True)
class Reply:
    """One HTTP answer."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json;charset=utf-8"


def json_answer(body: Any, status: int = 200) -> Reply:
    """A JSON body."""
    return Reply(status, _encode(body))


def error(status: int, error: str, /, **more: Any) -> Reply:
    """`{"error": error}`, with further fields if Sim has them."""
    return json_answer({"error": error, **more}, status)


def too_many(resets_ms: int) -> Reply:
    """The body of a 429; `resets_ms` is epoch milliseconds (recording rate_limited_429)."""
    return error(
        429,
        "Rate limit exceeded",
        message=f"API rate limit exceeded. Please retry after {iso_of_ms(resets_ms)}",
        retryAfter=resets_ms,
    )


def named_moment(answer: Reply, now: float) -> float | None:
    """The earliest time for a retry that a refusal names, in epoch seconds; None if it names none."""
    if answer.status not in (429, 503):
        return None
    header = answer.headers.get("retry-after")
    if header is not None:
        return now + int(header) if header.isdigit() else parsedate_to_datetime(header).timestamp()
    body = msgspec.json.decode(answer.body)
    if "retryAfterSeconds" in body:
        return now + float(body["retryAfterSeconds"])
    return float(body["retryAfter"]) / 1000 if "retryAfter" in body else None


class BadRequestError(Exception):
    """A parameter that Sim's validation rejects, with the message of both zod versions."""

    def __init__(self, path: str, old: dict[str, Any], new: dict[str, Any]) -> None:
        super().__init__(path)
        self.old = {**old, "path": [path]}
        self.new = {**new, "path": [path]}

    def answer(self, dialect: Dialect) -> Reply:
        """400 with the message of this generation (recordings logs_limit_abc, audit_limit_101 …)."""
        if dialect.zod == 3:
            return error(400, "Invalid parameters", details=[self.old])
        return error(400, self.new["message"], details=[self.new])


class ServerError(Exception):
    """The server fails: 500 `Internal server error`."""
