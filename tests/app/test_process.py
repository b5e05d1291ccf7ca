"""``sim-sync`` as a process of its own: how it begins and ends."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from pipelines.sim_api import Faults, Gate, SimServer
from pipelines.sim_api.http import faults
from tests.helpers import child


def test_what_ends_without_a_last_search_for_garbage_has_closed_all(tmp_path: Path, server: SimServer) -> None:
    done = child.run(tmp_path, server, "run", "--json")
    assert (done.code, done.json["status"]) == (0, "ok")
    left = {path.name for path in tmp_path.iterdir()} - {
        "dlt", ".sim_sync.duckdb.sim.lock", ".sim_sync.duckdb.sim.gate.lock", ".sim_sync.duckdb.turn.lock"
    }  # fmt: skip
    assert left == {"sim_sync.duckdb"}  # no log of DuckDB's to be replayed, no process id
    assert not list((tmp_path / "dlt").rglob("trace.pickle"))  # dlt's; it may quote rows


DRAWS = "import atexit, sys; atexit.register(lambda: print('rich' in sys.modules))"
"""Ends with whether it imported what draws."""

HEARS = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
"""Can be stopped by hand, though pytest's workers, whose child it is, cannot."""


def test_nothing_that_draws_is_imported_where_nobody_looks(tmp_path: Path, server: SimServer) -> None:
    done = child.run(tmp_path, server, "run", first=DRAWS)
    assert (done.code, done.out) == (0, "False\n")
    assert done.err.splitlines()[-1].startswith("ok: ")
    assert "\x1b" not in done.err


def test_who_looks_sees_a_bar_and_the_same_lines(tmp_path: Path, server: SimServer) -> None:
    done = child.run(tmp_path, server, "run", first=DRAWS, FORCE_COLOR="1", COLUMNS="100")
    assert (done.code, done.out) == (0, "True\n")
    assert "\x1b[" in done.err
    assert "requests" in done.err
    assert "ok: " in done.err.splitlines()[-1]


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM], ids=["by hand", "by a supervisor"])
@pytest.mark.parametrize("path", ["/api/users", "/api/v1/logs?"], ids=["proof of the key", "reading"])
def test_stopped_it_says_so_and_the_next_run_goes_on(
    tmp_path: Path, server: SimServer, path: str, stop: signal.Signals
) -> None:
    gate = Gate()
    server.app.faults = Faults().at(1, faults.held(gate), path=path)
    process = child.start(tmp_path, server, "run", first=HEARS)
    try:
        assert gate.reached.wait(30)
        process.send_signal(stop)
        done = child.ended(process)
    finally:
        gate.open()
    assert (done.code, done.err.splitlines()[-1][:14]) == (128 + stop, "error: stopped")
    assert child.run(tmp_path, server, "run").code == 0


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("run", "--nothing"), "No such option '--nothing'"),
        (("run", "--max-minutes", "soon"), "'soon' is not a valid float"),
        (("demo", "--runs", "1"), "'--runs'"),
        (("nothing",), "No such command 'nothing'"),
        ((), "run       Syncs every configured workspace once; bounded and resumable. This"),
    ],
    ids=["option", "value", "range", "command", "no command"],
)
def test_what_cannot_be_read_ends_with_2_and_is_named(tmp_path: Path, args: tuple[str, ...], told: str) -> None:
    done = child.run(tmp_path, None, *args)
    assert (done.code, done.out) == (2, "")
    assert told in done.err
    assert "Traceback" not in done.err
