"""Runs a program in a fresh process and measures it: wall and CPU seconds, peak memory, requests."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import tree

ROOT = Path(__file__).resolve().parent.parent
STILL_S, RETRIES = 1.0, 3
"""A measure during which the machine stood still for so many seconds is taken again, at most so many times."""


class Wrong(Exception):
    """A program failed, or loaded something else than it should."""


@dataclass(slots=True)
class Measure:
    """One program, run once.

    Attributes:
        wall: Seconds from its start to the end of its last process, imports included.
        cpu: Seconds of CPU, user and system, of all its processes.
        rss: Peak memory, MB: of its largest process as the system noted it, or of all of them together as it was seen
            20 times a second, whichever is more.
        runs: Runs there were to load; 0 where nothing was.
        requests: Requests by kind: list, detail, other.
        pause: Seconds for which the whole machine seemed to stand still, at most.
        bucket: Where the workspace has a rate limit, what became of it (``bench.bucket``).
        said: The JSON line the program ended with.
    """

    wall: float
    cpu: float
    rss: float
    runs: int = 0
    requests: dict[str, int] = field(default_factory=dict)
    pause: float = 0.0
    bucket: dict[str, float] = field(default_factory=dict)
    said: dict[str, Any] = field(default_factory=dict)

    @property
    def wall_per_run(self) -> float:
        """Wall seconds for each run that was loaded; of the whole program where none was."""
        return self.wall / (self.runs or 1)

    @property
    def cpu_per_run(self) -> float:
        """CPU seconds for each run that was loaded; of the whole program where none was."""
        return self.cpu / (self.runs or 1)


class Api:
    """The benchmark API, in a process of its own."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.url = f"http://127.0.0.1:{port}"

    def prepare(self, workspace: str) -> dict[str, int]:
        """Makes a workspace, if it is not there; returns what a client must end up with."""
        found: dict[str, int] = self._ask(f"/bench/prepare?workspace={workspace}")
        return found

    def grow(self, workspace: str) -> None:
        """Lets the runs come that a workspace holds back."""
        self._ask(f"/bench/grow?workspace={workspace}")

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

    Memory is that of the program and all it starts, but for what this process gives it: a child inherits the peak
    of a large parent, so nothing heavy is imported here.

    Raises:
        Wrong: It did not end well.
    """
    folder.mkdir(exist_ok=True)
    tree.adopt_orphans()
    with tempfile.TemporaryFile() as out:
        started = time.perf_counter()
        child = subprocess.Popen(
            command,
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=_environment(folder.parent),
            process_group=0,
        )
        try:
            with tree.watched(child.pid) as watch:
                usage = tree.wait(child)
                wall = time.perf_counter() - started
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            raise
        out.seek(0)
        text = out.read().decode(errors="replace")
    if child.returncode != 0:
        raise Wrong(f"{' '.join(command[1:])} ended with {child.returncode}:\n{text[-3000:]}")
    last = text.strip().splitlines()[-1:] or [""]
    said = json.loads(last[0]) if last[0].startswith("{") else {}
    return Measure(wall, usage.cpu, max(usage.rss, watch.mb), pause=watch.pause_s, said=said)


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
