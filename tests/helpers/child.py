"""The application in a process of its own, as cron starts it; it can be killed, and its log is heard."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from pipelines.sim_api import OWNER_KEY, WORKSPACE, SimServer
from tests.helpers.app import Result

ROOT = Path(__file__).parents[2]
QUICKLY = "from pipelines.commands import sync; sync.BACKOFF_S = 0.001"
"""Waits after faults are short."""
ALOUD = """import logging
logging.basicConfig(level=logging.DEBUG)
for name in ("sim_source", "sim_sync"):
    logging.getLogger(name).addHandler(logging.StreamHandler())"""
"""Every log, down to the last line; the source's own too, which is else left to the command line."""
DIES = "import dlt, os, signal; dlt.Pipeline.{step} = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)"
"""Is killed when it comes to a step of dlt's: `normalize` or `load`."""


def start(
    folder: Path, server: SimServer | None, *args: str, first: str = "", key: str = OWNER_KEY, **env: str
) -> subprocess.Popen[str]:
    """Starts ``sim-sync``.

    Args:
        folder: Where it runs.
        server: The API it is told to ask; None: it is told nothing.
        args: Its arguments.
        first: Python that the process runs before.
        key: The account's key.
        env: Environment variables; they win over those made of the other arguments.
    """
    account = {}
    if server is not None:
        account = {"SIM_API_KEY": key, "SIM_BASE_URL": server.base_url, "SIM_WORKSPACE_ID": WORKSPACE}
    settings = {
        **{name: value for name, value in os.environ.items() if not name.startswith("COV")},
        "PYTHONPATH": str(ROOT),  # this checkout, whatever is installed
        "DLT_DATA_DIR": str(folder / "dlt"),
        **account,
        **env,
    }
    program = f"import sys; sys.argv = ['sim-sync', *{args!r}]\n{first}\nfrom pipelines import cli; cli.main()"
    return subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=folder,
        env=settings,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> Result:
    """Waits for a process, and stops it where it does not end."""
    try:
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    return Result(process.returncode, out, err)


def run(folder: Path, server: SimServer | None, *args: str, **more: Any) -> Result:
    """Starts ``sim-sync`` and waits for it; see `start`."""
    return ended(start(folder, server, *args, **more))
