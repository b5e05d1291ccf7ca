"""PostgreSQL as a DBA runs it: indexes, unlogged staging, few rights, timeouts, connections that are cut."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import dlt
import psycopg2
import pytest

from pipelines.destination.file_lock import TryLater
from pipelines.destination.server_locks import ServerLocks
from pipelines.destination.target import Target
from pipelines.sim_api import serve
from pipelines.views import all_views
from sim_source import TABLES
from tests.helpers.app import App
from tests.helpers.fleet import Truth, configure, fleet_world
from tests.helpers.postgres import newest_binaries, skip_reason, throwaway_postgres


@pytest.fixture(scope="module", params=["installed", "newest"])
def postgres(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a PostgreSQL: the one of the system (or POSTGRES_BIN), then the newest."""
    reason = skip_reason()
    if reason is not None:
        pytest.skip(reason)
    with throwaway_postgres(newest_binaries() if request.param == "newest" else None) as url:
        yield url


TO_POSTGRES = ("--destination", "postgres", "--dataset")


def ask(url: str, sql: str, *args: Any) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(sql, args or None)
        return cursor.fetchall() if cursor.description else []


def as_role(url: str, role: str) -> str:
    return url.replace("//sim:sim@", f"//{role}:{role}@")


def assert_runs(url: str, dataset: str, truth: Truth) -> None:
    found = ask(url, f"SELECT workspace_id, count(*), count(DISTINCT id) FROM {dataset}.logs GROUP BY 1")
    assert {id_: (n, d) for id_, n, d in found} == {id_: (n, n) for id_, n in truth.runs.items()}
    assert dict(ask(url, f"SELECT workspace_id, sum(total_cost) FROM {dataset}.cost_items GROUP BY 1")) == truth.costs


