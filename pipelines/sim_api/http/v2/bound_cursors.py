"""Cursors of the v2 API: bound to endpoint, path, filters and order, not to limit, include flags or key."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from ..cursors import decode_cursor, encode_cursor
from .replies import bad_request

_FREE = frozenset({"limit", "cursor", "includeTraceSpans", "includeFinalOutput", "details"})


def bound_to(endpoint: str, values: Mapping[str, str]) -> str:
    """Returns a digest of the request that a cursor belongs to."""
    told = repr((endpoint, sorted((name, value) for name, value in values.items() if name not in _FREE)))
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def written(binding: str, **position: Any) -> str:
    """Encodes a cursor."""
    return encode_cursor({"b": binding, **position})


def read(text: str | None, binding: str, *names: str) -> dict[str, Any] | None:
    """Decodes the position in a cursor; None if there is no cursor.

    Raises:
        V2Error: It is not a cursor, or belongs to another request.
    """
    if text is None:
        return None
    found = decode_cursor(text)
    if found is None or not all(name in found for name in ("b", *names)):
        raise bad_request("cursor is not a valid cursor")
    if found["b"] != binding:
        raise bad_request("cursor does not match the requested filters")
    return found


def read_row(text: str | None, binding: str) -> tuple[int, str] | None:
    """Decodes a cursor that names a row: its time in epoch milliseconds, and its id.

    Raises:
        V2Error: As ``read``.
    """
    found = read(text, binding, "at", "id")
    return None if found is None else (found["at"], found["id"])
