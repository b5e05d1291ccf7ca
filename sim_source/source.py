"""The dlt source: its settings, its resources, and how dlt drives the reader.

A hidden resource reads each page once; every table is a transformer that takes its rows from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast

import dlt
from dlt.common.typing import TSecretStrValue
from dlt.extract import DltResource, DltSource

from .api.client import SimClient
from .options import Api, Details, Payloads, Snapshots
from .paging.source_state import SourceState
from .reading.all_workspaces import named
from .reading.plan import Bounds, ReadPlan
from .reading.reader import Reader
from .reading.session import Extraction, SyncSession
from .schema import Table
from .settings import SimSourceSettings
from .stored.renamed_columns import rename_columns
from .stored.warehouse import Warehouse
from .tables import TABLES


@dlt.source(name="sim_source", section="sim_source", spec=SimSourceSettings)
def sim_source(
    workspace_id: Any = None,  # str or list[str]; dlt cannot resolve a union from its configuration
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
    api: Api | None = None,
    account: str | None = None,
    bounds: Bounds | None = None,
) -> list[DltResource]:
    """Loads the data that the Sim API provides about one or several workspaces.

    Arguments that are None come from dlt's configuration (``[sources.sim_source]``), or else have their default.

    Args:
        workspace_id: Workspace ids; a list, or one string (comma-separated). Or all: every workspace that the API key
            may list (servers with the v2 API).
        api_key: API key of Sim. It is sent only to ``base_url``.
        base_url: URL of the API; https, or http on loopback. Default: https://www.sim.ai.
        since: Earliest run to load: an ISO date, or ``30d``. If it is earlier than the loaded data, earlier runs are
            added.
        until: Latest run to load. Default: now.
        details: Runs whose detail is requested: costly (those whose cost the list does not split; the default), all, or
            none.
        snapshots: Runs whose snapshot is requested: version (one run per workflow and deployment version; the default),
            all, or none.
        payloads: none (the default) drops inputs and outputs in memory; full keeps them. Secrets are always removed.
        redact_people: Replaces names in audit logs, and e-mail addresses everywhere, by keyed hashes. Default: False.
        redact_salt: The secret key of these hashes, at least 16 characters.
        lookback_minutes: How much each sync reads again, in minutes. Default: 60.
        reconcile_days: How much a sync reads again once a day, in days; 0 for never. Default: 7.
        allow_http: Allows http to hosts other than loopback. Default: False.
        api: auto (the default) also reads what only the v2 API tells, if the server offers it; v1 does not.
        account: Name of the account, which tells its rows apart from those of other accounts in the same dataset, each
            loaded with its own API key and its own pipeline name. Default: default.
        bounds: How much to read at most; a later sync continues. None: everything.

    Returns:
        One resource per table, and the hidden one that reads the pages for all of them.

    Raises:
        ConfigurationError: A setting is missing or wrong.
        SimError: While reading: the API rejects a request, stays unavailable, or makes no progress. A time range that
            the API does not return in full is not an error: the rows it returns are loaded, ``errors.Incomplete`` is
            logged (logger ``sim_source``, level ERROR, which Python prints if no logging is configured), and the next
            sync reads the time range again. With ``source_in_session``, failures of one resource are recorded instead,
            and the others continue.
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
        api=cast(Api, api),
        account=cast(str, account),
    )

    def session() -> SyncSession:
        client = SimClient(api_key, str(base_url), allow_http=bool(allow_http))
        return SyncSession(client, strict=True, lasting=False)

    return _resources(settings.plan(), session, bounds or Bounds())


def source_in_session(plan: ReadPlan, session: SyncSession, bounds: Bounds | None = None) -> DltSource:
    """Returns the same source, for callers that load it in several extractions or want to know what happened.

    Args:
        plan: What to read; see ``SimSourceSettings.plan``.
        session: What the extractions share. It is not closed here. Unless it is strict, failures of one resource are
            recorded in ``session.log``.
        bounds: How much this extraction reads at most.
    """
    resources = _resources(plan, lambda: nullcontext(session), bounds or Bounds())
    return DltSource(dlt.Schema("sim_source"), "sim_source", resources)


def _resources(
    plan: ReadPlan, open_session: Callable[[], AbstractContextManager[SyncSession]], bounds: Bounds
) -> list[DltResource]:
    def pages() -> Iterator[dict[str, list[Any]]]:
        source, pipeline = dlt.current.source(), dlt.current.pipeline()
        destination = _destination_name(pipeline)
        _merge_as_it_can(pipeline, source)
        with open_session() as session:
            session.extraction = Extraction()
            warehouse = session.warehouse or Warehouse(pipeline)
            rename_columns(warehouse, source.schema)
            state = SourceState(dlt.current.source_state())
            if not warehouse.holds_state():
                state.forget()
                session.log.warn(
                    "the destination does not hold the latest loads (an older copy?); continuing from what it holds"
                )
            state.begin_extraction(session.elsewhere)
            agree = _tables_that_agree(pipeline)
            reader = Reader(
                session=session,
                plan=named(plan, session.v2),
                bounds=bounds.begun(),
                warehouse=warehouse,
                state=state,
                selected=frozenset(source.resources.selected).intersection(TABLES),
                agreeing=agree,
            )
            for tables in reader.pages(_complete_tables(source.schema)):
                yield {name: list(TABLES[name].items(rows, destination)) for name, rows in tables.items()}
            found = agree.union(reader.plan.workspace_ids)
            if found != agree and not (session.extraction.more or session.out_of_time):
                pipeline.set_local_state_val(_AGREEING, sorted(found))

    hidden = dlt.resource(pages, name="pages", selected=False)
    return [hidden, *(_resource(table, hidden) for table in TABLES.values())]


_AGREEING = "sim_source_agreeing"
"""Key in dlt's working directory (not in its state): workspaces whose tables in the destination are known to agree."""


def _tables_that_agree(pipeline: dlt.Pipeline) -> frozenset[str]:
    """Returns the workspaces whose loads are all known to this machine.

    A load of them that was interrupted is still in a working directory, and dlt completes it.
    """
    try:
        return frozenset(pipeline.get_local_state_val(_AGREEING))
    except KeyError:
        return frozenset()


def _complete_tables(schema: dlt.Schema) -> list[str]:
    """Returns the tables that have all their columns: one that an earlier version stored may lack some."""
    return [
        name
        for name in schema.data_table_names(seen_data_only=True)
        if name in TABLES
        and all(schema.tables[name]["columns"].get(column, {}).get("data_type") for column in TABLES[name].column_names)
    ]


def _resource(table: Table, hidden: DltResource) -> DltResource:
    def part(page: dict[str, list[Any]]) -> Iterator[Any]:
        yield from page.get(table.name, ())

    resource: DltResource = dlt.transformer(part, data_from=hidden, **table.hints())
    return resource


def _destination_name(pipeline: dlt.Pipeline) -> str | None:
    destination: Any = pipeline.destination
    return None if destination is None else destination.destination_type.rpartition(".")[2]


def _merge_as_it_can(pipeline: dlt.Pipeline, source: DltSource) -> None:
    """Sets a merge strategy and a file format that the destination supports.

    The destination is known only while a pipeline runs.
    """
    destination: Any = pipeline.destination
    strategies = destination.capabilities().supported_merge_strategies or () if destination is not None else ()
    for name, table in TABLES.items():
        hints = {**table.merging(strategies), **table.file_format(_destination_name(pipeline))}
        source.resources[name].apply_hints(**hints)
