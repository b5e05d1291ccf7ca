"""``sim-sync check``: proves key, workspaces, resources and destination, and says what a first sync will take."""

from __future__ import annotations

import math
import time
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
from sim_source.errors import SimError
from sim_source.paging import walk_list, windows
from sim_source.reading.reader import RUN_TABLES, in_full
from sim_source.reading.refusals import refused_workspace

from ..destination import duckdb_file, pipeline
from ..destination.target import Target
from ..dlt_internals import switch
from ..rate_limit import RateLimit
from ..settings import RunSettings
from .estimate import Estimate, Look, Options, audit_pages
from .forecast import PROOF, Bucket, Times, Work, span, times
from .observed_limit import Listening, seen_to_come

SOON_S = 2.0
"""A bucket that is filled once in so many seconds, or more often, is watched being filled."""
MOST_ASKED_TO_SEE = 20
"""Requests that make room in such a bucket, so that what comes can be counted."""


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


@dataclass(frozen=True, slots=True)
class FirstSync:
    """What a first sync that begins now will take.

    Attributes:
        work: Its requests.
        unsure: By how many requests that may be off; 0 where all that they are for was counted.
        times: How long it will take.
        limit: The server's rate limit; None where it names none, or where the answers themselves take longer.
        what: What is foretold.
    """

    work: Work
    unsure: float
    times: Times
    limit: RateLimit | None
    what: str = "a first sync"

    def __str__(self) -> str:
        work, took = self.work, self.times
        about = f"about {work.total:,} (give or take {self.unsure:,.0f})" if self.unsure >= 1 else f"{work.total:,}"
        others = work.total - work.lists - work.calls
        told = (
            f"{self.what} takes {about} requests: {work.lists:,} pages of runs, {work.details:,} details, "
            f"{work.snapshots:,} snapshots, {others:,} others\n"
        )
        if self.limit is None:
            return f"{told}that is {span(took.all)} or more, as fast as the server answers: no limit holds it back"
        rate = f"{self.limit.rate * 60 / self.limit.interval:,.0f} a minute, {self.limit.capacity:,} at once"
        lists = f"; every run is there after {span(took.lists)}" if work.calls else ""
        return f"{told}begun now, that is {span(took.all)} at the allowed rate ({rate}){lists}"

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "requests": self.work.total,
            "seconds": round(self.times.all, 1),
            "requests_unsure": round(self.unsure),
        }


NOT_FORETOLD = {"requests": None, "seconds": None, "requests_unsure": None}


