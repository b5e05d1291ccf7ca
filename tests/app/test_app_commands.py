"""demo, check, status and sql as a user meets them."""

from __future__ import annotations

import json

import pytest

from pipelines.destination.target import Target
from pipelines.settings import run_settings
from pipelines.sim_api import OWNER_KEY, RateLimit, organization, serve
from tests.helpers.app import App, one_of_every_kind


def test_the_demo_ends_in_a_cost_report_that_can_be_asked_further(app: App) -> None:
    done = app("demo", "--runs", "60")
    assert done.code == 0
    assert "Models, tools and the rest" in done.out
    assert "gpt-4o" in done.out
    asked = app("sql", "--database", "sim_demo.duckdb", "--json", "SELECT count(*) AS runs FROM sim.logs")
    assert json.loads(asked.out) == [{"runs": app.rows("SELECT count(*) FROM sim.logs", "sim_demo.duckdb")[0][0]}]
    assert app("demo", "--runs", "60").code == 0  # again, from nothing


def test_check_proves_access_and_loads_nothing(app: App) -> None:
    with serve(one_of_every_kind(), "2026-08", limit=RateLimit.per_minute(60)) as server:
        app.account(server)
        done = app("check", "--json")
    assert done.code == 0
    assert done.json["ok"] is True
    assert {finding["what"] for finding in done.json["findings"]} >= {"API key", "audit logs", "destination"}
    assert done.json["first_sync"]["requests"] > 0
    assert not (app.folder / "sim_sync.duckdb").exists()


def test_check_names_what_is_wrong(app: App) -> None:
    with serve(one_of_every_kind(), "2026-08") as server:
        app.account(server, key="sk-sim-nope")
        done = app("check")
    assert (done.code, "SIM_API_KEY" in done.out) == (2, True)


def test_status_tells_how_far_each_workspace_is(app: App) -> None:
    with serve(one_of_every_kind(), "2026-08") as server:
        app.account(server)
        app("run")
    told = app("status", "--json").json
    runs = next(entry for entry in told["resources"] if entry["resource"] == "logs")
    assert runs["lag_s"] >= 300  # the watermark stays five minutes behind
    assert runs["open_runs"] == app.rows("SELECT count(*) FROM sim.logs WHERE status IN ('running', 'paused')")[0][0]
    assert told["rows"]["logs"] == app.rows("SELECT count(*) FROM sim.logs")[0][0]
    assert app("status").code == 0


@pytest.mark.parametrize("command", [["status"], ["sql", "SELECT 1"]], ids=lambda c: c[0])
def test_before_the_first_run_it_says_what_to_do(app: App, command: list[str]) -> None:
    done = app(*command)
    assert (done.code, "sim-sync run" in done.err) == (2, True)


def test_sql_prints_tables_csv_and_json_and_changes_nothing(app: App) -> None:
    with serve(organization(), "2026-08") as server:
        app.account(server)
        app("run")
    assert "answer" in app("sql", "SELECT 42 AS answer").out
    assert app("sql", "--csv", "SELECT 42 AS a, NULL AS b").out.splitlines() == ["a,b", "42,"]
    assert app("sql", "--json", "SELECT 0.10::DECIMAL(4,2) AS usd").out.strip() == '[{"usd": "0.10"}]'
    wrong = app("sql", "SELECT nothing FROM nowhere")
    assert wrong.code == 1
    refused = app("sql", "DROP TABLE sim.logs")
    assert refused.code == 1
    assert app.rows("SELECT count(*) FROM sim.logs") == [(0,)]


def test_the_key_is_asked_for_nowhere_but_in_settings(app: App) -> None:
    assert OWNER_KEY not in app("run", "--help").out
    assert app("--help").code == 0


def test_an_option_wins_over_the_environment(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIM_API_KEY", "of the environment")
    monkeypatch.setenv("SIM_BASE_URL", "https://environment.example")
    found = run_settings(Target(), workspaces=["ws"], base_url="https://option.example").source
    assert (found.base_url, found.api_key) == ("https://option.example", "of the environment")
