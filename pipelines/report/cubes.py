"""Queries the views for the data of the HTML page, grouped by everything that the page can filter by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sim_source.errors import ConfigurationError

from ..destination.questions import ask, stored_relations
from ..destination.sql_text import one_of
from ..destination.target import Target
from .fold import Book, Cubes, Row

STEPS = (1.05, 1.1, 1.25, 2.0)
"""Widths of the duration buckets as factors, the finest first. Wider ones are used if there are too many buckets."""
MAX_DURATIONS = 800_000
"""Maximum number of duration buckets over all cells."""
NEEDED = ("runs", "cost_by_model", "cost_reconciliation")

KEY = "day, workspace_id, workflow_id, workflow_name, trigger"
LAST_LOAD = "SELECT MAX(load_id) FROM {dataset}._dlt_loads"
RUNS = """
SELECT {key}, COUNT(*), COUNT(*) FILTER (WHERE status = 'completed'), COUNT(*) FILTER (WHERE status = 'failed'),
  COUNT(cost_total), COUNT(*) FILTER (WHERE cost_total IS NOT NULL AND unknown_cost IS NULL),
  SUM(prompt_tokens), SUM(completion_tokens), SUM(cost_total),
  SUM(cost_total) FILTER (WHERE status IN ('failed', 'cancelled'))
FROM {dataset}.runs WHERE {where} GROUP BY {key}
"""
ITEMS = """
SELECT {key}, kind, name, SUM(prompt_tokens), SUM(completion_tokens), SUM(total_cost)
FROM {dataset}.cost_by_model WHERE {where} GROUP BY {key}, kind, name
"""
RECONCILED = """
SELECT {key}, COUNT(*), COUNT(*) FILTER (WHERE NOT reconciled), SUM(cost_total), SUM(itemised_cost)
FROM {dataset}.cost_reconciliation WHERE {where} GROUP BY {key}
"""
BUCKET = (
    "CAST(CEIL(POWER(CAST({step} AS DOUBLE PRECISION), CEIL("
    "LN(CAST(GREATEST(total_duration_ms, 1) AS DOUBLE PRECISION)) / LN(CAST({step} AS DOUBLE PRECISION))"
    "))) AS BIGINT)"
)
"""SQL expression for the upper edge of a duration's bucket in ms. The SQL shown on the page uses the same one."""
DURATIONS = """
SELECT {key}, STRING_AGG(CAST(ms AS VARCHAR) || ' ' || CAST(runs AS VARCHAR), ' ' ORDER BY ms)
FROM (
  SELECT {key}, {bucket} AS ms, COUNT(*) AS runs
  FROM {dataset}.runs
  WHERE status IN ('completed', 'failed') AND total_duration_ms IS NOT NULL AND {where}
  GROUP BY {key}, {bucket}
) AS buckets
GROUP BY {key}
"""


def read_cubes(target: Target, workspaces: Sequence[str], since: date | None, room: int) -> Cubes:
    """Reads the data of the page from the views.

    Raises:
        ConfigurationError: There are no runs.
    """

    def asked(sql: str, **more: str) -> Sequence[Row]:
        return ask(target, sql.format(key=KEY, dataset=target.dataset, where=condition(workspaces, since), **more)).rows

    runs = sorted(asked(RUNS), key=lambda row: tuple(map(str, row[:5])))  # makes the page deterministic
    if not runs:
        raise ConfigurationError(f"no runs to report in {target}; run sim-sync run (or sim-sync demo) first")
    items, reconciled = asked(ITEMS), asked(RECONCILED)
    for step in STEPS:
        durations = asked(DURATIONS, bucket=BUCKET.format(step=step))
        if sum(row[5].count(" ") for row in durations) <= 2 * MAX_DURATIONS:  # each bucket is two numbers
            break
    book = Book(runs, items, room)
    for row in runs:
        cell = book.cell(row)
        cell.counts[:7] = [old + int(new or 0) for old, new in zip(cell.counts, row[5:12], strict=False)]
        cell.add(0, row[12])
        cell.add(1, row[13])
    for row in reconciled:
        cell = book.cell(row)
        cell.counts[7] += int(row[5])
        cell.counts[8] += int(row[6])
        cell.add(2, row[7])
        cell.add(3, row[8])
    return book.cubes(items, durations, step)


def condition(workspaces: Sequence[str], since: date | None) -> str:
    """Returns the SQL condition for the workspaces and the first day."""
    parts = []
    if workspaces:
        parts.append(one_of("workspace_id", workspaces))
    if since is not None:
        parts.append(f"day >= DATE '{since}'")
    return " AND ".join(parts) or "1 = 1"


def last_load(target: Target) -> str | None:
    """Returns the id of the last load; None if there is none."""
    if "_dlt_loads" not in there(target):
        return None
    (row,) = ask(target, LAST_LOAD.format(dataset=target.dataset)).rows
    return row[0] if row[0] is None else str(row[0])


def there(target: Target) -> frozenset[str]:
    """Returns the names of the existing tables and views.

    Raises:
        ConfigurationError: A view that every report needs is missing.
    """
    found = stored_relations(target)
    missing = set(NEEDED) - found
    if missing:
        raise ConfigurationError(
            f"{target} lacks the views that the report needs ({', '.join(sorted(missing))}); "
            "run sim-sync run once with this version to create them"
        )
    return found
