"""Other processes that read pages, where the machine has further cores and there is much to read.

Turning a page of full rows into tables takes as long as all the rest of a sync together, and Python does it on one
core at a time (measured; docs/bench.md). A first sync is where it counts: what one page more or less costs
a daily one is not worth a process.
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
"""Bytes of pages after which other processes are started: about a quarter of a second of reading."""
MOST_PROCESSES = 2
"""Who fetches and hands over keeps no more than two busy."""

_answer = msgspec.msgpack.Decoder(DecodedPage)


class WorkerLost(Exception):
    """A process could not be started, or ended before it answered (out of memory, killed): its page is unread."""


class Workers:
    """Processes that read pages.

    Args:
        processes: How many; None for one less than this process may use cores, two at most.
        worth: Bytes after which they are started.
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

    def read(self, task: Task) -> Future[DecodedPage] | None:
        """Gives a page away; None where there is nobody to read it, or not enough to read yet.

        The future raises ``Lost``. One that nobody has begun can be cancelled.
        """
        self._worth -= len(task.body)
        if self._worth > 0 or not self.reads:
            return None
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._size, "sim_source-workers")
        answer = self._pool.submit(self._ask, task)
        with self._lock:  # pages are given away in one thread, and counted in another
            self._given.append(answer)
        return answer

    @property
    def reads(self) -> bool:
        """Whether there is somebody to read pages, once there are enough of them."""
        return self._size > 0 and not self._alone

    @property
    def has_enough(self) -> bool:
        """Whether each process has a page to read and one waits: who gives them away can read one, too."""
        with self._lock:
            while self._given and self._given[0].done():
                self._given.popleft()
            return sum(not answer.done() for answer in self._given) > self._size + 1

    def useful(self, rows: int, left: int) -> None:
        """Learns how many rows of a page had to be read again; no more pages are given away where it is most."""
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
        """Ends the processes; pages that they have not read are lost."""
        if self._pool is None:
            return
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in self._processes:
            process.end()
        self._pool.shutdown()
        self._pool = None


class _Process:
    """A process that reads pages. It is ended by its own standard input, too: nothing outlives this process."""

    def __init__(self) -> None:
        try:
            self._process = self._started()
        except (OSError, TypeError, ValueError) as fault:  # no memory, no interpreter (an embedded one has no file)
            raise WorkerLost from fault

    @staticmethod
    def _started() -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - this very interpreter
            [sys.executable, "-P", "-m", _WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a traceback could show what is in a page
            env=_environment(),
        )

    def ask(self, task: Task) -> DecodedPage:
        """Has a page read.

        Raises:
            Lost: The process ended.
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
        """Ends it at once. Its pipes are closed with the last reference to them: another thread may wait on one."""
        self._process.kill()
        self._process.wait()


_WORKER = f"{__package__}.worker"
"""The module, under whatever name this package was imported: it may be vendored into another one."""


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _environment() -> dict[str, str]:
    """What a process needs to find the same modules; no key, nothing else of this one's."""
    kept = {name: value for name, value in os.environ.items() if name in _NEEDED or name.startswith("PYTHON")}
    return kept | {"PYTHONPATH": os.pathsep.join(os.path.abspath(path) for path in sys.path)}


_NEEDED = frozenset({"PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "LANG", "LC_ALL", "TZ"})
