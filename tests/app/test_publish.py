"""A DuckDB file is published in one step: readers see a whole sync or none, and answers come while a sync works."""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from bench.publish import soak
from pipelines.commands.piece_loader import PieceLoader
from pipelines.destination import publishing
from pipelines.sim_api import SimServer, World, many_runs
from tests.helpers import child
from tests.helpers.app import App

FILE = "published.duckdb"
SUMS = "SELECT count(*), sum(cost_total), (SELECT sum(total_cost) FROM sim.cost_items) FROM sim.logs"
HOLDS = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""
KILL = "import os, signal, subprocess; from pipelines.destination import publishing as p\n"
DIES = "os.kill(os.getpid(), signal.SIGKILL)"
KILLS = {
    "before the copy": f"p._copy = lambda *_: {DIES}",
    "in the middle of the copy": f"p._copy = lambda a, b: (b.write_bytes(a.read_bytes()[:100_000]), {DIES})",
    "after the copy": f"p._check = lambda *_: {DIES}",
    "while the copy is compacted": f"p._compact = lambda *_: {DIES}",
    "after the record": f"r = os.replace; os.replace = lambda a, b: {DIES} if b.suffix == '.duckdb' else r(a, b)",
    "after the replacement": f"r = os.replace; os.replace = lambda a, b: (r(a, b), b.suffix == '.duckdb' and {DIES})",
}
"""What the process does at the point at which it is killed."""


@contextmanager
def held(file: Path) -> Iterator[int]:
    """Another process has the database open, as a sync has; yields its PID."""
    command = [sys.executable, "-c", HOLDS, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == "held"
        yield holder.pid
        holder.communicate()


def left_over(folder: Path) -> list[str]:
    """Temporary folders of publications."""
    return [found.name for found in folder.iterdir() if found.name.startswith(f".{FILE}.")]


def later_runs(world: World) -> None:
    """Five runs more, of a moment later."""
    world.now_ms = int(datetime.now(UTC).timestamp() * 1000)
    many_runs(5, world=world)


@pytest.fixture
def loaded(app: App, server: SimServer) -> App:
    """A folder whose database was synced and published."""
    app.account(server)
    done = app("run", "--publish", FILE)
    assert (done.code, f"published {app.folder / FILE}" in done.err) == (0, True), done.err
    return app


def test_a_sync_publishes_what_it_loaded_with_views_and_comments_for_readers_only(loaded: App) -> None:
    for sql in (
        SUMS,
        "SELECT * FROM sim.cost_by_model ORDER BY ALL",
        "SELECT table_name, column_name, comment, is_nullable FROM duckdb_columns() WHERE NOT internal ORDER BY ALL",
        "SELECT view_name, comment FROM duckdb_views() WHERE NOT internal ORDER BY ALL",
    ):
        assert loaded.rows(sql, FILE) == loaded.rows(sql) != []
    umask = os.umask(0o022)
    os.umask(umask)
    assert stat.S_IMODE((loaded.folder / FILE).stat().st_mode) == 0o444 & ~umask
    assert (loaded.folder / "sim_sync.duckdb").stat().st_mode & stat.S_IWUSR
    assert left_over(loaded.folder) == []


def test_what_was_not_changed_is_not_written_again(loaded: App, world: World) -> None:
    before = (loaded.folder / FILE).stat()
    again = loaded("publish", FILE, "--json")
    assert (again.code, again.json["written"]) == (0, False)
    assert "nothing was loaded since" in again.err
    after = (loaded.folder / FILE).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    later_runs(world)
    assert loaded("run").code == 0
    changed = loaded("publish", FILE, "--json")
    assert (changed.code, changed.json["written"]) == (0, True)
    assert (loaded.folder / FILE).stat().st_ino != before.st_ino
    assert loaded.rows(SUMS, FILE) == loaded.rows(SUMS)


def test_a_compact_copy_is_as_complete_and_an_ordinary_sync_without_new_rows_leaves_it(loaded: App) -> None:
    with duckdb.connect("sim_sync.duckdb") as connection:  # free space
        connection.execute("CREATE TABLE sim.mine AS SELECT range AS n FROM range(300000)")
        connection.execute("DROP TABLE sim.mine")
    done = loaded("publish", FILE, "--compact", "--json")
    assert (done.code, done.json["written"]) == (0, True)
    assert (loaded.folder / FILE).stat().st_size < (loaded.folder / "sim_sync.duckdb").stat().st_size
    assert loaded.rows(SUMS, FILE) == loaded.rows(SUMS)
    assert loaded.rows("FROM sim.runs", FILE) != []
    assert loaded("publish", FILE, "--json").json["written"] is False


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("sim_sync.duckdb", "is the database itself"),
        ("SIM_SYNC.duckdb", "is the database itself"),
        ("linked.duckdb", "is the database itself"),
        ("hard.duckdb", "is the database itself"),
        ("sim.duckdb", "ambiguous"),
        ("missing/published.duckdb", "does not exist"),
        ("folder.duckdb", "is a folder"),
        ("folder", "not a .duckdb file"),
        ("s3://bucket/published.duckdb", "not a .duckdb file"),
        ("another.duckdb", "is not a copy of"),
    ],
)
def test_a_file_that_cannot_be_published_to_is_refused_before_the_first_request(
    app: App, server: SimServer, given: str, said: str
) -> None:
    app.account(server)
    assert app("run").code == 0
    (app.folder / "folder.duckdb").mkdir()
    (app.folder / "linked.duckdb").symlink_to("sim_sync.duckdb")
    (app.folder / "hard.duckdb").hardlink_to(app.folder / "sim_sync.duckdb")
    with duckdb.connect("another.duckdb") as connection:
        connection.execute("CREATE TABLE precious AS SELECT 1 AS n")
    asked = server.count()
    for command in (["run", "--publish", given, "--json"], ["publish", given, "--json"]):
        done = app(*command)
        assert (done.code, said in done.err, done.json["status"]) == (2, True, "failed"), done.err
    assert server.count() == asked
    assert app.rows("FROM precious", "another.duckdb") == [(1,)]
    assert app.rows("SELECT count(*) FROM sim.logs") != [(0,)]


