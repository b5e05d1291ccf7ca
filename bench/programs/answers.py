"""How long answers take over a million runs: each view asked for one day, and the whole report."""

from __future__ import annotations

import argparse
import io
import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from bench import warehouse
from bench.programs.common import say
from pipelines.destination.target import Target, target_of
from pipelines.report import figures, page, printing
from pipelines.views import View, all_views
from tests.helpers import browser

DAY = "2026-11-24"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
_OF_DAY = {
    "day": f"day = DATE '{DAY}'",
    "ChargePeriodStart": f"\"ChargePeriodStart\" >= TIMESTAMPTZ '{DAY} 00:00:00+00' "
    f"AND \"ChargePeriodStart\" < TIMESTAMPTZ '{DAY} 00:00:00+00' + INTERVAL 1 DAY",
    "start_time": f"start_time >= TIMESTAMPTZ '{DAY} 00:00:00+00' "
    f"AND start_time < TIMESTAMPTZ '{DAY} 00:00:00+00' + INTERVAL 1 DAY",
}
"""What the rows of a day are, by the column that tells; a view without one is asked for all of its rows."""
_WITHOUT_ROWS = frozenset({"cost_anomalies", "bill", "cost_by_source"})
"""Views that may be empty here: a quiet day has no anomaly, and this database has no ledger."""


def main() -> None:
    """Asks; makes the database first, where it is not there."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=1_000_000)
    args = parser.parse_args()
    file: Path = args.database.resolve()
    if not file.exists():
        warehouse.build(file, args.runs)
    asked = {view.name: _asked(file, view) for view in all_views().values()}
    told = {"views": asked, "slowest_view_s": max(asked.values()), "report_s": _report(file)}
    say(told | _page(file))


def _asked(file: Path, view: View) -> float:
    """Seconds of a view's daily question, with DuckDB's own settings, from opening the file to the last row."""
    day = next((text for column, _ in view.columns if (text := _OF_DAY.get(column))), "TRUE")
    begun = time.perf_counter()
    with duckdb.connect(str(file), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        rows = connection.execute(f"SELECT * FROM sim.{view.name} WHERE {day}").to_arrow_table().num_rows
    seconds = time.perf_counter() - begun
    if not rows and view.name not in _WITHOUT_ROWS:
        raise SystemExit(f"{view.name}: no rows; nothing was measured")
    return round(seconds, 3)


def _report(file: Path) -> float:
    """Seconds of the report in the terminal."""
    from rich.console import Console

    begun = time.perf_counter()
    found = figures.read_figures(_target(file), now=NOW)
    printing.print_report(found, Console(file=io.StringIO(), width=80))
    return round(time.perf_counter() - begun, 3)


def _page(file: Path) -> dict[str, float]:
    """The report as a page: seconds to write it, its size in MB, and seconds until a browser has it interactive."""
    written = file.with_suffix(".html")
    begun = time.perf_counter()
    page.write_page(_target(file), written, now=NOW)
    told = {"page_s": round(time.perf_counter() - begun, 3), "page_mb": written.stat().st_size / 1e6}
    if browser.skip_reason() is None:
        with browser.chromium() as started:
            mark = started.open(written).script("return performance.getEntriesByName('interactive')[0].startTime")
        told["page_interactive_s"] = round(mark / 1000, 3)
    return told


def _target(file: Path) -> Target:
    return target_of("duckdb", warehouse.DATASET, file)


if __name__ == "__main__":
    main()
