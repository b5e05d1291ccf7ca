"""Repairs JSON that is nested too deep or not valid UTF-8, so that it can be decoded. Pure functions.

Decoders recurse into nested JSON, and Python limits recursion to 1,000 calls, callers included. So everything deeper
than ``DEEPEST`` levels is cut out of the text before decoding. A single scan does this in linear time for any input.
"""

from __future__ import annotations

import re

DEEPEST = 100
"""Levels that are kept: at three calls per level, plus those of dlt and its caller, a third of Python's limit."""
CUT = "[cut: nested too deep]"
"""Placeholder for a part that was cut out."""
MARK = f'"{CUT}"'.encode()
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{}]', re.DOTALL)
"""A string, or a bracket or brace. An unterminated string matches as well, so that it is scanned only once."""
_OPENING = b"[{"[0], b"[{"[1]
_CLOSING = b"]}"[0], b"]}"[1]


def readable(body: bytes) -> bytes:
    """Replaces invalid UTF-8 with U+FFFD, and parts that are nested too deep with ``CUT``."""
    return cut(body.decode("utf-8", "replace").encode())


def cut(body: bytes) -> bytes:
    """Replaces everything nested deeper than ``DEEPEST`` levels with ``CUT``."""
    kept: list[bytes] = []
    depth, begin = 0, 0
    for token in _TOKEN.finditer(body):
        first = body[token.start()]
        if first in _OPENING:
            depth += 1
            if depth == DEEPEST + 1:
                kept += [body[begin : token.start()], MARK]
        elif first in _CLOSING:
            if depth == DEEPEST + 1:
                begin = token.end()
            depth -= 1
    return b"".join([*kept, body[begin:]]) if depth <= DEEPEST else b"".join(kept)
