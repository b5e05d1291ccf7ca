"""The one gate between answers and tables: what is wrong with a row sets that row aside, and nothing else. Pure.

What is too deep or no UTF-8 is mended (``nesting``), and the row is stored without it; of what was cut out,
``rejected_rows`` tells. A row that does not fit even so is set aside whole.
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

WAS_CUT = f"nested deeper than {nesting.DEEPEST} levels; what lies deeper was cut out, the rest is stored"


def read_or_reject(read: Callable[..., R], *answers: Any) -> tuple[R | None, Rejected | None]:
    """Reads rows from answers.

    Args:
        read: Makes rows of the answers.
        answers: Structures of ``wire``, or None; the last that is one is what is set aside.

    Returns:
        The rows, None where there are none to be had, and what ``rejected_rows`` is to hold.
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
