"""The report as one HTML page, which asks no host for anything and filters without a server.

What is told of runs is packed (JSON, gzip, base64): no name of a workflow is ever part of the page's HTML, and its
scripts put text into text nodes only.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from vl_convert import javascript_bundle

from sim_source.errors import ConfigurationError

from ..destination.questions import as_json_value, ask
from ..destination.sql_text import one_of
from ..destination.target import Target
from . import charts, cubes
from .fold import Cubes

LARGEST = 5_000_000
"""Bytes of a page at most, so that it can be mailed."""
ROOM = (250_000, 100_000, 40_000, 10_000)
"""Items of cost there is room for: less where the page would be too large."""
ATTEMPTS = 3
MAX_ANOMALIES = 500
STACKED = 5
"""Models that have a colour of their own."""
KINDS = {
    "model": ("other models", 6),
    "tool": ("tools", 7),
    "other": ("base charge and other", 8),
    "unknown": ("split not known", 9),
}
"""What is stacked together, and the number of its colour in page.css."""
SCRIPTS = (
    "data.js",
    "text.js",
    "filters.js",
    "sql.js",
    "figures.js",
    "series.js",
    "account.js",
    "draw.js",
    "controls.js",
    "page.js",
)

ANOMALIES = """
SELECT day, workspace_id, workflow_id, workflow_name, trigger, cost, expected_cost, difference, score, driver, model
FROM {dataset}.cost_anomalies WHERE {where}
ORDER BY ABS(difference) DESC, day DESC LIMIT {limit}
"""
BURN = """
SELECT day, SUM(total_cost) FROM {dataset}.cost_by_day
WHERE day BETWEEN DATE '{start}' AND DATE '{end}' GROUP BY day ORDER BY day
"""


def write_page(
    target: Target,
    file: Path,
    *,
    workspaces: Sequence[str] = (),
    since: datetime | None = None,
    now: datetime | None = None,
) -> None:
    """Writes the page.

    Args:
        target: Where the rows are; only its views are asked.
        file: The page; replaced if it is there.
        workspaces: Workspaces to report; all if none.
        since: First day to report, UTC.
        now: When it is written.

    Raises:
        ConfigurationError: There is nothing to report yet, or the file cannot be written.
        SimError: The destination cannot be asked.
    """
    if not file.parent.is_dir():
        raise ConfigurationError(f"--html: the folder {file.parent} does not exist")
    first = since.astimezone(UTC).date() if since else None
    for _ in range(ATTEMPTS):
        before = cubes.last_load(target)
        page = _fitting(target, workspaces, first, now or datetime.now(UTC))
        if cubes.last_load(target) == before:
            break  # else a sync came across, and one figure may know of runs that another does not
    half = file.with_name(f".{file.name}.part")
    try:
        half.write_bytes(page)
        os.replace(half, file)
    except OSError as error:
        with suppress(OSError):
            half.unlink()
        raise ConfigurationError(f"--html {file}: cannot be written ({error.strerror})") from error


def _fitting(target: Target, workspaces: Sequence[str], since: date | None, now: datetime) -> bytes:
    about = _about(target, workspaces, since, now)
    for room in ROOM:
        page = _page(about, cubes.read_cubes(target, workspaces, since, room))
        if len(page) < LARGEST:
            return page
    raise ConfigurationError(f"--html: the page would have {len(page) // 1_000_000} MB; report fewer days (--since)")


def _about(target: Target, workspaces: Sequence[str], since: date | None, now: datetime) -> dict[str, Any]:
    """All but the runs."""
    views = cubes.there(target)
    where = cubes.condition(workspaces, since)

    def dicts(sql: str, **more: Any) -> list[dict[str, Any]]:
        return ask(target, sql.format(dataset=target.dataset, where=where, **more)).dicts

    (newest,) = dicts("SELECT MAX(started_at) AS at FROM {dataset}.runs WHERE {where}")
    budget = dicts("SELECT * FROM {dataset}.budget") if "budget" in views else []
    burn: dict[str, Any] = {}
    if budget and budget[0]["period_start"] is not None:
        start, end = _days(budget[0])
        burn = {"from": start, "to": end, "days": [list(row.values()) for row in dicts(BURN, start=start, end=end)]}
    return {
        "dataset": target.dataset,
        "written": _moment(now),
        "newest": _moment(newest["at"]) if newest["at"] else None,
        "condition": [one_of("workspace_id", workspaces)] if workspaces else [],
        "has": {"budget": "budget" in views, "anomalies": "cost_anomalies" in views},
        "budget": budget[0] if budget else None,
        "burn": burn,
        "anomalies": dicts(ANOMALIES, limit=MAX_ANOMALIES) if "cost_anomalies" in views else [],
        "max_anomalies": MAX_ANOMALIES,
    }


def _page(about: dict[str, Any], found: Cubes) -> bytes:
    groups, group_of = _groups(found)
    told = about | {
        "first_day": found.first_day,
        "workflows": found.workflows,
        "folded": found.folded,
        "triggers": found.triggers,
        "items": found.items,
        "groups": list(groups),
        "group_of": group_of,
        "step": found.step,
        "bucket": cubes.BUCKET.format(step=found.step),
        "cells": found.cells,
        "parts": found.parts,
        "durations": found.durations,
        "specs": charts.specs(groups),
    }
    packed = gzip.compress(json.dumps(told, default=_plain, separators=(",", ":")).encode(), 6, mtime=0)
    web = files(__package__) / "web"
    style = (web / "page.css").read_text("utf-8")
    bundle = javascript_bundle("window.vegaEmbed = vegaEmbed;").replace("</script", r"<\/script")
    scripts = [bundle, *((web / name).read_text("utf-8") for name in SCRIPTS)]
    policy = (
        f"default-src 'none'; script-src {' '.join(map(_allowed, scripts))}; style-src {_allowed(style)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    return (
        Template((web / "page.html").read_text("utf-8"))
        .substitute(
            policy=policy,
            style=style,
            data=base64.b64encode(packed).decode(),
            scripts="\n".join(f"<script>{script}</script>" for script in scripts),
        )
        .encode()
    )


def _groups(found: Cubes) -> tuple[dict[str, int], list[int]]:
    """What spend is stacked by with the number of its colour, and the group of each item."""
    groups: dict[str, int] = {}
    group_of = []
    for number, (kind, name) in enumerate(found.items):
        own = kind == "model" and number < STACKED and name is not None
        label, colour = (str(name), number + 1) if own else KINDS[kind]
        groups.setdefault(label, colour)
        group_of.append(list(groups).index(label))
    return groups, group_of


def _allowed(text: str) -> str:
    """A script or style as the page's policy names it: no other one is run."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _days(budget: dict[str, Any]) -> tuple[date, date]:
    """First and last day of the period; one that ends at midnight does not reach into that day."""
    last: datetime = budget["period_end"] - timedelta(microseconds=1)
    return budget["period_start"].astimezone(UTC).date(), last.astimezone(UTC).date()


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="minutes").replace("+00:00", "Z")


def _plain(value: Any) -> Any:
    return _moment(value) if isinstance(value, datetime) else as_json_value(value)
