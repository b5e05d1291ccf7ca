"""What a process that decodes pages is given and answers: messages through pipes, each with its length before it."""

from __future__ import annotations

import struct
from typing import IO

import msgspec
import pyarrow as pa

from ..rows.run_rows import RunOptions

_LENGTH = struct.Struct(">Q")


class Task(msgspec.Struct, array_like=True):
    """A page to read.

    Attributes:
        body: The page as the server sent it.
        seen: Ids of rows of it that are left out: they were read before.
        workspace_id: Where its runs belong.
        options: What is kept of a run.
        tables: The tables that are wanted.
        ask_now: Runs whose per-run detail is to be asked for are left to who asks for it.
    """

    body: bytes
    seen: frozenset[str]
    workspace_id: str
    options: RunOptions
    tables: list[str]
    ask_now: bool


class DecodedPage(msgspec.Struct, array_like=True):
    """What was read of a page.

    Attributes:
        tables: Rows by table, as Arrow IPC streams.
        left: Ids of runs, without those seen, that were left.
    """

    tables: dict[str, bytes]
    left: list[str]

    def arrow(self) -> dict[str, pa.Table]:
        """The tables; their columns lie in the answer's own memory."""
        return {name: pa.ipc.open_stream(stream).read_all() for name, stream in self.tables.items()}


def send(pipe: IO[bytes], message: Task | DecodedPage) -> None:
    """Writes a message, its length before it."""
    frame = msgspec.msgpack.encode(message)
    pipe.write(_LENGTH.pack(len(frame)))
    pipe.write(frame)
    pipe.flush()


def receive(pipe: IO[bytes]) -> bytes | None:
    """Reads a message; None where the other side has ended."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    frame = pipe.read(length)
    return frame if len(frame) == length else None
