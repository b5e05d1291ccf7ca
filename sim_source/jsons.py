"""JSON of plain objects, exact to the last digit. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from . import jsons

MOST_DIGITS = 308
"""Places before or behind the point of a number: no double has more, and PostgreSQL refuses some that have."""


def _number(text: str) -> Decimal | str:
    """A number, exact; as text where hardly anything could hold it."""
    number = Decimal(text)
    return number if abs(number.adjusted()) <= MOST_DIGITS else text


_any = msgspec.json.Decoder(float_hook=_number)


def anything(body: bytes | msgspec.Raw) -> Any:
    """Reads JSON as plain objects; numbers with a fraction become ``Decimal``, to the last digit."""
    return _any.decode(body)


_encoder = msgspec.json.Encoder(decimal_format="number")


def encode(value: Any) -> bytes:
    """JSON of plain objects; decimals as numbers with all their digits."""
    return _encoder.encode(value)


def json_text(value: Any) -> str:
    """JSON text of plain objects."""
    return jsons.encode(value).decode()
