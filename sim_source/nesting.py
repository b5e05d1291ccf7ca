"""JSON that is nested too deep, or is no UTF-8, made such that everything here can read it. Pure.

Python reads what is nested by calling itself, and gives up at a thousand calls, those of who called it included. So
what lies deeper than ``DEEPEST`` levels is cut out of the text before it is read: by a scan from its beginning to its
end, which takes as long whatever it meets.
"""

from __future__ import annotations

import re

DEEPEST = 100
"""Levels that are read: at three calls a level, and with those of dlt and its caller, a third of what Python allows."""
CUT = "[cut: nested too deep]"
"""Stands for what was cut out."""
MARK = f'"{CUT}"'.encode()
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{}]', re.DOTALL)
"""A text, or one end of a list or an object. A text that does not end is one, too: it is not looked into again."""
_OPENING = b"[{"[0], b"[{"[1]
_CLOSING = b"]}"[0], b"]}"[1]


def readable(body: bytes) -> bytes:
    """The same JSON without what cannot be read: bytes that are no UTF-8 are U+FFFD, deep parts a text that says so."""
    return cut(body.decode("utf-8", "replace").encode())


def cut(body: bytes) -> bytes:
    """The same JSON with ``CUT`` in the place of everything deeper than ``DEEPEST``."""
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
