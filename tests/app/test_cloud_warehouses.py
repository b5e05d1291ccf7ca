"""What would run on warehouses that no test can start: it is compiled, read by a person, and compared ever after.

Nothing here was run on a real Snowflake, BigQuery, Databricks, Redshift or ClickHouse.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from pipelines import views
from pipelines.destination import keep_views
from pipelines.destination.view_sql import VIEW_SQL
from pipelines.views import View
from pipelines.views.cloud_dialects import FORMS
from sim_source import TABLES
from sim_source.run_tables import LOGS
from sim_source.schema import TAKES_OBJECTS
from tests.helpers.golden import GOLDEN, destinations
from tests.helpers.tables import Place, at

OF_ALL = {
    "ABS", "AVG", "CAST", "CEIL", "COALESCE", "COUNT", "DENSE_RANK", "LAG", "LEFT", "LN", "LOWER", "MAX", "MD5", "MIN",
    "NULLIF", "REPLACE", "ROUND", "ROW_NUMBER", "SQRT", "SUBSTRING", "SUM", "UPPER",
}  # fmt: skip
"""Functions that all dialects document, with the same results."""
FUNCTIONS = {
    "snowflake": {
        "CONVERT_TIMEZONE", "DATEADD", "DATEDIFF", "DATE_PART", "DATE_TRUNC", "DECIMAL", "GET_PATH",
        "GREATEST_IGNORE_NULLS", "LEAST_IGNORE_NULLS", "PARSE_JSON", "REGEXP_LIKE", "TO_CHAR", "TO_JSON", "TO_VARIANT",
        "VARIANCE_POP",
    },
    "bigquery": {
        "DATETIME", "DATETIME_TRUNC", "DATE_DIFF", "GREATEST", "INTERVAL", "JSON_VALUE", "LEAST", "REGEXP_CONTAINS",
        "TIMESTAMP", "TIMESTAMP_ADD", "TO_HEX", "TO_JSON_STRING", "UNIX_MICROS", "VAR_POP",
    },
    "databricks": {
        "ARRAY", "CONVERT_TIMEZONE", "CURRENT_TIMEZONE", "DATEDIFF", "DATE_ADD", "DATE_TRUNC", "DECIMAL",
        "GET_JSON_OBJECT", "GREATEST", "LEAST", "LENGTH", "REGEXP_LIKE", "TO_JSON", "UNIX_MICROS", "VAR_POP",
    },
    "redshift": {
        "ARRAY", "DATEADD", "DATEDIFF", "DATE_TRUNC", "DECIMAL", "EXTRACT", "GREATEST", "JSON_EXTRACT_PATH_TEXT",
        "JSON_SERIALIZE", "JSON_TYPEOF", "LEAST", "VARCHAR", "VAR_POP",
    },
    "clickhouse": {
        "ADDSECONDS", "DATETRUNC", "DATE_DIFF", "DECIMAL", "GREATEST", "HEX", "JSONEXTRACTSTRING", "LEAST", "MATCH",
        "NULLABLE", "PARSEDATETIME64BESTEFFORTORNULL", "TODATETIME64", "TOJSONSTRING", "TOUNIXTIMESTAMP64MICRO",
        "VARPOP",
    },
}  # fmt: skip
"""Further functions and types that the SQL reference of a warehouse documents. Add one only after reading about it."""
_NO_FUNCTIONS = {
    "AND", "AS", "BY", "CASE", "ELSE", "FROM", "IN", "IS", "JOIN", "NOT", "ON", "OR", "OVER", "SELECT", "THEN", "WHEN",
    "WHERE",
}  # fmt: skip
LACKING: dict[str, tuple[type[exp.Expression], ...]] = {
    dialect: (exp.Filter, exp.WithinGroup, exp.PercentileCont, exp.ApproxQuantile, exp.Quantile, exp.Values, *more)
    for dialect, more in {
        "snowflake": (),
        "bigquery": (),
        "databricks": (),
        "redshift": (exp.NullSafeEQ, exp.NullSafeNEQ, exp.Qualify),
        "clickhouse": (),
    }.items()
}
"""Constructs that the dialect does not have, or in which dialects differ; sqlglot writes them all the same."""
EACH = [(dialect, view) for dialect in FORMS for view in views.all_views()]


def query(dialect: str, view: str) -> str:
    """The SELECT of a view, from its golden file."""
    text = (GOLDEN / dialect / "views" / f"{view}.sql").read_text("utf-8")
    return re.split(r"\bAS (?=SELECT\b|WITH\b)", text, maxsplit=1)[1].partition("\nCOMMENT ")[0].partition(";\n")[0]


def test_what_is_compiled_is_what_was_read(tmp_path: Path) -> None:
    """If this fails: ``python -m tests.helpers.golden``, then read the difference against the warehouse's reference."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    told = subprocess.run(
        [sys.executable, "-m", "tests.helpers.golden", str(tmp_path)],
        env=environment, cwd=GOLDEN.parents[1], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    compiled, read = _texts(tmp_path), _texts(GOLDEN)
    assert set(compiled) == set(read), "run `python -m tests.helpers.golden`, and remove files that it does not write"
    changed = sorted(name for name in read if compiled[name] != read[name])
    assert changed == [], "run `python -m tests.helpers.golden` and read what `git diff tests/golden` shows"


