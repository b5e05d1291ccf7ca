"""What speeds dlt up changes nothing that it does: its configuration, its connections, the memory it leaves."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import dlt
import psycopg2
import pytest
from dlt.common.configuration.utils import get_resolved_traces
from dlt.common.destination import Destination

from pipelines.dlt_internals.resolved_once import resolve_once
from pipelines.dlt_internals.reused_connections import MOST_IDLE, reuse_connections, reused
from pipelines.sim_api import serve
from tests.helpers.app import App
from tests.helpers.fleet import configure, fleet_world


@pytest.fixture
def lab(postgres: str, tmp_path: Path) -> dlt.Pipeline:
    """A pipeline into PostgreSQL whose clients reuse connections."""
    destination = dlt.destinations.postgres(postgres)
    reuse_connections(destination)
    return dlt.pipeline("lab", pipelines_dir=str(tmp_path), destination=destination, dataset_name="lab")


def pid(client: Any) -> int:
    return int(client.execute_sql("SELECT pg_backend_pid()")[0][0])


def pids_of(lab: dlt.Pipeline, count: int) -> list[int]:
    found = []
    for _ in range(count):
        with lab.sql_client() as client:
            found.append(pid(client))
    return found


def test_a_client_takes_the_connection_that_the_last_one_left(lab: dlt.Pipeline) -> None:
    with reused():
        assert len(set(pids_of(lab, 5))) == 1
        with lab.sql_client() as one, lab.sql_client() as other:
            assert pid(one) != pid(other)
        with lab.sql_client() as client:
            left = client.native_connection
        assert not left.closed
    assert left.closed, "nothing stays open after the context"
    assert len(set(pids_of(lab, 3))) == 3, "nothing is kept outside of it"


def test_it_leaves_no_lock_no_setting_and_no_transaction(lab: dlt.Pipeline, postgres: str) -> None:
    with reused():
        with lab.sql_client() as client:
            left = pid(client)
            client.execute_sql("SELECT pg_advisory_lock(7)")
            client.execute_sql("SET statement_timeout = 1234")
        with closing(psycopg2.connect(postgres)) as other, other.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(7)")
            assert cursor.fetchone() == (True,)
        with lab.sql_client() as client:
            assert pid(client) == left
            assert client.execute_sql("SHOW statement_timeout") == [("0",)]
            assert client.execute_sql("SHOW search_path") == [('"lab",public',)]
            client.native_connection.autocommit = False
            client.execute_sql("CREATE TEMP TABLE t (n int)")
        with lab.sql_client() as client:
            assert pid(client) != left, "a connection within a transaction is closed"


def test_a_connection_that_the_server_has_closed_is_not_used(lab: dlt.Pipeline, postgres: str) -> None:
    with reused():
        (before,) = pids_of(lab, 1)
        with closing(psycopg2.connect(postgres)) as other, other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", (before,))
            assert cursor.fetchone() == (True,)
        (after,) = pids_of(lab, 1)
    assert after != before


def test_a_connection_that_died_in_use_is_closed_without_a_word(lab: dlt.Pipeline, postgres: str) -> None:
    with reused():
        with lab.sql_client() as client, closing(psycopg2.connect(postgres)) as other, other.cursor() as cursor:
            died = pid(client)
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", (died,))
        (after,) = pids_of(lab, 1)
    assert after != died


def test_only_a_few_are_kept(lab: dlt.Pipeline) -> None:
    with reused():
        many = [lab.sql_client() for _ in range(2 * MOST_IDLE)]
        opened = {pid(client.__enter__()) for client in many}
        for client in many:
            client.__exit__(None, None, None)
        with lab.sql_client() as first:
            others = [lab.sql_client() for _ in range(2 * MOST_IDLE)]
            again = {pid(first), *(pid(client.__enter__()) for client in others)}
            for client in others:
                client.__exit__(None, None, None)
    assert len(opened) == 2 * MOST_IDLE
    assert len(opened & again) == MOST_IDLE


def test_other_destinations_are_left_alone() -> None:
    destination = dlt.destinations.duckdb(":memory:")
    create = destination.client
    reuse_connections(destination)
    assert destination.client == create


def test_what_is_resolved_once_equals_what_dlt_resolves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", "postgresql://u:p@host/db")
    monkeypatch.setenv("DESTINATION__POSTGRES__CREATE_INDEXES", "false")
    plain, once = (Destination.from_reference("postgres") for _ in range(2))
    assert plain is not None
    assert once is not None
    resolve_once(once)

    def config(destination: Any, dataset: str) -> Any:
        initial = destination.spec()
        initial._bind_dataset_name(dataset)
        return destination.configuration(initial)

    first, second, other = config(once, "one"), config(once, "one"), config(once, "two")
    assert dict(first) == dict(second) == dict(config(plain, "one"))
    assert dict(other) == dict(config(plain, "two"))
    assert first is not second
    made_anew = {"loader_file_format_selector"}  # a partial: equal to itself only
    described, expected = (
        {name: value for name, value in each.capabilities().items() if name not in made_anew} for each in (once, plain)
    )
    assert described == expected
    once.capabilities().preferred_loader_file_format = "model"
    assert once.capabilities().preferred_loader_file_format == plain.capabilities().preferred_loader_file_format
    looked_up = len(get_resolved_traces().all_traces)
    config(once, "one"), once.capabilities()
    assert len(get_resolved_traces().all_traces) == looked_up


def test_accounts_leave_no_log_of_lookups_behind(app: App) -> None:
    with serve(fleet_world(2, 3), "2026-08") as server:
        configure(app.folder, server.base_url, 2)
        assert app("run").code == 0
        get_resolved_traces().clear()
        assert app("run").code == 0
    assert get_resolved_traces().all_traces == []


ARENAS = """
import ctypes, io, sys, tempfile, threading
from sim_source.parallel.few_arenas import use_few_arenas
if sys.argv[1:]:
    use_few_arenas()
gate = threading.Barrier(12)
def work():
    libc.malloc.restype = ctypes.c_void_p
    libc.malloc(4_000)
    gate.wait()
libc = ctypes.CDLL(None)
threads = [threading.Thread(target=work) for _ in range(12)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
libc.fopen.restype = ctypes.c_void_p
libc.fopen.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
libc.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
libc.fclose.argtypes = [ctypes.c_void_p]
with tempfile.NamedTemporaryFile() as file:
    stream = libc.fopen(file.name.encode(), b"w")
    libc.malloc_info(0, stream)
    libc.fclose(stream)
    print(open(file.name).read().count("<heap nr="))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc has arenas")
def test_threads_share_a_few_arenas() -> None:
    def arenas(*args: str) -> int:
        done = subprocess.run([sys.executable, "-c", ARENAS, *args], capture_output=True, text=True, check=True)
        return int(done.stdout)

    assert arenas("few") <= 2 < arenas()