def test_everything_works_on_this_version(postgres: str, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two writers, then the commands that read; the rules of `check --data` hold."""
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", postgres)
    world = fleet_world(3, 30)
    with serve(world, "2026-08", v2="on") as server:
        configure(app.folder, server.base_url, 3)
        first = app("run", *TO_POSTGRES, "whole", "--processes", "2", "--json")
        assert first.code == 0, first.err
        assert app("run", *TO_POSTGRES, "whole", "--json").json["status"] == "ok"
    assert_runs(postgres, "whole", Truth.of(world))
    checked = app("check", "--data", *TO_POSTGRES, "whole")
    assert checked.code == 0, checked.out
    assert app("report", *TO_POSTGRES, "whole", "--json").code == 0
    assert app("maintain", *TO_POSTGRES, "whole").code == 0
    views = {row[0] for row in ask(postgres, "SELECT viewname FROM pg_views WHERE schemaname = 'whole'")}
    assert views == set(all_views())
    described = ask(
        postgres,
        "SELECT count(*) FROM pg_description d JOIN pg_class c ON c.oid = d.objoid "
        "WHERE c.relnamespace = 'whole'::regnamespace AND c.relkind = 'v' AND d.objsubid = 0",
    )
    assert described == [(len(views),)]


def test_keys_are_indexed_and_staging_tables_are_unlogged(
    postgres: str, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", postgres)
    world = fleet_world(2, 20)
    with serve(world, "2026-08") as server:
        configure(app.folder, server.base_url, 2)
        assert app("run", *TO_POSTGRES, "indexed", "--processes", "2").code == 0
    defined = {row[0] for row in ask(postgres, "SELECT indexdef FROM pg_indexes WHERE schemaname = 'indexed'")}
    for table in TABLES.values():
        wanted = f"ON indexed.{table.name} USING btree ({', '.join(table.key)})"
        assert any(wanted in each for each in defined), table.name
    assert any("ON indexed.logs USING btree (workspace_id, started_at)" in each for each in defined)
    persistence = ask(
        postgres,
        "SELECT n.nspname, c.relname, c.relpersistence FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname LIKE 'indexed%%' AND c.relkind = 'r' AND c.relname IN ('logs', 'trace_spans', 'cost_items')",
    )
    assert {(schema, kind) for schema, _, kind in persistence} == {
        ("indexed", "p"), ("indexed_staging", "u"), ("indexed_staging_w1", "u"),
    }  # fmt: skip
    assert len(persistence) == 9


def test_a_user_who_may_create_no_schema_is_told_what_to_grant(
    postgres: str, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(postgres, "CREATE ROLE poor LOGIN PASSWORD 'poor'")
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", as_role(postgres, "poor"))
    with serve(fleet_world(1, 5), "2026-08") as server:
        configure(app.folder, server.base_url, 1)
        refused = app("run", *TO_POSTGRES, "granted", "--json")
        assert (refused.code, 'GRANT CREATE ON DATABASE "postgres" TO "poor"' in refused.err) == (2, True), refused.err
        assert [request.path for request in server.requests] == []
        checked = app("check", "--destination", "postgres", "--dataset", "granted")
        assert (checked.code, "may not create tables in granted" in checked.out) == (2, True), checked.out
        ask(postgres, "GRANT CREATE ON DATABASE postgres TO poor")
        assert app("run", *TO_POSTGRES, "granted").code == 0
    assert ask(postgres, "SELECT count(*) FROM granted.logs") == [(5,)]


def test_a_statement_timeout_is_named_and_nothing_is_lost(
    postgres: str, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(postgres, "CREATE ROLE hasty LOGIN SUPERUSER PASSWORD 'hasty'")
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", as_role(postgres, "hasty"))
    monkeypatch.setenv("LOAD__RAISE_ON_MAX_RETRIES", "1")
    world = fleet_world(1, 20)
    with serve(world, "2026-08") as server:
        configure(app.folder, server.base_url, 1)
        assert app("run", *TO_POSTGRES, "hurried", "--resources", "workflows").code == 0
        with closing(psycopg2.connect(postgres)) as other, other.cursor() as cursor:
            cursor.execute("ALTER ROLE hasty SET statement_timeout = '2s'")
            other.commit()
            cursor.execute("LOCK TABLE hurried.workflows IN ACCESS EXCLUSIVE MODE")
            done = app("run", *TO_POSTGRES, "hurried")
        assert (done.code, "statement_timeout" in done.err) == (1, True), done.err
        assert app("run", *TO_POSTGRES, "hurried").code == 0
    assert_runs(postgres, "hurried", Truth.of(world))


@contextmanager
def cutting(url: str) -> Iterator[list[int]]:
    """Terminates every other connection again and again; yields how many."""
    ended, stop = [0], threading.Event()

    def cut() -> None:
        while not stop.wait(0.05):
            found = ask(
                url,
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND datname = current_database()",
            )
            ended[0] += found[0][0]
            if ended[0] >= 20:
                return

    thread = threading.Thread(target=cut)
    thread.start()
    try:
        yield ended
    finally:
        stop.set()
        thread.join()


def test_connections_that_are_cut_lose_and_double_nothing(
    postgres: str, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", postgres)
    world = fleet_world(1, 200)
    with serve(world, "2026-08") as server:
        configure(app.folder, server.base_url, 1)
        with cutting(postgres) as ended:
            codes = [app("run", *TO_POSTGRES, "cut_off").code for _ in range(3)]
        assert ended[0] > 0
        assert set(codes) <= {0, 1, 2, 75}
        last = app("run", *TO_POSTGRES, "cut_off")
        assert last.code == 0, last.err
    assert_runs(postgres, "cut_off", Truth.of(world))


@pytest.mark.parametrize(
    ("credentials", "said"),
    [
        ("postgresql://sim:sim@127.0.0.1:9/postgres", "nothing listens"),
        ("postgresql://sim:sim@no-such-host.invalid:5432/postgres", "does not resolve"),
        ("{url}_missing", "no such database"),
        ("{role}", "does not know this user"),
    ],
)
def test_why_a_connection_fails_is_said_in_plain_words(
    postgres: str, app: App, monkeypatch: pytest.MonkeyPatch, credentials: str, said: str
) -> None:
    url = credentials.format(url=postgres, role=as_role(postgres, "nobody_known"))
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", url)
    with serve(fleet_world(1, 1), "2026-08") as server:
        configure(app.folder, server.base_url, 1)
        done = app("run", *TO_POSTGRES, "unreached")
    assert (done.code, said in done.err) == (2, True), done.err


def test_a_user_without_a_free_connection_is_told_so(postgres: str, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(postgres, "CREATE ROLE crowded LOGIN PASSWORD 'crowded' CONNECTION LIMIT 0")
    ask(postgres, "GRANT CREATE ON DATABASE postgres TO crowded")
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", as_role(postgres, "crowded"))
    with serve(fleet_world(1, 3), "2026-08") as server:
        configure(app.folder, server.base_url, 1)
        full = app("run", *TO_POSTGRES, "crowd")
    assert (full.code, "no connection left, or its user has none" in full.err) == (75, True), full.err


def test_tables_of_somebody_else_are_not_called_vacuumed(
    postgres: str, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", postgres)
    with serve(fleet_world(1, 3), "2026-08") as server:
        configure(app.folder, server.base_url, 1)
        assert app("run", *TO_POSTGRES, "owned").code == 0
    ask(postgres, "CREATE ROLE guest LOGIN PASSWORD 'guest'")
    ask(postgres, "GRANT USAGE ON SCHEMA owned TO guest")
    ask(postgres, "GRANT SELECT ON ALL TABLES IN SCHEMA owned TO guest")
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", as_role(postgres, "guest"))
    refused = app("maintain", *TO_POSTGRES, "owned")
    assert (refused.code, "owns none of the tables" in refused.err) == (2, True), refused.err
    ask(postgres, "ALTER TABLE owned.logs OWNER TO guest")
    some = app("maintain", *TO_POSTGRES, "owned")
    assert (some.code, "vacuumed and analyzed 1 tables" in some.out + some.err) == (0, True), some.err
    assert "that the user does not own" in some.out + some.err


def test_locks_of_a_connection_that_is_lost_are_given_back_without_a_word(postgres: str, tmp_path: Path) -> None:
    target = Target("postgres", "lost")
    made = dlt.pipeline(
        "lost", pipelines_dir=str(tmp_path), destination=dlt.destinations.postgres(postgres), dataset_name="lost"
    )
    with ServerLocks(target, made) as locks:
        assert locks.take("one")
        with locks.alone():
            ask(
                postgres,
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'",
            )
        assert locks.restored_without() == []
        with locks.alone():
            locks._client.close_connection()
        locks._pipeline = dlt.pipeline(
            "gone",
            pipelines_dir=str(tmp_path),
            destination=dlt.destinations.postgres("postgresql://sim:sim@127.0.0.1:1/postgres"),
            dataset_name="lost",
        )
        locks._client.open_connection()
        locks._client.native_connection.close()
        with pytest.raises(TryLater, match=r"was lost: .* nothing listens at its host and port"):
            locks.restored_without()
        locks.give_back("one")
