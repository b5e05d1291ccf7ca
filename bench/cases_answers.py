"""What is measured of answers: a day of each view, and the report, over a million runs."""

from __future__ import annotations

from collections.abc import Callable

from bench.cases import Case, Rounds, Target, Variant
from bench.measure import program
from tests.helpers import browser

BROWSER = browser.skip_reason() is None
ASKED = "each view for a day, the report, the page"


def _said(name: str) -> Callable[[Rounds], list[float]]:
    return lambda rounds: [float(measure.said[name]) for measure in rounds[ASKED]]


ANSWERS = Case(
    "answers",
    "answers over 1,000,000 runs",
    "answers over 1,000,000 runs, 3,000,000 cost items and 6,000,000 spans in DuckDB",
    [Variant(ASKED, program("answers", "--database", "../answers.duckdb"))],
    [
        Target("seconds of the slowest view's daily question", "≤", 2.0, "s", _said("slowest_view_s")),
        Target("seconds of the report", "≤", 10.0, "s", _said("report_s")),
        Target("MB of the report as a page", "≤", 5.0, "MB", _said("page_mb")),
        *([Target("seconds until Chromium has it interactive", "≤", 2.0, "s", _said("page_interactive_s"))] * BROWSER),
    ],
)
