"""A DuckDB file that `sim_source` loads into, and what tests ask of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dlt
import duckdb
from dlt.common.configuration import resolve_configuration
from dlt.common.pipeline import LoadInfo

from pipelines.sim_api import (
    OWNER_KEY,
    WORKSPACE,
    SimServer,
    World,
    audit_burst,
    finished_run,
    one_of_each,
    small_world,
)
from pipelines.sim_api.world import plans
from sim_source import (
    Bounds,
    SimClient,
    SimSourceSettings,
    SyncLog,
    SyncSession,
    Throttle,
    sim_source,
    source_in_session,
)
from sim_source.paging.source_state import SourceState
from sim_source.tables import TABLES

Row = dict[str, Any]
ALL_TABLES = tuple(TABLES)
STEADY = tuple(name for name in TABLES if name not in ("usage", "rejected_rows"))
"""Tables that say the same whenever they are loaded."""


def iso(epoch_ms: int) -> str:
    """Epoch milliseconds as the settings take them."""
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).isoformat()


class Warehouse:
    """A pipeline and its database.

    Attributes:
        file: The DuckDB file.
        folder: Everything that dlt and DuckDB write.
    """

    def __init__(self, folder: Path, name: str = "warehouse") -> None:
        self.folder = folder
        self.file = folder / f"{name}.duckdb"
        self.pipeline = dlt.pipeline(
            name,
            pipelines_dir=str(folder / "pipelines"),
            destination=dlt.destinations.duckdb(str(self.file)),
            dataset_name="sim",
        )

    def run(self, source: Any) -> LoadInfo:
        """Loads any source."""
        info = self.pipeline.run(source, loader_file_format="parquet")
        info.raise_on_failed_jobs()
        return info

    def load(self, server: SimServer, *resources: str, **options: Any) -> LoadInfo:
        """Loads from an embedded Sim API, up to its world's present; see ``opened`` for the options."""
        with opened(server, **options) as source:
            return self.run(source.with_resources(*resources) if resources else source)

    def remembered(self) -> SourceState:
        """What the source remembers."""
        return SourceState(self.pipeline.state["sources"]["sim_source"])

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query; moments in UTC."""
        with duckdb.connect(str(self.file)) as connection:
            connection.execute("SET TimeZone = 'UTC'; SET search_path = 'sim'")
            return connection.execute(sql).fetchall()

    def table(self, name: str, where: str = "TRUE") -> list[Row]:
        """All rows of a table, ordered by its key."""
        columns = TABLES[name].column_names
        order = ", ".join(TABLES[name].key)
        picked = ", ".join(f'"{column}"' for column in columns)
        found = self.ask(f"SELECT {picked} FROM {name} WHERE {where} ORDER BY {order}")
        return [dict(zip(columns, row, strict=True)) for row in found]

    def row(self, name: str, key: str) -> Row:
        """The one row with this first key column."""
        (found,) = self.table(name, f"{TABLES[name].key[0]} = '{key}'")
        return found

    def counts(self) -> dict[str, int]:
        """Rows by table."""
        return {name: self.ask(f"SELECT count(*) FROM {name}")[0][0] for name in TABLES}

    def contents(self, *names: str) -> dict[str, list[Row]]:
        """Whole tables, to be compared."""
        return {name: self.table(name) for name in names or STEADY}

    def written(self) -> bytes:
        """Everything that is on disk: files as they are, and parquet files and tables in clear."""
        parts = [path.read_bytes() for path in self.folder.rglob("*") if path.is_file()]
        with duckdb.connect() as connection:
            for path in self.folder.rglob("*.parquet"):
                parts.append(repr(connection.execute(f"SELECT * FROM '{path}'").fetchall()).encode())
        if self.file.exists():
            found = self.ask("SELECT table_schema || '.' || table_name FROM information_schema.tables")
            parts += [repr(self.ask(f"SELECT * FROM {name}")).encode() for (name,) in found]
        return b"\n".join(parts)


@contextmanager
def opened(
    server: SimServer,
    *,
    log: SyncLog | None = None,
    session: SyncSession | None = None,
    api_key: str = OWNER_KEY,
    deadline: float | None = None,
    processes: int | None = None,
    **options: Any,
) -> Iterator[Any]:
    """The source over an embedded Sim API, up to its world's present, with short waits.

    Args:
        server: The API.
        log: Notes failures; without it, or a session, they are raised.
        session: What is shared with other extractions; without it, one of its own is closed afterwards.
        api_key: The account's key.
        deadline: Epoch seconds after which nothing is asked for.
        processes: Processes that decode pages.
        options: Settings of the source, and ``max_runs`` and the like for its bounds.
    """
    world: World = server.world
    bounds = {name[4:]: options.pop(name) for name in list(options) if name.startswith("max_")}
    settings = {"workspace_id": WORKSPACE, "base_url": server.base_url, "until": iso(world.now_ms), **options}
    found = resolved(**settings, api_key=api_key)
    throttle = Throttle(
        deadline=deadline, **({} if log is None else {"on_wait": log.on_wait, "counters": log.counters})
    )
    client = SimClient(api_key, found.base_url, allow_http=found.allow_http, backoff_s=0.001, throttle=throttle)
    own = SyncSession(client, log, strict=log is None, lasting=False, processes=processes)
    with own:
        yield source_in_session(found.plan(), session or own, Bounds(**bounds))


def source_of(server: SimServer, **settings: Any) -> Any:
    """The source as any user of the library makes it, up to the world's present."""
    account = {"workspace_id": WORKSPACE, "api_key": OWNER_KEY, "base_url": server.base_url}
    return sim_source(**{**account, "until": iso(server.world.now_ms), **settings})


def resolved(**settings: Any) -> SimSourceSettings:
    """Settings as dlt resolves them."""
    told = {name: value for name, value in settings.items() if value is not None}
    return resolve_configuration(SimSourceSettings(), sections=("sources", "sim_source"), explicit_value=told)


def full_world() -> World:
    """A run of each kind and in each state, one of a deleted workflow, and a few audit rows."""
    world = small_world()
    one_of_each(world)
    world.add_workflow(WORKSPACE, "Gone", workflow_id="wf-gone")
    finished_run(world, "wf-gone", plans.agent_plan(), started_ms=world.now_ms - 90_000)
    world.delete_workflow("wf-gone")
    audit_burst(world, 10, world.now_ms - 5000)
    return world
