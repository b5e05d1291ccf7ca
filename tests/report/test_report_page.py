"""The HTML report in a real browser: what it shows is what SQL says."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pytest

from pipelines.destination.questions import ask
from pipelines.destination.target import Target
from pipelines.report import cubes, page
from sim_source.errors import ConfigurationError
from tests.helpers.app import App
from tests.helpers.browser import Browser
from tests.helpers.report_account import NOW, account, assert_same
from tests.helpers.tables import Place, at
from tests.views.test_views import run

FILTERS = {
    "the last thirty days": "",
    "one day": "#from=2026-11-05&to=2026-11-05",
    "one workspace": "#workspace=o%27ne&from=2026-11-01&to=2026-11-09",
    "a workflow whose name is hostile": "#workflow=evil&from=2026-11-01&to=2026-11-09",
    "a workflow without id and one with": "#workflow=~two~Gone&workflow=wf&from=2026-11-01&to=2026-11-09",
    "no trigger": "#trigger=&from=2026-11-01&to=2026-11-09",
    "two triggers": "#trigger=&trigger=chat&from=2026-11-01&to=2026-11-09",
    "weeks": "#from=2025-01-01&to=2026-11-09",
    "months": "#from=2024-02-01&to=2026-11-09",
    "nothing": "#from=2025-01-01&to=2025-01-02",
}


@pytest.mark.parametrize("address", FILTERS.values(), ids=FILTERS)
def test_every_table_is_the_answer_of_the_sql_beside_it(
    browser: Browser, report_page: Path, report_account: Target, address: str
) -> None:
    figures = browser.open(report_page, address).figures()
    assert len(figures) == 11
    for name, (sql, rows) in figures.items():
        assert_same(name, rows, ask(report_account, sql).rows)
    assert browser.complaints() == []


def test_the_demo_says_what_sql_says(browser: Browser, app: App) -> None:
    assert app("demo", "--runs", "400").code == 0
    demo = Target(database=app.folder / "sim_demo.duckdb")
    page.write_page(demo, app.folder / "demo.html")
    for address in ("", "#trigger=webhook", "#workflow=wf-chat&workflow=wf-triage"):
        for name, (sql, rows) in browser.open(app.folder / "demo.html", address).figures().items():
            assert rows or name == "anomalies", name
            assert_same(name, rows, ask(demo, sql).rows)


def test_what_somebody_wants_to_know_first(browser: Browser, report_page: Path) -> None:
    browser.open(report_page)
    assert "Data up to 9 Nov 2026, 00:00 UTC, page written 10 Nov 2026, 09:30 UTC." in browser.text("header")
    assert "Cost by model is known for 80.0 % of 5 runs with a cost." in browser.text("header")
    cards = [text.split("\n") for text in browser.script(CARDS)]
    assert [(title, value) for title, value, _ in cards] == [
        ("Spend", "$900,720.53"),
        ("Forecast: over the limit", "$137.25"),
        ("Runs", "6"),
        ("Failed", "16.7 %"),
    ]
    assert cards[1][2] == "by 30 Nov; $40.50 so far, limit $100.00"
    assert cards[3][2] == "$0.10 spent on failed and cancelled runs"


CARDS = "return [...document.querySelectorAll('.card')].map((card) => card.innerText.replace(/\\n+/g, '\\n'))"


def test_spend_is_compared_with_as_many_days_before(browser: Browser, report_page: Path) -> None:
    browser.open(report_page, "#from=2026-11-05&to=2026-11-07")
    assert browser.script(CARDS)[0].split("\n")[1:] == [
        "$0.60",
        "▼ 100 % compared with $900,719.93 in the 3 days before",
    ]


def test_what_does_not_add_up_and_what_is_out_of_the_ordinary_is_said(browser: Browser, report_page: Path) -> None:
    browser.open(report_page, "#from=2026-11-05&to=2026-11-09")
    assert "1 of 4 runs do not add up; the difference is 0.01 USD in total." in browser.text("#reconciliation")
    assert "$0.30 instead of $0.10" in browser.text("#anomalies")
    assert "the limit is reached on 22 Nov 2026" in browser.text("#budget")
    assert "half took up to 255 s" not in browser.text("#latency")
    assert "Of 2 finished runs, half took" in browser.text("#latency")


def test_the_bill_says_what_runs_explain_and_how_exact_it_is(browser: Browser, report_page: Path) -> None:
    browser.open(report_page)
    said = browser.text("#bill")
    assert "$0.355 from 1 Nov 2026 to 30 Nov 2026, of which runs explain $0.30; the bill adds up to the ledger." in said
    assert "the total may be off by $0.02" in said  # 4 events, and the ledger has earlier ones
    assert "$0.01 of Sim-agent blocks is also part of the cost of their runs." in said


def test_what_this_database_has_no_view_of_is_left_out_and_said(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "tables.duckdb"
    Place(dlt.destinations.duckdb(str(file)), tmp_path / "dlt").fill(account())
    with duckdb.connect(str(file)) as connection:
        connection.execute("DROP VIEW IF EXISTS sim.budget; DROP VIEW IF EXISTS sim.cost_anomalies")
    page.write_page(Target(database=file), tmp_path / "report.html", now=NOW)
    browser.open(tmp_path / "report.html")
    assert (
        browser.text("#budget") == "Budget: this database has no view “budget” yet; the next sim-sync run creates it."
    )
    assert "no view “cost_anomalies”" in browser.text("#anomalies")
    assert browser.complaints() == []


def test_only_what_is_asked_for_is_in_the_page(browser: Browser, report_account: Target, tmp_path: Path) -> None:
    page.write_page(report_account, tmp_path / "report.html", workspaces=["two"], since=at("2026-11-05"), now=NOW)
    figures = browser.open(tmp_path / "report.html", "#from=2026-01-01").figures()
    assert browser.text(".value") == "$0.60"
    for name, (sql, rows) in figures.items():
        assert "'two'" in sql or name == "budget"
        if name not in ("headline", "budget"):
            assert_same(name, rows, ask(report_account, sql.replace("2026-01-01", "2026-11-05")).rows)


def test_where_there_are_too_many_workflows_the_smallest_are_shown_as_one(
    browser: Browser, report_account: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "ROOM", (18,))
    page.write_page(report_account, tmp_path / "report.html", now=NOW)
    figures = browser.open(tmp_path / "report.html", "#from=2026-11-01&to=2026-11-09&workflow=~two~").figures()
    assert browser.text(".value") == "$0.60"
    assert "other workflows (2)" in browser.text("#looked-at")
    assert "shown as one" in browser.text("#workflows")
    for name, (sql, rows) in figures.items():
        if name != "workflows":
            assert_same(name, rows, ask(report_account, sql).rows)


def test_a_page_that_a_sync_came_across_is_read_again(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(dlt.destinations.duckdb(str(tmp_path / "tables.duckdb")), tmp_path / "dlt").fill(account())
    read = cubes.read_cubes

    def read_while_loaded(*args: Any) -> Any:
        monkeypatch.setattr(cubes, "read_cubes", read)
        found = read(*args)
        place.fill({"logs": [run("new", "0.5", started_at=at("2026-11-09"))]})
        return found

    monkeypatch.setattr(cubes, "read_cubes", read_while_loaded)
    page.write_page(Target(database=tmp_path / "tables.duckdb"), tmp_path / "report.html", now=NOW)
    browser.open(tmp_path / "report.html", "#from=2026-11-09&to=2026-11-09")
    assert browser.text(".value") == "$0.50"


def test_a_page_that_would_be_too_large_is_refused(
    report_account: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "LARGEST", 1000)
    with pytest.raises(ConfigurationError, match="report fewer days"):
        page.write_page(report_account, tmp_path / "report.html", now=NOW)
    assert list(tmp_path.iterdir()) == []


def test_what_keeps_a_page_from_being_written_is_said_plainly(report_account: Target, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not exist; run sim-sync"):
        page.write_page(Target(database=tmp_path / "none.duckdb"), tmp_path / "report.html")
    with pytest.raises(ConfigurationError, match="the folder"):
        page.write_page(report_account, tmp_path / "nowhere" / "report.html")
    with pytest.raises(ConfigurationError, match="no runs to report"):
        page.write_page(report_account, tmp_path / "report.html", workspaces=["unknown"])
    (tmp_path / "report.html").mkdir()
    with pytest.raises(ConfigurationError, match="cannot be written"):
        page.write_page(report_account, tmp_path / "report.html")
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == []
    with duckdb.connect(str(tmp_path / "old.duckdb")) as connection:
        connection.execute("CREATE SCHEMA sim; CREATE TABLE sim.logs (id VARCHAR)")
    with pytest.raises(ConfigurationError, match="lacks the views"):
        page.write_page(Target(database=tmp_path / "old.duckdb"), tmp_path / "other.html")


def test_durations_are_counted_in_wider_steps_where_there_are_too_many(
    report_account: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cubes.read_cubes(report_account, (), None, 1000).step == 1.05
    monkeypatch.setattr(cubes, "MAX_DURATIONS", 1)
    wide = cubes.read_cubes(report_account, (), None, 1000)
    assert (wide.step, sorted(set(wide.durations["ms"]))) == (2.0, [1024, 4096, 262144])


def test_a_page_of_postgres_says_what_postgres_says(
    browser: Browser, postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", postgres)
    dataset = f"sim_{uuid.uuid4().hex[:8]}"
    Place(dlt.destinations.postgres(postgres), tmp_path / "dlt", dataset).fill(account())
    target = Target("postgres", dataset)
    page.write_page(target, tmp_path / "report.html", now=NOW)
    for address in ("#from=2026-11-01&to=2026-11-09&workflow=evil&workflow=~two~Gone", "#from=2024-01-01"):
        for name, (sql, rows) in browser.open(tmp_path / "report.html", address).figures().items():
            assert_same(name, rows, ask(target, sql).rows)
