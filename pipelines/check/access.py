"""``sim-sync check``: checks API key, workspaces, resources and destination, and estimates the first sync."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import dlt

from sim_source import SimClient, errors
from sim_source.api import wire
from sim_source.api.endpoints import SimApi
from sim_source.api.query import Query
from sim_source.api.rate import MOST_LATE_S
from sim_source.api.throttle import Throttle
from sim_source.api.v2_endpoints import SimV2Api
from sim_source.errors import SimError
from sim_source.paging import walk_list, windows
from sim_source.reading.all_workspaces import named
from sim_source.reading.reader import RUN_TABLES
from sim_source.reading.refusals import refused_workspace

from ..destination import load_faults, pipeline
from ..destination.target import Target
from ..dlt_internals import switch
from ..rate_limit import RateLimit
from ..settings import RunSettings
from .estimate import Estimate, Look, audit_pages, options_of
from .findings import Finding
from .forecast import PROOF, Bucket, Times, Work, span, times
from .observed_limit import Listening, seen_to_come
from .v2_access import V2Trial

SOON_S = 2.0
"""Seconds. If the token bucket is refilled within this time, the check watches a refill to measure its rate."""
MOST_ASKED_TO_SEE = 20
"""Maximum number of requests that make room in the bucket, so that the tokens of a refill can be counted."""


@dataclass(frozen=True, slots=True)
class FirstSync:
    """The estimate of a first sync, or a resync, that starts now.

    Attributes:
        work: Its requests.
        unsure: Uncertainty of the number of requests; 0 if all runs were counted.
        times: Its duration.
        limit: The server's rate limit; None if the server names none, or if the limit does not slow down the sync.
        what: What is estimated.
    """

    work: Work
    unsure: float
    times: Times
    limit: RateLimit | None
    what: str = "a first sync"

    def __str__(self) -> str:
        work, took = self.work, self.times
        about = f"about {work.total:,} (± {self.unsure:,.0f})" if self.unsure >= 1 else f"{work.total:,}"
        others = work.total - work.lists - work.calls - work.v2_snapshots
        told = (
            f"{self.what} takes {about} requests: {work.lists:,} pages of runs, {work.details:,} details, "
            f"{work.snapshots + work.v2_snapshots:,} snapshots, {others:,} others\n"
        )
        if self.limit is None:
            return f"{told}started now, it takes {span(took.all)} or more, as fast as the server answers (no limit)"
        rate = f"{self.limit.rate * 60 / self.limit.interval:,.0f} a minute, {self.limit.capacity:,} at once"
        lists = f"; all runs are loaded after {span(took.lists)}" if work.calls or work.v2_snapshots else ""
        return f"{told}started now, it takes {span(took.all)} at the allowed rate ({rate}){lists}"

    def as_json(self) -> dict[str, Any]:
        """Returns the object that ``--json`` prints."""
        return {
            "requests": self.work.total,
            "seconds": round(self.times.all, 1),
            "requests_unsure": round(self.unsure),
        }


NOT_FORETOLD = {"requests": None, "seconds": None, "requests_unsure": None}


@dataclass(slots=True)
class Checked:
    """All findings, and the estimate of a first sync.

    Attributes:
        findings: Results of the checks, in order.
        first_sync: The estimate; None if there is nothing to read or a check failed.
    """

    findings: list[Finding] = field(default_factory=list)
    first_sync: FirstSync | None = None

    @property
    def ok(self) -> bool:
        """Whether a sync can start."""
        return all(finding.ok is not False for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        """Returns the JSON object that ``--json`` prints."""
        return {
            "ok": self.ok,
            "findings": [{"what": f.what, "ok": f.ok, "told": f.told} for f in self.findings],
            "first_sync": self.first_sync.as_json() if self.first_sync else NOT_FORETOLD,
        }


def try_access(settings: RunSettings) -> Checked:
    """Runs all checks. Loads nothing."""
    checked, listening = Checked(), Listening()
    foretold: FirstSync | None = None
    throttle = Throttle(pacer=listening)
    with SimClient(
        settings.source.api_key, settings.source.base_url, allow_http=settings.source.allow_http, throttle=throttle
    ) as client:
        trial = _Trial(settings, client, checked.findings)
        if trial.key() and trial.workspaces():
            settings = trial.settings
            found = [each for id_ in settings.plan.workspace_ids if (each := trial.workspace(id_)) is not None]
            account = trial.audit() + trial.v2(found)
            if any(each.runs for each in found):
                foretold = _foretold(trial, listening, found, account)
    _destination(settings.target, checked)
    if not switch.is_seen():
        tried = f"loading is slower with dlt {dlt.__version__}: sim-sync is optimized for dlt {', '.join(switch.SEEN)}"
        checked.findings.append(Finding("dlt", None, tried))
    checked.first_sync = foretold if checked.ok else None
    return checked


@dataclass(slots=True)
class _Trial:
    """Runs the checks one after the other and appends their findings."""

    settings: RunSettings
    client: SimClient
    findings: list[Finding]

    def _api(self, *, full: bool) -> SimApi:
        return SimApi(self.client, full=full)

    def _now(self) -> datetime:
        return self.client.server_time or datetime.now(UTC)

    def _first(self) -> datetime:
        """Returns the start of the time range that counts: the start of a resync, else the beginning of all runs."""
        since = self.settings.plan.since if self.settings.plan.resync is not None else None
        return since or windows.BEGINNING

    def _end(self) -> datetime:
        """Returns the end of the time range that counts: the end of a resync if it is in the past, else now."""
        until = self.settings.plan.until if self.settings.plan.resync is not None else None
        return min(until, self._now()) if until else self._now()

    def _wants(self, table: str) -> bool:
        return table in self.settings.resources

    def _say(self, what: str, ok: bool | None, told: str) -> None:
        self.findings.append(Finding(what, ok, told))

    def key(self) -> bool:
        """Whether the server accepts the API key."""
        try:
            usage = self._api(full=False).usage()
        except errors.AccessDenied as denied:
            self._say("API key", False, f"the server rejected the API key ({denied.reason}); check SIM_API_KEY")
            return False
        except SimError as error:
            self._say("API", False, str(error))
            return False
        plan = usage.usage.plan if isinstance(usage, wire.Usage) and usage.usage else None
        self._say("API key", True, f"accepted; plan {plan or 'unknown'}")
        return True

    def workspaces(self) -> bool:
        """Whether it is known which workspaces to sync; if all of them, they are named now."""
        try:
            self.settings = replace(self.settings, plan=named(self.settings.plan, SimV2Api(self.client)))
        except SimError as error:
            self._say("workspaces", False, str(error))
            return False
        return True

    def workspace(self, workspace_id: str) -> Estimate | None:
        """Estimates the requests for a workspace; None if it is empty or cannot be read."""
        name, options = f"workspace {workspace_id}", options_of(self.settings)
        api = self._api(full=options.full)
        try:
            pages = list(walk_list.walk_by_cursor(lambda cursor: api.workflows(workspace_id, cursor)))
            workflows = [row for page in pages for row in page.rows]
            look = Look(api, workspace_id, options, time.perf_counter, self._first())
            found = look.estimate(workflows, self._end())
        except errors.AccessDenied as denied:
            self._say(name, False, str(refused_workspace(workspace_id, denied)))
            return None
        except SimError as error:
            self._say(name, False, str(error))
            return None
        if not found.runs and not workflows:
            told = "looks empty: no runs yet, or the id is wrong, or the API key has no access to it"
            self._say(name, None, told)
            return None
        about = "about " if found.unsure else ""
        self._say(name, True, f"{len(workflows)} workflows, {about}{found.runs:,} runs")
        work = found.work if any(self._wants(table) for table in RUN_TABLES) else Work()
        return replace(found, work=work + Work(workflows=len(pages) if self._wants("workflows") else 0))

    def audit(self) -> Work:
        """Estimates the requests for audit logs. A denied request counts as one page."""
        name = "audit logs"
        pages = 1
        try:
            first = None if self.settings.plan.resync is None else self.settings.plan.since
            pages = audit_pages(self._api(full=False).audit_logs, self._end(), first)
        except errors.AccessDenied as denied:
            self._say(name, None, f"skipped: {denied.reason} (audit logs need the Enterprise plan)")
        except SimError as error:
            self._say(name, False, str(error))
        else:
            self._say(name, True, "readable")
        return Work(audit_logs=pages if self._wants("audit_logs") else 0)

    def v2(self, found: Sequence[Estimate]) -> Work:
        """Tries what the v2 API tells, and counts its requests; see ``V2Trial``."""
        if self.settings.plan.api == "v1":
            return Work()
        plan, selected = self.settings.plan, self.settings.resources
        tried = V2Trial(SimV2Api(self.client), plan.workspace_ids, self._now(), selected, found, self.findings)
        tried.run()
        return tried.work

    def watch_refill(self, listening: Listening, capacity: int) -> None:
        """Watches a refill of the token bucket if the next one is due soon. Sim itself refills once a minute.

        The client's estimate of the next refill is never too early, but up to ``MOST_LATE_S`` too late, depending on
        the fraction of the second at which the server answered. The limit therefore allows for that delay.
        """
        api = self._api(full=False)
        workspace_id = self.settings.plan.workspace_ids[0]
        newest = Query(windows.BEGINNING, self._now(), 1, order="desc")
        for number in range(MOST_ASKED_TO_SEE + 1):
            soon = self.client.throttle.refill_s
            if soon is None or soon - MOST_LATE_S > SOON_S or seen_to_come(listening.told, capacity)[0]:
                return
            if number == MOST_ASKED_TO_SEE:
                time.sleep(soon)
            api.runs(workspace_id, newest)


def _foretold(trial: _Trial, listening: Listening, found: list[Estimate], account: Work) -> FirstSync:
    """Turns the findings into an estimate of requests and time."""
    settings, client = trial.settings, trial.client
    names_capacity = any(each.names_order for each in found)
    limit = listening.limit_of_server(names_capacity=names_capacity)
    if limit is not None:
        trial.watch_refill(listening, limit.capacity)
        limit = listening.limit_of_server(names_capacity=names_capacity)
    work = sum((each.work for each in found), account)
    work += Work(usage=int("usage" in settings.resources))
    if settings.target.database is not None and not settings.target.database.exists() and settings.plan.resync is None:
        work += PROOF
    pace = max((each.pace for each in found), key=lambda each: each.page_s)
    unhindered, took = times(work, None, pace), times(work, _bucket(client, limit), pace)
    unsure = math.hypot(*(each.unsure for each in found))
    what = (
        "a first sync"
        if settings.plan.resync is None
        else f"reading {settings.plan.since:%Y-%m-%d %H:%M} UTC and later again"
    )
    return FirstSync(work, unsure, took, limit if took.all > unhindered.all else None, what)


def _bucket(client: SimClient, limit: RateLimit | None) -> Bucket | None:
    """Returns the token bucket as a sync that starts now finds it, less the requests of this check."""
    left, refill_s = client.available, client.throttle.refill_s
    if limit is None or left is None or refill_s is None:
        return None
    return Bucket(limit, left, min(refill_s, limit.interval))


def _destination(target: Target, checked: Checked) -> None:
    try:
        pipeline.check_reachable(target)
    except Exception as error:  # each driver raises its own errors
        told = load_faults.explained(error, target, "connecting to")
        checked.findings.append(Finding("destination", False, str(told)))
    else:
        checked.findings.append(Finding("destination", True, str(target)))