def test_what_another_database_published_is_not_replaced(loaded: App) -> None:
    before = (loaded.folder / FILE).read_bytes()
    done = loaded("run", "--database", "second.duckdb", "--publish", FILE)
    assert (done.code, "is not a copy of" in done.err) == (2, True), done.err
    assert (loaded.folder / FILE).read_bytes() == before


def test_what_took_the_place_of_the_published_file_is_not_replaced(loaded: App) -> None:
    """A database of somebody, under the name of a copy that was deleted."""
    (loaded.folder / FILE).unlink()
    with duckdb.connect(FILE) as precious:
        precious.execute("CREATE TABLE precious AS SELECT 1 AS n")
    for command in (["publish", FILE], ["run", "--publish", FILE]):
        done = loaded(*command)
        assert (done.code, "is not a copy of" in done.err) == (2, True), done.err
        assert loaded.rows("FROM precious", FILE) == [(1,)]
    (loaded.folder / FILE).write_bytes(b"garbage")
    assert loaded("publish", FILE).code == 2
    assert (loaded.folder / FILE).read_bytes() == b"garbage"


def test_only_a_duckdb_file_is_published(app: App, server: SimServer) -> None:
    app.account(server)
    done = app("run", "--destination", "postgres", "--publish", FILE)
    assert (done.code, "only a DuckDB file can be published" in done.err) == (2, True), done.err
    assert server.count() == 0


def test_nothing_synced_is_nothing_to_publish(app: App) -> None:
    done = app("publish", FILE)
    assert (done.code, "does not exist" in done.err) == (2, True), done.err
    assert list(app.folder.glob("*.duckdb")) == []


def test_while_the_database_is_held_the_published_file_answers_and_says_as_of_when(loaded: App) -> None:
    ((last,),) = loaded.rows("SELECT max(inserted_at) FROM sim._dlt_loads")
    runs = loaded.rows("SELECT count(*) FROM sim.logs")[0][0]
    question = "SELECT count(*) AS n FROM sim.logs"
    assert loaded("status", "--json").json["as_of"] is None
    with held(loaded.folder / "sim_sync.duckdb") as pid:
        for command in (["status"], ["report"], ["check", "--data"]):
            done = loaded(*command, "--json")
            assert done.code == 0, done.err
            assert datetime.fromisoformat(done.json["as_of"]) == last
            assert f"PID {pid}" in done.err
        done = loaded("sql", "--json", question)
        assert (done.code, json.loads(done.out)) == (0, [{"n": runs}])
        assert done.err.count("as of 20") == 1
        page = loaded("report", "--html", "report.html")
        assert (page.code, page.err.count("as of 20")) == (0, 1)
        (loaded.folder / FILE).unlink()
        assert loaded("sql", question).code == 75
    after = loaded("sql", question)
    assert (after.code, "as of" in after.err) == (0, False)


