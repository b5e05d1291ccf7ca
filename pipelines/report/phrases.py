"""Formats numbers for the terminal report. Pure, no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

BLOCKS = "▁▂▃▄▅▆▇█"
PLAIN_BLOCKS = "_.-=oO#@"
NONE = "–"

Number = int | float | Decimal


def dollars(value: Decimal | None) -> str:
    """Formats an amount in USD: with cents from one dollar up, with hundredths of a cent below."""
    if value is None:
        return NONE
    return f"${value:,.2f}" if abs(value) >= 1 else f"${value:,.4f}"


def duration(ms: Number | None) -> str:
    """Formats a duration given in ms."""
    if ms is None:
        return NONE
    for least, unit, size in ((3_600_000, "h", 3_600_000), (120_000, "min", 60_000), (1_000, "s", 1_000)):
        if ms >= least:
            return f"{float(ms) / size:,.1f} {unit}"
    return f"{float(ms):,.0f} ms"


def many(count: Number) -> str:
    """Formats a count; abbreviated from a million up."""
    for size, unit in ((1_000_000_000, "B"), (1_000_000, "M")):
        if count >= size:
            return f"{float(count) / size:,.1f} {unit}"
    return f"{count:,.0f}"


def percent(part: Number, whole: Number) -> str:
    """Formats a share in percent; a dash if the whole is zero."""
    return NONE if not whole else f"{100 * float(part) / float(whole):.1f} %"


def change(now: Number | None, before: Number | None) -> str:
    """Formats the relative change; ``new`` if the earlier value is zero, a factor from +1000 % up."""
    if now is None or before is None or (not now and not before):
        return ""
    if not before:
        return "new"
    rate = 100 * (float(now) / float(before) - 1)
    if round(rate) == 0:
        return "±0 %"
    return f"{rate:+,.0f} %" if abs(rate) < 1000 else f"× {float(now) / float(before):,.0f}"


def share_bar(share: float, width: int, full: str = "█", rest: str = " ") -> str:
    """Draws a bar of ``width`` characters; a share above 1 fills it."""
    cells = round(max(0.0, min(1.0, share)) * width)
    return full * cells + rest * (width - cells)


def sparkline(values: Sequence[Number], blocks: str = BLOCKS) -> str:
    """Draws one block per value, scaled from 0 to the largest value."""
    top = max((float(value) for value in values), default=0.0)
    if top <= 0:
        return blocks[0] * len(values)
    return "".join(blocks[min(len(blocks) - 1, int(float(value) / top * len(blocks)))] for value in values)


def gathered(values: Sequence[Number], width: int) -> list[float]:
    """Sums up neighbouring values so that at most ``width`` are left, for narrow terminals."""
    if len(values) <= width:
        return [float(value) for value in values]
    size = -(-len(values) // width)
    return [sum(float(value) for value in values[at : at + size]) for at in range(0, len(values), size)]
