"""Where a sync can be killed: calls that are counted in an undisturbed run, and ended in by SIGKILL in another.

A place is a function of the application, of dlt or of the operating system, by name. The n-th call of a place is a
point; the process dies just before it, just after it, or while it is under way.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import inspect
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple

Phase = Literal["extract", "normalize", "load", "between"]
When = Literal["before", "after", "inside"]
PHASES: tuple[Phase, ...] = ("extract", "normalize", "load", "between")
WHENS: tuple[When, ...] = ("before", "after", "inside")

PLACES = (
    # read
    "sim_source.api.client:SimClient.get",
    "sim_source.schema:Table.arrow",
    "dlt.common.storages.data_item_storage:DataItemStorage.write_data_item",
    "dlt.extract.storage:ExtractStorage.commit_new_load_package",
    # normalise
    "dlt.normalize.normalize:Normalize.spool_files",
    "dlt.common.storages.load_storage:LoadStorage.import_extracted_package",
    "dlt.common.storages.load_storage:LoadStorage.commit_new_load_package",
    # load: statements and transactions, and what dlt notes of its jobs in files
    "dlt.destinations.impl.duckdb.sql_client:DuckDbSqlClient.execute_query",
    "dlt.destinations.impl.duckdb.sql_client:DuckDbSqlClient.commit_transaction",
    "dlt.common.destination.client:RunnableLoadJob.run_managed",
    "dlt.common.storages.load_package:PackageStorage.save_pending_transition",
    "dlt.common.storages.load_package:PackageStorage.complete_job",
    "dlt.load.load:Load.complete_package",
    "dlt.common.storages.load_package:PackageStorage.complete_loading_package",
    "dlt.common.storages.load_package:PackageStorage.delete_package",
    "dlt.destinations.job_client_impl:SqlJobClientBase.complete_load",
    # the steps, and between them
    "dlt.pipeline.pipeline:Pipeline.extract",
    "dlt.pipeline.pipeline:Pipeline.normalize",
    "dlt.pipeline.pipeline:Pipeline.load",
    "dlt.pipeline.pipeline:Pipeline.sync_destination",
    "dlt.pipeline.pipeline:Pipeline._save_state",
    "pipelines.destination.pipeline:restore",
    "pipelines.destination.pipeline:note_loads",
    "pipelines.destination.duckdb_hold:Hold.take",
    "pipelines.destination.duckdb_hold:Hold.release",
    "pipelines.destination.comments:write_comments",
    "pipelines.dlt_internals.append_new_rows:switch_to_append",
    "pipelines.dlt_internals.append_new_rows:delete_unrecorded",
    "filelock:FileLock.acquire",
    "filelock:FileLock.release",
    # every file that gets its final name in one step
    "os:rename",
    "os:replace",
)
STEPS: dict[str, Phase] = {f"Pipeline.{name}": name for name in ("extract", "normalize", "load")}  # type: ignore[misc]


class Call(NamedTuple):
    """A call in an undisturbed run.

    Attributes:
        nth: Counted from 1, of all calls of the place.
    """

    place: str
    nth: int
    phase: Phase


class Point(NamedTuple):
    """Where to die."""

    place: str
    nth: int
    when: When

    def __str__(self) -> str:
        return f"{self.when} call {self.nth} of {self.place.partition(':')[2]}"


class Calls:
    """Counts the calls of all places in this process, and dies at one of them.

    Args:
        point: Where; None only counts.
    """

    def __init__(self, point: Point | None = None) -> None:
        self.seen: list[Call] = []
        self._point = point
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._phase: Phase = "between"

    def watch(self) -> None:
        """Puts a counter around every place."""
        for place in PLACES:
            module, _, path = place.partition(":")
            owner: Any = importlib.import_module(module)
            *above, name = path.split(".")
            for part in above:
                owner = getattr(owner, part)
            setattr(owner, name, self._around(place, getattr(owner, name)))

    def _around(self, place: str, function: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.isgeneratorfunction(inspect.unwrap(function)):  # a context manager: its work is done on entry

            @contextlib.contextmanager
            def entered(*args: Any, **options: Any) -> Iterator[Any]:
                with self._counted(place) as leave, function(*args, **options) as value:
                    leave()
                    yield value

            return functools.wraps(function)(entered)

        step = STEPS.get(place.partition(":")[2])

        @functools.wraps(function)
        def called(*args: Any, **options: Any) -> Any:
            with self._counted(place) as leave, self._in(step):
                value = function(*args, **options)
                leave()
                return value

        return called

    @contextlib.contextmanager
    def _in(self, step: Phase | None) -> Iterator[None]:
        before = self._phase
        self._phase = step or before
        yield
        self._phase = before

    @contextlib.contextmanager
    def _counted(self, place: str) -> Iterator[Callable[[], None]]:
        with self._lock:
            self._counts[place] += 1
            nth = self._counts[place]
            self.seen.append(Call(place, nth, self._phase))
        here = self._point is not None and self._point[:2] == (place, nth)
        when = self._point.when if self._point is not None and here else None
        if when == "before":
            die()
        if when == "inside":
            # a moment later, so that the call has begun; where it is over by then, just after it
            threading.Thread(target=_die_soon, args=(nth,), daemon=True).start()
        yield die if when == "after" else _go_on
        if when == "inside":
            die()


def _die_soon(nth: int) -> None:
    time.sleep(nth % 5 * 0.0003)
    die()


def _go_on() -> None:
    pass


def die() -> None:
    """Ends this process as a power cut would: nothing is flushed, closed or said."""
    os.kill(os.getpid(), signal.SIGKILL)


def spread(calls: list[Call], count: int, shift: int = 0) -> list[Point]:
    """So many points spread over the calls: every place has its turn, from first to last call.

    Args:
        calls: What an undisturbed run did.
        count: How many points.
        shift: Moves the choice, so that another run finds others.
    """
    by_place: dict[str, list[Call]] = {}
    for call in calls:
        by_place.setdefault(call.place, []).append(call)
    places = list(by_place.values())
    turns = -(-count // len(places)) if places else 0
    found = []
    for turn in range(turns):
        for number, of_place in enumerate(places):
            # steps of the golden ratio: evenly spread, however many turns there will be
            part = (0.5 + 0.618034 * (turn + shift) + 0.37 * number) % 1
            call = of_place[int(part * len(of_place))]
            found.append(Point(call.place, call.nth, WHENS[(turn + number + shift) % len(WHENS)]))
    stride = 7 if len(found) % 7 else 1  # not only the first places, where there are fewer points than places
    return [found[(place * stride + shift) % len(found)] for place in range(count)]
