"""The dlt source: its settings, its resources, and how dlt drives the reader.

A hidden resource reads pages once; every table is a transformer that takes its part of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast

import dlt
from dlt.common.typing import TSecretStrValue
from dlt.extract import DltResource, DltSource

from .api.client import SimClient
from .options import Details, Payloads, Snapshots
from .paging.source_state import SourceState
from .reading.batch import Tables
from .reading.plan import Bounds, ReadPlan
from .reading.reader import Reader
from .reading.session import Extraction, SyncSession
from .schema import Table
from .settings import SimSourceSettings
from .stored.warehouse import Warehouse
from .tables import TABLES


@dlt.source(name="sim_source", section="sim_source", spec=SimSourceSettings)
def sim_source(
    workspace_id: Any = None,  # str or a list of it; dlt resolves no union from its configuration
    api_key: TSecretStrValue = None,  # type: ignore[assignment]
    base_url: str | None = None,
    since: str | None = None,
    until: str | None = None,
    details: Details | None = None,
    snapshots: Snapshots | None = None,
    payloads: Payloads | None = None,
    redact_people: bool | None = None,
    redact_salt: TSecretStrValue | None = None,
    lookback_minutes: float | None = None,
    reconcile_days: float | None = None,
    allow_http: bool | None = None,
    bounds: Bounds | None = None,
) -> list[DltResource]:
    """Loads what the Sim API tells of one or several workspaces.

    What is None is taken from dlt's configuration (``[sources.sim_source]``), else the default.

    Args:
        workspace_id: Workspace ids; a list, or one string (comma-separated).
        api_key: Key of Sim's API. It is sent to ``base_url`` only.
        base_url: Where the API is; https, or http on loopback. Default: https://www.sim.ai.
        since: Earliest run wanted: an ISO date, or ``30d``. Earlier than what is there, it extends backwards.
        until: Latest run wanted; now where absent.
        details: Which runs' detail is asked for: costly (those whose cost the list does not split; the default),
            all, or none.
        snapshots: Whose snapshot is asked for: version (one run per workflow and deployment version; the default),
            all, or none.
        payloads: none (the default) drops inputs and outputs in memory; full keeps them. Secrets are removed always.
        redact_people: Names in audit logs and e-mail addresses everywhere become keyed hashes. Default: False.
        redact_salt: The secret key of these hashes, at least 16 characters.
        lookback_minutes: How far each sync reads again, in minutes. Default: 60.
        reconcile_days: How far a sync reads again once a day, in days; 0 for never. Default: 7.
        allow_http: Permits http to hosts other than loopback. Default: False.
        bounds: How much is read at most; a later run goes on. None: all.

    Returns:
        One resource per table, and the hidden one that reads the pages for all of them.

    Raises:
        ConfigurationError: A setting is missing or wrong.
        SimError: While reading: the API refuses, stays unavailable or leads nowhere. Not where it shows a stretch not
            in full: what it shows is loaded, ``errors.Incomplete`` is logged (logger ``sim_source``, level ERROR,
            which Python prints where no logging is set up), and the next run walks the stretch again. With
            ``source_in_session`` failures of one resource are noted instead, and the others go on.
    """
    settings = SimSourceSettings(
        workspace_id=workspace_id,
        since=since,
        until=until,
        details=cast(Details, details),
        snapshots=cast(Snapshots, snapshots),
        payloads=cast(Payloads, payloads),
        redact_people=bool(redact_people),
        redact_salt=redact_salt,
        lookback_minutes=cast(float, lookback_minutes),
        reconcile_days=cast(float, reconcile_days),
    )

    def session() -> SyncSession:
        client = SimClient(api_key, str(base_url), allow_http=bool(allow_http))
        return SyncSession(client, strict=True, lasting=False)

    return _resources(settings.plan(), session, bounds or Bounds())


def source_in_session(plan: ReadPlan, session: SyncSession, bounds: Bounds | None = None) -> DltSource:
    """The same source, for who loads it in several extractions, or wants to know how it went.

    Args:
        plan: What is to be read; see ``SimSourceSettings.plan``.
        session: What the extractions share. It is not closed here. Where it is not strict, failures of one resource are
            noted in ``session.log``.
        bounds: How much this extraction reads at most.
    """
    resources = _resources(plan, lambda: nullcontext(session), bounds or Bounds())
    return DltSource(dlt.Schema("sim_source"), "sim_source", resources)


def _resources(
    plan: ReadPlan, open_session: Callable[[], AbstractContextManager[SyncSession]], bounds: Bounds
) -> list[DltResource]:
    def pages() -> Iterator[Tables]:
        source, pipeline = dlt.current.source(), dlt.current.pipeline()
        _merge_as_it_can(pipeline, source)
        with open_session() as session:
            session.extraction = Extraction()
            warehouse = session.warehouse or Warehouse(pipeline)
            state = SourceState(dlt.current.source_state())
            if not warehouse.holds_state():
                state.forget()
                session.log.warn(
                    "the destination does not hold what was last written to it; going on from what it holds"
                )
            reader = Reader(
                session=session,
                plan=plan,
                bounds=bounds.begun(),
                warehouse=warehouse,
                state=state,
                selected=frozenset(source.resources.selected).intersection(TABLES),
                restored=not _knows(pipeline),
            )
            yield from reader.pages(source.schema.data_table_names(seen_data_only=True))
            if reader.restored and not (session.extraction.more or session.out_of_time):
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
