"""The library in somebody else's dlt project: it changes nothing there, and finds itself under any name."""

from __future__ import annotations

import gc
import json
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import dlt
import pytest
from dlt.common.configuration.container import Container
from dlt.common.configuration.exceptions import ConfigValueCannotBeCoercedException
from dlt.common.pipeline import PipelineContext

from pipelines.sim_api import OWNER_KEY, WORKSPACE, World, finished_run, serve, small_world
from pipelines.sim_api.world import plans
from sim_source import Bounds, SyncLog, sim_source
from sim_source.errors import ConfigurationError
from sim_source.parallel.messages import Task
from sim_source.parallel.workers import Workers
from sim_source.rows import run_rows
from tests.helpers.app import App, one_of_every_kind
from tests.helpers.warehouse import Warehouse, source_of

ROOT = Path(__file__).parents[2]
PACKAGES = ["sim_source", "sources.sim_source", "my_sources.nested.sim_source"]

GUEST = """
import gc, json, logging, os, sys, threading
from importlib import import_module

import dlt

package = import_module({package!r})
source_module = import_module({package!r} + ".source")
workers = import_module({package!r} + ".parallel.workers")
workers.WORTH_BYTES = 0
read = []
ask = workers._Process.ask
workers._Process.ask = lambda self, task: (read.append(1), ask(self, task))[1]
init = workers.Workers.__init__
workers.Workers.__init__ = lambda self, processes=None, worth=0: init(self, processes, 0)

def state():
    loggers = [logging.getLogger(name) for name in (None, "dlt", "sim_source")]
    return {{
        "gc": [gc.isenabled(), gc.get_threshold(), gc.get_freeze_count()],
        "logging": [[len(each.filters), len(each.handlers), each.level, each.propagate] for each in loggers],
        "path": list(sys.path),
        "environ": dict(os.environ),
        "recursion": sys.getrecursionlimit(),
    }}

def load(name):
    pipeline = dlt.pipeline(name, pipelines_dir=name, destination=dlt.destinations.duckdb(name + ".duckdb"),
                            dataset_name="runs")
    with package.SyncSession(package.SimClient({key!r}, {url!r}), processes=1) as session:
        settings = package.SimSourceSettings(workspace_id={workspace!r}, api_key={key!r}, base_url={url!r})
        pipeline.run(package.source_in_session(settings.plan(), session))
        log = session.log
    with pipeline.sql_client() as client:
        counted = client.execute_sql("SELECT count(*), sum(cost_total)::VARCHAR FROM logs")
        spans = client.execute_sql("SELECT count(*) FROM trace_spans")
    told[name] = [list(counted[0]), list(spans[0]), log.warnings, [each.message for each in log.failures]]

told = {{}}
load("alone")
before = state()
threads = [threading.Thread(target=load, args=(name,)) for name in ("one", "two")]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(json.dumps({{"same": state() == before, "told": told, "read": len(read)}}))
"""


@pytest.mark.parametrize("package", PACKAGES)
def test_vendored_under_any_name_two_sources_at_once_read_all_and_change_nothing_global(
    tmp_path: Path, package: str
) -> None:
    world = small_world()
    for number in range(1_200):
        finished_run(world, "wf-triage", plans.plain_plan(), started_ms=world.now_ms - number * 60_000)
    home = tmp_path.joinpath(*package.split("."))
    shutil.copytree(ROOT / "sim_source", home, ignore=shutil.ignore_patterns("__pycache__"))
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with serve(world, "2026-03") as server:
        program = GUEST.format(package=package, workspace=WORKSPACE, key=OWNER_KEY, url=server.base_url)
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, env=environment
        )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["told"]["one"] == found["told"]["two"] == found["told"]["alone"]
    assert found["told"]["alone"][0][0] == 1_200
    assert found["told"]["alone"][2:] == [[], []]
    assert found["read"] >= 3
    assert found["same"]


def test_a_source_built_before_its_pipeline_leaves_no_other_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path / "data"))
    Container()[PipelineContext].deactivate()
    with serve(one_of_every_kind()) as server:
        source = source_of(server)
        assert not Container()[PipelineContext].is_active()
        warehouse = Warehouse(tmp_path)
        warehouse.run(source)
        assert dlt.current.pipeline() is warehouse.pipeline
    assert not (tmp_path / "data" / "pipelines").exists()
    assert warehouse.counts()["logs"] > 0


