"""Several accounts and several processes, one dataset: every row once, every cost to the last digit."""

from __future__ import annotations

import json
import os
import threading
import time
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import psycopg2
import pytest

from pipelines.commands.fleet import jobs_of
from pipelines.destination.target import target_of
from pipelines.settings import run_settings
from pipelines.sim_api import serve
from tests.helpers import child
from tests.helpers.app import App
from tests.helpers.fleet import Truth, configure, fleet_world, key_of, machines, workspace_of

WRITERS, ROUNDS, RUNS = 8, 10, 40


def ask(url: str, sql: str) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def assert_exact(url: str, dataset: str, truth: Truth) -> None:
    found = ask(url, f"SELECT workspace_id, count(*), count(DISTINCT id) FROM {dataset}.logs GROUP BY 1")
    assert {id_: (n, distinct) for id_, n, distinct in found} == {id_: (n, n) for id_, n in truth.runs.items()}
    items = ask(url, f"SELECT workspace_id, sum(total_cost) FROM {dataset}.cost_items GROUP BY 1")
    assert dict(items) == truth.costs
    runs = ask(url, f"SELECT workspace_id, sum(cost_total) FROM {dataset}.logs GROUP BY 1")
    assert dict(runs) == truth.costs
    for table, key in (
        ("trace_spans", "log_id, span_index"),
        ("cost_items", "log_id, kind, name"),
        ("log_details", "id"),
        ("workflows", "id"),
        ("usage", "observed_at, account"),
    ):
        ((rows, distinct),) = ask(
            url,
            f"SELECT count(*), (SELECT count(*) FROM (SELECT DISTINCT {key} FROM {dataset}.{table}) d) "
            f"FROM {dataset}.{table}",
        )
        assert rows == distinct > 0, table
    spans = ask(url, f"SELECT count(*) FROM {dataset}.trace_spans")
    told = ask(url, f"SELECT sum(span_count) FROM {dataset}.log_details")
    assert spans == [(int(told[0][0]),)]


class Reader:
    """Reads in a loop while others write, and notes what it must never see."""

    def __init__(self, url: str, dataset: str) -> None:
        self.seen = 0
        self.faults: list[str] = []
        self._url, self._dataset = url, dataset
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        with closing(psycopg2.connect(self._url)) as connection:
            connection.autocommit = True
            while not self._stop.is_set():
                with connection.cursor() as cursor:
                    try:
                        cursor.execute(f"SELECT count(*), count(DISTINCT id) FROM {self._dataset}.logs")
                        count, distinct = cursor.fetchall()[0]
                        if count != distinct or count < self.seen:
                            self.faults.append(f"{count} rows, {distinct} ids, {self.seen} before")
                        self.seen = count
                    except psycopg2.errors.UndefinedTable:
                        self._stop.wait(0.01)
                    except psycopg2.Error as error:
                        self.faults.append(repr(error))

    def end(self) -> None:
        self._stop.set()
        self._thread.join()


@pytest.mark.timeout(600)
def test_eight_processes_released_at_once_fill_an_empty_dataset(postgres: str, tmp_path: Path) -> None:
    """Half of them on one machine, half on another, ten times over; dlt's default staging loses rows every time."""
    world = fleet_world(WRITERS, RUNS)
    truth = Truth.of(world)
    places = [tmp_path / f"machine{number % 2}" for number in range(WRITERS)]
    env = {"DESTINATION__POSTGRES__CREDENTIALS": postgres}
    with serve(world, "2026-08") as server, machines(places, {**env, "SIM_BASE_URL": server.base_url}) as fleet:
        configure(tmp_path / "machine0", server.base_url, WRITERS)
        configure(tmp_path / "machine1", server.base_url, WRITERS)
        for turn in range(ROUNDS):
            dataset = f"fleet_{turn}"
            reader = Reader(postgres, dataset)
            for number, machine in enumerate(fleet):
                machine.begin(
                    "run", "--destination", "postgres", "--dataset", dataset, "--account", f"a{number}", "--json"
                )
            ended = [machine.end() for machine in fleet]
            reader.end()
            assert [(done.code, done.err) for done in ended if done.code] == []
            assert reader.faults == []
            assert_exact(postgres, dataset, truth)


