"""What reaches a terminal, a pipe and a file: nothing that is obeyed, nothing that ends a command, everything exact."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.screen.visible import visible
from pipelines.sim_api import World, finished_run, serve, small_world
from pipelines.sim_api.world import plans
from sim_source.options import EARLIEST, LATEST, moment
from tests.helpers import child
from tests.helpers.app import App

CLIPBOARD = "\x1b]52;c;cm0gLXJmIH4=\x07"
HOSTILE = f"{CLIPBOARD}\x1b[2J\x9b31m\x1b]0;title\x07\u202egnp.exe\u2028\r\x00"
FEW_LETTERS = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}
NOW = datetime(2026, 11, 27, tzinfo=UTC)


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database whose workflows, blocks, errors and models bear hostile names."""
    folder = tmp_path_factory.mktemp("hostile")
    world = hostile_world()
    with serve(world, "2026-08") as server:
        done = child.run(folder, server, "run")
    assert done.code == 0, done.err
    assert not obeyed(done.err)
    return folder


def hostile_world() -> World:
    world = small_world(now=datetime.now(UTC))
    workflow = world.workflows["wf-triage"]
    workflow.name = f"Triage {HOSTILE}"
    for number in range(6):
        plan = plans.failing_plan(f"broken {HOSTILE}") if number % 2 else plans.agent_plan(name=f"Agent {HOSTILE}")
        finished_run(world, "wf-triage", plan, started_ms=world.now_ms - (number + 2) * 60_000)
    return world


def obeyed(text: str) -> list[str]:
    """Characters that a terminal would obey, but for line ends, tabs and rich's own colours."""
    import re

    without_colours = re.sub(r"\x1b\[[0-9;]*m", "", text)
    return [
        sign
        for sign in without_colours
        if (unicodedata.category(sign) in ("Cc", "Zl", "Zp") and sign not in "\n\t\r") or sign == "\u202e"
    ]


COMMANDS = [
    ("report", "--since", "30d"),
    ("sql", "SELECT * FROM sim.runs"),
    ("sql", "SELECT name, error_message FROM sim.trace_spans"),
    ("status",),
    ("check", "--data"),
    ("sql", f"SELECT '{HOSTILE.replace(chr(0), '')}' AS \"{HOSTILE.replace(chr(0), '')}\""),
    ("sql", f"SELECT {HOSTILE.replace(chr(0), '')}"),
    ("run", f"--{HOSTILE.replace(chr(0), '')}"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command)[:24].encode("ascii", "replace"))
def test_what_sim_says_is_shown_and_not_obeyed(synced: Path, command: tuple[str, ...]) -> None:
    told = child.run(synced, None, *command)
    assert not obeyed(told.out + told.err)
    if "error_message" in command[-1]:
        assert "␛]52;c;" in told.out


@pytest.mark.parametrize("command", [COMMANDS[0], COMMANDS[2], (*COMMANDS[2], "--csv")], ids=["report", "sql", "csv"])
def test_nor_on_a_terminal(synced: Path, command: tuple[str, ...]) -> None:
    shown = b"".join(on_terminal(synced, *command)).decode()
    assert "broken" in shown or "Triage" in shown
    assert CLIPBOARD not in shown
    assert not [sign for sign in obeyed(shown) if sign not in "\x1b"]


def on_terminal(folder: Path, *command: str) -> Iterator[bytes]:
    """What a command shows on a terminal of its own."""
    ours, theirs = pty.openpty()
    program = f"import sys; sys.argv = ['sim-sync', *{command!r}]\nfrom pipelines import cli; cli.main()"
    settings = {**os.environ, "PYTHONPATH": str(child.ROOT), "DLT_DATA_DIR": str(folder / "dlt"), "COLUMNS": "200"}
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=folder, env=settings, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    try:
        while part := os.read(ours, 65_536):
            yield part
    except OSError:  # the other side has ended
        return
    finally:
        os.close(ours)
        process.wait()


def test_csv_and_json_into_a_pipe_are_exact(synced: Path) -> None:
    sql = "SELECT DISTINCT error_message FROM sim.trace_spans WHERE error_message IS NOT NULL"
    wanted = f"broken {HOSTILE}".replace("\x00", "\ufffd")
    (row,) = json.loads(child.run(synced, None, "sql", "--json", sql).out)
    assert row["error_message"] == wanted
    assert CLIPBOARD in child.run(synced, None, "sql", "--csv", sql).out


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
@pytest.mark.parametrize("command", [*COMMANDS[:5], ("sql", "--csv", "SELECT '…é█' AS a"), ("report", "--json")])
def test_a_locale_that_has_few_letters_ends_no_command(synced: Path, encoding: str, command: tuple[str, ...]) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *command],
        cwd=synced,
        env={
            **os.environ,
            "PYTHONPATH": str(child.ROOT),
            "PYTHONIOENCODING": encoding,
            "PYTHONUTF8": "0",
            "LC_ALL": "C",
        },
        capture_output=True,
    )
    assert told.returncode == 0, told.stderr
    assert b"Traceback" not in told.stderr
    if "--csv" in command:
        assert told.stdout.decode() == "a\r\n…é█\r\n"


