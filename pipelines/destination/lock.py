"""Locks that keep syncs of one dataset apart. A crash leaves no lock behind.

Every sync is a *writer* with a number. Two writers may load into one dataset at the same time if they read different
parts of it (workspaces, or what belongs to an account): each number has its own dlt pipeline, state and staging
tables. Writers are admitted one after the other, so that what a killed writer left behind is loaded before anyone reads
the same workspaces again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import dlt
import msgspec

from . import lake, lake_lock
from .file_lock import TryLater, file_locked
from .server_locks import ServerLocks
from .target import Target
from .working_dirs import folder_of, has_leftovers

WAIT_S = 300.0
"""Seconds to wait for another writer that is being admitted (it may be loading what a killed one left behind), or that
changes tables or views."""


class _Owner(msgspec.Struct):
    """Content of the file beside a writer's lock: who holds it.

    Attributes:
        pid: The process.
        parts: The parts of the dataset that it reads.
    """

    pid: int
    parts: list[str]


@dataclass(slots=True)
class Admission:
    """The right to load into a dataset, as one of its writers.

    Attributes:
        writer: Number of the writer, starting at 0.
        busy: Parts that other writers are reading, and who: they must be left to them.
    """

    writer: int
    busy: dict[str, str]
    _target: Target
    _server: ServerLocks | None = field(repr=False)

    def confirm(self) -> None:
        """Takes the locks of the server again if its connection was lost. Call it before every load.

        Raises:
            TryLater: Another writer has taken them meanwhile.
        """
        if self._server is not None and self._server.restored_without():
            raise TryLater(
                f"the connection to {self._target} was lost, and another sync has started to read the same workspaces; "
                "committed rows are kept"
            )

    def alone(self) -> AbstractContextManager[object]:
        """Keeps other writers from changing tables and views at the same time."""
        if self._target.database is not None:
            return nullcontext()  # only one process at a time has the file open
        if self._server is not None:
            return self._server.alone()
        busy = f"another sync is changing tables of {self._target}; committed rows are kept"
        return file_locked(_lock_file(self._target, "schema"), busy, WAIT_S)


@contextmanager
def admitted(
    target: Target,
    parts: Iterable[str],
    finish: Callable[[Admission], None] | None = None,
    server: dlt.Pipeline | None = None,
    tell: Callable[[str], None] | None = None,
) -> Iterator[Admission]:
    """Admits a writer.

    The lock files of a DuckDB database lie next to it, where every other writer sees them. Those for a server only
    protect one machine; on PostgreSQL, advisory locks are held as well.

    Args:
        target: The destination.
        parts: The parts of the dataset that this writer is about to read.
        finish: Loads what a killed writer has left behind on this machine, as that writer.
        server: A pipeline for the destination, unless it is a DuckDB file.
        tell: Prints a line before a wait: writers of a lake take turns, see ``lake_lock``.

    Raises:
        TryLater: Other writers are reading all of these parts, or the destination allows one writer only.
        ConfigurationError: A lock file cannot be written, or the server cannot be reached.
    """
    if target.database is None:
        folder_of(target).mkdir(parents=True, exist_ok=True)
    wanted = sorted(parts)
    with ExitStack() as held:
        if server is not None and target.destination == lake.DUCKLAKE:
            held.enter_context(lake_lock.turn(target, server, folder_of(target), tell or _nothing))
        on_server = None
        if server is not None and target.destination == "postgres":
            on_server = held.enter_context(ServerLocks(target, server))
        starting = f"another sync of {target} is starting or loading; this one did not start"
        with file_locked(_lock_file(target, "gate"), starting, WAIT_S):
            number, busy = _choose(target, wanted, held, finish or _nothing, on_server)
            if on_server is not None:
                busy |= {part: "another machine" for part in wanted if part not in busy and not on_server.take(part)}
            if busy and busy.keys() >= set(wanted):
                who = sorted(set(busy.values()))
                raise TryLater(f"another sync is writing to {target} ({', '.join(who)}); this one did not start")
            _write_owner(target, number, [part for part in wanted if part not in busy])
        yield Admission(number, busy, target, on_server)


def _choose(
    target: Target,
    wanted: list[str],
    held: ExitStack,
    finish: Callable[[Admission], None],
    on_server: ServerLocks | None,
) -> tuple[int, dict[str, str]]:
    """Takes the first free number, loads what free writers left behind, and returns which parts others hold."""
    chosen: int | None = None
    busy: dict[str, str] = {}
    number = 0
    while chosen is None or _lock_file(target, _name(number)).exists():
        with ExitStack() as tried:
            if not _is_free_here(target, number, tried):
                busy |= _parts_of_owner(target, number, wanted)
            elif on_server is not None and not _is_free_there(on_server, number, tried):
                pass  # taken by another machine, which also holds locks of what it reads
            elif chosen is None:
                chosen = number
                held.push(tried.pop_all())
            elif has_leftovers(target, number):
                finish(Admission(number, {}, target, on_server))
        number += 1
    return chosen, busy


def _is_free_here(target: Target, number: int, tried: ExitStack) -> bool:
    """Tries to take the lock file of a writer; the stack releases it."""
    try:
        tried.enter_context(file_locked(_lock_file(target, _name(number)), "taken"))
    except TryLater:
        return False
    tried.callback(_owner_file(target, number).unlink, missing_ok=True)
    return True


def _is_free_there(on_server: ServerLocks, number: int, tried: ExitStack) -> bool:
    """Tries to take the lock of a writer on the server; the stack releases it."""
    name = f"writer {number}"
    taken = on_server.take(name)
    if taken:
        tried.callback(on_server.give_back, name)
    return taken


def _parts_of_owner(target: Target, number: int, wanted: list[str]) -> dict[str, str]:
    """Returns which of the wanted parts another process reads.

    Raises:
        TryLater: The destination allows one writer only.
    """
    owner = _owner(target, number)
    who = f"PID {owner.pid}" if owner.pid else "of an earlier version"
    if not target.allows_many_writers:
        raise TryLater(f"another sync is writing to {target} ({who}); this one did not start")
    return {part: who for part in wanted if part in owner.parts or not owner.parts}


def _nothing(_: object) -> None:
    """Leaves what killed writers left behind to their successors."""


def _name(number: int) -> str:
    return f"w{number}" if number else ""


def _lock_file(target: Target, name: str) -> Path:
    """Returns the path of a lock file. That of the first writer has no name, as in versions with a single writer."""
    if target.database is not None:
        parts = filter(None, (target.database.name, target.dataset, name, "lock"))
        return target.database.with_name("." + ".".join(parts))
    return folder_of(target) / f"{name or 'w0'}.lock"


def _owner_file(target: Target, number: int) -> Path:
    return _lock_file(target, _name(number)).with_suffix(".pid")


def _write_owner(target: Target, number: int, parts: list[str]) -> None:
    _owner_file(target, number).write_bytes(msgspec.json.encode(_Owner(os.getpid(), parts)))


def _owner(target: Target, number: int) -> _Owner:
    """Returns who holds a lock. Without parts, it holds the whole dataset: a sync of an earlier version does."""
    try:
        return msgspec.json.decode(_owner_file(target, number).read_bytes(), type=_Owner)
    except (OSError, msgspec.DecodeError):
        return _Owner(0, [])
