"""What all answers have in common."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar

import msgspec

Money = Decimal | None
LONGEST_ID = 255
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_ID)]
"""What a row is named by; without one it cannot be asked for, and an endless one is none."""


Number = int | float


NO_RAW = msgspec.Raw(b"")


NULL = msgspec.Raw(b"null")


def present(raw: msgspec.Raw) -> bool:
    """Whether a field was sent and is not null."""
    return raw is not NO_RAW and raw != NULL and raw != NO_RAW  # most are the default: nothing to compare


class Wire(msgspec.Struct, rename="camel", forbid_unknown_fields=True, kw_only=True, gc=False, omit_defaults=True):
    """Base of all answers; ``unknown`` is filled by the slow way of ``decode`` only.

    Defaults are left out when a row is written again: an absent ``Raw`` would be no JSON.

    Attributes:
        cut: Something nested too deep was cut out of the answer.
    """

    cut: ClassVar[bool] = False

    unknown: msgspec.Raw = msgspec.field(name="~unknown", default=NO_RAW)
