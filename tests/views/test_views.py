"""The views: values worked out by hand, on DuckDB and on PostgreSQL."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import duckdb
import pytest
import sqlglot

from pipelines import views
from pipelines.destination import keep_views
from pipelines.views import View
from sim_source import TABLES
from tests.helpers.tables import Place, Row, at, usd

KEYS = ("day", "workspace_id", "workflow_id", "workflow_name", "trigger")
DAY = date(2026, 11, 2)


def run(log_id: str, cost: str | None, **more: Any) -> Row:
    """A row of ``logs``: a completed run of a second at noon."""
    return {
        "id": log_id,
        "workspace_id": "ws",
        "workflow_id": "wf",
        "workflow_name": "Old name",
        "trigger": "api",
        "status": "completed",
        "level": "info",
        "started_at": at("2026-11-02 12:00"),
        "total_duration_ms": 1000,
        "cost_total": None if cost is None else usd(cost),
    } | more


def item(log_id: str, kind: str, name: str, cost: str, tokens: tuple[int, int] | None = None) -> Row:
    """A row of ``cost_items``; tokens are input and output."""
    prompt, completion = tokens or (None, None)
    return {
        "log_id": log_id,
        "kind": kind,
        "name": name,
        "workspace_id": "ws",
        "started_at": at("2026-11-02 12:00"),
        "total_cost": usd(cost),
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": None if tokens is None else sum(tokens),
    }


def month() -> dict[str, list[Row]]:
    """Two workflows, four runs of one day and one of the next, whose day differs from that of other time zones."""
    return {
        "workflows": [{"id": "wf", "workspace_id": "ws", "name": "Triage"}],
        "logs": [
            run("a", "0.105000000001"),
            run("b", "0.205", status="failed", level="error", total_duration_ms=3000),
            run("c", "0.305", status="cancelled", total_duration_ms=9000),
            run("d", None, status="running", total_duration_ms=None),
            run("e", "1.5", started_at=at("2026-11-02 23:59"), workflow_id=None, workflow_name="Deleted Workflow"),
            run("f", "0.005", started_at=at("2026-11-03 00:00"), trigger="chat", deployment_version_id="v2"),
        ],
        "log_details": [
            {"id": "a", "prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120, "span_count": 3},
            {"id": "b", "error": "time out", "span_count": 2},
        ],
        "cost_items": [
            item("a", "model", "gpt-4o", "0.080000000001", (90, 20)),
            item("a", "model", "gpt-4o-mini", "0.02", (10, 0)),
            item("a", "other", "other", "0.005"),
            item("b", "tool", "Exa Search", "0.2"),
            item("b", "other", "other", "0.005"),
            item("c", "model", "gpt-4o", "0.3", (300, 50)),
            item("c", "other", "other", "0.005"),
            item("e", "unknown", "unknown", "1.5"),
            item("f", "other", "other", "0.004"),
        ],
    }


def test_a_run_has_its_names_cost_and_tokens_side_by_side(place: Place) -> None:
    rows = {row["id"]: row for row in place.fill(month()).dicts("SELECT * FROM sim.runs")}
    assert len(rows) == 6
    a, c, d, e = rows["a"], rows["c"], rows["d"], rows["e"]
    assert (a["workflow_name"], a["day"], a["cost_total"]) == ("Triage", DAY, usd("0.105000000001"))
    assert (a["models_cost"], a["tools_cost"], a["other_cost"]) == (usd("0.100000000001"), None, usd("0.005"))
    assert (a["prompt_tokens"], a["completion_tokens"], a["total_tokens"], a["span_count"]) == (100, 20, 120, 3)
    assert (rows["b"]["error"], rows["b"]["tools_cost"]) == ("time out", usd("0.2"))
    assert (c["prompt_tokens"], c["completion_tokens"], c["total_tokens"]) == (300, 50, 350)  # no detail: of its items
    assert (d["cost_total"], d["models_cost"], d["total_tokens"]) == (None, None, None)
    assert (e["workflow_name"], e["day"], e["unknown_cost"]) == ("Deleted Workflow", DAY, usd("1.5"))
    assert rows["f"]["day"] == date(2026, 11, 3)


def test_what_a_day_cost(place: Place) -> None:
    place.fill(month())
    assert place.ask(
        "SELECT day, workflow_name, trigger, runs, failed_runs, total_cost, models_cost, tools_cost, other_cost, "
        "unknown_cost, total_tokens FROM sim.cost_by_day ORDER BY day, workflow_name"
    ) == [
        (DAY, "Deleted Workflow", "api", 1, 0, usd("1.5"), 0, 0, 0, usd("1.5"), 0),
        (DAY, "Triage", "api", 4, 1, usd("0.615000000001"), usd("0.400000000001"), usd("0.2"), usd("0.015"), 0, 470),
        (date(2026, 11, 3), "Triage", "chat", 1, 0, usd("0.005"), 0, 0, usd("0.004"), 0, 0),
    ]


def test_what_models_cost_and_that_the_rest_is_not_left_out(place: Place) -> None:
    place.fill(month())
    found = place.ask("SELECT model, kind, name, sum(runs), sum(total_cost), sum(total_tokens) "
                      "FROM sim.cost_by_model GROUP BY model, kind, name ORDER BY kind, name")  # fmt: skip
    assert [tuple(map(_plain, row)) for row in found] == [
        ("gpt-4o", "model", "gpt-4o", 2, usd("0.380000000001"), 460),
        ("gpt-4o-mini", "model", "gpt-4o-mini", 1, usd("0.02"), 10),
        (None, "other", "other", 4, usd("0.019"), 0),
        (None, "tool", "Exa Search", 1, usd("0.2"), 0),
        (None, "unknown", "unknown", 1, usd("1.5"), 0),
    ]
    assert place.ask("SELECT sum(total_cost) FROM sim.cost_by_model WHERE day = DATE '2026-11-02'") == [
        (usd("2.115000000001"),)
    ]


def test_what_a_run_of_a_workflow_costs(place: Place) -> None:
    (row,) = place.fill(month()).dicts(
        "SELECT * FROM sim.cost_by_workflow WHERE workflow_id = 'wf' AND day = DATE '2026-11-02'"
    )
    assert (row["runs"], row["completed_runs"], row["failed_runs"]) == (4, 1, 1)
    assert row["cost_per_run"] == usd("0.205000000000")  # 0.615000000001 / 3 whose cost is known
    assert row["cost_per_completed_run"] == usd("0.615000000001")
    assert (row["total_tokens"], row["tokens_per_run"]) == (470, 117.5)


def test_what_failures_cost(place: Place) -> None:
    (row,) = place.fill(month()).dicts("SELECT * FROM sim.cost_of_failures")
    assert (row["day"], row["failed_runs"], row["cancelled_runs"]) == (DAY, 1, 1)
    assert (row["failed_cost"], row["cancelled_cost"], row["wasted_cost"]) == (usd("0.205"), usd("0.305"), usd("0.51"))
    assert row["wasted_share"] == pytest.approx(0.51 / 0.615000000001)


def test_how_long_runs_take_that_came_to_an_end(place: Place) -> None:
    durations = [*range(100, 10_001, 100)]  # 1..100 tenths of a second
    logs = [run(f"r{ms}", "0.005", total_duration_ms=ms) for ms in durations]
    logs += [
        run("paused", "0.005", status="paused", total_duration_ms=999_999),
        run("odd", "0", total_duration_ms=None),
    ]
    (row,) = place.fill({"logs": logs}).dicts("SELECT * FROM sim.latency_by_workflow")
    assert row["runs"] == 100
    assert (row["p50_ms"], row["p95_ms"], row["p99_ms"]) == pytest.approx((5050.0, 9505.0, 9901.0))
    assert row["max_ms"] == 10_000


def test_which_blocks_fail(place: Place) -> None:
    def span(log_id: str, index: int, **more: Any) -> Row:
        base = {"log_id": log_id, "span_index": index, "depth": 1, "status": "error", "block_id": "fetch",
                "name": "Fetch", "type": "api", "started_at": at("2026-11-02 12:00")}  # fmt: skip
        return base | more

    spans = [
        span("b", 0, block_id=None, name="Workflow", type="workflow"),
        span("b", 1, error_message="time out"),
        span("b", 2, error_message="refused", started_at=at("2026-11-02 12:01")),
        span("a", 0, error_message="time out"),
        span("a", 1, status="success"),
        span("c", 0, block_id="ask", name="Ask", type="agent", error_type="RateLimit"),
    ]
    found = place.fill(month() | {"trace_spans": spans}).dicts("SELECT * FROM sim.errors_by_block ORDER BY block_id")
    ask, fetch = found
    assert (ask["block_name"], ask["block_type"], ask["error_type"], ask["errors"]) == ("Ask", "agent", "RateLimit", 1)
    assert (fetch["errors"], fetch["runs"], fetch["failed_runs"]) == (3, 2, 1)
    assert fetch["last_error_at"].timestamp() == at("2026-11-02 12:01").timestamp()
    assert fetch["error_message"] == "refused"


def test_a_workflow_before_and_after_each_deployment(place: Place) -> None:
    first = [run(f"a{n}", "0.1", deployment_version_id="v1", started_at=at(f"2026-11-0{n}")) for n in (1, 2)]
    second = [
        run("b1", "0.2", deployment_version_id="v2", started_at=at("2026-11-03")),
        run("b2", "0.1", deployment_version_id="v2", started_at=at("2026-11-04"), status="failed"),
    ]
    found = place.fill({"logs": [*first, *second, run("draft", "9")]}).dicts(
        "SELECT * FROM sim.deployment_versions ORDER BY first_run_at"
    )
    before, after = found
    assert (before["runs"], before["cost_per_completed_run"]) == (2, usd("0.1"))
    assert before["previous_deployment_version_id"] is None
    assert (after["failed_share"], after["cost_per_completed_run"]) == (0.5, usd("0.3"))
    assert (after["previous_deployment_version_id"], after["previous_failed_share"]) == ("v1", 0.0)
    assert after["previous_cost_per_completed_run"] == usd("0.1")
    assert after["cost_change"] == pytest.approx(2.0)


def test_whether_items_add_up_is_told_to_the_last_digit(place: Place) -> None:
    rows = {row["id"]: row for row in place.fill(month()).dicts("SELECT * FROM sim.cost_reconciliation")}
    assert [log_id for log_id, row in sorted(rows.items()) if not row["reconciled"]] == ["f"]
    assert rows["f"]["difference"] == usd("0.001")
    assert (rows["a"]["itemised_cost"], rows["a"]["items"]) == (usd("0.105000000001"), 3)
    assert (rows["d"]["difference"], rows["d"]["items"], rows["d"]["reconciled"]) == (0, 0, True)


@pytest.mark.parametrize("names", [tuple(TABLES), ("logs",)], ids=["all tables", "only logs"])
def test_every_view_answers_over_nothing_and_over_tables_that_were_not_loaded(
    place: Place, names: tuple[str, ...]
) -> None:
    place.fill({}, names)
    for view in views.all_views().values():
        assert place.ask(f"SELECT * FROM sim.{view.name}") == [], view.name
    place.fill({"logs": [run("a", "1")], "cost_items": [item("a", "model", "m", "1")]})
    assert place.ask("SELECT models_cost FROM sim.runs") == [(1,)]  # tables that came later are seen


@pytest.mark.parametrize("view", views.all_views().values(), ids=lambda view: view.name)
def test_a_view_has_the_columns_that_it_describes(view: View, place: Place) -> None:
    place.fill({})
    with place.pipeline.sql_client() as client:
        name = client.make_qualified_table_name(view.name)
        with client.execute_query(f"SELECT * FROM {name}") as cursor:
            assert [column[0] for column in cursor.description] == [column for column, _ in view.columns]


@pytest.mark.parametrize("view", views.all_views().values(), ids=lambda view: view.name)
def test_cost_views_say_day_workspace_workflow_and_trigger(view: View) -> None:
    if view.name == "cost_by_source":  # the ledger names no trigger
        assert {"day", "workspace_id"} <= {column for column, _ in view.columns}
    elif view.name.startswith("cost_") or view.name.endswith("_by_workflow"):
        assert set(KEYS) <= {column for column, _ in view.columns}


@pytest.mark.parametrize("view", views.all_views().values(), ids=lambda view: view.name)
def test_what_a_view_reads_is_all_that_its_text_names(view: View) -> None:
    query = re.sub(r"--.*", "", view.query)
    assert set(re.findall(r"\bsim\.(\w+)", query)) == view.relations
    assert view.relations <= TABLES.keys() | views.all_views().keys()


def test_each_view_is_made_after_those_it_reads() -> None:
    order = [view.name for view in views.by_dependency(views.all_views().values())]
    assert sorted(order) == sorted(views.all_views())
    for view in views.all_views().values():
        assert all(order.index(name) < order.index(view.name) for name in view.relations & views.all_views().keys())


def test_only_names_of_tables_are_rewritten() -> None:
    """A text, a comment and a table of another schema may hold the same letters."""
    sql = "SELECT 'sim.logs' AS \"sim.logs\", l.id FROM sim.logs AS l, other.logs AS o /* sim.logs */"
    found = views.rewritten(sql, "postgres", lambda name: f'"d"."{name}"')
    assert found == sql.replace("FROM sim.logs", 'FROM "d"."logs"')


def test_a_table_that_is_not_there_is_read_as_an_empty_one() -> None:
    sql = "SELECT count(*) AS n FROM sim.logs JOIN sim.cost_items AS c ON c.log_id = logs.id"
    found = views.rewritten(sql, "duckdb", lambda name: name, there=[])
    assert duckdb.sql(found).fetchall() == [(0,)]


@pytest.mark.parametrize("dialect", ["snowflake", "bigquery", "databricks", "redshift"])
def test_views_compile_for_warehouses_that_no_test_can_start(dialect: str) -> None:
    for view in views.all_views().values():
        query = views.rewritten(view.query, dialect, lambda name: f"dataset.{name}", TABLES)
        assert sqlglot.parse_one(query, read=dialect).find(sqlglot.exp.Table), view.name


def test_views_are_described_in_the_warehouse(place: Place) -> None:
    place.fill({})
    dialect = place.pipeline.destination.destination_name
    if dialect == "duckdb":
        columns = "SELECT column_name, comment FROM duckdb_columns() WHERE table_name = 'cost_by_day'"
        view = "SELECT comment FROM duckdb_views() WHERE view_name = 'cost_by_day'"
    else:
        columns = (
            "SELECT attname, col_description(attrelid, attnum) FROM pg_attribute "
            "WHERE attrelid = 'sim.cost_by_day'::regclass AND attnum > 0"
        )
        view = "SELECT obj_description('sim.cost_by_day'::regclass)"
    assert dict(place.ask(columns)) == dict(views.all_views()["cost_by_day"].columns)
    assert place.ask(view)[0][0].startswith("Cost per day; one row per day")


def test_views_that_are_as_they_should_be_are_left_alone(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.fill({})
    monkeypatch.setattr(keep_views, "_at_once", lambda *_: pytest.fail("made again"))
    keep_views.ensure_views(place.pipeline)


def test_a_view_that_is_no_longer_ours_is_dropped_and_somebody_elses_stays(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = views.all_views() | {"old_view": View("old_view", "Once ours", (("one", "1"),), "SELECT 1 AS one")}
    with monkeypatch.context() as patch:
        patch.setattr(keep_views, "all_views", lambda: old)
        place.fill({})
    assert place.ask("SELECT one FROM sim.old_view") == [(1,)]
    _execute(place, "CREATE VIEW sim.theirs AS SELECT 2 AS two")
    keep_views.ensure_views(place.pipeline)
    assert place.ask("SELECT two FROM sim.theirs") == [(2,)]
    assert "old_view" not in _views_of(place)


def test_a_view_of_that_name_that_sim_sync_did_not_make_is_left_as_it_is(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    place.fill({"logs": [run("a", "1")]}, names=("logs",))
    _execute(place, "DROP VIEW sim.latency_by_workflow")
    _execute(place, "CREATE VIEW sim.latency_by_workflow AS SELECT 7 AS mine")
    keep_views.ensure_views(place.pipeline)
    assert place.ask("SELECT mine FROM sim.latency_by_workflow") == [(7,)]
    assert "latency_by_workflow" in caplog.text


def test_a_view_is_renewed_with_other_columns_though_others_of_ours_read_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = dict(views.all_views())
    fewer = [column for column in older["runs"].columns if column[0] != "detail_source"]
    query = f"SELECT {', '.join(name for name, _ in reversed(fewer))} FROM ({older['runs'].query}) AS x"
    older["runs"] = View("runs", "Runs", tuple(reversed(fewer)), query)
    with monkeypatch.context() as patch:
        patch.setattr(keep_views, "all_views", lambda: older)
        place.fill(month())
    keep_views.ensure_views(place.pipeline)
    assert place.ask("SELECT count(*) FROM sim.runs WHERE detail_source IS NULL") == [(6,)]
    assert _views_of(place) == set(views.all_views())


def test_where_somebodys_view_depends_on_one_that_changed_all_stays_and_it_is_said(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if place.pipeline.destination.destination_name == "duckdb":
        pytest.skip("DuckDB lets a view be replaced that another reads")
    older = dict(views.all_views())
    older["runs"] = View("runs", "Runs", (("x", "x"), *older["runs"].columns),
                         older["runs"].query.replace("SELECT\n  l.id,", "SELECT 1 AS x, l.id,", 1))  # fmt: skip
    with monkeypatch.context() as patch:
        patch.setattr(keep_views, "all_views", lambda: older)
        place.fill(month())
    _execute(place, "CREATE VIEW sim.theirs AS SELECT x FROM sim.runs")
    keep_views.ensure_views(place.pipeline)
    assert place.ask("SELECT sum(x) FROM sim.theirs") == [(6,)]
    assert "depends" in caplog.text


def _execute(place: Place, statement: str) -> None:
    with place.pipeline.sql_client() as client:
        client.execute_sql(statement.replace("sim.", f"{client.fully_qualified_dataset_name()}."))


def _views_of(place: Place) -> set[str]:
    with place.pipeline.sql_client() as client:
        rows = client.execute_sql(
            "SELECT table_name FROM information_schema.views WHERE table_schema = %s", client.dataset_name
        )
    return {row[0] for row in rows or []} - {"theirs"}


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, int) or str(value).isdecimal() else value
