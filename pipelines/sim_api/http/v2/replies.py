"""Answers of the v2 API: `{data, nextCursor}`, `{data}`, and errors with a code."""

from __future__ import annotations

from typing import Any

from ..answers import Reply, json_answer

Body = dict[str, Any]


class V2Error(Exception):
    """An error response, raised by a handler."""

    def __init__(self, status: int, code: str, message: str, /, **details: Any) -> None:
        super().__init__(message)
        self.reply = error_reply(status, code, message, **details)


def error_reply(status: int, code: str, message: str, /, **details: Any) -> Reply:
    """Builds `{"error": {code, message, details?}}`."""
    told: Body = {"code": code, "message": message}
    if details:
        told["details"] = details
    return json_answer({"error": told}, status)


def bad_request(message: str) -> V2Error:
    """Builds a 400."""
    return V2Error(400, "BAD_REQUEST", message)


def not_found(message: str = "Not found") -> V2Error:
    """Builds a 404."""
    return V2Error(404, "NOT_FOUND", message)


def forbidden(message: str, code: str | None = None) -> V2Error:
    """Builds a 403; `code` is `details.code`, which not every 403 has."""
    return V2Error(403, "FORBIDDEN", message, **({} if code is None else {"code": code}))


def list_reply(rows: list[Body], cursor: str | None) -> Reply:
    """Builds a page of a list; the last page has `nextCursor: null`."""
    return json_answer({"data": rows, "nextCursor": cursor})


def detail_reply(body: Body) -> Reply:
    """Builds a detail response."""
    return json_answer({"data": body})
