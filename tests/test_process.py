"""``sim-sync`` as a process of its own: how it begins and ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.sim_api import SimServer, serve
from tests import child
from tests.app import one_of_every_kind


@pytest.fixture
def server() -> Iterator[SimServer]:
    with serve(one_of_every_kind(), "2026-08") as running:
        yield running


def test_what_ends_without_a_last_search_for_garbage_has_closed_all(tmp_path: Path, server: SimServer) -> None:
    done = child.run(tmp_path, server, "run", "--json")
    assert (done.code, done.json["status"]) == (0, "ok")
    left = {path.name for path in tmp_path.iterdir()} - {"dlt", ".sim_sync.duckdb.sim.lock"}
    assert left == {"sim_sync.duckdb"}  # no log of DuckDB's to be replayed, no process id
