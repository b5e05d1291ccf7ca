"""The application as its user calls it: arguments in, exit code and what was printed out."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dlt.common.configuration.container import Container
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext

from pipelines import cli
from pipelines.sim_api import OWNER_KEY, WORKSPACE, SimServer, World, one_of_each, small_world


def one_of_every_kind() -> World:
    """A workspace with a run of every kind and in every state of life, the newest just now."""
    world = small_world(now=datetime.now(UTC))
    one_of_each(world)
    return world


@dataclass(frozen=True, slots=True)
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The last line of stdout, read as JSON."""
        return json.loads(self.out.strip().splitlines()[-1])


class App:
    """Calls ``sim-sync`` in a folder of its own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._patch = monkeypatch
        self._capsys = capsys
        monkeypatch.chdir(folder)
        monkeypatch.setenv("DLT_DATA_DIR", str(folder / "dlt"))
        for name in ("SIM_API_KEY", "SIM_BASE_URL", "SIM_WORKSPACE_ID"):
            monkeypatch.delenv(name, raising=False)

    def account(self, server: SimServer, key: str = OWNER_KEY, workspace: str = WORKSPACE) -> None:
        """Sets the three variables a user sets."""
        self._patch.setenv("SIM_API_KEY", key)
        self._patch.setenv("SIM_BASE_URL", server.base_url)
        self._patch.setenv("SIM_WORKSPACE_ID", workspace)

    def __call__(self, *args: str) -> Result:
        self._capsys.readouterr()
        Container()[PluggableRunContext].reload_providers()  # a new process reads the configuration anew
        self._patch.setattr(sys, "argv", ["sim-sync", *args])
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        said = self._capsys.readouterr()
        return Result(code, said.out, said.err)

    def rows(self, sql: str, database: str = "sim_sync.duckdb") -> list[tuple[Any, ...]]:
        """Asks the database behind the application's back."""
        with duckdb.connect(str(self.folder / database), read_only=True) as connection:
            return connection.execute(sql).fetchall()
