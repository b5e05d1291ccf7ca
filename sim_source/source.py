"""The dlt source: its settings, its resources, and how dlt drives the reader.

A hidden resource reads pages once; every table is a transformer that takes its part of them.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import dlt
from dlt.common.typing import TSecretStrValue
from dlt.extract import DltResource, DltSource

from . import errors
from .api.base_url import check_base_url
from .api.client import SimClient
from .api.throttle import Throttle
from .paging import windows
from .paging.resync import Resync
from .parallel.session import SyncSession
from .reading.batch import Tables
from .reading.progress import Watch
from .reading.reader import Reader, Settings
from .reading.workspace import UNLIMITED, Bounds
from .rows import life, run_rows
from .rows.pseudonyms import Pseudonyms
from .rows.snapshots import Snapshots
from .schema import Table
from .stored.warehouse import Warehouse
from .tables import TABLES

BASE_URL = "https://www.sim.ai"


@dlt.source(name="sim_source", section="sim_source")
def sim_source(
    workspace_id: Any = dlt.config.value,  # str or a list of it; dlt resolves no union from its configuration
    api_key: str = dlt.secrets.value,
    base_url: str = BASE_URL,
    since: str | None = None,
    until: str | None = None,
    details: life.Details = "costly",
    snapshots: Snapshots = "version",
    payloads: run_rows.Payloads = "none",
    redact_people: bool = False,
    redact_salt: TSecretStrValue | None = None,
    lookback_minutes: float = 60.0,
    reconcile_days: float = 7.0,
    allow_http: bool = False,
    max_runs: int | None = None,
    max_details: int | None = None,
    max_snapshots: int | None = None,
    max_audit_logs: int | None = None,
    max_rows: int | None = None,
    max_seconds: float | None = None,
    catch_up: bool = True,
    deadline: float | None = None,
    backoff_s: float = 0.5,
    processes: int | None = None,
    watch: Watch | None = None,
    feed: SyncSession | None = None,
    resync: str | None = None,
) -> list[DltResource]:
    """Loads what the Sim API tells of one or several workspaces.

    Args:
        workspace_id: Workspace ids; a list, or one string (comma-separated).
        api_key: Key of Sim's API. It is sent to ``base_url`` only.
        base_url: Where the API is; https, or http on loopback.
        since: ISO date; earliest run wanted. Earlier than what is there, it extends backwards.
        until: ISO date; latest run wanted; now where absent.
        details: Which runs' detail is asked for: costly (those whose cost the list does not split),
            all, or none.
        snapshots: Whose snapshot is asked for: version (one run per workflow and deployment
            version), all, or none.
        payloads: none drops inputs and outputs in memory; full keeps them. Secrets are removed always.
        redact_people: Names in audit logs and e-mail addresses everywhere become keyed hashes.
        redact_salt: The secret key of these hashes, at least 16 characters.
        lookback_minutes: How far each sync reads again, in minutes.
        reconcile_days: How far a sync reads again once a day, in days; 0 for never.
        allow_http: Permits http to hosts other than loopback.
        max_runs: List rows read at most; a later run goes on. None: all.
        max_details: Per-run details asked for at most; the rest stays ``unknown`` until a later run.
        max_snapshots: Snapshots asked for at most.
        max_audit_logs: Audit rows read at most; 0 also leaves out usage and workflows.
        max_rows: Rows of all tables that lists may fill, about: list rows, spans and cost items count alike.
        max_seconds: Seconds after which lists stop; a later run goes on. None: never.
        catch_up: Also ask for details and snapshots that earlier runs left.
        deadline: Epoch seconds after which no page is asked for any more.
        backoff_s: First wait in seconds after a transient fault.
        processes: Processes that read pages beside this one, once some 16 MB of them have come: two at most where
            the machine has the cores; 0 for none.
        watch: Counts, and notes failures of one resource instead of raising them; a new one for each sync.
        feed: What several extractions of one sync share; then key, address and processes are the feed's.
        resync: Nothing but ``[since, until]`` is read, again, whatever is stored of it, which gets no poorer. Any name
            for this wish: by it, later pieces know what is done already. One that was stopped is gone on with.

    Returns:
        One resource per table, and the hidden one that feeds them.

    Raises:
        ConfigurationError: A setting is missing or wrong.
        SimError: While reading, without ``watch``: the API refuses, stays unavailable or leads nowhere. Not where it
            shows a stretch not in full: what it shows is loaded, ``errors.Incomplete`` is noted in ``watch.failures``
            and logged (logger ``sim_source``, level ERROR, which Python prints where no logging is set up), and the
            next run walks the stretch again.
    """
    seen = watch or Watch()
    if feed is None:
        check_base_url(base_url, allow_http)
    first, last = _moment("since", since), _moment("until", until)
    settings = Settings(
        workspace_ids=_workspaces(workspace_id),
        since=first,
        until=last,
        resync=None if resync is None else _resync(resync, first, last, f"{details} {snapshots} {payloads}"),
        options=run_rows.RunOptions(
            _chosen("details", details, life.Details), _chosen("payloads", payloads, run_rows.Payloads)
        ),
        snapshots=_chosen("snapshots", snapshots, Snapshots),
        lookback=_length("lookback_minutes", lookback_minutes, "minutes"),
        reconcile=_length("reconcile_days", reconcile_days, "days"),
        people=Pseudonyms(redact_salt) if redact_people else None,
        bounds=Bounds(
            runs=_bound("max_runs", max_runs),
            details=_bound("max_details", max_details),
            snapshots=_bound("max_snapshots", max_snapshots),
            audit_logs=_bound("max_audit_logs", max_audit_logs),
            rows=_bound("max_rows", max_rows),
            until=math.inf if max_seconds is None else time.monotonic() + max_seconds,
            catch_up=catch_up,
        ),
    )

    def own_feed() -> SyncSession:
        client = SimClient(
            api_key,
            base_url,
            allow_http=allow_http,
            backoff_s=backoff_s,
            throttle=Throttle(deadline=deadline, on_wait=seen.on_wait, pacer=seen.pacer, counters=seen.counters),
        )
        return SyncSession(client, lasting=False, processes=processes)

    def pages() -> Iterator[Tables]:
        source, pipeline = dlt.current.source(), dlt.current.pipeline()
        _merge_as_it_can(pipeline, source)
        with own_feed() if feed is None else nullcontext(feed) as pages_from:
            warehouse = seen.warehouse or Warehouse(pipeline)
            state = dlt.current.source_state()
            if not warehouse.holds_state():
                state.clear()
                seen.warn("the destination does not hold what was last written to it; going on from what it holds")
            reader = Reader(
                feed=pages_from,
                settings=settings,
                watch=seen,
                warehouse=warehouse,
                state=state,
                selected=frozenset(source.resources.selected).intersection(TABLES),
                strict=watch is None,
                restored=not _knows(pipeline),
            )
            yield from reader.pages(source.schema.data_table_names(seen_data_only=True))
            if reader.restored and not (seen.more or seen.out_of_time):
                pipeline.set_local_state_val(_WHOLE, True)

    hidden = dlt.resource(pages, name="pages", selected=False)
    return [hidden, *(_resource(table, hidden) for table in TABLES.values())]


_WHOLE = "sim_source_whole"
"""Under this name dlt's working folder itself, not its state, remembers that the destination's tables agree."""


def _knows(pipeline: dlt.Pipeline) -> bool:
    """Whether this working folder has seen all loads: one that was cut is then still in it and gets finished."""
    try:
        return bool(pipeline.get_local_state_val(_WHOLE))
    except KeyError:
        return False


def _resource(table: Table, hidden: DltResource) -> DltResource:
    def part(tables: Tables) -> Iterator[Any]:
        found = tables.get(table.name)
        if found is not None:
            yield found

    resource: DltResource = dlt.transformer(part, data_from=hidden, **table.hints())
    return resource


def _merge_as_it_can(pipeline: dlt.Pipeline, source: DltSource) -> None:
    """Has tables merged in a way the destination knows: only while a pipeline runs is it certain which one that is."""
    destination: Any = pipeline.destination
    strategies = destination.capabilities().supported_merge_strategies or () if destination is not None else ()
    for name, table in TABLES.items():
        source.resources[name].apply_hints(**table.merging(strategies))


def _resync(name: str, first: datetime | None, last: datetime | None, scope: str) -> Resync:
    """What is to be read again.

    Raises:
        ConfigurationError: It has no beginning, or ends before it.
    """
    last = last or datetime.now(UTC)
    if first is None or first > last:
        raise errors.ConfigurationError("resync: name the stretch that is to be read again, since and until")
    return Resync(first, last, name, scope)


def _bound(name: str, value: Any) -> int:
    """A bound of one extraction.

    Raises:
        ConfigurationError: It is no number of rows or requests.
    """
    if value is None:
        return UNLIMITED
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise errors.ConfigurationError(f"{name}: {value!r} is no number of rows or requests; use 0 or more")
    return int(value)


def _chosen(name: str, value: object, choices: Any) -> Any:
    """One of the choices of a setting.

    Raises:
        ConfigurationError: It is none of them.
    """
    if value not in get_args(choices):
        raise errors.ConfigurationError(f"{name}: {value!r} is no choice; choose {', '.join(get_args(choices))}")
    return value


def _length(name: str, value: Any, unit: str) -> timedelta:
    """A length of time.

    Raises:
        ConfigurationError: It is negative, no number, or longer than the calendar.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1_000_000:
        raise errors.ConfigurationError(f"{name}: {value!r} is no number of {unit}")
    return timedelta(**{unit: value})


def _workspaces(value: Any) -> list[str]:
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, Sequence) or not all(isinstance(part, str) for part in parts):
        raise errors.ConfigurationError(f"workspace_id: {value!r} is neither a workspace id nor a list of them")
    found = list(dict.fromkeys(part.strip() for part in parts if part.strip()))
    if not found:
        raise errors.ConfigurationError("SIM_WORKSPACE_ID: missing; Sim shows it in the workspace's address")
    return found


def _moment(name: str, value: str | None) -> datetime | None:
    """An ISO date or date-time; UTC where it names no zone.

    Raises:
        ConfigurationError: It is no date.
    """
    if value is None:
        return None
    try:
        return windows.moment(value if "T" in value or " " in value else f"{value}T00:00:00+00:00")
    except (ValueError, OverflowError) as error:
        raise errors.ConfigurationError(
            f"{name}: {value!r} is no date; write 2026-11-01 or 2026-11-01T08:00:00Z"
        ) from error
