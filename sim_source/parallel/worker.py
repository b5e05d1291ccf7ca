"""Decodes pages in a separate process, which ``workers`` starts and sends pages to.

Tasks and results pass through standard input and output, each preceded by its length; nothing is written to a file. The
process holds no API key and opens no connection. It ends when its input closes.
"""

from __future__ import annotations

import signal
import sys

import msgspec
import pyarrow as pa

from ..api import decode
from ..rows import run_rows, runs
from ..tables import TABLES
from . import gc_tuning
from .messages import DecodedPage, Task, receive, send


def decode_page(task: Task) -> DecodedPage:
    """Decodes a page. Rows that do not fit are left to the main process, which reads them again and sets them aside."""
    page = decode.run_page(task.body)
    found, left = [], [row.id for row in page.rejected if row.id is not None and row.id not in task.seen]
    for run in {run.id: run for run in page.rows if run.id not in task.seen}.values():
        if run.cut:
            left.append(run.id)
            continue
        try:
            rows = runs.read_run(run, task.workspace_id, task.options)
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


def main() -> None:
    """Handles one task after another."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process ends this one
    tasks, answers = sys.stdin.buffer, sys.stdout.buffer
    decoder = msgspec.msgpack.Decoder(Task)
    with gc_tuning.tuned():
        while (frame := receive(tasks)) is not None:
            send(answers, decode_page(decoder.decode(frame)))


if __name__ == "__main__":
    main()
