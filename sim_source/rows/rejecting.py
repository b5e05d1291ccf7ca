"""Converts responses to rows; a faulty row goes to ``rejected_rows`` and does not affect others. Pure functions.

A row that is nested too deep or not valid UTF-8 is repaired (``nesting``) and stored; if something was cut out of it,
``rejected_rows`` has an entry as well. A row that still does not fit is not stored, only rejected.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from .. import nesting
from ..api import decode
from ..api.decode import Rejected, rejected
from .run_rows import ROW_FAULTS

R = TypeVar("R")

WAS_CUT = f"nested deeper than {nesting.DEEPEST} levels; the deeper part was cut out, the rest is stored"


def read_or_reject(read: Callable[..., R], *answers: Any) -> tuple[R | None, Rejected | None]:
    """Converts responses to rows.

    Args:
        read: Builds rows from the responses.
        answers: Structures of ``wire``, or None; the last one that is not None is the one to reject.

    Returns:
        The rows, or None if they could not be built; and the entry for ``rejected_rows``, or None.
    """
    try:
        rows = read(*answers)
    except decode.UNREADABLE:
        try:
            answers = tuple(None if each is None else decode.without_unreadable(each) for each in answers)
            rows = read(*answers)
        except ROW_FAULTS as fault:
            return None, _aside(answers, str(fault))
    except ROW_FAULTS as fault:
        return None, _aside(answers, str(fault))
    return rows, _aside(answers, WAS_CUT) if _last(answers).cut else None


def _last(answers: tuple[Any, ...]) -> Any:
    return next(each for each in reversed(answers) if each is not None)


def _aside(answers: tuple[Any, ...], reason: str) -> Rejected:
    return rejected(msgspec.Raw(msgspec.json.encode(_last(answers))), reason)
