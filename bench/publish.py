"""``python -m bench.publish [SYNCS] [READERS] [RUNS]``: readers beside syncs that publish, and how long it takes.

Default: 200 syncs with new rows each, four readers that reopen the published file in a loop and one that asks as
``sim-sync sql`` does; then 100,000 full runs are loaded and published. Exit code 1: a read failed or was wrong.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench import measure
from bench.cases import RUN_TABLES

NEW_RUNS = 5
"""Runs that come before each sync."""
ROUNDS = 5
"""How often a large database is published."""


@dataclass(frozen=True, slots=True)
class Soak:
    """What readers saw beside a number of syncs.

    Attributes:
        codes: Exit codes of the syncs.
        new: New runs that each sync found.
        reads: Reads of all readers.
        failed: Reads that failed.
        wrong: Reads in which the items did not add up to the cost of the runs.
        from_copy: Reads as ``sim-sync sql`` that the published copy answered, since a sync had the database open.
        errors: First message of each reader whose reads failed.
    """

    codes: list[int]
    new: list[int]
    reads: int
    failed: int
    wrong: int
    from_copy: int
    errors: list[str]

    @property
    def good(self) -> bool:
        """Whether every sync found new runs, and every read succeeded and was consistent."""
        return not (any(self.codes) or self.failed or self.wrong) and all(self.new)


def soak(folder: Path, syncs: int, readers: int) -> Soak:
    """Syncs again and again, with new runs each time, beside readers in processes of their own."""
    from pipelines.commands.fleet import sync_accounts
    from pipelines.destination.target import Target
    from pipelines.settings import RunSettings
    from pipelines.sim_api import OWNER_KEY, WORKSPACE, many_runs, serve
    from sim_source import SimSourceSettings

    database, file = folder / "main.duckdb", folder / "published.duckdb"
    world = many_runs(20, now=datetime.now(UTC))
    codes, new = list[int](), list[int]()
    with serve(world, "2026-08") as server, ExitStack() as running:
        source = SimSourceSettings(workspace_id=WORKSPACE, api_key=OWNER_KEY, base_url=server.base_url)
        settings = RunSettings.of(source, Target(database=database))
        reading: list[subprocess.Popen[str]] = []
        for number in range(syncs):
            done = sync_accounts([settings], publish=str(file))
            codes.append(done.exit_code)
            new.append(done.whole.log.runs["new"])
            if number == 0:
                what = [("--published", file)] * readers + [("--database", database)]
                reading = [running.enter_context(_reader(*each)) for each in what]
            world.now_ms = int(time.time() * 1000)
            many_runs(NEW_RUNS, world=world)
        found = [json.loads(reader.communicate(timeout=60)[0].splitlines()[-1]) for reader in reading]
    added = {name: sum(each[name] for each in found) for name in ("reads", "failed", "wrong")}
    errors = [each["error"] for each in found if each["error"]]
    return Soak(codes, new, **added, from_copy=found[-1]["from_copy"], errors=errors)


def _reader(option: str, path: Path) -> subprocess.Popen[str]:
    reader = subprocess.Popen(
        [*measure.program("reader"), option, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(measure.ROOT)},
    )
    assert reader.stdout is not None
    assert reader.stdout.readline().strip() == "reading"
    return reader


def publish_full(folder: Path, runs: int) -> None:
    """Loads full runs, then publishes them anew in each round: as they are, and without free space."""
    with measure.api() as api:
        workspace = f"march-{runs}"
        api.prepare(workspace)
        loading = measure.program("application", "--resources", RUN_TABLES)
        measure.run([*loading, "--url", api.url, "--workspace", workspace, "--folder", str(folder)], folder)
    database = folder / "bench.duckdb"
    for options in ([], ["--compact"]):
        file = folder / "published.duckdb"
        walls, steps = list[float](), list[float]()
        for _ in range(ROUNDS):
            file.unlink(missing_ok=True)
            done = measure.run([*measure.program("publish"), str(database), str(file), *options], folder)
            walls.append(done.wall)
            steps.append(done.said["seconds"])
        print(
            f"{runs:,} full runs, {database.stat().st_size / 1e6:.0f} MB, publish {' '.join(options) or 'as it is'}: "
            f"{_spread(steps)} s, {_spread(walls)} s with the start of Python, {file.stat().st_size / 1e6:.0f} MB, "
            f"{done.rss:.0f} MB memory"
        )


def _spread(seconds: list[float]) -> str:
    return f"{statistics.median(seconds):.2f} ({min(seconds):.2f}–{max(seconds):.2f})"


def main() -> int:
    """Prints a line for each part."""
    syncs, readers, runs = [int(given) for given in sys.argv[1:4]] + [200, 4, 100_000][len(sys.argv[1:4]) :]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        publish_full(folder / "full", runs)
        begun = time.monotonic()
        from pipelines.cli import DLT_DEFAULTS

        os.environ |= DLT_DEFAULTS | {"DLT_DATA_DIR": str(folder / "dlt")}
        found = soak(folder, syncs, readers)
        print(
            f"{syncs} syncs in {time.monotonic() - begun:.0f} s with {sum(found.new)} new runs, "
            f"{sum(code != 0 for code in found.codes)} not 0; {readers} readers and one as sim-sync sql: "
            f"{found.reads:,} reads, {found.failed} failed, {found.wrong} inconsistent; "
            f"{found.from_copy} as sim-sync sql came from the published file"
        )
        for error in found.errors:
            print(error)
    return int(not found.good)


if __name__ == "__main__":
    sys.exit(main())
