"""The report as one self-contained HTML page, which sends no requests and filters without a server.

Data is embedded as JSON (gzip, base64). Names of workflows are never part of the page's HTML, and its scripts write
text to text nodes only.
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
from .bill import BY_SOURCE, read_bill
from .fold import Cubes

LARGEST = 5_000_000
"""Maximum size of a page in bytes, so that it can be mailed."""
ROOM = (250_000, 100_000, 40_000, 10_000)
"""Limits for the number of cost items on the page, tried in order until the page is small enough."""
ATTEMPTS = 3
"""Maximum number of times that the data is read, if a sync changes it meanwhile."""
MAX_ANOMALIES = 500
STACKED = 5
"""Number of models that have their own colour."""
KINDS = {
    "model": ("other models", 6),
    "tool": ("tools", 7),
    "other": ("base charge and other", 8),
    "unknown": ("split not known", 9),
}
"""Label of each kind of cost item that is stacked as a group, and the number of its colour in page.css."""
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
WHERE day BETWEEN DATE '{start}' AND DATE '{end}'{more} GROUP BY day ORDER BY day
"""
OWNED = "SELECT account, workspace_id FROM {dataset}.workspace_accounts ORDER BY workspace_id"


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
        target: The destination; only its views are queried.
        file: Path of the page; an existing file is replaced.
        workspaces: Workspaces to report; default: all.
        since: First day to report, UTC.
        now: Current time, shown as the time of writing.

    Raises:
        ConfigurationError: There is nothing to report yet, or the file cannot be written.
        SimError: The destination cannot be queried.
    """
    if not file.parent.is_dir():
        raise ConfigurationError(f"--html: the folder {file.parent} does not exist")
    first = since.astimezone(UTC).date() if since else None
    for _ in range(ATTEMPTS):
        before = cubes.last_load(target)
        page = _fitting(target, workspaces, first, now or datetime.now(UTC))
        if cubes.last_load(target) == before:
            break  # otherwise a sync has changed the data, and the figures may not be consistent
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
    raise ConfigurationError(f"--html: the page would be {len(page) // 1_000_000} MB; report fewer days (--since)")


def _about(target: Target, workspaces: Sequence[str], since: date | None, now: datetime) -> dict[str, Any]:
    """Returns all data of the page except the runs."""
    views = cubes.there(target)
    where = cubes.condition(workspaces, since)

    def dicts(sql: str, **more: Any) -> list[dict[str, Any]]:
        return ask(target, sql.format(dataset=target.dataset, where=where, **more)).dicts

    (newest,) = dicts("SELECT MAX(started_at) AS at FROM {dataset}.runs WHERE {where}")
    budgets = dicts("SELECT * FROM {dataset}.budget ORDER BY account") if "budget" in views else []
    owned = dicts(OWNED) if len(budgets) > 1 else []
    for budget in budgets:
        budget["burn"] = burn = _burn(budget, owned, is_sole=len(budgets) == 1)
        if burn:
            found = dicts(BURN, more=burn["more"], start=burn["from"], end=burn["to"])
            burn["days"] = [list(row.values()) for row in found]
    return {
        "dataset": target.dataset,
        "written": _moment(now),
        "newest": _moment(newest["at"]) if newest["at"] else None,
        "condition": [one_of("workspace_id", workspaces)] if workspaces else [],
        "has": {"budget": "budget" in views, "anomalies": "cost_anomalies" in views},
        "budgets": budgets,
        "bill": _bill(target, workspaces) if "bill" in views else None,
        "anomalies": dicts(ANOMALIES, limit=MAX_ANOMALIES) if "cost_anomalies" in views else [],
        "max_anomalies": MAX_ANOMALIES,
    }


def _burn(budget: dict[str, Any], owned: list[dict[str, Any]], *, is_sole: bool) -> dict[str, Any]:
    """Returns which days and runs the line of a budget covers; empty without a period.

    ``from`` and ``to`` are the first and last day of the period. ``more`` is the condition for the account's runs,
    which are not ``known`` if it is one of several and the server has no v2 API.
    """
    if budget["period_start"] is None:
        return {}
    start, end = _days(budget)
    workspaces = [row["workspace_id"] for row in owned if row["account"] == budget["account"]]
    runs = one_of("workspace_id", workspaces) if workspaces else "1 = 0"
    known = is_sole or bool(workspaces)
    return {"from": start, "to": end, "more": "" if is_sole else f" AND {runs}", "known": known}


def _bill(target: Target, workspaces: Sequence[str]) -> dict[str, Any] | None:
    """Returns the bill of the latest period; None if there is none."""
    where = one_of("workspace_id", workspaces) if workspaces else "1 = 1"
    found = read_bill(
        lambda sql: ask(target, sql.format(dataset=target.dataset, where=where)).dicts, by_workspace=bool(workspaces)
    )
    if found is None:
        return None
    told = {
        name: getattr(found, name) for name in ("period_start", "period_end", "rows", "twice", "uncertainty", "adds_up")
    }
    return {**told, "sql": BY_SOURCE.strip().format(dataset=target.dataset, where=where)}


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
    """Returns the groups by which spend is stacked, with the numbers of their colours, and the group of each item."""
    groups: dict[str, int] = {}
    group_of = []
    for number, (kind, name) in enumerate(found.items):
        own = kind == "model" and number < STACKED and name is not None
        label, colour = (str(name), number + 1) if own else KINDS[kind]
        groups.setdefault(label, colour)
        group_of.append(list(groups).index(label))
    return groups, group_of


def _allowed(text: str) -> str:
    """Returns the hash of a script or style for the page's Content-Security-Policy, which allows no others."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _days(budget: dict[str, Any]) -> tuple[date, date]:
    """Returns the first and last day of the billing period. A period that ends at midnight excludes that day."""
    last: datetime = budget["period_end"] - timedelta(microseconds=1)
    return budget["period_start"].astimezone(UTC).date(), last.astimezone(UTC).date()


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="minutes").replace("+00:00", "Z")


def _plain(value: Any) -> Any:
    return _moment(value) if isinstance(value, datetime) else as_json_value(value)