@dataclass(slots=True)
class Checked:
    """All findings, and the estimate of a first sync; None where there is nothing to be read or something is wrong."""

    findings: list[Finding] = field(default_factory=list)
    first_sync: FirstSync | None = None

    @property
    def ok(self) -> bool:
        """Whether a sync can be started."""
        return all(finding.ok is not False for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        """The same, for ``--json``."""
        return {
            "ok": self.ok,
            "findings": [{"what": f.what, "ok": f.ok, "told": f.told} for f in self.findings],
            "first_sync": self.first_sync.as_json() if self.first_sync else NOT_FORETOLD,
        }


def try_access(settings: RunSettings) -> Checked:
    """Tries everything, loads nothing."""
    checked, listening = Checked(), Listening()
    foretold: FirstSync | None = None
    throttle = Throttle(pacer=listening)
    with SimClient(
        settings.source.api_key, settings.source.base_url, allow_http=settings.source.allow_http, throttle=throttle
    ) as client:
        trial = _Trial(settings, client, checked.findings)
        if trial.key():
            found = [each for id_ in settings.plan.workspace_ids if (each := trial.workspace(id_)) is not None]
            account = trial.audit()
            if any(each.runs for each in found):
                foretold = _foretold(trial, listening, found, account)
    _destination(settings.target, checked)
    if not switch.is_seen():
        tried = f"sim-sync was tried with {', '.join(switch.SEEN)}; with {dlt.__version__} loading takes longer"
        checked.findings.append(Finding("dlt", None, tried))
    checked.first_sync = foretold if checked.ok else None
    return checked


def options_of(settings: RunSettings) -> Options:
    """What a sync of the selected tables asks for of runs."""
    selected = settings.resources
    return Options(
        details=settings.plan.options.details if "log_details" in selected else "none",
        snapshots=settings.plan.snapshots if "execution_snapshots" in selected else "none",
        full=in_full(selected),
    )


@dataclass(slots=True)
class _Trial:
    """Tries one thing after the other, and says what was found."""

    settings: RunSettings
    client: SimClient
    findings: list[Finding]

    def _api(self, *, full: bool) -> SimApi:
        return SimApi(self.client, full=full)

    def _now(self) -> datetime:
        return self.client.server_time or datetime.now(UTC)

    def _first(self) -> datetime:
        """Before which nothing counts: of a resync its beginning."""
        since = self.settings.plan.since if self.settings.plan.resync is not None else None
        return since or windows.BEGINNING

    def _end(self) -> datetime:
        """After which nothing counts."""
        until = self.settings.plan.until if self.settings.plan.resync is not None else None
        return min(until, self._now()) if until else self._now()

    def _wants(self, table: str) -> bool:
        return table in self.settings.resources

    def _say(self, what: str, ok: bool | None, told: str) -> None:
        self.findings.append(Finding(what, ok, told))

    def key(self) -> bool:
        """Whether the key is taken."""
        try:
            usage = self._api(full=False).usage()
        except errors.AccessDenied as denied:
            self._say("API key", False, f"SIM_API_KEY: not taken ({denied.reason})")
            return False
        except SimError as error:
            self._say("API", False, str(error))
            return False
        plan = usage.usage.plan if isinstance(usage, wire.Usage) and usage.usage else None
        self._say("API key", True, f"taken; plan {plan or 'unknown'}")
        return True

    def workspace(self, workspace_id: str) -> Estimate | None:
        """What a sync will ask for of a workspace; None where it cannot be read."""
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
            told = "looks empty: nothing ran there yet, or the id is wrong or the key may not read it"
            self._say(name, None, told)
            return None
        about = "about " if found.unsure else ""
        self._say(name, True, f"{len(workflows)} workflows, {about}{found.runs:,} runs")
        work = found.work if any(self._wants(table) for table in RUN_TABLES) else Work()
        return replace(found, work=work + Work(workflows=len(pages) if self._wants("workflows") else 0))

    def audit(self) -> Work:
        """Pages of the audit trail; the one that is refused is one, too."""
        name = "audit logs"
        pages = 1
        try:
            first = None if self.settings.plan.resync is None else self.settings.plan.since
            pages = audit_pages(self._api(full=False).audit_logs, self._end(), first)
        except errors.AccessDenied as denied:
            self._say(name, None, f"left out: {denied.reason} (they need Enterprise)")
        except SimError as error:
            self._say(name, False, str(error))
        else:
            self._say(name, True, "can be read")
        return Work(audit_logs=pages if self._wants("audit_logs") else 0)

    def watch_refill(self, listening: Listening, capacity: int) -> None:
        """Watches a bucket being filled, where that may be soon: no bucket of Sim's own is filled every other second.

        The client's own time of it is never too early but up to ``MOST_LATE_S`` late, by chance: it depends on the part
        of a second at which the server answered. So it must not decide.
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
    """What was found, as requests and time."""
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
    """The bucket as a sync finds it that begins now: what was asked here is gone."""
    left, refill_s = client.available, client.throttle.refill_s
    if limit is None or left is None or refill_s is None:
        return None
    return Bucket(limit, left, min(refill_s, limit.interval))


def _destination(target: Target, checked: Checked) -> None:
    try:
        if target.database is None:
            with pipeline.pipeline_for(target).sql_client() as client:
                client.execute_sql("SELECT 1")
        else:
            duckdb_file.check_database(target, wait_s=0.0)
    except SimError as error:
        checked.findings.append(Finding("destination", False, str(error)))
    except Exception as error:  # drivers have errors of their own
        checked.findings.append(Finding("destination", False, f"{target}: {type(error).__name__}: {error}"))
    else:
        checked.findings.append(Finding("destination", True, str(target)))
