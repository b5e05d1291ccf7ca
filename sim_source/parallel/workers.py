"""Worker processes that decode pages, if the machine has more cores and there is much to read.

Turning full pages into tables takes much of a sync's time, and Python does it on one core at a time. Workers pay off in
a first sync; a daily sync reads too few pages to be worth a process.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import IO, cast

import msgspec

from .messages import DecodedPage, Task, receive, send

WORTH_BYTES = 16 * 1024 * 1024
"""Bytes of pages after which worker processes are started."""
MOST_PROCESSES = 2
"""The main process, which fetches pages and hands them over, cannot keep more than two workers busy."""

_answer = msgspec.msgpack.Decoder(DecodedPage)


class WorkerLost(Exception):
    """A process could not be started, or ended before it answered (out of memory, killed): its page is not decoded."""


class Workers:
    """Worker processes that decode pages.

    Args:
        processes: How many; None for one less than the cores available to this process, two at most.
        worth: Bytes of pages after which they are started.
    """

    def __init__(self, processes: int | None = None, worth: int = WORTH_BYTES) -> None:
        self._size = min(MOST_PROCESSES, _cores() - 1) if processes is None else processes
        self._worth = worth
        self._pool: ThreadPoolExecutor | None = None
        self._own = threading.local()
        self._processes: list[_Process] = []
        self._given: deque[Future[DecodedPage]] = deque()
        self._lock = threading.Lock()
        self._alone = False

    def submit(self, task: Task) -> Future[DecodedPage] | None:
        """Hands a page to a worker; returns None if there are no workers, or not enough to read yet.

        The future raises ``WorkerLost``. A page that no worker has started can be cancelled.
        """
        self._worth -= len(task.body)
        if self._worth > 0 or not self.enabled:
            return None
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._size, "sim_source-workers")
        answer = self._pool.submit(self._ask, task)
        with self._lock:  # pages are submitted in one thread and counted in another
            self._given.append(answer)
        return answer

    @property
    def enabled(self) -> bool:
        """Whether workers decode pages once enough of them have been read."""
        return self._size > 0 and not self._alone

    @property
    def has_enough(self) -> bool:
        """Whether each worker has a page and more are waiting, so that the caller can decode one itself."""
        with self._lock:
            while self._given and self._given[0].done():
                self._given.popleft()
            return sum(not answer.done() for answer in self._given) > self._size + 1

    def useful(self, rows: int, left: int) -> None:
        """Counts the rows of a page that had to be read again; if they are the majority, workers get no more pages."""
        self._alone = self._alone or left * 2 > rows

    def _ask(self, task: Task) -> DecodedPage:
        try:
            if not hasattr(self._own, "process"):
                self._own.process = _Process()
                self._processes.append(self._own.process)
            process: _Process = self._own.process
            return process.ask(task)
        except WorkerLost:
            self._alone = True
            raise

    def close(self) -> None:
        """Ends the processes; pages they have not decoded are dropped."""
        if self._pool is None:
            return
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in self._processes:
            process.end()
        self._pool.shutdown()
        self._pool = None


class _Process:
    """A worker process. It also ends when its standard input closes, so it does not outlive this process."""

    def __init__(self) -> None:
        try:
            self._process = self._started()
        except (OSError, TypeError, ValueError) as fault:  # no memory, or no interpreter (embedded Python has no file)
            raise WorkerLost from fault

    @staticmethod
    def _started() -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - the same interpreter
            [sys.executable, "-P", "-m", _WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a traceback could show data of a page
            env=_environment(),
        )

    def ask(self, task: Task) -> DecodedPage:
        """Has a page decoded.

        Raises:
            WorkerLost: The process ended.
        """
        tasks, answers = cast(IO[bytes], self._process.stdin), cast(IO[bytes], self._process.stdout)
        try:
            send(tasks, task)
            frame = receive(answers)
        except OSError as fault:
            raise WorkerLost from fault
        if frame is None:
            raise WorkerLost
        return _answer.decode(frame)

    def end(self) -> None:
        """Ends it at once. Its pipes close with the last reference to them: another thread may wait on one."""
        self._process.kill()
        self._process.wait()


_WORKER = f"{__package__}.worker"
"""The module, under the name by which this package was imported: it may be vendored into another one."""


def _cores() -> int:
    """Returns how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _environment() -> dict[str, str]:
    """Returns what a worker needs to find the same modules: no API key, nothing else of this environment."""
    kept = {name: value for name, value in os.environ.items() if name in _NEEDED or name.startswith("PYTHON")}
    return kept | {"PYTHONPATH": os.pathsep.join(os.path.abspath(path) for path in sys.path)}


_NEEDED = frozenset({"PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "LANG", "LC_ALL", "TZ"})