def test_a_page_written_under_such_a_locale_is_utf_8(synced: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "report", "--html", "page.html", "--since", "30d"],
        cwd=synced,
        env={
            **os.environ,
            "PYTHONPATH": str(child.ROOT),
            "PYTHONUTF8": "0",
            "LC_ALL": "C",
            "PYTHONIOENCODING": "latin-1",
        },
        capture_output=True,
    )
    assert told.returncode == 0, told.stderr
    page = (synced / "page.html").read_text("utf-8")
    assert "\ufffd" not in page.replace("\\ufffd", "")
    assert CLIPBOARD not in page


@pytest.mark.parametrize("command", [("sql", "SELECT * FROM range(20000)"), ("report", "--since", "30d")])
def test_who_has_seen_enough_gets_no_traceback(synced: Path, command: tuple[str, ...]) -> None:
    program = f"import sys; sys.argv = ['sim-sync', *{command!r}]\nfrom pipelines import cli; cli.main()"
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=synced,
        env={**os.environ, "PYTHONPATH": str(child.ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    said = process.stderr.read()
    process.wait()
    assert said == b""


def test_a_stdout_that_was_closed_before_ends_no_command(synced: Path) -> None:
    told = subprocess.run(
        ["/bin/sh", "-c", f"{sys.executable} -m pipelines.cli report --since 30d >&-"],
        cwd=synced,
        env={**os.environ, "PYTHONPATH": str(child.ROOT)},
        capture_output=True,
    )
    assert (told.returncode, told.stderr) == (0, b"")


VALUES = {
    "MAP {1: 'a', 2: 'b'}": {"1": "a", "2": "b"},
    "MAP {DATE '2026-01-01': [1.50]}": {"2026-01-01": ["1.50"]},
    "{'a': 1.25, 'b': [NULL]}": {"a": "1.25", "b": [None]},
    "'NaN'::DOUBLE": "NaN",
    "'-inf'::DOUBLE": "-Infinity",
    "['inf'::DOUBLE]": ["Infinity"],
    "'\\xAA'::BLOB": "aa",
    "INTERVAL 90 MINUTES": "1:30:00",
    "'5e0a0001-0000-4000-8000-000000000001'::UUID": "5e0a0001-0000-4000-8000-000000000001",
    "170141183460469231731687303715884105727::HUGEINT": 170141183460469231731687303715884105727,
    "TIMESTAMPTZ '2026-11-27 00:00:00+00'": "2026-11-27T00:00:00+00:00",
}


@pytest.mark.parametrize("sql", VALUES)
def test_sql_as_json_holds_any_value(app: App, synced: Path, sql: str) -> None:
    told = app("sql", "--database", str(synced / "sim_sync.duckdb"), "--json", f"SELECT {sql} AS a, 1 AS a")
    assert json.loads(told.out, parse_constant=lambda name: pytest.fail(name)) == [{"a": VALUES[sql], "a_1": 1}]


@pytest.mark.parametrize("sql", ["", " ", ";", " ;\n; "])
def test_no_statement_is_said_to_be_none(app: App, synced: Path, sql: str) -> None:
    told = app("sql", "--database", str(synced / "sim_sync.duckdb"), sql)
    assert (told.code, "no statement" in told.err) == (1, True)


@pytest.mark.parametrize("value", ["0001-01-01", "0001-01-01T00:00:00+10:00", "99999d", "1969-12-31"])
def test_a_beginning_before_all_begins_means_all(app: App, synced: Path, value: str) -> None:
    assert moment("--since", value, NOW) == EARLIEST
    told = app("report", "--database", str(synced / "sim_sync.duckdb"), "--since", value)
    assert (told.code, "Traceback" in told.err) == (0, False)


@pytest.mark.parametrize("value", ["9999-12-31", "9999-12-31T23:59:59-10:00"])
def test_an_end_after_all_ends_means_all(value: str) -> None:
    assert moment("--until", value, NOW) == LATEST


def test_every_text_is_shown_without_what_a_terminal_obeys() -> None:
    text = "".join(map(chr, range(0x2100))) + "\n\tC"
    assert not obeyed(visible(text).replace("\r", "\x00"))
    assert visible("a\nb\tc – é ✓ 漢") == "a\nb\tc – é ✓ 漢"
