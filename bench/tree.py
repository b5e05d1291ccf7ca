"""A program together with all the processes it starts: their memory at one moment, their CPU, their end."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

EVERY_S = 0.05
"""Seconds between two looks at a program."""
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20
CHILD_SUBREAPER = 36
"""``PR_SET_CHILD_SUBREAPER`` of prctl(2)."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What the processes of a program used.

    Attributes:
        cpu: Seconds of CPU, user and system, of all of them.
        rss: MB of the largest one at its peak.
    """

    cpu: float
    rss: float


def adopt_orphans() -> None:
    """Makes this process the parent of processes whose own one ended, so that it learns what they used (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(CHILD_SUBREAPER, 1, 0, 0, 0)


def wait(program: subprocess.Popen[bytes]) -> Usage:
    """Waits for a program and for what it left running in its process group.

    The system counts a process with those it waited for; the others are waited for here.
    """
    cpu, largest = 0.0, 0
    with suppress(ChildProcessError):
        while True:
            pid, status, usage = os.wait4(-program.pid, 0)
            cpu += usage.ru_utime + usage.ru_stime
            largest = max(largest, usage.ru_maxrss)
            if pid == program.pid:
                program.returncode = os.waitstatus_to_exitcode(status)
    return Usage(cpu, largest / 1024)


@dataclass(slots=True)
class Watch:
    """What is seen of a program while it runs.

    Attributes:
        mb: The most memory that several of its processes held together; 0 while there was only one.
        pause_s: The longest time between two looks: much more than usual where the whole machine stood still.
    """

    mb: float = 0.0
    pause_s: float = 0.0
    _over: threading.Event = field(default_factory=threading.Event)

    def look(self, pid: int) -> None:
        """Looks at a process and its descendants again and again, until the end."""
        last = time.monotonic()
        while not self._over.is_set():
            self._over.wait(EVERY_S)
            now = time.monotonic()
            self.pause_s, last = max(self.pause_s, now - last), now
            pids = family(pid)
            # a page that several share counts for each in what is quick to read, and once in what is slow to
            if len(pids) > 1 and sum(map(_resident_mb, pids)) > self.mb:
                self.mb = max(self.mb, sum(map(_share_mb, pids)))

    def end(self) -> None:
        """Ends the looking."""
        self._over.set()


@contextmanager
def watched(pid: int) -> Iterator[Watch]:
    """Watches a process and its descendants meanwhile."""
    watch = Watch()
    thread = threading.Thread(target=watch.look, args=(pid,), daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        watch.end()
        thread.join()


def family(pid: int) -> list[int]:
    """A process and its descendants; itself alone where the system does not tell (Linux does)."""
    found = [pid]
    for each in found:  # it grows
        for thread in _listed(Path(f"/proc/{each}/task")):
            found += map(int, _read(thread / "children").split())
    return found


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:  # it ended
        return []


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""


def _resident_mb(pid: int) -> float:
    """Memory of a process, shared pages in full."""
    numbers = _read(Path(f"/proc/{pid}/statm")).split()
    return int(numbers[1]) * PAGE_MB if numbers else 0.0


def _share_mb(pid: int) -> float:
    """Memory of a process, shared pages divided by the number of those who share them."""
    for line in _read(Path(f"/proc/{pid}/smaps_rollup")).splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0