def test_the_strategy_is_that_of_the_destination_it_is_run_into(tmp_path: Path) -> None:
    """Built beside a pipeline that can replace families of rows, run into one that can only upsert."""

    class Upserting(dlt.destinations.duckdb):  # type: ignore[misc]
        def _raw_capabilities(self) -> Any:
            capabilities = super()._raw_capabilities()
            capabilities.supported_merge_strategies = ["upsert"]
            return capabilities

    Warehouse(tmp_path, "other")
    with serve(one_of_every_kind()) as server:
        source = source_of(server)
        pipeline = dlt.pipeline(
            "upserts",
            pipelines_dir=str(tmp_path / "upserts"),
            destination=Upserting(str(tmp_path / "upserts.duckdb")),
            dataset_name="sim",
        )
        pipeline.run(source)
    tables = pipeline.default_schema.tables
    assert {tables[name]["x-merge-strategy"] for name in ("logs", "cost_items", "trace_spans")} == {"upsert"}
    assert not any(column.get("merge_key") for column in tables["cost_items"]["columns"].values())
    with pipeline.sql_client() as client:
        assert client.execute_sql("SELECT count(*) > 0 FROM cost_items") == [(True,)]


WRONG: dict[str, list[Any]] = {
    "details": ["cosly", 3],
    "snapshots": ["versions"],
    "payloads": ["fulll", True],
    "lookback_minutes": [-5, float("nan"), "an hour"],
    "reconcile_days": [-1, float("inf")],
    "workspace_id": [[], " , ", 7, [7]],
    "since": ["yesterday", "12 d"],
    "until": ["2026-13-01"],
    "base_url": ["sim.ai", "ftp://sim.ai"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_a_setting_that_means_nothing_is_refused_when_the_source_is_built(name: str, value: Any) -> None:
    settings: dict[str, Any] = {"workspace_id": WORKSPACE, "api_key": OWNER_KEY, "base_url": "https://sim.example.org"}
    with pytest.raises(ConfigurationError) as refused:
        sim_source(**{**settings, name: value})
    assert name in str(refused.value).lower() or name.upper() in str(refused.value)


@pytest.mark.parametrize("bound", [{"runs": -1}, {"runs": 1.5}, {"runs": True}, {"details": -1}, {"seconds": "1"}])
def test_a_bound_that_means_nothing_is_refused(bound: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(bound))):
        Bounds(**bound)


def test_a_choice_that_is_configured_is_refused_with_the_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCES__SIM_SOURCE__DETAILS", "cosly")
    with pytest.raises(ConfigValueCannotBeCoercedException, match="'costly', 'all', 'none'"):  # dlt's own word
        sim_source(workspace_id=WORKSPACE, api_key=OWNER_KEY, base_url="https://sim.example.org")


def many_runs() -> World:
    world = small_world()
    for number in range(1_500):
        finished_run(world, "wf-triage", plans.plain_plan(), started_ms=world.now_ms - number * 60_000)
    return world


@pytest.mark.parametrize("executable", ["", "/nowhere/python"])
def test_where_no_process_can_be_started_that_is_said_once_and_all_is_read(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, executable: str
) -> None:
    world, log = many_runs(), SyncLog()
    monkeypatch.setattr(sys, "executable", executable)
    monkeypatch.setattr(Workers.__init__, "__defaults__", (None, 0))
    with serve(world, "2026-03") as server:
        warehouse.load(server, processes=1, log=log)
    assert warehouse.counts()["logs"] == 1_500
    assert [text for text in log.warnings if "a worker process could not be started" in text] == log.warnings
    assert len(log.warnings) == 1


def test_counting_pages_that_are_given_away_meanwhile_is_no_fault() -> None:
    import threading

    crew, over, faults = Workers(processes=1, worth=0), threading.Event(), []

    def count() -> None:
        while not over.is_set():
            try:
                _ = crew.has_enough
            except RuntimeError as fault:
                faults.append(fault)

    task = Task(b'{"data":[]}', frozenset(), WORKSPACE, run_rows.RunOptions(), [], False)
    thread = threading.Thread(target=count)
    thread.start()
    try:
        for _ in range(3_000):
            crew.submit(task)
    finally:
        over.set()
        thread.join()
        crew.close()
    assert faults == []


@pytest.mark.parametrize("command", [("status",), ("sql", "SELECT 1"), ("report",), ("check", "--data"), ("run",)])
def test_every_command_leaves_the_collector_as_it_found_it(app: App, command: tuple[str, ...]) -> None:
    assert gc.isenabled()
    before = gc.get_threshold()
    app(*command)
    assert (gc.isenabled(), gc.get_threshold()) == (True, before)


def test_importing_the_library_touches_no_logger() -> None:
    assert logging.getLogger("dlt").filters == []
