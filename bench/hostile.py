"""Texts that make careless patterns look at the same characters again and again, and all that looks at texts.

    python -m bench.hostile

prints, for each text, how much longer 400 kB take than 50 kB, by the slowest look: about 8 is linear, 64 quadratic.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from sim_source import nesting
from sim_source.api import decode
from sim_source.rows import privacy
from sim_source.rows.pseudonyms import Pseudonyms

SMALL, LARGE = 50_000, 400_000


def _repeated(part: str, first: str = "", last: str = "") -> Callable[[int], str]:
    return lambda size: first + part * ((size - len(first) - len(last)) // len(part)) + last


TEXTS: dict[str, Callable[[int], str]] = {
    "brackets": _repeated("["),
    "objects": _repeated('{"a":'),
    "open texts": _repeated('\\"', '["'),
    "addresses": _repeated("://"),
    "passwords": _repeated("a:", "://"),
    "users": _repeated("://a:"),
    "parameters": _repeated("?a="),
    "keys": _repeated("key", "?", " ="),
    "names of keys": _repeated("?key", "", "="),
    "tokens": _repeated("eyJ-"),
    "parts of tokens": _repeated("eyJabcdefgh."),
    "bearers": _repeated("Bearer "),
    "dashes": _repeated("sk-a "),
    "at signs": _repeated("a@"),
    "domains": _repeated("a.", "x@"),
    "quoted at signs": _repeated("a%40"),
    "apostrophes": _repeated("a'"),
    "names": _repeated("Olga "),
    "spaces": _repeated(" ", "Olga"),
    "references": _repeated("{{"),
    "upper case": _repeated("A", "", "a"),
    "digits": _repeated("7"),
    "escapes": _repeated("\\u0041"),
}
"""Texts of a wanted length, by what they are made of."""


def looks() -> dict[str, Callable[[str], object]]:
    """Everything that looks at a text of the API, by name."""
    people = Pseudonyms("a salt for a benchmark")
    named = people._hiding(("Olga Owner", "olga@example.com"))
    return {
        "secrets": privacy.text_without_secrets,
        "secrets under a name": lambda text: privacy.without_secrets({"a": {"name": text, "value": text}}),
        "words of a name": privacy.words_of,
        "e-mail addresses": people._emails,
        "people": named,
        "nesting": lambda text: nesting.cut(text.encode()),
        "halves of emoji": lambda text: decode._ESCAPE.sub(decode._without_half, text.encode()),
    }


def seconds(look: Callable[[str], object], text: str) -> float:
    """The fastest of three looks."""
    found = []
    for _ in range(3):
        begun = time.perf_counter()
        look(text)
        found.append(time.perf_counter() - begun)
    return min(found)


def main() -> None:
    """Prints the table."""
    print(f"| text | slowest look | {LARGE // 1000} kB, ms | against {SMALL // 1000} kB |\n|---|---|--:|--:|")
    for name, make in TEXTS.items():
        small, large = make(SMALL), make(LARGE)
        took = {which: seconds(look, large) for which, look in looks().items()}
        slowest = max(took, key=lambda which: took[which])
        ratio = took[slowest] / seconds(looks()[slowest], small)
        print(f"| {name} | {slowest} | {took[slowest] * 1000:.0f} | {ratio:.1f} |")


if __name__ == "__main__":
    main()
