"""The HTML report in a real browser, with the network cut: what it shows is what SQL says."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pytest
from selenium.webdriver.common.keys import Keys

from pipelines.query import ask
from pipelines.report import cubes, page
from pipelines.settings import Target
from sim_source.errors import ConfigurationError
from tests.app import App
from tests.browser import Browser, chromium, skip_reason
from tests.tables import Place, Row, at
from tests.test_views import item, run

EVIL = "</script><img src=x onerror=alert(1)>'; DROP TABLE runs; --"
NOW = datetime(2026, 11, 10, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of this file."""
    reason = skip_reason()
    if reason is not None:
        pytest.skip(reason)
    with chromium() as started:
        yield started


def account() -> dict[str, list[Row]]:
    """Two workspaces, names that would be scripts if they could, and amounts that floats would round."""
    evil = {"workflow_id": "evil", "workflow_name": EVIL, "workspace_id": "o'ne"}
    return {
        "logs": [
            run("a", "9007.199254740993", **evil),  # 2^53 + 1 of the smallest unit: no float has it
            run("b", "0.000000000001", status="failed", total_duration_ms=3000, **evil),
            run("c", "0.3", started_at=at("2026-11-05"), workspace_id="two", trigger="chat", total_duration_ms=250_000),
            run("d", "0.1", started_at=at("2026-11-05"), workspace_id="two", trigger=None, status="cancelled"),
            run("e", "0.2", started_at=at("2026-11-06"), workspace_id="two", workflow_id=None, workflow_name="Gone"),
            run("f", None, started_at=at("2026-11-09"), workspace_id="two", status="running", total_duration_ms=None),
            run("old", "5", started_at=at("2024-02-29"), workspace_id="two"),
        ],
        "cost_items": [
            item("a", "model", EVIL, "9007.194254740993", (90, 20)),
            item("a", "other", "other", "0.005"),
            item("b", "other", "other", "0.000000000001"),
            item("c", "model", "gpt-4o", "0.2", (1000, 500)),
            item("c", "tool", "Exa", "0.095"),
            item("c", "other", "other", "0.005"),
            item("d", "other", "other", "0.09"),  # does not add up
            item("e", "unknown", "unknown", "0.2"),
            item("old", "model", "gpt-4", "5", (7, 7)),
        ],
    }


BUDGET = """
CREATE OR REPLACE VIEW sim.budget AS SELECT TIMESTAMPTZ '2026-11-09 12:00:00+00' AS observed_at, 'team' AS plan,
  'billing' AS period_source, DATE '2026-11-01' AS period_start, DATE '2026-11-30' AS period_end, 40.5::DECIMAL(38, 12)
  AS spend, 100::DECIMAL(38, 12) AS usage_limit, 0.405 AS spend_share, 59.5::DECIMAL(38, 12) AS remaining,
  8.5 AS days_elapsed, 21.5 AS days_left, 4.5::DECIMAL(38, 12) AS burn_per_day, 4::DECIMAL(38, 12) AS burn_low,
  5::DECIMAL(38, 12) AS burn_high, 137.25::DECIMAL(38, 12) AS forecast, 120::DECIMAL(38, 12) AS forecast_low,
  150::DECIMAL(38, 12) AS forecast_high, 13.2 AS days_until_limit, TIMESTAMPTZ '2026-11-22 17:00:00+00' AS limit_at,
  false AS over_limit
"""
ANOMALIES = """
CREATE OR REPLACE VIEW sim.cost_anomalies AS SELECT day, workspace_id, workflow_id, workflow_name, trigger,
  total_cost AS cost, 0.1::DECIMAL(38, 12) AS expected_cost, total_cost - 0.1::DECIMAL(38, 12) AS difference, 7.5 AS
  score, runs, 1.0 AS expected_runs, 5.0 AS tokens_per_run, 5.0 AS expected_tokens_per_run, 'model' AS driver,
  'gpt-4o' AS model, 0.1::DECIMAL(38, 12) AS model_difference, 14 AS baseline_days FROM sim.cost_by_day WHERE runs > 0
"""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Target:
    """The account in DuckDB, with a budget and anomalies."""
    folder = tmp_path_factory.mktemp("account")
    Place(dlt.destinations.duckdb(str(folder / "tables.duckdb")), folder / "dlt").fill(account())
    with duckdb.connect(str(folder / "tables.duckdb")) as connection:
        connection.execute(BUDGET)
        connection.execute(ANOMALIES)
    return Target(database=folder / "tables.duckdb")


