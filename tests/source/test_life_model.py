"""Runs start, pause, go on, end, appear late, expire and are purged at random, with syncs in between, against a model.

`LIFE_EXAMPLES=200 pytest tests/source/test_life_model.py` looks further; `make torture` does so.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from pipelines.sim_api import WORKSPACE, SimRun, World, finished_run, serve, small_world
from pipelines.sim_api.world import plans
from sim_source import SyncLog
from tests.helpers import oracle
from tests.helpers.warehouse import Warehouse

RUNS = ("logs", "log_details", "cost_items", "trace_spans", "rejected_rows")
MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS
PLANS: list[Callable[[], Any]] = [
    plans.agent_plan,
    plans.two_model_plan,
    plans.tool_plan,
    plans.plain_plan,
    plans.failing_plan,
    plans.loop_plan,
]


class Known(NamedTuple):
    """What must be stored of a run."""

    status: str
    total: Decimal | None
    items: dict[tuple[str, str], Decimal]


def known(run: SimRun, dialect: str, v2: str) -> Known:
    status = oracle.status_by_v2(run) if v2 == "on" else oracle.status(run, dialect)
    return Known(status, oracle.told_total(run, dialect), oracle.items(run, dialect))


class Life(RuleBasedStateMachine):
    """A workspace, its server, and a warehouse that follows it."""

    dialect = "2026-08"
    v2 = "absent"

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="life-"))
        self.world: World = small_world()
        finished_run(self.world, "wf-triage", plans.agent_plan())
        self.server = serve(self.world, self.dialect, max_limit=5, v2=self.v2).start()
        self.warehouse = Warehouse(self.folder)
        self.expected: dict[str, Known] = {}
        self.very_late: set[str] = set()
        self.settled: set[str] = set()
        self.frozen: set[str] = set()
        self.reconciled: int | None = None
        self.names = 0
        self.loaded = False

    def teardown(self) -> None:
        self.server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    # what happens on the server

    def _runs(self, *states: str) -> list[SimRun]:
        return [run for run in self.world.runs_of(WORKSPACE) if run.state in states and run.id not in self.frozen]

    def _one(self, data: Any, runs: list[SimRun]) -> SimRun | None:
        return data.draw(st.sampled_from(sorted(runs, key=lambda run: run.id))) if runs else None

    def _name(self) -> str:
        self.names += 1
        return f"run-{self.names:03d}"

    @rule(minutes=st.integers(1, 40), plan=st.sampled_from(PLANS), count=st.integers(1, 4))
    def start(self, minutes: int, plan: Callable[[], Any], count: int) -> None:
        self.world.now_ms += minutes * MINUTE_MS
        for _ in range(count):
            self.world.start_run("wf-triage", plan(), run_id=self._name())

    @rule(data=st.data(), how=st.sampled_from(["end", "pause", "cancel", "cancel directly", "sweep", "resume"]))
    def go_on(self, data: Any, how: str) -> None:
        goes_on = ("running", "resumed")
        states = {"end": goes_on, "sweep": goes_on, "resume": ("paused",)}.get(how, ("running",))
        run = self._one(data, self._runs(*states))
        if run is None:
            return
        self.world.now_ms += MINUTE_MS
        {
            "end": self.world.end_run,
            "pause": self.world.pause_run,
            "cancel": self.world.cancel_run,
            "cancel directly": self.world.cancel_run_directly,
            "sweep": self.world.sweep_run,
            "resume": self.world.resume_run,
        }[how](run.id)
        run.v2_status = None
        self.settled.discard(run.id)

    @precondition(lambda self: self.v2 == "on")
    @rule(data=st.data(), word=st.sampled_from(["redacting", "paused", None]))
    def another_word(self, data: Any, word: str | None) -> None:
        """An output is scrubbed, an attempt to resume does not work, or that is over; v1 shows none of it."""
        states = {"redacting": "completed", "paused": "paused"}
        found = [run for run in self.world.runs_of(WORKSPACE) if run.id not in self.frozen | self.settled]
        run = self._one(data, [run for run in found if (run.state == states[word] if word else run.v2_status)])
        if run is not None:
            run.v2_status = word

    @rule(minutes=st.integers(1, 4), plan=st.sampled_from(PLANS))
    def appear_late(self, minutes: int, plan: Callable[[], Any]) -> None:
        self._finished(plan, minutes)

    @rule(hours=st.integers(2, 100), plan=st.sampled_from(PLANS))
    def appear_very_late(self, hours: int, plan: Callable[[], Any]) -> None:
        self.very_late.add(self._finished(plan, hours * 60).id)

    def _finished(self, plan: Callable[[], Any], minutes: int) -> SimRun:
        started = self.world.now_ms - minutes * MINUTE_MS
        run = self.world.start_run("wf-triage", plan(), started_ms=started, run_id=self._name())
        return self.world.end_run(run.id)

    @rule(data=st.data())
    def purge(self, data: Any) -> None:
        run = self._one(data, self.world.runs_of(WORKSPACE))
        if run is not None and len(self.world.runs_of(WORKSPACE)) > 1:
            self.world.purge_run(run.id)

    @precondition(lambda self: self.settled)
    @rule(data=st.data())
    def expire(self, data: Any) -> None:
        run = self._one(data, [run for run in self.world.runs_of(WORKSPACE) if run.id in self.settled])
        if run is not None:
            self.world.expire_trace(run.id)
            self.frozen.add(run.id)

    @rule(hours=st.sampled_from([1, 5, 30]))
    def time_passes(self, hours: int) -> None:
        self.world.now_ms += hours * 60 * MINUTE_MS

    @rule()
    def the_working_folder_is_lost(self) -> None:
        shutil.rmtree(self.folder / "pipelines", ignore_errors=True)
        self.warehouse = Warehouse(self.folder)

    # syncs

    @rule()
    def sync(self) -> None:
        self.world.now_ms += MINUTE_MS
        self._load()
        self._expect()
        self._compare()

    @rule(runs=st.integers(1, 8), details=st.integers(0, 3))
    def sync_a_piece(self, runs: int, details: int) -> None:
        self.world.now_ms += MINUTE_MS
        self._load(max_runs=runs, max_details=details)
        self.settled.clear()
        if self.reconciled is None and not self.warehouse.remembered().workspace(WORKSPACE).logs.is_first:
            self.reconciled = self.world.now_ms  # the piece held everything: the next sync need not look far back

    def _load(self, **bounds: int) -> None:
        log = SyncLog()
        self.warehouse.load(self.server, *RUNS, log=log, **bounds)
        assert log.failures == []
        self.loaded = True

    def _expect(self) -> None:
        """What the model expects after a whole sync: all that is visible, and of the rest what was known before."""
        now = self.world.now_ms
        if self.reconciled is None or now - self.reconciled >= DAY_MS:
            self.reconciled = now
            self.very_late.clear()
        self.settled.clear()
        for run in self.world.runs_of(WORKSPACE):
            if run.id in self.frozen or (run.id in self.very_late and run.id not in self.expected):
                continue
            self.expected[run.id] = known(run, self.dialect, self.v2)
            if run.is_final and run.v2_status is None:
                self.settled.add(run.id)

    def _compare(self) -> None:
        logs = {row["id"]: row for row in self.warehouse.table("logs")}
        found: dict[str, dict[tuple[str, str], Decimal]] = {}
        for item in self.warehouse.table("cost_items"):
            found.setdefault(item["log_id"], {})[item["kind"], item["name"]] = item["total_cost"]
        visible = {run.id for run in self.world.runs_of(WORKSPACE)}
        for id_, expected in self.expected.items():
            row = logs[id_]
            if id_ not in visible:
                continue  # purged: it may have changed after it was seen last; that it adds up is checked below
            assert row["status"] == expected.status, id_
            assert row["cost_total"] == expected.total, id_
            assert found.get(id_, {}) == expected.items, id_

    @invariant()
    def nothing_is_lost_doubled_or_torn(self) -> None:
        if (
            "logs" not in self.warehouse.pipeline.default_schema.tables
            if self.warehouse.pipeline.schema_names
            else True
        ):
            return
        ids = [row["id"] for row in self.warehouse.table("logs")]
        assert len(ids) == len(set(ids))
        assert set(self.expected) <= set(ids)
        odd = self.warehouse.ask(
            "SELECT l.id FROM logs l LEFT JOIN (SELECT log_id, sum(total_cost) total FROM cost_items GROUP BY 1) c "
            "ON c.log_id = l.id LEFT JOIN (SELECT log_id, count(*) spans FROM trace_spans GROUP BY 1) t "
            "ON t.log_id = l.id LEFT JOIN log_details d ON d.id = l.id "
            "WHERE coalesce(l.cost_total, 0) <> coalesce(c.total, 0) OR d.cost_total IS DISTINCT FROM l.cost_total "
            "OR d.span_count <> coalesce(t.spans, 0)"
        )
        assert odd == []
        assert self.warehouse.table("rejected_rows") == []


EXAMPLES = int(os.environ.get("LIFE_EXAMPLES", "0"))


@pytest.mark.timeout(3600 if EXAMPLES else 600)
@pytest.mark.parametrize(("dialect", "v2"), [("2026-03", "absent"), ("2026-08", "absent"), ("2026-08", "on")])
def test_whatever_happens_to_runs_the_tables_follow(dialect: str, v2: str) -> None:
    machine = type("Life", (Life,), {"dialect": dialect, "v2": v2})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES or 5,
            stateful_step_count=16,
            derandomize=not EXAMPLES,
            phases=[Phase.generate],  # an example is a minute of syncs: shrinking it takes an hour
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        ),
    )
