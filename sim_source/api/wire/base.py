"""Base class and common types of all responses."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar

import msgspec

Money = Decimal | None
LONGEST_ID = 255
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_ID)]
"""The id of a row. A row with a missing, empty or longer id is rejected: it cannot be requested."""


Number = int | float


NO_RAW = msgspec.Raw(b"")


NULL = msgspec.Raw(b"null")


def present(raw: msgspec.Raw) -> bool:
    """Whether a field was sent and is not null."""
    return raw is not NO_RAW and raw != NULL and raw != NO_RAW  # identity first: most fields are the default


class Wire(msgspec.Struct, rename="camel", forbid_unknown_fields=True, kw_only=True, gc=False, omit_defaults=True):
    """Base class of all responses; only the slow path of ``decode`` fills ``unknown``.

    Default values are omitted when a structure is encoded: the empty ``Raw`` of an absent field is not valid JSON.

    Attributes:
        cut: Whether something nested too deep was cut out of the response.
    """

    cut: ClassVar[bool] = False

    unknown: msgspec.Raw = msgspec.field(name="~unknown", default=NO_RAW)