@pytest.fixture(scope="module")
def written(filled: Target, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the account."""
    file = tmp_path_factory.mktemp("page") / "report.html"
    page.write(filled, file, now=NOW)
    return file


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
    browser: Browser, written: Path, filled: Target, address: str
) -> None:
    figures = browser.open(written, address).figures()
    assert len(figures) == 10
    for name, (sql, rows) in figures.items():
        assert_same(name, rows, ask(filled, sql).rows)
    assert browser.complaints() == []


def test_the_demo_says_what_sql_says(browser: Browser, app: App) -> None:
    assert app("demo", "--runs", "400").code == 0
    demo = Target(database=app.folder / "sim_demo.duckdb")
    page.write(demo, app.folder / "demo.html")
    for address in ("", "#trigger=webhook", "#workflow=wf-chat&workflow=wf-triage"):
        for name, (sql, rows) in browser.open(app.folder / "demo.html", address).figures().items():
            assert rows or name == "anomalies", name
            assert_same(name, rows, ask(demo, sql).rows)


def assert_same(name: str, rows: Any, answer: Any) -> None:
    """A table of the page against rows of an answer; where nothing tells the order of two, it may be any."""
    likes = [next((value for value in column if value is not None), "") for column in zip(*answer, strict=True)]
    wanted = [tuple(map(_said, map(_text, row), likes)) for row in answer]
    found = [tuple(map(_said, row, likes)) if likes else tuple(row) for row in rows]
    if name in ("workflows", "models"):
        cost = 5 if name == "workflows" else 2
        assert [row[cost] for row in found] == [row[cost] for row in wanted], name
        found, wanted = sorted(found), sorted(wanted)
    assert found == wanted, name


def _text(value: Any) -> str | None:
    return None if value is None else value.isoformat() if isinstance(value, date) else str(value)


def _said(text: str | None, like: Any) -> str:
    """A value as a text that tells it from all others: to the last digit, but for what SQL itself says in floats."""
    if text is None:
        return ""
    if isinstance(like, float):
        return f"{float(text):.12g}"
    return f"{Decimal(text).normalize():f}" if isinstance(like, Decimal | int) else text


def test_what_somebody_wants_to_know_first(browser: Browser, written: Path) -> None:
    browser.open(written)
    assert "Data up to 9 Nov 2026, 00:00 UTC, page written 10 Nov 2026, 09:30 UTC." in browser.text("header")
    assert "Details for 80.0 % of 5 costly runs." in browser.text("header")
    cards = [text.split("\n") for text in browser.script(CARDS)]
    assert [(title, value) for title, value, _ in cards] == [
        ("Spend", "$9,007.80"),
        ("Forecast: over the limit", "$137.25"),
        ("Runs", "6"),
        ("Failed", "16.7 %"),
    ]
    assert cards[1][2] == "by 30 Nov; $40.50 so far, limit $100.00"
    assert cards[3][2] == "$0.10 spent on failed and cancelled runs"


CARDS = "return [...document.querySelectorAll('.card')].map((card) => card.innerText.replace(/\\n+/g, '\\n'))"


def test_spend_is_compared_with_as_many_days_before(browser: Browser, written: Path) -> None:
    browser.open(written, "#from=2026-11-05&to=2026-11-07")
    assert browser.script(CARDS)[0].split("\n")[1:] == ["$0.60", "▼ 100 % against $9,007.20 in the 3 days before"]


def test_what_does_not_add_up_and_what_is_out_of_the_ordinary_is_said(browser: Browser, written: Path) -> None:
    browser.open(written, "#from=2026-11-05&to=2026-11-09")
    assert "1 of 4 runs do not add up; 0.01 USD in all." in browser.text("#reconciliation")
    assert "$0.30 instead of $0.10" in browser.text("#anomalies")
    assert "the limit is reached on 22 Nov 2026" in browser.text("#budget")
    assert "half took up to 255 s" not in browser.text("#latency")
    assert "Of 2 runs that came to an end" in browser.text("#latency")


def test_nothing_is_asked_of_any_host(browser: Browser, written: Path) -> None:
    browser.open(written)
    assert browser.requests() == []
    assert browser.complaints() == []
    found = browser.script("return fetch('http://127.0.0.1:9/').then(() => 'asked', (fault) => String(fault))")
    assert "Failed to fetch" in found
    assert any("Content Security Policy" in complaint for complaint in browser.complaints())


def test_a_filter_changes_the_numbers_and_the_address_which_brings_them_back(browser: Browser, written: Path) -> None:
    browser.open(written, "#from=2026-11-01&to=2026-11-09")
    everything = browser.text("#cards")
    browser.script("document.querySelector('.choice:nth-of-type(3) summary, .choice summary').click()")
    browser.click("input[type=checkbox][value=two]")
    assert browser.text(".value") == "$0.60"
    assert browser.text("#looked-at") == "1 Nov – 9 Nov 2026; workspace two"
    address = browser.script("return location.hash")
    assert address == "#from=2026-11-01&to=2026-11-09&workspace=two"
    filtered = sorted(browser.text("#figures").split("\n"))  # labels of axes may come in another order
    browser.open(written, address)
    assert browser.text(".value") == "$0.60"
    assert sorted(browser.text("#figures").split("\n")) == filtered
    browser.script("location.hash = '#from=2026-11-01&to=2026-11-09'; document.body.dataset.state = 'waiting'")
    assert browser.drawn().text("#cards") == everything


def test_charts_follow_a_filter(browser: Browser, written: Path) -> None:
    browser.open(written, "#from=2026-11-01&to=2026-11-09")
    shown = "return document.querySelector('#workflows svg').textContent"
    assert "Gone" in browser.script(shown)
    browser.click("input[type=checkbox][value=evil]")
    assert "Gone" not in browser.script(shown)
    assert "</script><img" in browser.script(shown)


def test_names_that_would_be_scripts_stay_text(browser: Browser, written: Path) -> None:
    browser.open(written)
    browser.figures()
    assert EVIL not in written.read_text()
    assert browser.script("return document.querySelectorAll('img').length") == 0
    assert EVIL in browser.script("return document.querySelector('#workflows table').textContent")
    assert browser.complaints() == []


def test_everything_is_reached_and_worked_by_keyboard(browser: Browser, written: Path) -> None:
    browser.open(written, "#from=2026-11-01&to=2026-11-09")
    seen = []
    while len(seen) < 100 and (stop := browser.tab())["name"] != "body":
        assert stop["shown"], stop
        assert stop["outline"] != "none", stop
        seen.append((stop["figure"], stop["name"], stop["text"].partition(":")[0]))
    texts = [text for _, __, text in seen]
    for wanted in (
        "Skip to the charts",
        "Change between light and dark",
        "Last 7 days",
        "Workspace",
        "Workflow",
        "Trigger",
    ):
        assert wanted in texts
    for figure in browser.script("return [...document.querySelectorAll('figure')].map((each) => each.id)"):
        mine = [(name, text) for of, name, text in seen if of == figure]
        assert {"Table", "SQL"} <= {text for name, text in mine if name == "summary"}, figure
        assert any(text.startswith("Copy the SQL of") for _, text in mine), figure


def test_a_filter_is_set_and_sql_copied_by_keyboard(browser: Browser, written: Path) -> None:
    browser.open(written, "#from=2026-11-01&to=2026-11-09")
    browser.script("document.querySelectorAll('.choice summary')[2].focus()")
    browser.press(Keys.ENTER)
    browser.tab()
    browser.press(Keys.SPACE)
    assert "trigger=" in browser.drawn().script("return location.hash")
    browser.press(Keys.ESCAPE)
    assert browser.script("return document.activeElement.innerText").startswith("Trigger:")
    browser.script("document.querySelector('#spend .copy').focus()")
    browser.press(Keys.ENTER)
    browser.script("return new Promise((resume) => setTimeout(resume))")
    assert browser.text("[role=status]") == "SQL of Spend over time copied."


def test_charts_are_described_for_those_who_do_not_see_them(browser: Browser, written: Path) -> None:
    browser.open(written)
    labels = browser.script(
        "return [...document.querySelectorAll('.chart:not([hidden])')].map((each) => "
        "[each.getAttribute('role'), each.getAttribute('aria-label')])"
    )
    assert len(labels) == 10
    for role, label in labels:
        assert role == "img"
        assert "The table below has the numbers." in label
    assert any("$9,007.79 in all" in label for _, label in labels)
    unlabelled = (
        "return [...document.querySelectorAll('input, button, select')]"
        ".filter((each) => !(each.labels?.length || each.ariaLabel || each.innerText.trim())).length"
    )
    assert browser.script(unlabelled) == 0


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("media", ["screen", "print"])
def test_text_and_marks_stand_out_from_what_is_behind_them(
    browser: Browser, written: Path, dark: bool, media: str
) -> None:
    browser.open(written, dark=dark, media=media)
    ground, *found = browser.script(COLOURS)
    assert (sum(ground) > 3 * 128) is (not dark or media == "print")
    assert len(found) > 20
    for what, colour, behind, least in found:
        assert contrast(colour, behind) >= least, (what, colour, behind)


COLOURS = """
const channels = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
const solid = (text) => !/rgba\\(.*, 0\\)|transparent/.test(text);
const behind = (node) => {
  for (let each = node; each; each = each.parentElement) {
    const colour = getComputedStyle(each).backgroundColor;
    if (solid(colour)) return channels(colour);
  }
};
const found = [behind(document.body)];
for (const each of document.querySelectorAll("h1, h2, p, summary, button, label, th, td, pre")) {
  if (each.checkVisibility()) found.push([each.tagName, channels(getComputedStyle(each).color), behind(each), 4.5]);
}
for (const each of document.querySelectorAll("svg text")) {
  found.push(["text of a chart", channels(getComputedStyle(each).fill), found[0], 4.5]);
}
const probe = document.body.appendChild(document.createElement("i"));
for (let at = 1; at <= 9; at++) {
  probe.style.color = `var(--c${at})`;
  found.push([`colour ${at}`, channels(getComputedStyle(probe).color), found[0], 3]);
}
probe.remove();
return found;
"""


def contrast(one: list[float], other: list[float]) -> float:
    """As WCAG 2 defines it."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: list[float]) -> float:
    parts = [value / 255 for value in colour]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_theme_is_the_systems_until_somebody_chooses(browser: Browser, written: Path) -> None:
    browser.open(written, dark=True)
    ground = "return getComputedStyle(document.body).backgroundColor"
    dark = browser.script(ground)
    browser.click("#theme")
    assert browser.script(ground) == "rgb(255, 255, 255)" != dark


def test_on_a_phone_nothing_is_wider_than_the_screen(browser: Browser, written: Path) -> None:
    browser.open(written, width=375)
    browser.figures()
    browser.script("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert browser.script("return document.documentElement.scrollWidth") <= 375


def test_on_paper_there_is_nothing_to_click(browser: Browser, written: Path) -> None:
    browser.open(written, media="print")
    clickable = (
        "return [...document.querySelectorAll('button, input, summary')]"
        ".filter((each) => each.checkVisibility()).map((each) => each.outerHTML)"
    )
    assert browser.script(clickable) == []


def test_what_this_database_has_no_view_of_is_left_out_and_said(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "tables.duckdb"
    Place(dlt.destinations.duckdb(str(file)), tmp_path / "dlt").fill(account())
    with duckdb.connect(str(file)) as connection:
        connection.execute("DROP VIEW IF EXISTS sim.budget; DROP VIEW IF EXISTS sim.cost_anomalies")
    page.write(Target(database=file), tmp_path / "report.html", now=NOW)
    browser.open(tmp_path / "report.html")
    assert browser.text("#budget") == "Budget: this database has no view “budget” yet; the next sim-sync run makes it."
    assert "no view “cost_anomalies”" in browser.text("#anomalies")
    assert browser.complaints() == []


def test_only_what_is_asked_for_is_in_the_page(browser: Browser, filled: Target, tmp_path: Path) -> None:
    page.write(filled, tmp_path / "report.html", workspaces=["two"], since=at("2026-11-05"), now=NOW)
    figures = browser.open(tmp_path / "report.html", "#from=2026-01-01").figures()
    assert browser.text(".value") == "$0.60"
    for name, (sql, rows) in figures.items():
        assert "'two'" in sql or name == "budget"
        if name not in ("headline", "budget"):
            assert_same(name, rows, ask(filled, sql.replace("2026-01-01", "2026-11-05")).rows)


def test_where_there_are_too_many_workflows_the_smallest_are_shown_as_one(
    browser: Browser, filled: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "ROOM", (18,))
    page.write(filled, tmp_path / "report.html", now=NOW)
    figures = browser.open(tmp_path / "report.html", "#from=2026-11-01&to=2026-11-09&workflow=~two~").figures()
    assert browser.text(".value") == "$0.60"
    assert "other workflows (2)" in browser.text("#looked-at")
    assert "shown as one" in browser.text("#workflows")
    for name, (sql, rows) in figures.items():
        if name != "workflows":
            assert_same(name, rows, ask(filled, sql).rows)


def test_a_page_that_would_be_too_large_is_refused(
    filled: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "LARGEST", 1000)
    with pytest.raises(ConfigurationError, match="report fewer days"):
        page.write(filled, tmp_path / "report.html", now=NOW)
    assert list(tmp_path.iterdir()) == []


def test_what_keeps_a_page_from_being_written_is_said_plainly(filled: Target, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not exist; run sim-sync"):
        page.write(Target(database=tmp_path / "none.duckdb"), tmp_path / "report.html")
    with pytest.raises(ConfigurationError, match="the folder"):
        page.write(filled, tmp_path / "nowhere" / "report.html")
    with pytest.raises(ConfigurationError, match="no run to report"):
        page.write(filled, tmp_path / "report.html", workspaces=["unknown"])
    (tmp_path / "report.html").mkdir()
    with pytest.raises(ConfigurationError, match="cannot be written"):
        page.write(filled, tmp_path / "report.html")
    with duckdb.connect(str(tmp_path / "old.duckdb")) as connection:
        connection.execute("CREATE SCHEMA sim; CREATE TABLE sim.logs (id VARCHAR)")
    with pytest.raises(ConfigurationError, match="lacks the views"):
        page.write(Target(database=tmp_path / "old.duckdb"), tmp_path / "other.html")


def test_durations_are_counted_in_wider_steps_where_there_are_too_many(
    filled: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cubes.read(filled, (), None, 1000).step == 1.05
    monkeypatch.setattr(cubes, "MAX_DURATIONS", 1)
    wide = cubes.read(filled, (), None, 1000)
    assert (wide.step, sorted(set(wide.durations["ms"]))) == (2.0, [1024, 4096, 262144])


def test_a_page_of_postgres_says_what_postgres_says(
    browser: Browser, postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", postgres)
    dataset = f"sim_{uuid.uuid4().hex[:8]}"
    Place(dlt.destinations.postgres(postgres), tmp_path / "dlt", dataset).fill(account())
    target = Target("postgres", dataset)
    page.write(target, tmp_path / "report.html", now=NOW)
    for address in ("#from=2026-11-01&to=2026-11-09&workflow=evil&workflow=~two~Gone", "#from=2024-01-01"):
        for name, (sql, rows) in browser.open(tmp_path / "report.html", address).figures().items():
            assert_same(name, rows, ask(target, sql).rows)
