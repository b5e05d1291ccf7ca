"""Lock files, which the system releases if their process ends."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from sim_source.errors import ConfigurationError, SimError


class TryLater(SimError):
    """Another process uses the destination. Exit code 75."""


@contextmanager
def file_locked(
    file: Path, busy: str, wait_s: float = 0.0, before_wait: Callable[[], None] | None = None
) -> Iterator[None]:
    """Holds a lock file, which only this user can read.

    Args:
        file: The file; its folder is created.
        busy: What is said if another process holds it all the time.
        wait_s: Seconds to wait for the other process.
        before_wait: Called before a wait.

    Raises:
        TryLater: Another process held it all the time.
        ConfigurationError: The file cannot be written.
    """
    lock = FileLock(file, mode=0o600)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            if before_wait is not None:
                before_wait()
            lock.acquire(timeout=wait_s)
    except Timeout as error:
        raise TryLater(busy) from error
    except OSError as error:
        told = os.strerror(error.errno or 0)
        raise ConfigurationError(f"cannot write a lock file to {file.parent}: {told}") from error
    try:
        yield
    finally:
        lock.release()
