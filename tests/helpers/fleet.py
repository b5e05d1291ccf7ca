"""A fleet: accounts with a workspace each, and processes that run ``sim-sync`` at the same instant."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from pipelines.sim_api import World
from pipelines.sim_api.world import plans
from tests.helpers import oracle
from tests.helpers.app import Result
from tests.helpers.child import ROOT

_LOOP = """
import contextlib, io, json, sys
from pipelines import cli
print("ready", flush=True)
for line in sys.stdin:
    sys.argv = ["sim-sync", *json.loads(line)]
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            cli.main()
        except SystemExit as stop:
            code = int(stop.code or 0)
    print(json.dumps([code, out.getvalue(), err.getvalue()]), flush=True)
"""


def key_of(number: int) -> str:
    return f"sk-sim-fleet-{number:04d}-key"


def workspace_of(number: int) -> str:
    return f"ws-fleet-{number:04d}"


def fleet_world(accounts: int, runs: int) -> World:
    """A world of accounts, each with an own key, a workspace and runs of every kind."""
    world = World(7, int(datetime.now(UTC).timestamp() * 1000))
    kinds = list(plans.every_kind().values())
    for number in range(accounts):
        world.add_user(f"user-{number}", f"Person {number}")
        world.add_workspace(f"Fleet {number}", f"user-{number}", workspace_id=workspace_of(number))
        world.add_key(key_of(number), f"user-{number}")
        world.add_workflow(workspace_of(number), f"Flow {number}", workflow_id=f"wf-{number}")
        for place in range(runs):
            started = world.now_ms - (runs - place) * 1000
            run = world.start_run(f"wf-{number}", kinds[(place + number) % len(kinds)], started_ms=started)
            world.end_run(run.id)
    return world


@dataclass(frozen=True, slots=True)
class Truth:
    """What the tables must hold: the runs, and the cost of each workspace's items."""

    runs: dict[str, int]
    costs: dict[str, Decimal]

    @classmethod
    def of(cls, world: World, dialect: str = "2026-08") -> Truth:
        runs = {id_: world.runs_of(id_) for id_ in world.workspaces}
        return cls(
            {id_: len(found) for id_, found in runs.items()},
            {
                id_: sum((cost for run in found for cost in oracle.items(run, dialect).values()), Decimal())
                for id_, found in runs.items()
            },
        )


def configure(folder: Path, base_url: str, accounts: int) -> None:
    """Writes the accounts of a fleet world into ``.dlt``."""
    (folder / ".dlt").mkdir(exist_ok=True)
    config = [
        f'[sim_sync.accounts.a{number}]\nbase_url = "{base_url}"\nworkspaces = ["{workspace_of(number)}"]\n'
        for number in range(accounts)
    ]
    secrets = [f'[sim_sync.accounts.a{number}]\napi_key = "{key_of(number)}"\n' for number in range(accounts)]
    (folder / ".dlt/config.toml").write_text("\n".join(config))
    (folder / ".dlt/secrets.toml").write_text("\n".join(secrets))
    (folder / ".dlt/secrets.toml").chmod(0o600)


@dataclass(slots=True)
class Machine:
    """A process that runs one ``sim-sync`` after the other, so that many can begin at the same instant."""

    process: subprocess.Popen[str]

    def begin(self, *args: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(args) + "\n")
        self.process.stdin.flush()

    def end(self) -> Result:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        return Result(*json.loads(line)) if line else Result(-1, "", f"ended with {self.process.wait()}")


@contextmanager
def machines(folders: Sequence[Path], env: Mapping[str, str]) -> Iterator[list[Machine]]:
    """Starts a process for each folder; ``DLT_DATA_DIR`` is in that folder."""
    with ExitStack() as running:
        found = []
        for folder in folders:
            folder.mkdir(exist_ok=True)
            settings: dict[str, Any] = {
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "DLT_DATA_DIR": str(folder / "dlt"),
                **env,
            }
            process = subprocess.Popen(
                [sys.executable, "-c", _LOOP], cwd=folder, env=settings, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                text=True,
            )  # fmt: skip
            running.callback(process.wait)
            running.callback(process.kill)
            found.append(Machine(process))
        for each in found:
            assert each.process.stdout is not None
            assert each.process.stdout.readline() == "ready\n"
        yield found
