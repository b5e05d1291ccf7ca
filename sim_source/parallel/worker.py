"""Decodes pages in a process of its own, which ``workers`` starts and gives pages to.

What it is given and what it answers goes through its standard input and output, each message with its length
before it; nothing of it touches a file. It holds no key and opens no connection. It ends with its input.
"""

from __future__ import annotations

import signal
import struct
import sys
from typing import IO

import msgspec
import pyarrow as pa

from ..api import decode
from ..rows import run_rows, runs
from ..tables import TABLES
from . import gc_tuning

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
    options: run_rows.RunOptions
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


def read(task: Task) -> DecodedPage:
    """Reads a page. What does not fit is left: who gave the task reads it again and sets it aside."""
    page = decode.runs(task.body)
    found, left = [], [row.id for row in page.rejected if row.id is not None and row.id not in task.seen]
    for run in {run.id: run for run in page.rows if run.id not in task.seen}.values():
        if run.cut:
            left.append(run.id)
            continue
        try:
            rows = runs.read(run, task.workspace_id, task.options)
        except run_rows.ROW_FAULTS:
            left.append(run.id)
            continue
        if rows.pending and task.ask_now:
            left.append(run.id)
        else:
            found.append(rows)
    tables = {name: rows for name, rows in run_rows.by_table(found).items() if name in task.tables and rows}
    return DecodedPage({name: _stream(TABLES[name].arrow_of(rows)) for name, rows in tables.items()}, left)


def _stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    found: bytes = sink.getvalue().to_pybytes()
    return found


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


def main() -> None:
    """Answers task after task."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started this process ends it
    tasks, answers = sys.stdin.buffer, sys.stdout.buffer
    decoder = msgspec.msgpack.Decoder(Task)
    with gc_tuning.tuned():
        while (frame := receive(tasks)) is not None:
            send(answers, read(decoder.decode(frame)))


if __name__ == "__main__":
    main()
