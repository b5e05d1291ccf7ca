"""Makes untrusted text safe to print on a terminal.

Names and error messages from Sim can hold control characters and escape sequences, which can change the clipboard, the
title or the whole screen. They are printed as visible symbols instead. Text that is written to files is not changed.
"""

from __future__ import annotations

import re
import sys

_OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]"
)
"""Control characters except tab and newline, C1 controls, and invisible characters that hide or reorder text."""
_PICTURES = 0x2400
"""First code point of Unicode's control pictures; ``␛`` stands for escape."""


def visible(text: str) -> str:
    """Replaces control characters in a text with visible symbols."""
    return _OBEYED.sub(_sign, text)


def _sign(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code == 0x7F:
        return "\u2421"
    return chr(_PICTURES + code) if code < 0x20 else f"\\u{code:04x}"


def lenient_streams() -> None:
    """Makes printing safe: replaces a closed stdout or stderr, and characters that a stream cannot encode."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by the parent process
            setattr(sys, name, open("/dev/null", "w", encoding="utf-8"))  # noqa: SIM115 - stays open until exit
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
