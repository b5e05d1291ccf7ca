"""``sim-sync demo``: a complete sync and its report on generated data, without an account."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from sim_source import SimSourceSettings, SyncLog
from sim_source.options import DEFAULT_ACCOUNT

from ..destination.target import Target, target_of
from ..optional_packages import needed
from ..report import figures, printing
from ..screen import console, terminal
from ..settings import RunSettings
from . import outcome, sync
from .finish import finish
from .results import Results

DEMO_DATABASE = "sim_demo.duckdb"
RUNS = 3000


def demo_target(database: Path | None = None) -> Target:
    """Returns the destination of the demo: a given DuckDB file, or ``sim_demo.duckdb`` in the current folder."""
    return target_of("duckdb", None, database or Path(DEMO_DATABASE))


def run_demo(where: Target, log: SyncLog, tell: Callable[[str], None], runs: int = RUNS) -> outcome.Outcome:
    """Starts the embedded Sim API on loopback and syncs a month of runs and their bill from it.

    A database with the demo's own name is deleted first.
    """
    with needed("demo", "demo"):
        from ..sim_api import OWNER_KEY, WORKSPACE, add_charges, demo_month, serve

    if where.database is not None and where.database.name == DEMO_DATABASE:
        for file in (where.database, where.database.with_name(where.database.name + ".wal")):
            file.unlink(missing_ok=True)
    world = demo_month(seed=7, runs=runs)
    add_charges(world)
    with serve(world, "2026-08", v2="on") as server:
        tell(f"the embedded Sim API is listening at {server.base_url} (no account, no network)")
        settings = RunSettings.of(
            SimSourceSettings(workspace_id=WORKSPACE, api_key=OWNER_KEY, base_url=server.base_url), where
        )
        return sync.Sync(settings, log, tell).run()


def hint(where: Target) -> str:
    """Returns a command line to try next."""
    file = where.database
    shown = os.path.relpath(file) if file is not None else ""
    question = f"SELECT name, sum(total_cost) AS usd FROM {where.dataset}.cost_items"  # noqa: S608 - printed, not executed
    command = "sim-sync" if shutil.which("sim-sync") else os.path.relpath(sys.argv[0])
    return f'{command} sql --database {shown} "{question} GROUP BY ALL ORDER BY usd DESC"'


def demonstrate(database: Path | None, runs: int) -> None:
    """Loads the generated month and prints its report."""
    where, log = demo_target(database), SyncLog()
    with console.progress(log):
        done = run_demo(where, log, console.line, runs)
    if done.exit_code:
        finish(Results(where, [("", DEFAULT_ACCOUNT, done)]), False)
    console.line(done.summary)
    terminal.out.print()
    printing.print_report(figures.read_figures(where), terminal.out)
    terminal.out.print()
    terminal.out.print("Query the database, for example:", style="bold")
    terminal.out.print("  " + hint(where), markup=False)
