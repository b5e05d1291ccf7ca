"""Figures as a person reads them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pipelines.report import phrases


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "–"), ("1234.567", "$1,234.57"), ("1", "$1.00"), ("0.99995", "$1.0000"), ("-3.5", "$-3.50"),
     ("0", "$0.0000")],
)  # fmt: skip
def test_an_amount(value: str | None, shown: str) -> None:
    assert phrases.dollars(None if value is None else Decimal(value)) == shown


@pytest.mark.parametrize(
    ("ms", "shown"),
    [(None, "–"), (0, "0 ms"), (999, "999 ms"), (1000, "1.0 s"), (119_000, "119.0 s"), (120_000, "2.0 min"),
     (5_400_000, "1.5 h")],
)  # fmt: skip
def test_a_duration(ms: float | None, shown: str) -> None:
    assert phrases.duration(ms) == shown


@pytest.mark.parametrize(
    ("now", "before", "shown"),
    [(3, 2, "+50 %"), (1, 2, "-50 %"), (0, 2, "-100 %"), (5, 0, "new"), (0, 0, ""), (1000, 1001, "±0 %"),
     (None, 1, ""), (100, 1, "× 100"),
     (Decimal("2.5"), Decimal(2), "+25 %")],
)  # fmt: skip
def test_a_change(now: phrases.Number | None, before: phrases.Number | None, shown: str) -> None:
    assert phrases.change(now, before) == shown


def test_a_share_of_nothing_is_none() -> None:
    assert (phrases.percent(1, 3), phrases.percent(0, 0)) == ("33.3 %", "–")


def test_a_large_number_is_short() -> None:
    assert [phrases.many(count) for count in (0, 999_999, 1_500_000, 2_000_000_000)] == [
        "0",
        "999,999",
        "1.5 M",
        "2.0 B",
    ]


def test_a_bar_is_as_long_as_the_share_and_never_longer_than_there_is_room() -> None:
    assert [phrases.share_bar(share, 4, "#", ".") for share in (-1, 0, 0.5, 1, 7)] == [
        "....",
        "....",
        "##..",
        "####",
        "####",
    ]


def test_a_sparkline_has_a_block_for_each_value() -> None:
    assert phrases.sparkline([0, 1, 4, 8]) == "▁▂▅█"
    assert phrases.sparkline([0, 0]) == "▁▁"
    assert phrases.sparkline([]) == ""


def test_neighbours_are_added_up_where_there_is_little_room_and_nothing_is_lost() -> None:
    values = list(range(10))
    assert phrases.gathered(values, 10) == values
    assert phrases.gathered(values, 4) == [3.0, 12.0, 21.0, 9.0]
