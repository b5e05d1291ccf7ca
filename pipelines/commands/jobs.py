"""Jobs of a sync: done in this process, or by processes that each do one after the other."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from sim_source import SyncLog, errors
from sim_source.parallel.few_arenas import use_few_arenas

from ..dlt_internals import lookup_log
from ..dlt_internals.reused_connections import reused
from ..screen import console
from ..settings import RunSettings
from .outcome import Outcome
from .sync import Sync

_spawning = multiprocessing.get_context("spawn")  # a fork would share connections and locks

GRACE_S = 10.0
"""Seconds that a process has to end by itself."""


class ProcessLost(errors.SimError):
    """A process of this sync ended without a result: it was killed, or the machine is out of memory."""


@dataclass(frozen=True, slots=True)
class Job:
    """A part of a sync that one process does.

    Attributes:
        label: What it is, for a line on the screen; empty if there is nothing to tell it apart from.
        settings: Its settings.
        deadline: Epoch seconds at which it stops; None for no limit.
    """

    label: str
    settings: RunSettings
    deadline: float | None = None


def done_here(job: Job) -> Outcome:
    """Runs a job in this process and shows its progress."""
    log = SyncLog()
    with console.progress(log):
        return Sync(job.settings, log, console.line, job.deadline).run()


@contextmanager
def one_after_the_other() -> Iterator[None]:
    """Has the syncs of this process share connections, and leave little memory behind."""
    lookup_log.stop()
    use_few_arenas()
    with reused():
        yield


@dataclass(slots=True)
class _Worker:
    """A process that does one job after the other.

    Attributes:
        process: The process.
        pipe: Takes jobs and returns their outcomes.
        job: The job in hand.
    """

    process: BaseProcess = field(init=False)
    pipe: Connection = field(init=False)
    job: Job | None = None

    def __post_init__(self) -> None:
        self.pipe, there = _spawning.Pipe()
        self.process = _spawning.Process(target=work, args=(there,), daemon=True)
        self.process.start()
        there.close()

    def begin(self, job: Job) -> None:
        """Gives the process a job."""
        self.job = job
        self.pipe.send(job)

    def end(self) -> None:
        """Ends the process, and what it is doing."""
        self.pipe.close()  # ends a process that has no job
        if self.job is not None:
            self.process.terminate()
        self.process.join(GRACE_S)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


class Pool:
    """Processes that share the jobs of a sync. They end with the context, and with this process."""

    def __init__(self, size: int) -> None:
        self._workers = [_Worker() for _ in range(size)]

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.end()

    def run(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, Outcome]]:
        """Yields each job with its outcome. A process that is lost loses its job only."""
        waiting = deque(jobs)
        for worker in self._workers[: len(waiting)]:
            worker.begin(waiting.popleft())
        while busy := {worker.pipe: worker for worker in self._workers if worker.job is not None}:
            for pipe in wait(list(busy)):
                worker = busy[pipe]  # type: ignore[index]
                job, outcome = worker.job, _received(worker)
                if isinstance(outcome.fault, ProcessLost):
                    worker.end()
                    self._workers[self._workers.index(worker)] = worker = _Worker()
                worker.job = None
                if waiting:
                    worker.begin(waiting.popleft())
                assert job is not None  # noqa: S101 - only busy workers are waited for
                yield job, outcome


def _received(worker: _Worker) -> Outcome:
    try:
        outcome: Outcome = worker.pipe.recv()
    except (EOFError, OSError):
        worker.process.join()
        settings = worker.job.settings if worker.job else None
        fault = ProcessLost(
            f"its process ended with code {worker.process.exitcode} (killed, or out of memory?); committed rows are "
            "kept, and the next sync continues from there"
        )
        return Outcome(SyncLog(), settings.target if settings else None, 1, fault=fault)  # type: ignore[arg-type]
    return outcome


def work(pipe: Connection) -> None:
    """Does jobs in a process of its own until the pipe is closed."""
    signal.signal(signal.SIGTERM, _stop)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    gc.freeze()
    try:
        with one_after_the_other():
            while True:
                job: Job = pipe.recv()
                pipe.send(_there(job))
                gc.collect()
    except (EOFError, OSError, KeyboardInterrupt):
        return  # the main process has ended, or ends this one


def _there(job: Job) -> Outcome:
    log = SyncLog()

    def tell(text: str) -> None:
        console.line(f"{job.label}: {text}")

    log.on_wait = lambda seconds, why: tell(f"waiting {seconds:.0f} s: {why}") if seconds >= 1 else None
    with console.quiet_libraries():
        outcome = Sync(job.settings, log, tell, job.deadline, decoders=0).run()
    log.on_wait = None  # cannot be sent
    return outcome


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE_S)
        os.kill(os.getpid(), signal.SIGKILL)  # it waits for something: a kill at any moment loses nothing
