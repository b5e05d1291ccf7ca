"""Pages read by other processes: the same rows as without them, whatever becomes of the processes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipelines.commands import piece_loader, sync
from pipelines.destination import duckdb_hold
from pipelines.sim_api import WORKSPACE, SimServer, World, finished_run, serve, small_world, tied_runs
from pipelines.sim_api.world import plans
from sim_source import SyncSession
from sim_source.api import decode
from sim_source.parallel.messages import DecodedPage, Task
from sim_source.parallel.prefetch import Prefetch
from sim_source.parallel.worker import decode_page
from sim_source.parallel.workers import WorkerLost, Workers
from sim_source.reading.batch import Batch
from sim_source.rows import run_rows, runs
from sim_source.run_tables import COST_ITEMS, LOGS, TRACE_SPANS
from sim_source.tables import TABLES
from tests.helpers import asking, recorded
from tests.helpers.app import App
from tests.helpers.warehouse import STEADY, Warehouse

COST = ("logs", "log_details", "cost_items", "trace_spans")
MANY = 2_300
"""Runs of more than two pages."""


@pytest.fixture(scope="module")
def many() -> World:
    world = small_world()
    for number in range(MANY):
        plan = plans.agent_plan() if number % 50 == 0 else plans.plain_plan()
        finished_run(world, "wf-triage", plan, started_ms=world.now_ms - (MANY - number) * 7_000)
    return world


@pytest.fixture(params=["2026-03", "2026-08"])
def server(request: pytest.FixtureRequest, many: World) -> Iterator[SimServer]:
    with serve(many, request.param) as running:
        yield running


def task(body: bytes, *, ask_now: bool = False, seen: frozenset[str] = frozenset()) -> Task:
    return Task(body, seen, WORKSPACE, run_rows.RunOptions(), list(COST), ask_now)


def page(many: World) -> bytes:
    with serve(many, "2026-03") as server, asking.client(server.base_url) as client:
        params = asking.HERE | {"limit": "300", "details": "full", "includeTraceSpans": "true"}
        return client.get(asking.LIST, params, bytes)


@pytest.mark.parametrize("generation", recorded.GENERATIONS)
def test_a_page_read_elsewhere_has_the_rows_it_has_here(generation: str) -> None:
    for answered in recorded.named(generation, "logs_*full*").values():
        body = answered.body
        rows = [runs.read_run(run, WORKSPACE, run_rows.RunOptions()) for run in decode.run_page(body).rows]
        expected = {name: TABLES[name].arrow_of(found) for name, found in run_rows.by_table(rows).items() if found}
        answer = decode_page(task(body))
        assert answer.left == []
        assert answer.arrow() == expected


def test_rows_seen_before_are_left_out_and_odd_ones_left_to_who_asked(many: World) -> None:
    body = page(many)
    found = decode.run_page(body).rows
    before, name, after = body.partition(f'"{found[3].id}"'.encode())
    odd = before + name + re.sub(rb'"totalDurationMs": ?\d+', b'"totalDurationMs":1e30', after, count=1)
    answer = decode_page(task(odd, seen=frozenset({found[0].id, found[1].id})))
    assert answer.left == [found[3].id]
    assert answer.arrow()["logs"]["id"].to_pylist() == [run.id for run in [found[2], *found[4:]]]


def test_runs_whose_detail_is_to_be_asked_are_left_where_that_can_be_done_now(many: World) -> None:
    with serve(many, "2026-08") as server, asking.client(server.base_url) as client:
        params = asking.HERE | {"limit": "300", "details": "full", "includeTraceSpans": "true"}
        body = client.get(asking.LIST, params, bytes)
    pending = [
        run.id for run in decode.run_page(body).rows if runs.read_run(run, WORKSPACE, run_rows.RunOptions()).pending
    ]
    assert pending
    assert decode_page(task(body, ask_now=True)).left == pending
    assert decode_page(task(body)).left == []


def test_a_process_answers_knows_no_key_and_ends(many: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIM_API_KEY", "sk-sim-planted-in-the-environment")
    crew, body = Workers(processes=1, worth=0), page(many)
    try:
        answer = crew.submit(task(body))
        assert answer is not None
        assert answer.result().arrow() == decode_page(task(body)).arrow()
        (pid,) = pids(crew)
        if Path(f"/proc/{pid}").exists():
            assert b"planted" not in Path(f"/proc/{pid}/environ").read_bytes()
    finally:
        crew.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def pids(crew: Workers) -> list[int]:
    return [process._process.pid for process in crew._processes]


def test_nobody_is_asked_for_little_or_where_there_is_no_core_to_spare() -> None:
    little = Workers(processes=1, worth=1_000)
    assert little.submit(task(b"x" * 999)) is None
    alone = Workers(processes=0, worth=0)
    assert alone.submit(task(b"x" * 999)) is None
    for crew in (little, alone):
        assert pids(crew) == []
        crew.close()


def test_a_process_that_is_killed_loses_its_page_and_gets_no_other(many: World) -> None:
    crew, body = Workers(processes=1, worth=0), page(many)
    try:
        first = crew.submit(task(body))
        assert first is not None
        first.result()
        os.kill(pids(crew)[0], signal.SIGKILL)
        second = crew.submit(task(body))
        assert second is not None
        with pytest.raises(WorkerLost):
            second.result()
        assert crew.submit(task(body)) is None
    finally:
        crew.close()


def test_pages_most_of_which_are_read_again_are_no_longer_given_away() -> None:
    crew = Workers(processes=1, worth=0)
    crew.useful(10, 5)
    assert not crew._alone
    crew.useful(10, 6)
    assert crew.submit(task(b"")) is None
    crew.close()


class Deadly(Workers):
    """Kills its process before the second page."""

    given = 0

    def read(self, task: Task) -> Future[DecodedPage] | None:
        self.given += 1
        if self.given == 2:
            os.kill(pids(self)[0], signal.SIGKILL)
        answer = super().read(task)
        if answer is not None and self.given == 1:
            answer.result()
        return answer


@pytest.mark.parametrize("kind", [Workers, Deadly])
@pytest.mark.parametrize("details", ["none", "costly"])
def test_a_sync_loads_the_same_with_other_processes_and_where_they_are_killed(
    tmp_path: Path, server: SimServer, kind: type[Workers], details: str
) -> None:
    alone, together = Warehouse(tmp_path / "alone"), Warehouse(tmp_path / "together")
    alone.load(server, *COST, processes=0, details=details)
    with SyncSession(asking.client(server.base_url), lasting=False) as session:
        session.workers = kind(processes=1, worth=0)
        together.load(server, *COST, session=session, details=details)
        assert pids(session.workers)
    assert together.contents(*COST) == alone.contents(*COST)
    assert len(together.table("logs")) == MANY


def test_a_walk_goes_on_with_the_next_piece(warehouse: Warehouse, server: SimServer) -> None:
    with SyncSession(asking.client(server.base_url)) as session:
        for _ in range(3):
            warehouse.load(server, "logs", session=session, max_runs=500)
    lists = [request for request in server.requests if request.path == asking.LIST]
    assert len(warehouse.table("logs")) == MANY
    assert len(lists) == 3  # without the session, each piece reads a page again from where the last one ended


def test_a_walk_that_stands_elsewhere_is_begun_anew(tmp_path: Path, server: SimServer) -> None:
    first, second = Warehouse(tmp_path / "first"), Warehouse(tmp_path / "second")
    with SyncSession(asking.client(server.base_url)) as session:
        first.load(server, "logs", session=session, max_runs=500)
        second.load(server, "logs", session=session)  # another destination: nothing of it is read yet
    assert len(second.table("logs")) == MANY


class Quick(Workers):
    """Has read every page before anybody asks for it."""

    def read(self, task: Task) -> Future[DecodedPage] | None:
        answer = super().read(task)
        if answer is not None:
            answer.result()
        return answer


@pytest.mark.parametrize("dialect", ["2026-03", "2026-08"])
def test_a_piece_that_ends_among_runs_of_one_instant_loses_none(tmp_path: Path, dialect: str) -> None:
    """The next piece begins with an instant of which some runs are stored; its page has been read and let go."""
    world, pieces = small_world(), Warehouse(tmp_path)
    for number in range(60):
        tied_runs(world, "wf-triage", 4, world.now_ms - (60 - number) * 7_000)
    with serve(world, dialect, max_limit=50) as server, SyncSession(asking.client(server.base_url)) as session:
        session.workers = Quick(processes=1, worth=0)
        for _ in range(6):
            pieces.load(
                server, *COST, session=session, max_runs=50, details="none", lookback_minutes=0, reconcile_days=0
            )
        assert pids(session.workers)
    assert pieces.ask("SELECT count(*), count(DISTINCT id) FROM logs") == [(240, 240)]
    assert pieces.ask("SELECT count(*), count(DISTINCT log_id) FROM trace_spans WHERE span_index = 0") == [(240, 240)]


def test_rows_bound_a_piece_as_runs_do(warehouse: Warehouse, server: SimServer) -> None:
    warehouse.load(server, *COST, max_rows=1)
    assert 0 < len(warehouse.table("logs")) < MANY
    for _ in range(3):
        warehouse.load(server, *COST, max_rows=1)
    assert len(warehouse.table("logs")) == MANY


def test_time_bounds_a_piece_as_rows_do(warehouse: Warehouse, server: SimServer) -> None:
    loaded = [0]
    while loaded[-1] < MANY:
        warehouse.load(server, *COST, max_seconds=0.0)
        loaded.append(len(warehouse.table("logs")))
        assert loaded[-1] > loaded[-2], "pieces do not get on"
    assert len(loaded) > 3  # a page each


def test_an_application_loads_in_pieces_what_it_loads_at_once(
    app: App, server: SimServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    app.account(server)
    assert app("run", "--database", str(tmp_path / "whole.duckdb")).code == 0
    monkeypatch.setattr(sync, "PIECE_ROWS", 2_000)
    assert app("run", "--database", str(tmp_path / "pieces.duckdb")).code == 0
    for name in STEADY:
        tables = [app.rows(f"SELECT * FROM sim.{name} ORDER BY ALL", f"{db}.duckdb") for db in ("whole", "pieces")]
        assert tables[0] == tables[1], name


@pytest.mark.parametrize("direct_rows", [1, 10**9], ids=["copied", "merged"])
def test_duckdb_gets_more_memory_where_a_load_needs_it(
    app: App, server: SimServer, monkeypatch: pytest.MonkeyPatch, direct_rows: int
) -> None:
    app.account(server)
    given: list[None] = []
    generous = duckdb_hold.Hold.raise_memory_limit
    monkeypatch.setattr(piece_loader, "DIRECT_ROWS", direct_rows)
    monkeypatch.setattr(duckdb_hold, "MEMORY_OF_SPANS", 3)
    monkeypatch.setattr(duckdb_hold, "COPIES_OF_SPANS", 3)
    monkeypatch.setattr(duckdb_hold.Hold, "raise_memory_limit", lambda hold: (given.append(None), generous(hold))[1])
    done = app("run", "--resources", ",".join(COST))
    assert done.code == 0, (given, done.err)
    assert app.rows("SELECT count(*), count(DISTINCT id) FROM sim.logs") == [(MANY, MANY)]
    assert given


def test_awaited_rows_are_there_before_everything_is_handed_over() -> None:
    batch, answer = Batch(["logs"], size=10**6), Future[Any]()
    row = (*("x",) * 9, *(None,) * 3, 1, *(None,) * 3)
    batch.later(answer, lambda: batch.add_arrow("logs", answer.result()))
    assert list(batch.full()) == []
    threading.Timer(0.05, answer.set_result, [LOGS.arrow_of([row])]).start()
    (tables,) = batch.flush()
    assert tables["logs"].num_rows == batch.count == 1
    assert list(batch.flush()) == []


def test_steps_are_taken_ahead_while_one_is_in_use() -> None:
    begun = {number: threading.Event() for number in range(4)}

    def steps() -> Iterator[int]:
        for number, event in begun.items():
            event.set()
            yield number

    ahead = Prefetch(steps(), lambda _: 1, budget=2)
    found = []
    for step in ahead:
        if step == 0:
            assert not begun[1].is_set()
            ahead.more()
            assert begun[2].wait(10)
            assert not begun[3].is_set()  # two bytes may wait
        found.append(step)
    assert found == [0, 1, 2, 3]
    ahead.close()


def test_a_fault_of_a_step_is_raised_in_its_turn() -> None:
    def steps() -> Iterator[int]:
        yield 0
        yield 1
        raise ValueError("third")

    ahead = Prefetch(steps(), lambda _: 1, budget=5)
    found = []

    def take() -> None:
        for step in ahead:
            ahead.more()
            found.append(step)

    with pytest.raises(ValueError, match="third"):
        take()
    assert found == [0, 1]
    ahead.close()


def test_a_process_that_reads_pages_needs_no_dlt() -> None:
    code = "import sys, sim_source.parallel.worker; sys.exit('dlt' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_tables_of_an_answer_have_the_columns_of_the_contract(many: World) -> None:
    found = decode_page(task(page(many))).arrow()
    for table in (LOGS, COST_ITEMS, TRACE_SPANS):
        assert isinstance(found[table.name], pa.Table)
        assert found[table.name].schema.equals(table.schema)
