"""The result of one check."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    Attributes:
        what: What was checked.
        ok: Whether it works; None if it does not work but a sync can do without it.
        told: What was found, in words.
    """

    what: str
    ok: bool | None
    told: str
