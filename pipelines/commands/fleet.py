"""Syncs of several accounts: one after the other, or in several processes by account and workspace."""

from __future__ import annotations

import gc
import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from sim_source import SyncLog, errors

from ..destination import publishing
from ..destination.duckdb_hold import Hold
from ..screen import console
from ..settings import RunSettings, readable_secrets
from .jobs import Job, Pool, done_here, one_after_the_other
from .outcome import Outcome
from .parts import ACCOUNT_TABLES
from .results import Results
from .sync import Sync


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
        _in_turn(accounts, deadline, results)
    if copy is not None and any(outcome.fault is None for _, _, outcome in results.outcomes):
        _publish(copy, results)
    results.duration_s = time.monotonic() - started
    return results


def _in_turn(accounts: Sequence[RunSettings], deadline: float | None, results: Results) -> None:
    with one_after_the_other():
        for settings in accounts:
            label = f"account {settings.source.account}" if len(accounts) > 1 or results.outcomes else ""
            results.add(label, settings.source.account, done_here(Job(label, settings, deadline)))
            if label:
                console.line(results.last_line)
                gc.collect()  # a sync leaves cycles, and rows are read with hardly any collection


def _publish(copy: Path, results: Results) -> None:
    """Publishes the database. A failure is one of the last sync: all rows are committed."""
    log = results.outcomes[-1][2].log
    try:
        with Hold(results.target, console.line) as hold:
            console.line(str(publishing.publish(results.target, copy, hold, log.warn)))
    except errors.SimError as fault:
        log.failed("publish", None, fault)


def jobs_of(settings: RunSettings, deadline: float | None) -> list[Job]:
    """Splits the sync of an account: what belongs to the account, then each workspace. A single one is not apart."""
    account = f"account {settings.source.account}"
    if len(settings.plan.workspace_ids) == 1:
        return [Job(f"{account}, workspace {settings.plan.workspace_ids[0]}", settings, deadline)]
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
    with console.quiet_libraries(), Pool(min(processes, len(jobs))) as pool:
        for job, outcome in pool.run(jobs):
            results.add(job.label, job.settings.source.account, outcome)
            console.line(results.last_line)


def _by_turns(queues: Sequence[deque[Job]]) -> Iterator[Job]:
    """Yields a job of each account in turn: each account has a rate limit of its own."""
    while any(queues):
        for queue in queues:
            if queue:
                yield queue.popleft()
