"""Token buckets that the processes of this machine share: together, they use the rate limit of an API key once.

Machines that use the same key do not see each other. Each goes by the headers of its own responses, which count the
requests of all.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import dlt
import msgspec

from sim_source.api.rate import BucketState, Pacer, Wait

POLL_S = 0.02
"""Seconds after which a process looks whether a response that another process waits for has arrived."""


class _Shared(msgspec.Struct):
    """Content of the file of a bucket.

    Attributes:
        bucket: What is known of it; ``in_flight`` counts the requests of all processes.
        in_flight: Requests in flight, by process. Those of a process that was killed are dropped.
    """

    bucket: BucketState
    in_flight: dict[int, int] = {}


class SharedPacer(Pacer):
    """A pacer whose bucket is kept in a file, under a lock that the system releases if the process ends.

    As long as the server names no limit, nothing is shared.

    Args:
        file: The file; created if it does not exist.
    """

    def __init__(self, file: Path) -> None:
        super().__init__()
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        weakref.finalize(self, os.close, self._file)
        self._own = 0
        self._has_limit = True

    @property
    def limit(self) -> int | None:
        """See ``Pacer.limit``."""
        with self._shared():
            return super().limit

    @property
    def refills_at(self) -> float | None:
        """See ``Pacer.refills_at``."""
        with self._shared():
            return super().refills_at

    @property
    def available(self) -> int | None:
        """See ``Pacer.available``."""
        with self._shared():
            return super().available

    def claim(self, now: float) -> Wait:
        """See ``Pacer.claim``. A wait for a response is short, because it may arrive in another process."""
        with self._shared():
            wait = super().claim(now)
        return Wait(min(wait.seconds, POLL_S), for_answer=True) if wait.for_answer else wait

    def wait(self, now: float) -> Wait:
        """See ``Pacer.wait``."""
        with self._shared():
            return super().wait(now)

    def sent(self) -> None:
        """See ``Pacer.sent``."""
        with self._shared():
            super().sent()
            self._own += 1

    def failed(self) -> None:
        """See ``Pacer.failed``."""
        with self._shared():
            super().failed()
            self._own -= 1

    def answered(self, status: int, headers: Mapping[str, str], now: float, retry_at: float | None = None) -> None:
        """See ``Pacer.answered``."""
        with self._shared():
            super().answered(status, headers, now, retry_at)
            self._own -= 1
        self._has_limit = self.bucket.remaining is not None or status != 200

    def pause(self, seconds: float, now: float) -> None:
        """See ``Pacer.pause``."""
        with self._shared():
            super().pause(seconds, now)

    _depth = 0

    @contextmanager
    def _shared(self) -> Iterator[None]:
        """Reads the bucket, and writes it at the end; no other process can do so in between."""
        if self._depth or not self._has_limit:
            yield
            return
        self._depth += 1
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            others = self._read()
            yield
            counts = {**others, os.getpid(): self._own} if self._own else others
            text = msgspec.json.encode(_Shared(self.bucket, counts))
            os.pwrite(self._file, text, 0)
            os.ftruncate(self._file, len(text))
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)
            self._depth -= 1

    def _read(self) -> dict[int, int]:
        """Reads the bucket; returns the requests in flight of other processes that are alive."""
        try:
            found = msgspec.json.decode(os.pread(self._file, 4096, 0), type=_Shared)
        except msgspec.DecodeError:  # new, or cut by a crash of the machine
            found = _Shared(self.bucket)
        others = {pid: count for pid, count in found.in_flight.items() if pid != os.getpid() and _is_alive(pid)}
        self.bucket = found.bucket
        self.bucket.in_flight = self._own + sum(others.values())
        return others


def shared_pacers(base_url: str, api_key: str) -> Callable[[str], Pacer]:
    """Returns a function that creates the pacer of a bucket of an API key, shared by the processes of this machine.

    The files lie in dlt's data directory; their names do not reveal the key. If it cannot be written, each process has
    a pacer of its own.
    """
    folder = Path(dlt.current.run_context().data_dir, "sim_sync_rate_limits")

    def pacer_of(bucket: str) -> Pacer:
        name = hashlib.sha256("|".join((base_url, api_key, bucket)).encode()).hexdigest()[:20]
        try:
            return SharedPacer(folder / name)
        except OSError:
            return Pacer()

    return pacer_of


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