def test_every_warehouse_gets_every_view() -> None:
    assert set(FORMS) == set(FUNCTIONS) == set(destinations())
    for dialect in FORMS:
        assert {file.stem for file in (GOLDEN / dialect / "views").iterdir()} == set(views.all_views())


@pytest.mark.parametrize(("dialect", "view"), EACH, ids=[f"{dialect}-{view}" for dialect, view in EACH])
def test_a_view_uses_only_what_its_dialect_has(dialect: str, view: str) -> None:
    sql = query(dialect, view)
    tree = sqlglot.parse_one(sql, read=dialect)
    assert [node.sql(dialect) for node in tree.find_all(*LACKING[dialect])] == []
    assert not any(select.args.get("windows") for select in tree.find_all(exp.Select)), "no named windows everywhere"
    assert all(join.args.get("on") is None or join.args["on"].find(exp.EQ) for join in tree.find_all(exp.Join))
    epochs = [node for node in tree.find_all(exp.Extract) if node.name.upper() == "EPOCH"]
    assert dialect == "redshift" or not epochs
    text = re.sub(r"'(?:[^'\\]|''|\\.)*'", "''", sql)
    called = {name.upper() for name in re.findall(r"(?<![`\"\w.])([A-Za-z_]\w*)\s*\(", text)} - _NO_FUNCTIONS
    assert called <= OF_ALL | FUNCTIONS[dialect]


def test_dlt_splits_no_statement_of_clickhouse() -> None:
    """It does at every semicolon, even in a comment."""
    for view in views.all_views():
        text = (GOLDEN / "clickhouse" / "views" / f"{view}.sql").read_text("utf-8")
        assert text.count(";") == 1, view


@pytest.mark.parametrize("dialect", FORMS)
def test_money_has_12_digits_in_every_table(dialect: str) -> None:
    text = (GOLDEN / dialect / "tables.sql").read_text("utf-8")
    columns = [column.name for table in TABLES.values() for column in table.columns if column.kind == "money"]
    money = re.findall(rf"[\"`](?:{'|'.join(sorted(set(columns)))})[\"`] +(\S+)", text, re.IGNORECASE)
    assert len(money) == len(columns)
    assert {re.sub(r".*\((38, ?12)\).*", r"\1", kind).replace(" ", "") for kind in money} == {"38,12"}


@pytest.mark.parametrize("dialect", FORMS)
@pytest.mark.parametrize("table", ["cost_items", "trace_spans"])
def test_the_children_of_a_run_are_replaced_as_one(dialect: str, table: str) -> None:
    text = (GOLDEN / dialect / "merge" / f"{table}.sql").read_text("utf-8").lower()
    by_run = [
        line
        for line in text.splitlines()
        if line.startswith("delete") and "log_id" in line and not re.search(r"span_index|\bkind\b", line)
    ]
    either_key = [line for line in text.splitlines() if line.startswith("delete") and " or " in line]
    assert by_run or either_key
    assert "insert into" in text


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=60))
def test_percentiles_are_those_of_quantile_cont_to_the_last_bit(durations: list[int]) -> None:
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE SCHEMA sim; CREATE TABLE sim.runs AS SELECT DATE '2026-11-02' AS day, 'ws' AS workspace_id, "
            "NULL AS workflow_id, 'w' AS workflow_name, 'api' AS trigger, 'completed' AS status, "
            "unnest(?::BIGINT[]) AS total_duration_ms",
            [durations],
        )
        columns = "p50_ms, p95_ms, p99_ms"
        found = connection.sql(f"SELECT {columns} FROM ({views.all_views()['latency_by_workflow'].query})").fetchall()
        exact = connection.sql("SELECT quantile_cont(total_duration_ms, [0.5, 0.95, 0.99]) FROM sim.runs").fetchall()
    assert [list(row) for row in found] == [row[0] for row in exact]


def test_one_view_that_a_warehouse_rejects_does_not_keep_the_others_from_being_made(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    name = place.pipeline.destination.destination_name
    known = VIEW_SQL[name]
    monkeypatch.setitem(keep_views.VIEW_SQL, name, type(known)(known.listing, known.creating, known.takes_name))
    bad = View("a_bad_one", "Bad", (("x", "x"),), "SELECT no_such_column AS x FROM sim.logs")
    monkeypatch.setattr(keep_views, "all_views", lambda: views.all_views() | {bad.name: bad})
    place.fill({"logs": [{"id": "a", "started_at": at("2026-11-02")}]})
    assert place.ask("SELECT id FROM sim.runs") == [("a",)]
    assert "a_bad_one" in caplog.text
    assert "tries this one again" in caplog.text


@pytest.mark.parametrize("name", FORMS)
def test_a_table_without_rows_has_all_columns_of_one_with_rows(name: str) -> None:
    """Not all warehouses can add dlt's own columns, which are not null, to a table."""
    (item,) = LOGS.items(LOGS.empty(), name)
    own = {"_dlt_load_id", "_dlt_id"} if name in TAKES_OBJECTS else set()
    assert set(item.column_names) == {*LOGS.column_names, *own}


def _texts(folder: Path) -> dict[str, str]:
    return {str(file.relative_to(folder)): file.read_text("utf-8") for file in sorted(folder.rglob("*.sql"))}
