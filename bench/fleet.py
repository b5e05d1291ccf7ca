"""``python -m bench.fleet CASE``: many accounts into one PostgreSQL, over the embedded API.

processes [ACCOUNTS] [RUNS]: a first sync of 40 accounts with a workspace of 2,500 runs each, without a rate limit, by
one process and by four, in alternation, three times each.

budget [SECONDS]: four processes with one API key, 100 requests per interval and no burst; four workspaces of 300 runs
that need a detail each. The interval is 5 seconds, or as given, instead of a minute.

PostgreSQL is started for the measurement (tests.helpers.postgres).
"""

from __future__ import annotations

import json
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg2

from bench.measure import ROOT
from pipelines.rate_limit import RateLimit
from pipelines.sim_api import World, serve
from pipelines.sim_api.world import plans
from tests.helpers.fleet import configure, fleet_world, workspace_of
from tests.helpers.postgres import throwaway_postgres

CHILD = """
import json, resource, sys
from pipelines import cli
sys.argv = ["sim-sync", *sys.argv[1:]]
try:
    cli.main()
finally:
    others = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    # its own value of getrusage would include the process that started it
    own = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
    print(json.dumps([own // 1024, others // 1024]), file=sys.stderr)
"""
"""The command line, which says at the end how many MB its largest processes used: itself, and its children."""


def synced(folder: str, url: str, *args: str, **env: str) -> tuple[float, dict[str, Any], list[int]]:
    """Runs a sync into PostgreSQL; returns its seconds, what it says, and the peak memory of its processes in MB."""
    settings = {"DESTINATION__POSTGRES__CREDENTIALS": url, "DLT_DATA_DIR": f"{folder}/dlt", "PYTHONPATH": str(ROOT)}
    begun = time.monotonic()
    line = [sys.executable, "-c", CHILD, "run", "--destination", "postgres", "--json", *args]
    done = subprocess.run(line, cwd=folder, env=os.environ | settings | env, capture_output=True, text=True)
    took = time.monotonic() - begun
    if done.returncode:
        raise SystemExit(done.stderr)
    return took, json.loads(done.stdout.strip().splitlines()[-1]), json.loads(done.stderr.strip().splitlines()[-1])


def processes(accounts: str = "40", runs: str = "2500", rounds: str = "3") -> None:
    """Prints how long one process takes and how long four do, and how they compare."""
    count = int(accounts)
    world = fleet_world(count, int(runs))
    took: dict[int, list[float]] = {1: [], 4: []}
    cpu: dict[int, list[float]] = {1: [], 4: []}
    with serve(world, "2026-08") as server, throwaway_postgres() as url, tempfile.TemporaryDirectory() as folder:
        configure(Path(folder), server.base_url, count)
        for turn in range(int(rounds)):
            for number in took:
                dataset = f"sim_{number}_{turn}"
                before = _cpu_seconds()
                seconds, told, peak = synced(
                    folder, url, "--dataset", dataset, "--processes", str(number), "--details", "none",
                    "--snapshots", "none",
                )  # fmt: skip
                used = [after - then for then, after in zip(before, _cpu_seconds(), strict=True)]
                took[number].append(seconds)
                cpu[number].append(sum(used))
                exact = _exact(url, dataset)
                print(
                    f"{number} process(es): {seconds:.1f} s, {told['rows']['logs']:,} runs, "
                    f"{told['requests']:,} requests, peak {max(peak)} MB a process, {exact}; CPU seconds: "
                    f"{used[0]:.0f} sim-sync, {used[1]:.0f} embedded API, {used[2]:.0f} PostgreSQL",
                    flush=True,
                )
    one, four = statistics.median(took[1]), statistics.median(took[4])
    cores = os.cpu_count() or 1
    print(
        f"4 processes: {one / four:.2f} times as fast; with all {cores} cores in use all the time it would be "
        f"{one / (statistics.median(cpu[4]) / cores):.2f}"
    )


def _cpu_seconds() -> tuple[float, float, float]:
    """Returns the CPU seconds so far of ended child processes, of this process, and of PostgreSQL (all servers)."""
    servers = 0.0
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                name, _, rest = (folder / "stat").read_text().rpartition(")")
                if "(postgres" in name:
                    servers += sum(int(ticks) for ticks in rest.split()[11:15]) / os.sysconf("SC_CLK_TCK")
    children, own = (resource.getrusage(who) for who in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF))
    return children.ru_utime + children.ru_stime, own.ru_utime + own.ru_stime, servers


def _exact(url: str, dataset: str) -> str:
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*), count(DISTINCT id), sum(cost_total), "
            f"(SELECT sum(total_cost) FROM {dataset}.cost_items) FROM {dataset}.logs"
        )
        rows, ids, cost, items = cursor.fetchall()[0]
    return f"{rows:,} rows, {ids:,} ids, cost differs by {cost - items}"


def budget(interval: str = "5") -> None:
    """Prints how long four processes take with one key, compared with the least possible time."""
    world = _one_key(4, 300)
    seconds = float(interval)
    limit = RateLimit(100, 100, seconds)
    with (
        serve(world, "2026-08", limit=limit) as server,
        throwaway_postgres() as url,
        tempfile.TemporaryDirectory() as folder,
    ):
        ids = ",".join(workspace_of(number) for number in range(4))
        env = {"SIM_API_KEY": "sk-sim-one-key", "SIM_BASE_URL": server.base_url, "SIM_WORKSPACE_ID": ids}
        args = ("--dataset", "sim_budget", "--processes", "4", "--details", "all")
        took, told, _ = synced(folder, url, *args, **env)
        moments = [each.arrived for each in server.requests if each.path.startswith("/api/v1/logs")]
    asked = told["requests"]
    least = (math.ceil((asked - told["rate_limited"]) / 100) - 1) * seconds
    between = max(moments) - min(moments)
    print(
        f"{asked:,} requests, {told['rate_limited']} answered 429 ({told['rate_limited'] / asked:.2%}); {took:.1f} s "
        f"in all, {between:.1f} s between the first and the last request, {least:.1f} s at least: {between / least:.3f}"
    )


def _one_key(workspaces: int, runs: int) -> World:
    world = World(7, int(time.time() * 1000))
    world.add_user("user-0", "Person")
    world.add_key("sk-sim-one-key", "user-0")
    for number in range(workspaces):
        world.add_workspace(f"Fleet {number}", "user-0", workspace_id=workspace_of(number))
        world.add_workflow(workspace_of(number), f"Flow {number}", workflow_id=f"wf-{number}")
        for place in range(runs):
            started_ms = world.now_ms - 86_400_000 + place * 20_000
            run = world.start_run(f"wf-{number}", plans.agent_plan(), started_ms=started_ms)
            world.end_run(run.id, ended_ms=started_ms + 2_000)
    return world


if __name__ == "__main__":
    {"processes": processes, "budget": budget}[sys.argv[1]](*sys.argv[2:])
