"""``python -m bench.v2 CASE``: what the v2 API costs and saves, over the embedded API.

buckets [SECONDS]: a first sync of 3,000 runs, of which 1,200 need a detail and 600 a snapshot, with 100 requests per
bucket and interval and a burst of 200, with v2 and with ``api = "v1"``. The interval is 10 seconds, or as given,
instead of a minute: the number of intervals that a sync takes is the same.

first [RUNS]: the requests of a first sync of 100,000 runs, with v2 and with ``api = "v1"``.

noop [ROUNDS]: a sync with nothing new, with v2 and without, and the time of importing dlt, pyarrow and duckdb.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from typing import Any

from bench.measure import ROOT
from pipelines.rate_limit import RateLimit
from pipelines.sim_api import OWNER_KEY, WORKSPACE, SimServer, World, add_charges, demo_month, serve, small_world
from pipelines.sim_api.world import plans

IMPORTS = "import dlt, pyarrow, duckdb"


def drafts_and_models() -> World:
    """Returns 3,000 runs: two of five need a detail, and 600 are of a draft, each with a snapshot of its own."""
    world = small_world()
    for place in range(3_000):
        plan = plans.agent_plan() if place % 5 < 2 else plans.plain_plan()
        started_ms = world.now_ms - 86_400_000 + place * 20_000
        run = world.start_run("wf-triage", plan, started_ms=started_ms, draft=place < 600)
        world.end_run(run.id, ended_ms=started_ms + 2_000)
    return world


def synced(server: SimServer, api: str, folder: str) -> tuple[float, Counter[str], dict[str, Any]]:
    """Runs a sync; returns its seconds, its requests by path (ids left out), and what it says."""
    settings = {"SIM_API_KEY": OWNER_KEY, "SIM_BASE_URL": server.base_url, "SIM_WORKSPACE_ID": WORKSPACE}
    settings |= {"DLT_DATA_DIR": f"{folder}/dlt", "PYTHONPATH": str(ROOT), "SOURCES__SIM_SOURCE__API": api}
    server.requests.clear()
    begun = time.monotonic()
    line = [sys.executable, "-m", "pipelines.cli", "run", "--json"]
    done = subprocess.run(line, cwd=folder, env=os.environ | settings, capture_output=True, text=True, check=True)
    took = time.monotonic() - begun
    paths = ["/".join(each.path.split("/")[:4]) for each in server.requests]
    return took, Counter(paths), json.loads(done.stdout.strip().splitlines()[-1])


def of(asked: Counter[str], api: str) -> int:
    """Counts the requests of an API."""
    return sum(count for path, count in asked.items() if path.startswith(f"/api/{api}/"))


def buckets(interval: str = "10") -> None:
    """Prints how long a first sync takes with both, and how they compare."""
    took = {}
    for api in ("v1", "auto"):
        limit = RateLimit(100, 200, float(interval))
        with serve(drafts_and_models(), v2="on", limit=limit) as server, tempfile.TemporaryDirectory() as folder:
            took[api], asked, told = synced(server, api, folder)
        rows = told["rows"]
        print(
            f'api = "{api}": {took[api]:.1f} s, {of(asked, "v1")} requests of v1, {of(asked, "v2")} of v2, '
            f"{rows['logs']} runs, {rows['execution_snapshots']} snapshots",
            flush=True,
        )
    print(f"with v2: {took['auto'] / took['v1']:.2f} of the time")


def first(runs: str = "100000") -> None:
    """Prints the requests of a first sync with both."""
    world = small_world()
    plan, now_ms = plans.plain_plan(), world.now_ms
    for place in range(int(runs)):
        started_ms = now_ms - 30 * 86_400_000 + place * 25_000
        world.end_run(world.start_run("wf-triage", plan, started_ms=started_ms).id, ended_ms=started_ms + 900)
    for api in ("v1", "auto"):
        with serve(world, v2="on") as server, tempfile.TemporaryDirectory() as folder:
            took, asked, _ = synced(server, api, folder)
        statuses = asked["/api/v2/logs"]
        print(
            f'api = "{api}": {took:.1f} s, {of(asked, "v1")} requests of v1, {statuses} for the status of runs',
            flush=True,
        )


def noop(rounds: str = "5") -> None:
    """Prints the times of a sync with nothing new."""
    took: dict[str, list[float]] = {"v1": [], "auto": [], IMPORTS: []}
    world = demo_month(runs=2_000)
    add_charges(world)
    with serve(world, v2="on") as server, tempfile.TemporaryDirectory() as folder:
        asked = {api: Counter[str]() for api in ("v1", "auto")}
        for _ in range(3):  # everything is read, and every table exists
            synced(server, "auto", folder)
        for _ in range(int(rounds)):
            for api in ("v1", "auto"):
                seconds, asked[api], _ = synced(server, api, folder)
                took[api].append(seconds)
            begun = time.monotonic()
            subprocess.run([sys.executable, "-c", IMPORTS], check=True)
            took[IMPORTS].append(time.monotonic() - begun)
    median = {name: statistics.median(seconds) for name, seconds in took.items()}
    for api in ("v1", "auto"):
        print(
            f'api = "{api}": {median[api]:.2f} s, {median[api] / median[IMPORTS]:.2f} times the imports '
            f"({median[IMPORTS]:.2f} s), {sum(asked[api].values())} requests"
        )


if __name__ == "__main__":
    {"buckets": buckets, "first": first, "noop": noop}[sys.argv[1]](*sys.argv[2:])
