"""Runs a program in a fresh process and measures it: wall and CPU seconds, peak memory, requests."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


class Wrong(Exception):
    """A program failed, or loaded something else than it should."""


@dataclass(slots=True)
class Measure:
    """One program, run once.

    Attributes:
        wall: Seconds from start to end of the process, imports included.
        cpu: Seconds of CPU, user and system, all threads.
        rss: Peak resident memory, MB.
        requests: Requests by kind: list, detail, other.
        bucket: Where the workspace has a rate limit, what became of it (``bench.bucket``).
        said: The JSON line the program ended with.
    """

    wall: float
    cpu: float
    rss: float
    requests: dict[str, int] = field(default_factory=dict)
    bucket: dict[str, float] = field(default_factory=dict)
    said: dict[str, Any] = field(default_factory=dict)


class Api:
    """The benchmark API, in a process of its own."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.url = f"http://127.0.0.1:{port}"

    def prepare(self, workspace: str) -> dict[str, float]:
        """Makes a workspace; returns what a client must end up with."""
        found: dict[str, float] = self._ask(f"/bench/prepare?workspace={workspace}")
        return found

    def requests(self) -> dict[str, int]:
        """Requests by kind since the last call."""
        found: dict[str, int] = self._ask("/bench/requests")
        return found

    def bucket(self, workspace: str) -> dict[str, float]:
        """What became of a workspace's rate limit since the last call; from now on it is full again."""
        found: dict[str, float] = self._ask(f"/bench/bucket?workspace={workspace}")
        return found

    def _ask(self, path: str) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=600)
        try:
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()


@contextmanager
def api() -> Iterator[Api]:
    """Starts the benchmark API; it ends with this process, whatever happens."""
    command = [sys.executable, "-m", "bench.server"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server:
        assert server.stdout is not None
        try:
            yield Api(int(server.stdout.readline()))
        finally:
            server.kill()


def run(command: list[str], folder: Path) -> Measure:
    """Runs a command with ``folder`` as its working directory.

    Peak memory is that of the program alone: a child inherits the peak of a large parent, so this
    process imports nothing heavy.

    Raises:
        Wrong: It did not end well.
    """
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryFile() as out:
        started = time.perf_counter()
        child = subprocess.Popen(
            command, stdout=out, stderr=subprocess.STDOUT, cwd=folder, env=_environment(folder.parent)
        )
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read().decode(errors="replace")
    if child.returncode != 0:
        raise Wrong(f"{' '.join(command[1:])} ended with {child.returncode}:\n{text[-3000:]}")
    last = text.strip().splitlines()[-1:] or [""]
    said = json.loads(last[0]) if last[0].startswith("{") else {}
    return Measure(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, said=said)


def _environment(shared: Path) -> dict[str, str]:
    """Nothing of the user's own dlt, Sim or Python settings reaches a measured program."""
    own = ("SIM_", "DLT_", "PYTHON")
    kept = {name: value for name, value in os.environ.items() if "__" not in name and not name.startswith(own)}
    quiet = {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR", "PYTHONPATH": str(ROOT)}
    # compiled modules are kept, as in any installation by pip, but outside the project
    return kept | quiet | {"PYTHONPYCACHEPREFIX": str(shared / "pycache")}


def program(name: str, *options: str) -> list[str]:
    """The command of one of ``bench.programs``."""
    return [sys.executable, "-m", f"bench.programs.{name}", *options]
