"""The questions in README and docs/questions.md, and their answers on the demo's data as it was at one moment.

``python -m tests.helpers.questions`` writes the answers again.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
from rich.console import Console

from pipelines.commands import sync
from pipelines.destination.target import target_of
from pipelines.report import figures, printing
from pipelines.settings import RunSettings
from pipelines.sim_api import OWNER_KEY, WORKSPACE, add_charges, demo_month, serve
from sim_source import SimSourceSettings, SyncLog

README = Path(__file__).parents[2] / "README.md"
DOCUMENTS = (README, README.parent / "docs" / "questions.md")
"""What holds questions."""
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
_QUESTION = re.compile(r"^\*\*(?P<title>.+?)\*\*\n\n```sql\n(?P<sql>.+?)```\n\n```\n(?P<answer>.*?)```$", re.M | re.S)
_REPORT = re.compile(r"(?<=^```\n)20\d\d-\d\d-\d\d to .*?(?=^```$)", re.M | re.S)
"""The report at the top of README."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question of README's, its SQL, and the answer that stands there."""

    title: str
    sql: str
    answer: str


def questions(text: str) -> list[Question]:
    """All of them."""
    return [Question(**found.groupdict()) for found in _QUESTION.finditer(text)]


def demo(file: Path) -> None:
    """The demo's month up to then, as ``sim-sync demo`` loads it."""
    world = demo_month(now=NOW)
    add_charges(world)
    with serve(world, "2026-08", clock=NOW.timestamp, v2="on") as server:
        source = SimSourceSettings(workspace_id=WORKSPACE, api_key=OWNER_KEY, base_url=server.base_url)
        settings = RunSettings.of(source, target_of("duckdb", None, file))
        outcome = sync.Sync(settings, SyncLog(), lambda _: None).run()
    if outcome.exit_code:
        raise RuntimeError(f"the demo's data could not be loaded: {outcome.as_json()}")
    with duckdb.connect(str(file)) as connection:  # usage is observed by the clock of this machine
        connection.execute("UPDATE sim.usage SET observed_at = ?", [NOW])
        connection.execute("UPDATE sim.billing_status SET observed_at = ?", [NOW])


def answers(file: Path, asked: Sequence[Question]) -> list[str]:
    """What ``sim-sync sql`` prints into a pipe, without the spaces at the ends of lines."""
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    found = []
    for question in asked:
        command = [sys.executable, "-m", "pipelines.cli", "sql", "--database", str(file), question.sql]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=README.parent, env=environment)
        found.append("".join(f"{line.rstrip()}\n" for line in done.stdout.splitlines() if line.strip()))
    return found


def report(text: str) -> str:
    """The report that stands in README."""
    found = _REPORT.search(text)
    return found[0] if found else ""


def report_of(file: Path) -> str:
    """The report of that moment, as it is drawn into a pipe, down to what models cost."""
    out = io.StringIO()
    found = figures.read_figures(target_of("duckdb", None, file), since=NOW - timedelta(days=13), now=NOW)
    printing.print_report(found, Console(file=out, width=80))
    whole = "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())
    return whole[: whole.index("\n\nFailing blocks") + 1]


def main() -> None:
    """Writes README's report, and all answers."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DLT_DATA_DIR"] = folder
        file = Path(folder) / "sim_demo.duckdb"
        demo(file)
        for document in DOCUMENTS:
            text = document.read_text(encoding="utf-8")
            if report(text):
                text = text.replace(report(text), report_of(file))
            asked = questions(text)
            for question, answer in zip(asked, answers(file, asked), strict=True):
                before = f"{question.sql}```\n\n```\n{question.answer}```"
                text = text.replace(before, f"{question.sql}```\n\n```\n{answer}```")
            document.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
