"""One row never stops a sync: whatever is wrong with it, it alone is set aside, and the rest is stored."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import dlt
import duckdb
import msgspec
import psycopg2
import pytest
from dlt.destinations.exceptions import DatabaseException, DatabaseTransientException

from pipelines.sim_api import WORKSPACE, World, audit_burst, finished_run, serve, small_world
from pipelines.sim_api.world import plans
from sim_source import jsons, nesting
from sim_source.account_tables import AUDIT_LOGS
from sim_source.api import wire
from sim_source.api.decode import Page
from sim_source.paging.walk_runs import walk_runs
from sim_source.reading.row_checks import without_nul
from sim_source.rows import privacy
from sim_source.run_tables import TRACE_SPANS
from sim_source.stored.rejections import bisected, refused
from sim_source.stored.warehouse import Warehouse, cannot_answer
from tests.helpers.app import App
from tests.helpers.shelf import END, at


def deep(levels: int, opening: bytes = b"[", closing: bytes = b"]") -> msgspec.Raw:
    return msgspec.Raw(opening * levels + b"1" + closing * levels)


DEEP_OBJECT = (b'{"a":', b"}")
ODD: dict[str, tuple[Callable[[World], None], int]] = {
    "text of brackets": (lambda world: fail(world, "[" * 1_000), 0),
    "text of braces": (lambda world: fail(world, '{"a":' * 1_000), 0),
    "deep final output": (lambda world: extra(world, finalOutput=deep(950)), 1),
    "deeper final output": (lambda world: extra(world, finalOutput=deep(100_000)), 1),
    "deep object": (lambda world: extra(world, finalOutput=deep(600, *DEEP_OBJECT)), 1),
    "deep unknown field": (lambda world: extra(world, novelty=deep(2_000)), 1),
    "deep detail": (lambda world: detail(world, novelty=deep(2_000)), 1),
    "no UTF-8": (lambda world: extra(world, novelty=msgspec.Raw(b'"caf\xe9"')), 0),
    "no UTF-8 in the output": (lambda world: extra(world, finalOutput=msgspec.Raw(b'{"a":"\xff\xfe"}')), 0),
    "no UTF-8 in a detail": (lambda world: detail(world, novelty=msgspec.Raw(b'"\xff"')), 0),
    "NUL in an error": (lambda world: fail(world, "broken\0pipe"), 0),
    "NUL in an unknown field": (lambda world: extra(world, novelty={"a\0": "b\0\\u0000"}), 0),
    "a huge number": (lambda world: extra(world, novelty=msgspec.Raw(b"1e200000")), 0),
    "a tiny number": (lambda world: extra(world, novelty=msgspec.Raw(b"[-1.5e-200000]")), 0),
    "an endless integer": (lambda world: extra(world, novelty=msgspec.Raw(b"7" * 10_000)), 1),
    "a cost that is no number": (lambda world: extra(world, cost={"total": "a lot"}), 1),
    "an empty id": (lambda world: extra(world, id=""), 1),
    "an endless id": (lambda world: extra(world, id="q" * 100_000), 1),
    "an empty execution id": (lambda world: extra(world, executionId=""), 0),
}
"""What is done to one run, and how many entries ``rejected_rows`` then has."""
LOST = {"an endless integer", "a cost that is no number", "an empty id", "an endless id"}
"""What cannot be read at all."""


def world_of_many() -> World:
    from datetime import UTC, datetime

    world = small_world(now=datetime.now(UTC))
    for number in range(8):
        finished_run(world, "wf-triage", plans.agent_plan(), started_ms=world.now_ms - (number + 2) * 60_000)
    return world


def odd_run(world: World) -> str:
    return world.runs_of(WORKSPACE)[3].id


def extra(world: World, **fields: Any) -> None:
    world.change_run(odd_run(world), extra=fields)


def detail(world: World, **fields: Any) -> None:
    world.change_run(odd_run(world), more_data=fields)


def fail(world: World, error: str) -> None:
    plan = plans.failing_plan(error)
    world.change_run(odd_run(world), plan=plan, seen=plan, state="failed")


@pytest.mark.parametrize("destination", ["duckdb", "postgres"])
@pytest.mark.parametrize("payloads", ["none", "full"])
@pytest.mark.parametrize("case", ODD)
def test_an_odd_row_is_stored_or_set_aside_and_all_others_are_there(
    app: App,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    case: str,
    payloads: str,
    destination: str,
) -> None:
    change, rejected = ODD[case]
    if destination == "postgres" and payloads == "full" and not case.startswith(("NUL", "deep final", "no UTF-8 in")):
        pytest.skip("the same on PostgreSQL without payloads")
    place: tuple[str, ...] = ()
    if destination == "postgres":
        monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", request.getfixturevalue("postgres"))
        place = ("--destination", "postgres", "--dataset", f"odd_{os.urandom(4).hex()}")
    world = world_of_many()
    change(world)
    with serve(world, "2026-08") as server:
        app.account(server)
        run = ("run", "--json", "--payloads", payloads, *place)
        done = app(*run)
        assert (done.code, done.json["status"], done.json["errors"]) == (0, "ok", []), done.err
        again = app(*run)
    dataset = place[-1] if place else "sim"

    def count(table: str, where: str = "1 = 1", what: str = "*") -> int:
        told = app("sql", *place[:2], "--csv", f"SELECT count({what}) FROM {dataset}.{table} WHERE {where}")
        return int(told.out.splitlines()[-1])

    there = count("logs", f"id = '{odd_run(world)}'")
    assert there == (0 if case in LOST else 1)
    assert count("logs") == 8 - (1 - there)
    if (case, payloads) == ("deep object", "none"):
        rejected = 0  # what is not kept is not read either
    assert count("rejected_rows", what="DISTINCT record_id") == rejected
    assert bool([text for text in done.json["warnings"] if "set aside" in text]) == bool(rejected)
    assert again.json["rows"] == {"usage": 1}
    assert app("check", *(place[:2]), *(("--dataset", dataset) if place else ()), "--data").code == 0


def test_a_deep_snapshot_and_a_deep_audit_log_are_stored_without_what_lies_deep(app: App) -> None:
    world = world_of_many()
    (row,) = audit_burst(world, 1, world.now_ms - 5_000)
    row.metadata = {"deep": deep(3_000)}
    with serve(world, "2026-08") as server:
        app.account(server)
        done = app("run", "--json")
    assert (done.code, done.json["errors"]) == (0, [])
    assert app.rows("SELECT metadata->>'deep' LIKE '%cut: nested too deep%' FROM sim.audit_logs") == [(True,)]
    assert app.rows("SELECT table_name, row_json IS NOT NULL FROM sim.rejected_rows") == [("audit_logs", True)]


@pytest.mark.parametrize("id_", ["..", ".", "/", "a/../b?c=d#e", "%2e%2e", " "])
def test_a_run_whose_id_looks_like_a_path_takes_no_other_run_with_it(app: App, id_: str) -> None:
    world = world_of_many()
    extra(world, id=id_)
    with serve(world, "2026-08") as server:
        app.account(server)
        done = app("run", "--json")
    assert (done.code, done.json["errors"]) == (0, []), done.err
    assert app.rows("SELECT count(*) FROM sim.logs") == [(8,)]
    assert app.rows("SELECT DISTINCT log_id FROM sim.cost_items WHERE kind = 'unknown'") == [(id_,)]
    assert done.json["detail_backlog"] == 0


def test_a_run_that_a_page_shows_twice_is_stored_once_as_it_was_shown_last() -> None:
    rows = [wire.Run(id="a", started_at=at(0), level=level) for level in ("info", "error")]
    (chunk,) = walk_runs(lambda query: Page(rows, None, 10), at(0), END)
    assert [(run.id, run.level) for run in chunk.rows] == [("a", "error")]


@pytest.mark.parametrize("case", ["deep final output", "no UTF-8", "deep detail"])
def test_check_tells_an_estimate_whatever_rows_say(app: App, case: str) -> None:
    world = world_of_many()
    ODD[case][0](world)
    with serve(world, "2026-08") as server:
        app.account(server)
        told = app("check")
    assert (told.code, "Traceback" in told.err) == (0, False)


def test_nothing_private_is_in_what_is_set_aside(app: App) -> None:
    world = world_of_many()
    secret = msgspec.Raw(b'{"apiKey":"sk-planted-secret-0001","say":' + bytes(deep(500)) + b"}")
    extra(world, finalOutput=secret, novelty=secret)
    with serve(world, "2026-08") as server:
        app.account(server)
        app("run")
    told = app.rows("SELECT row_json::VARCHAR FROM sim.rejected_rows")
    assert told
    assert "planted" not in str(told)
    assert "finalOutput" not in str(told)


@pytest.mark.parametrize("levels", [1, 99, 100, 101, 5_000])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), DEEP_OBJECT])
def test_what_lies_deeper_is_cut_and_nothing_else(levels: int, opening: bytes, closing: bytes) -> None:
    body = b'{"a":"]}[{\\"","b":' + bytes(deep(levels, opening, closing)) + b',"c":[1,2]}'
    cut = nesting.cut(body)
    assert (cut == body) == (levels < nesting.DEEPEST)
    found = msgspec.json.decode(cut)
    assert (found["a"], found["c"]) == (']}[{"', [1, 2])


@pytest.mark.parametrize("text", ["[[[", "}}}", '"', '"\\', "", '{"a":"', "]" * 200 + "[" * 200])
def test_what_is_no_json_is_cut_without_a_fault(text: str) -> None:
    nesting.cut(text.encode() * 50)


def test_json_as_text_that_is_nested_too_deep_shows_no_secret() -> None:
    text = '{"apiKey":"plainly","a":' + "[" * 2_000 + '{"password":"hunter2"}' + "]" * 2_000 + "}"
    kept = privacy.text_without_secrets(text)
    assert "hunter2" not in kept
    assert "plainly" not in kept


def test_nul_is_replaced_in_texts_and_in_json_and_an_escaped_backslash_is_none() -> None:
    columns: list[list[Any]] = [[None] * 2_000 for _ in TRACE_SPANS.columns]
    at = TRACE_SPANS.column_names.index
    columns[at("log_id")], columns[at("span_index")] = ["l"] * 2_000, list(range(2_000))
    columns[at("name")][7] = "a\0b"
    columns[at("extra")][1_999] = '{"a":"\\u0000","b":"\\\\u0000"}'
    for rows in (TRACE_SPANS.arrow(columns), TRACE_SPANS.arrow([values[-1:] for values in columns])):
        found = without_nul(TRACE_SPANS, rows)
        assert found["extra"][-1].as_py() == '{"a":"\\ufffd","b":"\\\\u0000"}'
    assert without_nul(TRACE_SPANS, TRACE_SPANS.arrow(columns))["name"][7].as_py() == "a\ufffdb"


def test_numbers_that_hardly_anything_holds_are_texts() -> None:
    told = jsons.anything(b'{"a":1e200000,"b":1.5e300,"c":-1e-200000,"d":12345678901234567890.25}')
    assert jsons.encode(told) == b'{"a":"1e200000","b":1.5E+300,"c":"-1e-200000","d":12345678901234567890.25}'


def test_a_load_that_the_destination_refuses_is_bisected_to_the_row_and_blocks_nothing(
    app: App, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", postgres)
    place = ("--destination", "postgres", "--dataset", "refusing")
    world = world_of_many()
    with serve(world, "2026-08") as server:
        app.account(server)
        assert app("run", *place).code == 0
        with psycopg2.connect(postgres) as connection, connection.cursor() as cursor:
            cursor.execute("ALTER TABLE refusing.logs ADD CHECK (trigger <> 'unforeseen')")
            cursor.execute("ALTER TABLE refusing.trace_spans ADD CHECK (name <> 'Unforeseen')")
        odd = [
            finished_run(world, "wf-triage", plans.agent_plan(), started_ms=world.now_ms - 1_000 + number)
            for number in range(40)
        ]
        world.change_run(odd[17].id, trigger="unforeseen")
        done = app("run", "--json", *place)
        again = app("run", "--json", *place)
    with psycopg2.connect(postgres) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM refusing.logs")
        assert cursor.fetchall() == [(47,)]
        cursor.execute("SELECT table_name, record_id, reason, row_json FROM refusing.rejected_rows")
        assert cursor.fetchall() == [("logs", odd[17].id, "the destination refuses it (CheckViolation)", None)]
    assert (done.code, again.code) == (0, 0), done.err
    assert any("set aside" in text for text in done.json["warnings"])
    checked = app("check", *place, "--data")
    assert checked.code == 0, checked.out


def test_bisecting_finds_every_row_that_is_refused() -> None:
    rows = [(number,) for number in range(1_000)]
    tried: list[int] = []

    def insert(some: Any) -> str | None:
        tried.append(len(some))
        return "Odd" if any(row[0] in (0, 499, 500, 999) for row in some) else None

    assert dict(bisected(insert, rows, 7)) == dict.fromkeys((7, 506, 507, 1_006), "Odd")
    assert len(tried) < 100
    assert list(bisected(lambda some: None, rows)) == []


@pytest.mark.parametrize(
    ("error", "lost"),
    [
        (psycopg2.OperationalError("server closed the connection unexpectedly"), True),
        (psycopg2.errors.AdminShutdown(), True),
        (psycopg2.InterfaceError("connection already closed"), True),
        (duckdb.OutOfMemoryException("out of memory"), True),
        (duckdb.IOException("disk"), True),
        (duckdb.FatalException("database has been invalidated"), True),
        (psycopg2.errors.CheckViolation(), False),
        (psycopg2.errors.NumericValueOutOfRange(), False),
        (duckdb.ConstraintException("check"), False),
        (duckdb.ConversionException("value"), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_database_that_cannot_answer_is_told_from_one_that_refuses(error: Exception, lost: bool) -> None:
    assert cannot_answer(DatabaseTransientException(error)) is lost  # as dlt passes it on
    wrapped = DatabaseTransientException(RuntimeError())
    wrapped.__cause__ = error
    assert cannot_answer(wrapped) is lost


def test_rows_are_not_set_aside_when_the_connection_is_lost_while_they_are_tried(postgres: str, tmp_path: Path) -> None:
    pipeline = dlt.pipeline(
        "trying",
        pipelines_dir=str(tmp_path),
        destination=dlt.destinations.postgres(postgres),
        dataset_name=f"trying_{os.urandom(4).hex()}",
    )
    warehouse = Warehouse(pipeline)
    name = warehouse.client.make_qualified_table_name(AUDIT_LOGS.name)
    columns = ", ".join(f"{column} text" for column in AUDIT_LOGS.column_names)
    with warehouse.client as client:
        client.create_dataset()
        client.execute_sql(f"CREATE TABLE {name} ({columns})")
        client.execute_sql(f"CREATE INDEX ON {name} ({AUDIT_LOGS.column_names[0]})")
    values: list[list[Any]] = [[None] * 9 for _ in AUDIT_LOGS.columns]
    values[0] = [os.urandom(5_000).hex() if n == 3 else f"id-{n}" for n in range(9)]
    rows = AUDIT_LOGS.arrow(values)
    assert refused(warehouse, AUDIT_LOGS, rows) == {3: "ProgramLimitExceeded"}  # the row's fault, too
    with warehouse.client as client:
        execute = client.execute_sql

        def cut(sql: str, *args: Any) -> Any:
            if sql.startswith("INSERT"):
                with psycopg2.connect(postgres) as other, other.cursor() as cursor:
                    other.autocommit = True
                    cursor.execute("SELECT pg_terminate_backend(%s)", (client.native_connection.info.backend_pid,))
            return execute(sql, *args)

        with patch.object(client, "execute_sql", cut), pytest.raises(DatabaseException):
            refused(warehouse, AUDIT_LOGS, rows)
