"""Writes lines and tables of the report to a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from .phrases import BLOCKS, PLAIN_BLOCKS

NARROW = 72
"""Terminal width below which less important table columns are omitted."""

Cells = tuple[str, ...]
Column = tuple[str, bool, bool]
"""Header, whether it is right-aligned, whether it is omitted on narrow terminals."""


class Sheet:
    """The console that a report is printed to.

    Args:
        out: The console.
        compared: Whether there is a previous period; without one, columns named ``change`` are omitted.

    Attributes:
        width: Width of the terminal in characters.
        blocks: Characters of a sparkline, the lowest first.
        full: Character of the filled part of a bar.
        rest: Character of the rest of a bar.
    """

    def __init__(self, out: Console, *, compared: bool) -> None:
        self._out = out
        self._compared = compared
        self.width = out.width
        plain = out.options.ascii_only
        self.blocks, self.full, self.rest = (PLAIN_BLOCKS, "#", ".") if plain else (BLOCKS, "█", "░")

    def titled(self, title: str, columns: Sequence[Column], rows: Sequence[Cells]) -> None:
        """Prints a table under a title; nothing without rows."""
        if rows:
            self.table([(f"[bold]{title}[/]", False, False), *columns[1:]], rows)
            self.space()

    def space(self) -> None:
        """Prints an empty line."""
        self._out.print()

    def heading(self, text: str) -> None:
        """Prints a line with Rich's markup."""
        self._out.print(text)

    def title(self, text: str) -> None:
        """Prints a title."""
        self._out.print(f"[bold]{escape(text)}[/]")

    def line(self, text: str) -> None:
        """Prints an indented line."""
        self.markup(escape(text))

    def markup(self, text: str) -> None:
        """Prints an indented line with Rich's markup."""
        self._out.print(Padding(text, (0, 0, 0, 2), expand=False), soft_wrap=False)

    def table(self, columns: Sequence[Column], rows: Iterable[Cells]) -> None:
        """Prints a table."""
        left_out = set() if self._compared else {"change"}
        kept = [
            index
            for index, (head, _, droppable) in enumerate(columns)
            if not (droppable and self.width < NARROW) and head not in left_out
        ]
        headed = any(columns[index][0] for index in kept)
        shown = Table(box=None, show_header=headed, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
        for place, index in enumerate(kept):
            head, right, _ = columns[index]
            free = place in (0, len(kept) - 1) and not right
            shown.add_column(head, justify="right" if right else "left", no_wrap=not free, overflow="fold")
        for row in rows:
            first, *others = (escape(row[index]) for index in kept)
            shown.add_row(f"  {first}", *others)
        self._out.print(shown, soft_wrap=False)
