"""Cursors: base64 of a small JSON object."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec


def encode_cursor(fields: dict[str, Any]) -> str:
    """Encodes `{"startedAt": …, "id": …}` as Sim does."""
    return base64.b64encode(msgspec.json.encode(fields)).decode()


def decode_cursor(text: str) -> dict[str, Any] | None:
    """Returns the object inside, None for anything else."""
    try:
        found = msgspec.json.decode(base64.b64decode(text, validate=True))
    except (ValueError, binascii.Error, msgspec.DecodeError):
        return None
    return found if isinstance(found, dict) else None
