"""A process that has everything imported and forks a sync at a time, so that a kill costs no imports.

``python -m tests.torture.nursery`` reads orders and writes ends, a JSON line each. It starts no thread: what it
forks is like a process just started.
"""

from __future__ import annotations

import faulthandler
import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

PATIENCE_S = 100.0
"""A sync that takes longer hangs: it is ended, and said."""

IMPORTED = (
    "_duckdb",  # not duckdb, which starts a thread
    "dlt.destinations",
    "dlt.load.load",
    "dlt.normalize.normalize",
    "dlt.normalize.worker",
    "pipelines.cli",
    "pipelines.settings",
    "pipelines.screen.console",
    "sim_source",
    "tests.torture.points",
)


@dataclass(frozen=True, slots=True)
class Order:
    """A sync to be run.

    Attributes:
        folder: Where its database and dlt's working folder are.
        settings: Its environment.
        pieces: Constants of ``pipelines.commands.sync`` to change.
        point: Where it is killed: place, number of the call, when.
        after_s: It is killed when so much time has passed.
        record: File for the calls it did.
    """

    folder: str
    settings: dict[str, str]
    pieces: dict[str, int]
    point: tuple[str, int, str] | None = None
    after_s: float | None = None
    record: str | None = None


@dataclass(frozen=True, slots=True)
class End:
    """How a sync ended.

    Attributes:
        code: Exit code; -9 where it was killed.
        seconds: How long it took.
    """

    code: int
    seconds: float

    @property
    def killed(self) -> bool:
        """Whether the kill met it alive."""
        return self.code == -signal.SIGKILL


@dataclass(slots=True)
class Nursery:
    """The process, seen from outside."""

    process: subprocess.Popen[str] = field(repr=False)

    def run(self, order: Order) -> End:
        """Runs a sync to its end, or to its death."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(asdict(order)) + "\n")
        self.process.stdin.flush()
        return End(**json.loads(self.process.stdout.readline()))


@contextmanager
def nursery(folder: Path) -> Iterator[Nursery]:
    """A nursery, until the end of the ``with``."""
    command = [sys.executable, "-m", "tests.torture.nursery"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("SIM_", "SOURCES__", "DLT_"))}
    environment |= {
        "DLT_DATA_DIR": str(folder),
        "PYTHONPATH": os.pathsep.join(filter(None, [os.getcwd(), *sys.path])),
        "JE_ARROW_MALLOC_CONF": "background_thread:false",  # a fork would lose that thread
    }
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=folder
    ) as process:
        try:
            yield Nursery(process)
        finally:
            process.communicate()


def main() -> int:
    """Forks until standard input is closed; a forked process leaves with the exit code of its sync."""
    _import_all()
    tasks = Path("/proc/self/task")
    assert not tasks.is_dir() or len(list(tasks.iterdir())) == 1, "a fork would lose a thread"
    for line in sys.stdin:
        order = Order(**json.loads(line))
        started = time.monotonic()
        child = os.fork()
        if child == 0:
            return _sync(order)
        code = os.waitstatus_to_exitcode(_wait(child, order.after_s, started))
        print(json.dumps(asdict(End(code, time.monotonic() - started))), flush=True)
    return 0


def _import_all() -> None:
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    os.environ["RUNTIME__LOG_LEVEL"] = "CRITICAL"
    for name in IMPORTED:
        importlib.import_module(name)


def _wait(child: int, after_s: float | None, started: float) -> int:
    """Waits for the end, or kills in time."""
    until = started + (PATIENCE_S if after_s is None else after_s)
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL if after_s is not None else signal.SIGABRT)
    return os.waitpid(child, 0)[1]


def _sync(order: Order) -> int:
    """In the forked process: ``sim-sync run`` as cron calls it, with a counter around every place."""
    from pipelines import cli
    from pipelines.commands import piece_loader, sync
    from tests.torture import points

    folder = Path(order.folder)
    os.chdir(folder)
    os.environ.update(order.settings)
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    faulthandler.enable()  # where it crashes or hangs, it says where
    for name, value in order.pieces.items():
        owner = piece_loader if hasattr(piece_loader, name) else sync
        assert hasattr(owner, name)
        setattr(owner, name, value)
    calls = points.Calls(points.Point(*order.point) if order.point else None)  # type: ignore[arg-type]
    if order.point or order.record:
        calls.watch()
    sys.argv = ["sim-sync", "run", "--json"]
    code: Any = 0
    try:
        cli.main()
    except SystemExit as stop:
        code = stop.code
    if order.record:
        Path(order.record).write_text(json.dumps(calls.seen))
    return int(code or 0)


if __name__ == "__main__":
    sys.exit(main())
