"""``sim-sync check``: proves key, workspaces, resources and destination, and says what a first sync will take."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sim_source import SimClient, errors, runs, walk, windows, wire
from sim_source.api import SimApi
from sim_source.errors import SimError
from sim_source.walk import Query, has_fixed_order

from . import place
from .settings import RunSettings

SAMPLE = 50
"""Newest runs that are looked at to tell how many need a detail."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried.

    Attributes:
        what: What was tried.
        ok: Whether it works; None where it is left out without harm.
        told: What was found.
    """

    what: str
    ok: bool | None
    told: str


@dataclass(slots=True)
class Checked:
    """All findings, and the estimate of a first sync.

    Attributes:
        requests: Requests it will send; None where that cannot be told.
        seconds: How long it will take at the limit the server names, at least.
    """

    findings: list[Finding] = field(default_factory=list)
    requests: int | None = None
    seconds: float | None = None

    @property
    def ok(self) -> bool:
        """Whether a sync can be started."""
        return all(finding.ok is not False for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        """The same, for ``--json``."""
        return {
            "ok": self.ok,
            "findings": [{"what": f.what, "ok": f.ok, "told": f.told} for f in self.findings],
            "first_sync": {"requests": self.requests, "seconds": self.seconds},
        }


@dataclass(slots=True)
class _Estimate:
    runs: int = 0
    details: float = 0.0
    snapshots: int = 0
    per_minute: int | None = None


def check(settings: RunSettings) -> Checked:
    """Tries everything, loads nothing."""
    checked = Checked()
    estimate = _Estimate()
    with SimClient(settings.api_key, settings.base_url, allow_http=settings.allow_http) as client:
        api = SimApi(client)
        if _key(api, checked):
            for workspace_id in settings.workspace_ids:
                _workspace(api, client, workspace_id, settings, checked, estimate)
            _audit(api, checked)
    _destination(settings, checked)
    if estimate.runs and checked.ok:
        lists = -(-estimate.runs // walk.LARGEST_PAGE)
        checked.requests = lists + round(estimate.details) + estimate.snapshots + 3
        checked.seconds = 60.0 * checked.requests / estimate.per_minute if estimate.per_minute else None
    return checked


def _key(api: SimApi, checked: Checked) -> bool:
    try:
        usage = api.usage()
    except errors.AccessDenied as denied:
        checked.findings.append(Finding("API key", False, f"SIM_API_KEY: not taken ({denied.reason})"))
        return False
    except SimError as error:
        checked.findings.append(Finding("API", False, str(error)))
        return False
    plan = usage.usage.plan if isinstance(usage, wire.Usage) and usage.usage else None
    checked.findings.append(Finding("API key", True, f"taken; plan {plan or 'unknown'}"))
    return True


def _workspace(
    api: SimApi,
    client: SimClient,
    workspace_id: str,
    settings: RunSettings,
    checked: Checked,
    estimate: _Estimate,
) -> None:
    name = f"workspace {workspace_id}"
    try:
        workflows = [row for page in walk.by_cursor(lambda c: api.workflows(workspace_id, c)) for row in page.rows]
        now = datetime.now(UTC)
        page = api.runs(workspace_id, Query(windows.BEGINNING, now, SAMPLE, order="desc"))
    except errors.AccessDenied as denied:
        checked.findings.append(Finding(name, False, f"may not be read ({denied.reason})"))
        return
    except SimError as error:
        checked.findings.append(Finding(name, False, str(error)))
        return
    counted = sum(int(row.run_count or 0) for row in workflows)
    if not page.count and not workflows:
        told = "looks empty: nothing ran there yet, or the id is wrong or the key may not read it"
        checked.findings.append(Finding(name, None, told))
        return
    total = max(counted, page.count) if page.next_cursor else page.count
    checked.findings.append(Finding(name, True, f"{len(workflows)} workflows, about {total:,} runs"))
    estimate.runs += total
    _count_calls(page.rows, total, settings, estimate)
    fixed = page.next_cursor is not None and has_fixed_order(page.next_cursor)
    # Limit is capacity, twice the refill, on 2026-08 and the refill itself before
    limit = client.limit
    if limit is not None:
        estimate.per_minute = limit // 2 if fixed else limit


def _count_calls(sample: list[wire.Run], total: int, settings: RunSettings, estimate: _Estimate) -> None:
    """Details and snapshots that a first sync will ask for, by the newest runs."""
    if not sample:
        return
    options = runs.RunOptions(settings.details)
    waiting = sum(runs.read(run, "", options).pending for run in sample)
    estimate.details += total * waiting / len(sample)
    if settings.snapshots == "none":
        return
    versions = {run.deployment_version_id for run in sample if run.deployment_version_id}
    drafts = sum(run.deployment_version_id is None for run in sample)
    by_version = settings.snapshots == "version"
    estimate.snapshots += len(versions) + total * drafts // len(sample) if by_version else total


def _audit(api: SimApi, checked: Checked) -> None:
    try:
        api.audit_logs(Query(None, datetime.now(UTC), 1, order="desc"))
    except errors.AccessDenied as denied:
        checked.findings.append(Finding("audit logs", None, f"left out: {denied.reason} (they need Enterprise)"))
    except SimError as error:
        checked.findings.append(Finding("audit logs", False, str(error)))
    else:
        checked.findings.append(Finding("audit logs", True, "can be read"))


def _destination(settings: RunSettings, checked: Checked) -> None:
    target = settings.target
    try:
        if target.database is None:
            with place.pipeline_for(target).sql_client() as client:
                client.execute_sql("SELECT 1")
        else:
            place.check_database(target, wait_s=0.0)
    except SimError as error:
        checked.findings.append(Finding("destination", False, str(error)))
    except Exception as error:  # drivers have errors of their own
        checked.findings.append(Finding("destination", False, f"{target}: {type(error).__name__}: {error}"))
    else:
        checked.findings.append(Finding("destination", True, str(target)))
