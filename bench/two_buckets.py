"""``python -m bench.two_buckets [SECONDS]``: a first sync under Sim's rate limits, with v2 and with ``api = "v1"``.

In real time: 3,000 runs of which 1,200 need a detail and 600 a snapshot, from the embedded API, with 100 requests per
bucket and interval and a burst of 200. The interval is 10 seconds, or as given, instead of a minute: the number of
intervals that a sync takes is the same.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter

from bench.measure import ROOT
from pipelines.rate_limit import RateLimit
from pipelines.sim_api import OWNER_KEY, WORKSPACE, World, serve, small_world
from pipelines.sim_api.world import plans

RUNS, SNAPSHOTS = 3_000, 600


def world_of_runs() -> World:
    """Returns a world with these runs."""
    world = small_world()
    for place in range(RUNS):
        plan = plans.agent_plan() if place % 5 < 2 else plans.plain_plan()  # two of five: the 1,200
        started_ms = world.now_ms - 86_400_000 + place * 20_000
        run = world.start_run("wf-triage", plan, started_ms=started_ms, draft=place < SNAPSHOTS)
        world.end_run(run.id, ended_ms=started_ms + 2_000)
    return world


def synced(api: str, interval: float) -> tuple[float, Counter[str]]:
    """Runs a first sync; returns its seconds, and the requests it took by API."""
    with (
        serve(world_of_runs(), v2="on", limit=RateLimit(100, 200, interval)) as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        settings = {"SIM_API_KEY": OWNER_KEY, "SIM_BASE_URL": server.base_url, "SIM_WORKSPACE_ID": WORKSPACE}
        settings |= {"DLT_DATA_DIR": f"{folder}/dlt", "PYTHONPATH": str(ROOT), "SOURCES__SIM_SOURCE__API": api}
        begun = time.monotonic()
        line = [sys.executable, "-m", "pipelines.cli", "run", "--json"]
        done = subprocess.run(line, cwd=folder, env=os.environ | settings, capture_output=True, text=True, check=True)
        took = time.monotonic() - begun
        rows = json.loads(done.stdout.strip().splitlines()[-1])["rows"]
        asked = Counter("v2" if each.path.startswith("/api/v2/") else "v1" for each in server.requests)
    print(f'api = "{api}": {took:.1f} s, {asked["v1"]} requests of v1, {asked["v2"]} of v2, {rows["logs"]} runs, '
          f'{rows["execution_snapshots"]} snapshots', flush=True)  # fmt: skip
    return took, asked


def main() -> None:
    """Prints a line for each, and how they compare."""
    interval = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    alone, _ = synced("v1", interval)
    beside, _ = synced("auto", interval)
    print(f"with v2: {beside / alone:.2f} of the time")


if __name__ == "__main__":
    main()
