"""Tunes Python's garbage collector while rows are read; only for our own processes, never inside a host application."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def tuned() -> Iterator[None]:
    """Collects garbage less often while rows are read, and excludes existing objects from collection.

    dlt and its imports hold many objects. Rows hold no cycles, so scanning those objects again and again only costs
    time. Objects that a process has excluded at its start stay excluded.
    """
    before, frozen = gc.get_threshold(), gc.get_freeze_count()
    if not frozen:
        gc.freeze()
    gc.set_threshold(50_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        if not frozen:
            gc.unfreeze()
