"""JSON decoding and encoding of plain objects without loss of digits. Pure functions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

MOST_DIGITS = 308
"""Largest decimal exponent of a number: that of a double. PostgreSQL rejects some larger ones."""


def _number(text: str) -> Decimal | str:
    """An exact ``Decimal``; the text of the number if its exponent exceeds ``MOST_DIGITS``."""
    number = Decimal(text)
    return number if abs(number.adjusted()) <= MOST_DIGITS else text


_any = msgspec.json.Decoder(float_hook=_number)


def anything(body: bytes | msgspec.Raw) -> Any:
    """Decodes JSON to plain objects; numbers with a fraction or an exponent become exact ``Decimal`` values."""
    return _any.decode(body)


_encoder = msgspec.json.Encoder(decimal_format="number")


def encode(value: Any) -> bytes:
    """Encodes plain objects as JSON; a ``Decimal`` becomes a number with all its digits."""
    return _encoder.encode(value)


def json_text(value: Any) -> str:
    """Encodes plain objects as JSON text."""
    return encode(value).decode()