def test_a_file_that_took_the_place_of_the_published_one_does_not_answer(loaded: App) -> None:
    assert loaded("run", "--database", "second.duckdb").code == 0
    (loaded.folder / FILE).unlink()
    shutil.copy("second.duckdb", FILE)
    with held(loaded.folder / "sim_sync.duckdb"):
        assert loaded("sql", "SELECT 1").code == 75


def folder_gone(_: PieceLoader) -> None:
    shutil.rmtree("shelf")


def test_a_publication_that_fails_is_an_error_and_the_rows_are_kept(
    app: App, server: SimServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.account(server)
    (app.folder / "shelf").mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(PieceLoader, "describe", folder_gone)
        done = app("run", "--publish", f"shelf/{FILE}", "--json")
    assert (done.code, done.json["status"]) == (1, "partial")
    (entry,) = done.json["errors"]
    assert entry["resource"] == "publish"
    assert "No such file or directory" in entry["message"]
    assert f"error: publish: cannot publish {app.folder / 'sim_sync.duckdb'}" in done.err
    assert app.rows("SELECT count(*) > 0 FROM sim.logs") == [(True,)]


def test_a_full_disk_leaves_what_was_published(loaded: App, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (loaded.folder / FILE).read_bytes()
    later_runs(world)
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    monkeypatch.setattr(publishing, "_to_disk", lambda _: (_ for _ in ()).throw(full))
    done = loaded("run", "--publish", FILE, "--json")
    assert (done.code, "No space left on device" in done.json["errors"][0]["message"]) == (1, True)
    assert (loaded.folder / FILE).read_bytes() == before
    assert left_over(loaded.folder) == []


def test_a_view_that_names_the_catalog_is_told(loaded: App) -> None:
    with duckdb.connect("sim_sync.duckdb") as connection:
        connection.execute("CREATE VIEW sim.mine AS SELECT id FROM sim_sync.sim.logs")
        connection.execute("CREATE VIEW sim.yours AS SELECT id FROM sim.logs")
    done = loaded("publish", FILE)
    assert done.code == 0
    assert "the view sim.mine does not work in the published file" in done.err
    assert "sim.yours" not in done.err


def test_nobody_else_can_write_to_the_database_while_it_is_published(
    loaded: App, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy in the process itself would drop DuckDB's lock."""
    later_runs(world)
    assert loaded("run").code == 0
    tried: list[int] = []
    check = publishing._check

    def somebody_writes(copy: Path, *more: object) -> None:
        command = [sys.executable, "-c", "import duckdb; duckdb.connect('sim_sync.duckdb')"]
        tried.append(subprocess.run(command, cwd=loaded.folder, capture_output=True).returncode)
        check(copy, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(publishing, "_check", somebody_writes)
    assert loaded("publish", FILE).code == 0
    assert tried == [1]


@pytest.mark.parametrize("point", KILLS)
def test_killed_at_any_point_the_published_file_is_the_old_one_or_the_new_one(
    loaded: App, world: World, point: str
) -> None:
    old = loaded.rows(SUMS, FILE)
    later_runs(world)
    assert loaded("run").code == 0
    new = loaded.rows(SUMS)
    assert old != new
    options = ["--compact"] if "compacted" in point else []
    killed = child.run(loaded.folder, None, "publish", FILE, *options, first=KILL + KILLS[point])
    assert killed.code == -9, killed.err
    assert loaded.rows(SUMS, FILE) == (new if point == "after the replacement" else old)
    with held(loaded.folder / "sim_sync.duckdb"):
        assert loaded("sql", SUMS).code == 0
    done = loaded("publish", FILE, *options)
    assert done.code == 0, done.err
    assert loaded.rows(SUMS, FILE) == new
    assert left_over(loaded.folder) == []


def test_readers_beside_syncs_that_publish_always_read_a_whole_sync(tmp_path: Path) -> None:
    found = soak(tmp_path, syncs=15, readers=2)
    assert (found.codes, found.failed, found.wrong, found.errors) == ([0] * 15, 0, 0, [])
    assert all(found.new)
    assert found.reads >= 3
