"""Syncs of several accounts: one after the other, or in several processes by account and workspace."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from sim_source import SyncLog, errors

from ..destination import publishing
from ..destination.duckdb_hold import Hold
from ..screen import console
from ..settings import RunSettings, readable_secrets
from .outcome import Outcome
from .parts import ACCOUNT_TABLES
from .results import Results
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


def sync_accounts(accounts: Sequence[RunSettings], processes: int = 1, publish: str | None = None) -> Results:
    """Syncs accounts. One that fails does not stop the others.

    Args:
        accounts: The settings of each of them.
        processes: Processes that sync workspaces at the same time.
        publish: DuckDB file that is replaced by a copy of the database at the end; None for no copy.

    Raises:
        ConfigurationError: The database cannot be published to this file.
    """
    started = time.monotonic()
    target = accounts[0].target
    copy = None if publish is None else publishing.checked_file(target, publish)
    minutes = accounts[0].max_minutes
    deadline = None if minutes is None else time.time() + minutes * 60
    results = Results(target)
    open_file = readable_secrets()
    if open_file is not None:
        results.warnings.append(f"{open_file} is readable by other users of this machine; run: chmod 600 {open_file}")
    if len(accounts) > 1 and os.environ.get("SIM_API_KEY"):
        results.warnings.append("SIM_API_KEY is not used, because accounts are configured")
    if processes > 1 and not target.allows_many_writers:
        results.warnings.append(f"--processes is not used: {target.destination} allows one writer at a time")
        processes = 1
    if len(accounts) > 1 or processes > 1:
        accounts = _named(accounts, deadline, results)
    if processes > 1:
        _in_processes(accounts, processes, deadline, results)
    else:
        for settings in accounts:
            label = f"account {settings.source.account}" if len(accounts) > 1 or results.outcomes else ""
            results.add(label, settings.source.account, _here(Job(label, settings, deadline)))
            if label:
                console.line(results.last_line)
    if copy is not None and any(outcome.fault is None for _, _, outcome in results.outcomes):
        _publish(copy, results)
    results.duration_s = time.monotonic() - started
    return results


def _publish(copy: Path, results: Results) -> None:
    """Publishes the database. A failure is one of the last sync: all rows are committed."""
    log = results.outcomes[-1][2].log
    try:
        with Hold(results.target, console.line) as hold:
            console.line(str(publishing.publish(results.target, copy, hold, log.warn)))
    except errors.SimError as fault:
        log.failed("publish", None, fault)


def _here(job: Job) -> Outcome:
    """Runs a job in this process and shows its progress."""
    log = SyncLog()
    with console.progress(log):
        return Sync(job.settings, log, console.line, job.deadline).run()


def jobs_of(settings: RunSettings, deadline: float | None) -> list[Job]:
    """Splits the sync of an account: what belongs to the account, then each workspace."""
    account = f"account {settings.source.account}"
    of_account = settings.without(
        [name for name in settings.resources if name not in (*ACCOUNT_TABLES, "rejected_rows")]
    )
    of_workspaces = settings.without(ACCOUNT_TABLES)
    jobs = [Job(account, of_account, deadline)] if set(of_account.resources) - {"rejected_rows"} else []
    if set(of_workspaces.resources) - {"rejected_rows"}:
        jobs += [
            Job(f"{account}, workspace {id_}", of_workspaces.of_workspaces([id_]), deadline)
            for id_ in settings.plan.workspace_ids
        ]
    return jobs


def _named(accounts: Sequence[RunSettings], deadline: float | None, results: Results) -> list[RunSettings]:
    """Returns the settings with the ids of all workspaces. A workspace is read by the first account that has it.

    An account whose workspaces could not be found out has failed: it is added to the results.
    """
    found: list[RunSettings] = []
    readers: dict[str, str] = {}
    for settings in accounts:
        account = settings.source.account
        sync = Sync(settings, SyncLog(), console.line, deadline)
        named = sync.named()
        if isinstance(named, errors.SimError):
            failed = Outcome(sync.log, settings.target, len(settings.plan.workspace_ids), fault=named)
            results.add(f"account {account}", account, failed)
            console.line(results.last_line)
            continue
        ids = named.plan.workspace_ids
        own = [id_ for id_ in ids if readers.setdefault(id_, account) == account]
        results.warnings += [
            f"workspace {id_} is one of account {account}, too; it is read with the key of account {readers[id_]}"
            for id_ in ids
            if id_ not in own
        ]
        found.append(named if len(own) == len(ids) else named.of_workspaces(own))
    return found


def _in_processes(accounts: Sequence[RunSettings], processes: int, deadline: float | None, results: Results) -> None:
    jobs = list(_by_turns([deque(jobs_of(settings, deadline)) for settings in accounts]))
    with console.quiet_libraries(), _Pool(min(processes, len(jobs))) as pool:
        for job, outcome in pool.run(jobs):
            results.add(job.label, job.settings.source.account, outcome)
            console.line(results.last_line)


def _by_turns(queues: Sequence[deque[Job]]) -> Iterator[Job]:
    """Yields a job of each account in turn: each account has a rate limit of its own."""
    while any(queues):
        for queue in queues:
            if queue:
                yield queue.popleft()


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


class _Pool:
    """Processes that share the jobs of a sync. They end with the context, and with this process."""

    def __init__(self, size: int) -> None:
        self._workers = [_Worker() for _ in range(size)]

    def __enter__(self) -> _Pool:
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
    try:
        while True:
            job: Job = pipe.recv()
            pipe.send(_there(job))
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