def test_processes_of_one_command_share_accounts_and_workspaces(
    postgres: str, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", postgres)
    world = fleet_world(5, 30)
    with serve(world, "2026-08") as server:
        configure(app.folder, server.base_url, 5)
        target = ("--destination", "postgres", "--dataset", "shared_out")
        first = app("run", *target, "--processes", "3", "--json")
        assert first.code == 0, first.err
        assert_exact(postgres, "shared_out", Truth.of(world))
        again = app("run", *target, "--json")  # one process takes over what three have read
        assert (again.code, again.json["rows"]) == (0, {"usage": 5})
        run = world.start_run("wf-3", next(iter(world.runs.values())).plan, started_ms=world.now_ms)
        world.end_run(run.id)
        assert app("run", *target, "--processes", "2").code == 0
        assert_exact(postgres, "shared_out", Truth.of(world))
        told = app("status", *target, "--json").json
    assert len([each for each in told["resources"] if each["resource"] == "logs"]) == 5
    assert first.json["rows"]["logs"] == 150
    assert {each["account"] for each in first.json["syncs"]} == {f"a{number}" for number in range(5)}


def test_a_workspace_of_two_accounts_is_read_once(app: App) -> None:
    world = fleet_world(2, 5)
    world.workspaces[workspace_of(0)].readers.add("user-1")
    with serve(world, "2026-08", v2="on") as server:
        configure(app.folder, server.base_url, 2)
        config = app.folder / ".dlt/config.toml"
        config.write_text(config.read_text().replace(f'["{workspace_of(1)}"]', '"all"'))
        for processes in ("1", "2"):
            done = app("run", "--processes", processes, "--json")
            assert done.code == 0, done.err
            assert f"workspace {workspace_of(0)} is one of account a1, too" in " ".join(done.json["warnings"])
    assert app.rows("SELECT workspace_id, count(*) FROM sim.logs GROUP BY 1 ORDER BY 1") == [
        (workspace_of(0), 5), (workspace_of(1), 5)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("config", "secrets", "said"),
    [
        ('[sim_sync.accounts.a]\nworkspaces = ["w"]', "", "no API key; set SIM_SYNC__ACCOUNTS__A__API_KEY"),
        ("", '[sim_sync.accounts.a]\napi_key = "sk-sim-a"', "no workspaces"),
        (
            '[sim_sync.accounts.a]\nworkspace = "w"',
            '[sim_sync.accounts.a]\napi_key = "k"',
            "unknown setting workspace",
        ),
        ('[sim_sync.accounts]\na = "w"', "", "'a' is not an account"),
        (
            '[sim_sync.accounts.a]\nworkspaces = ["w"]\n[sim_sync.accounts.b]\nworkspaces = ["v"]',
            '[sim_sync.accounts.a]\napi_key = "sk-sim-same"\n[sim_sync.accounts.b]\napi_key = "sk-sim-same"',
            "accounts a and b have the same API key",
        ),
        (
            '[sim_sync.accounts.a]\nworkspaces = ["w"]\n[sim_sync.accounts.b]\nworkspaces = ["w"]\n'
            'base_url = "https://other.example"',
            '[sim_sync.accounts.a]\napi_key = "sk-sim-one"\n[sim_sync.accounts.b]\napi_key = "sk-sim-two"',
            "workspace w is configured on",
        ),
        ('[sim_sync]\naccounts = ["a"]', "", "each account has a section of its own"),
        (
            '[sim_sync.accounts.a]\nworkspaces = ["w"]\n[sim_sync.accounts.A]\nworkspaces = ["v"]',
            '[sim_sync.accounts.a]\napi_key = "sk-sim-a"',
            "must differ in more than upper and lower case",
        ),
        ('[sim_sync.accounts.a]\nworkspaces = ["w"]', "[sim_sync.accounts.a]\napi_key = [7]", "api_key is not a text"),
        (
            '[sim_sync.accounts.a]\nworkspaces = ["w"]\nbase_url = 7',
            '[sim_sync.accounts.a]\napi_key = "sk-sim-a"',
            "base_url is not a text",
        ),
    ],
)
def test_what_is_wrong_with_an_account_is_said_before_anything_is_asked(
    app: App, config: str, secrets: str, said: str
) -> None:
    (app.folder / ".dlt").mkdir()
    (app.folder / ".dlt/config.toml").write_text(config)
    (app.folder / ".dlt/secrets.toml").write_text(secrets)
    (app.folder / ".dlt/secrets.toml").chmod(0o600)
    done = app("run")
    assert (done.code, said in done.err) == (2, True), done.err
    assert "sk-sim" not in done.err + done.out


def test_workspaces_in_the_environment_are_a_list_or_separated_by_commas(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = fleet_world(2, 5)
    world.workspaces[workspace_of(1)].readers.add("user-0")
    both = (workspace_of(0), workspace_of(1))
    monkeypatch.setenv("SIM_SYNC__ACCOUNTS__EO__API_KEY", key_of(0))
    with serve(world, "2026-08") as server:
        monkeypatch.setenv("SIM_SYNC__ACCOUNTS__EO__BASE_URL", server.base_url)
        for text in (", ".join(both), json.dumps(both)):
            (app.folder / "sim_sync.duckdb").unlink(missing_ok=True)
            monkeypatch.setenv("SIM_SYNC__ACCOUNTS__EO__WORKSPACES", text)
            done = app("run")
            assert done.code == 0, done.err
            assert app.rows("SELECT DISTINCT workspace_id FROM sim.logs ORDER BY 1") == [(id_,) for id_ in both]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("destination", ["postgres", "duckdb"])
def test_a_fleet_that_is_killed_is_finished_by_the_next_sync(postgres: str, tmp_path: Path, destination: str) -> None:
    """With one process fewer, so that what one of the killed ones has left is loaded by another."""
    world = fleet_world(4, 60)
    configure(tmp_path, "http://127.0.0.1:1", 4)
    where = ["--destination", destination, "--dataset", "killed_fleet"]
    env = {"DESTINATION__POSTGRES__CREDENTIALS": postgres, "LOAD__DELETE_COMPLETED_JOBS": "true"}
    with serve(world, "2026-08") as server:
        configure(tmp_path, server.base_url, 4)
        for turn, after in enumerate((30, 60, 90, 120)):
            first = child.start(tmp_path, None, "run", *where, "--processes", "3", **env)
            while server.count() < after * (turn + 1) and first.poll() is None:
                time.sleep(0.01)
            first.kill()
            first.communicate()
            wait_for_end_of_children(tmp_path)
            if turn % 2:
                assert child.run(tmp_path, None, "run", *where, "--processes", "2", **env).code == 0
        done = child.run(tmp_path, None, "run", *where, **env)
        assert done.code == 0, done.err
    if destination == "postgres":
        assert_exact(postgres, "killed_fleet", Truth.of(world))
    else:
        with duckdb.connect(str(tmp_path / "sim_sync.duckdb"), read_only=True) as connection:
            sql = "SELECT workspace_id, count(*), count(DISTINCT id) FROM killed_fleet.logs GROUP BY 1"
            assert {id_: (n, d) for id_, n, d in connection.execute(sql).fetchall()} == {
                id_: (n, n) for id_, n in Truth.of(world).runs.items()
            }
            sql = "SELECT workspace_id, sum(total_cost) FROM killed_fleet.cost_items GROUP BY 1"
            assert dict(connection.execute(sql).fetchall()) == Truth.of(world).costs


def wait_for_end_of_children(folder: Path) -> None:
    """Waits until the processes of a killed command have ended: each sees that its parent is gone."""
    while any(
        os.readlink(entry / "cwd") == str(folder) for entry in Path("/proc").glob("[0-9]*") if _is_running(entry)
    ):
        time.sleep(0.01)


def _is_running(entry: Path) -> bool:
    try:
        return os.readlink(entry / "cwd") != "" and (entry / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_accounts_in_turn_fill_one_file_and_one_that_fails_does_not_stop_the_others(app: App) -> None:
    world = fleet_world(3, 20)
    with serve(world, "2026-08") as server:
        configure(app.folder, server.base_url, 3)
        (app.folder / ".dlt/secrets.toml").write_text(
            "".join(
                f'[sim_sync.accounts.a{number}]\napi_key = "{key_of(number) if number != 1 else "sk-sim-wrong-key"}"\n'
                for number in range(3)
            )
        )
        (app.folder / ".dlt/secrets.toml").chmod(0o600)
        done = app("run", "--json")
        assert done.code == 1
        assert [each["account"] for each in done.json["errors"]] == ["a1"]
        assert "account a1" in done.err
        assert {each["account"]: each["exit_code"] for each in done.json["syncs"]} == {"a0": 0, "a1": 2, "a2": 0}
        assert app.rows("SELECT workspace_id, count(*) FROM sim.logs GROUP BY 1 ORDER BY 1") == [
            (workspace_of(0), 20), (workspace_of(2), 20)
        ]  # fmt: skip
        assert app.rows("SELECT DISTINCT account FROM sim.usage ORDER BY 1") == [("a0",), ("a2",)]
        assert app("run", "--account", "a2").code == 0
        assert app("run", "--workspace", workspace_of(0), "--json").json["rows"] == {"usage": 1}
        assert app("run", "--account", "a7").code == 2
        assert app("run", "--workspace", "ws-nowhere").code == 2
    assert app.rows("SELECT sum(total_cost) - (SELECT sum(cost_total) FROM sim.logs) FROM sim.cost_items") == [
        (Decimal(0),)
    ]


def test_processes_take_turns_at_a_duckdb_file(app: App) -> None:
    world = fleet_world(4, 30)
    with serve(world, "2026-08") as server:
        configure(app.folder, server.base_url, 4)
        done = app("run", "--processes", "3", "--json")
        assert done.code == 0, done.err
        again = app("run", "--json")
    assert (again.code, again.json["rows"]) == (0, {"usage": 4})
    found = app.rows("SELECT workspace_id, count(*), count(DISTINCT id), sum(cost_total) FROM sim.logs GROUP BY 1")
    truth = Truth.of(world)
    assert {id_: (n, d) for id_, n, d, _ in found} == {id_: (n, n) for id_, n in truth.runs.items()}
    assert {id_: cost for id_, _, _, cost in found} == truth.costs
    assert dict(app.rows("SELECT workspace_id, sum(total_cost) FROM sim.cost_items GROUP BY 1")) == truth.costs


def test_a_single_workspace_is_synced_with_its_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job apart for the tables of an account would cost as much as the workspace itself."""
    monkeypatch.setenv("SIM_API_KEY", "sk-sim-of-a-test")

    def labels(*ids: str, resources: tuple[str, ...] = ("logs", "usage", "rejected_rows")) -> list[str]:
        settings = run_settings(target_of(None, None, None), workspaces=ids, resources=",".join(resources))
        return [job.label.removeprefix("account default").removeprefix(", ") for job in jobs_of(settings, None)]

    assert labels("one") == ["workspace one"]
    assert labels("one", "two") == ["", "workspace one", "workspace two"]
    assert labels("one", "two", resources=("usage",)) == [""]
    assert labels("one", "two", resources=("logs",)) == ["workspace one", "workspace two"]
