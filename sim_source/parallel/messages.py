"""Messages to and from a worker process that decodes pages, each preceded by its length."""

from __future__ import annotations

import struct
from typing import IO

import msgspec
import pyarrow as pa

from ..rows.run_rows import RunOptions

_LENGTH = struct.Struct(">Q")


class Task(msgspec.Struct, array_like=True):
    """A page to decode.

    Attributes:
        body: The page as the server sent it.
        seen: Ids of rows to skip: they were read before.
        workspace_id: The workspace of its runs.
        options: What is kept of a run.
        tables: The tables that are wanted.
        ask_now: Leave runs that need a per-run detail to the main process, which requests it.
    """

    body: bytes
    seen: frozenset[str]
    workspace_id: str
    options: RunOptions
    tables: list[str]
    ask_now: bool


class DecodedPage(msgspec.Struct, array_like=True):
    """A decoded page.

    Attributes:
        tables: Rows by table, as Arrow IPC streams.
        left: Ids of runs that were not decoded, except those in ``seen``.
    """

    tables: dict[str, bytes]
    left: list[str]

    def arrow(self) -> dict[str, pa.Table]:
        """Returns the tables; their columns share the memory of this message."""
        return {name: pa.ipc.open_stream(stream).read_all() for name, stream in self.tables.items()}


def send(pipe: IO[bytes], message: Task | DecodedPage) -> None:
    """Writes a message, preceded by its length."""
    frame = msgspec.msgpack.encode(message)
    pipe.write(_LENGTH.pack(len(frame)))
    pipe.write(frame)
    pipe.flush()


def receive(pipe: IO[bytes]) -> bytes | None:
    """Reads a message; None if the other side has ended."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    frame = pipe.read(length)
    return frame if len(frame) == length else None
