"""The result of one check, and the checks of several accounts as one object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


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


def as_json_of_accounts(told: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Returns the JSON object for the checks of accounts: the only one, or those of each under its name."""
    if len(told) == 1:
        return next(iter(told.values()))
    return {"ok": all(each["ok"] for each in told.values()), "accounts": dict(told)}
