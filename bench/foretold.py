"""``python -m bench.foretold RUNS LIMIT [DIALECT]``: what ``sim-sync check`` foretells, and what the sync takes.

In real time: the embedded API over a demo month of so many runs, with a real bucket (``bench.bucket``: 100x200 is
100 a minute, burst 200), and check and run in processes of their own, as a user starts them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from typing import Any

from bench.bucket import limit_named
from bench.measure import ROOT
from pipelines.sim_api import OWNER_KEY, WORKSPACE, demo_month, serve


def main() -> None:
    """Prints one line."""
    runs, limit, *dialect = sys.argv[1:]
    world, bucket = demo_month(runs=int(runs)), limit_named(limit)
    with serve(world, *dialect, limit=bucket) as server, tempfile.TemporaryDirectory() as folder:
        settings = {"SIM_API_KEY": OWNER_KEY, "SIM_BASE_URL": server.base_url, "SIM_WORKSPACE_ID": WORKSPACE}
        settings |= {"DLT_DATA_DIR": f"{folder}/dlt", "PYTHONPATH": str(ROOT)}

        def said(command: str) -> tuple[Any, float]:
            begun = time.monotonic()
            line = [sys.executable, "-m", "pipelines.cli", command, "--json"]
            done = subprocess.run(
                line, cwd=folder, env=os.environ | settings, capture_output=True, text=True, check=True
            )
            return json.loads(done.stdout.strip().splitlines()[-1]), time.monotonic() - begun

        told, looked = said("check")
        asked = len(server.requests)
        outcome, took = said("run")
    foretold = told["first_sync"]
    print(
        f"{len(world.runs)} runs, {bucket.rate} in {bucket.interval:g} s, burst {bucket.capacity}: "
        f"check took {looked:.1f} s and {asked} requests; foretold {foretold['requests']} requests, "
        f"{foretold['seconds']:.1f} s; took {outcome['requests']} requests, {took:.1f} s "
        f"({took / foretold['seconds']:.3f} of it), {outcome['rate_limited']} refused"
    )


if __name__ == "__main__":
    main()
