"""Runs the core of the tests with the newest dlt that pyproject.toml allows, where the pinned one is not the newest.

``python -m tests.helpers.newest_dlt [REQUIREMENT]`` takes another requirement for dlt: ``dlt[duckdb]==1.31.0``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLACE = ROOT / ".venv-newest"
CORE = (
    "tests/source/test_source.py",
    "tests/source/test_source_syncs.py",
    "tests/app/test_app_run.py",
    "tests/app/test_duckdb_file.py",
)
"""A first sync and later ones, by the library and by the command line; what dlt's insides do has tests of its own."""


def main(requirement: str | None = None) -> int:
    """Returns pytest's exit code; 0 where there is nothing newer to try."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    wanted = requirement or next(line for line in declared if line.startswith("dlt["))
    found = _resolved(wanted)
    if found == version("dlt"):
        print(f"dlt {found} is the newest that {wanted} allows, and the one that all tests run with")
        return 0
    print(f"dlt {found}: the core of the tests")
    subprocess.run([sys.executable, "-m", "venv", "--clear", PLACE], check=True)
    python = str(PLACE / "bin" / "python")
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    subprocess.run([*pip, "--require-hashes", "--only-binary", ":all:", "-r", ROOT / "requirements.txt"], check=True)
    subprocess.run([*pip, "--upgrade", wanted], check=True)
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", "--editable", ROOT], check=True)
    environment = os.environ | {"PATH": f"{PLACE / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    ended = subprocess.run([python, "-m", "pytest", "-q", "-n", "2", *CORE], cwd=ROOT, env=environment, check=False)
    print(f"dlt {found}: {'works' if ended.returncode == 0 else 'BREAKS sim-sync; bound it in pyproject.toml'}")
    return ended.returncode


def _resolved(requirement: str) -> str:
    """The version that pip would install."""
    asked = [sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--ignore-installed", "--no-deps",
             "--report", "-", requirement]  # fmt: skip
    told = subprocess.run(asked, check=False, capture_output=True, text=True)
    if told.returncode != 0:
        sys.exit(f"pip cannot say which dlt is the newest that {requirement} allows:\n{told.stderr}")
    return str(json.loads(told.stdout)["install"][0]["metadata"]["version"])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
