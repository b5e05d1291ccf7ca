"""What the benchmark says of a program's memory and CPU is true where the program starts processes of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.measure import ROOT

MB = 2**20
PROGRAM = f"""
import os, sys, time

shared = b"s" * {100 * MB}
for _ in range(2):
    if os.fork() == 0:
        own = b"o" * {100 * MB}
        while time.process_time() < 0.2:
            pass
        time.sleep(1)  # that is twenty looks
        os._exit(0)
if sys.argv[1] == "waits":
    os.wait(), os.wait()
elif sys.argv[1] == "fails":
    sys.exit("no such thing")
"""
MEASURE = """
import dataclasses, json, sys
from pathlib import Path
from bench import measure

found = measure.run([sys.executable, "-c", *sys.argv[2:]], Path(sys.argv[1]))
print(json.dumps(dataclasses.asdict(found)))
"""


def measured(folder: Path, *program: str) -> subprocess.CompletedProcess[str]:
    """Measures in a small process, as the benchmark does: a child inherits the peak of its parent."""
    command = [sys.executable, "-c", MEASURE, str(folder), *program]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


def test_memory_is_that_of_all_processes_together_and_shared_pages_count_once(tmp_path: Path) -> None:
    found = json.loads(measured(tmp_path / "run", PROGRAM, "waits").stdout)
    assert 300 <= found["rss"] < 400


@pytest.mark.parametrize("end", ["waits", "leaves"])
def test_cpu_of_children_counts_whether_or_not_the_program_waits_for_them(tmp_path: Path, end: str) -> None:
    found = json.loads(measured(tmp_path / "run", PROGRAM, end).stdout)
    assert found["cpu"] >= 0.4


def test_one_process_alone_is_measured_by_the_system(tmp_path: Path) -> None:
    found = json.loads(measured(tmp_path / "run", f"held = b's' * {300 * MB}").stdout)
    assert 300 <= found["rss"] < 400


def test_a_program_that_fails_is_no_measure(tmp_path: Path) -> None:
    found = measured(tmp_path / "run", PROGRAM, "fails")
    assert found.returncode != 0
    assert "ended with 1:\nno such thing" in found.stderr
