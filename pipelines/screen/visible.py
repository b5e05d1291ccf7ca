"""Text that others wrote, as it may be shown on a terminal.

Names, errors and messages of Sim can hold what a terminal obeys: escape sequences write its clipboard, its title, its
whole screen. What it would obey is shown as a sign instead; what is written into files stays as it is.
"""

from __future__ import annotations

import re
import sys

_OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]"
)
"""Controls but for line ends and tabs, C1 controls, and what changes the order of what is read or hides it."""
_PICTURES = 0x2400
"""Where Unicode has pictures of the controls: ``␛`` is that of escape."""


def visible(text: str) -> str:
    """The text with signs in the place of what a terminal obeys."""
    return _OBEYED.sub(_sign, text)


def _sign(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code == 0x7F:
        return "\u2421"
    return chr(_PICTURES + code) if code < 0x20 else f"\\u{code:04x}"


def lenient_streams() -> None:
    """Lets nothing that is printed end a command: a closed stream is none, and what one cannot encode is replaced."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by who started this process
            setattr(sys, name, open("/dev/null", "w", encoding="utf-8"))  # noqa: SIM115 - for as long as this runs
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
