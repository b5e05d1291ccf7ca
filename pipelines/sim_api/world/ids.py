"""Ids in Sim's formats, from a seeded generator."""

from __future__ import annotations

import random

_NANO = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz-"


def uuid4(source: random.Random) -> str:
    """A version-4 UUID."""
    digits = f"{source.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def nano_id(source: random.Random) -> str:
    """A 21-character nanoid, the form of audit ids."""
    bits = source.getrandbits(6 * 21)
    return "".join(_NANO[(bits >> (6 * place)) & 63] for place in range(21))
