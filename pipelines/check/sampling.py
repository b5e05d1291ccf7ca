"""What a workspace's runs will need beyond their lists, counted or from samples of them. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from sim_source.options import Snapshots

OF_NO_WORKFLOW = None
"""Under this name go runs of workflows that no list shows: archived, deleted."""


class Seen(NamedTuple):
    """A run, as far as it tells what will be asked for.

    Attributes:
        pending: Its detail is.
        snapshot: It has an execution, whose snapshot can be.
    """

    workflow_id: str | None
    version: str | None
    pending: bool
    snapshot: bool


class Needs(NamedTuple):
    """How many runs there are, and what is asked for beside their lists."""

    runs: float
    details: float
    snapshots: float


Samples = Sequence[Sequence[Seen]]
"""Runs seen, by where."""


def counted(seen: Sequence[Seen], mode: Snapshots) -> Needs:
    """What runs need, all of which were seen.

    Args:
        seen: The runs.
        mode: Whose snapshots are asked for.
    """
    single = sum(_takes_a_snapshot(run, mode) for run in seen)
    return Needs(len(seen), sum(run.pending for run in seen), single + _versions(seen, mode))


def sampled(samples: Samples, run_counts: Mapping[str, int], mode: Snapshots, by_time: float = 0.0) -> Needs:
    """What runs need, some of which were seen.

    Workflows differ far more than the runs of one do: what a share of a workflow's sampled runs needs, that share
    of all its runs is taken to need. Runs of no workflow are taken to be as many as they are in the samples.

    Args:
        samples: Runs seen.
        run_counts: Runs by workflow, as Sim counts them.
        mode: Whose snapshots are asked for.
        by_time: Runs there are by the time that they cover; believed where Sim counts none.
    """
    every = [run for sample in samples for run in sample]
    groups: dict[str | None, list[Seen]] = {}
    for run in every:
        groups.setdefault(run.workflow_id if run.workflow_id in run_counts else OF_NO_WORKFLOW, []).append(run)
    known, lost = sum(run_counts.values()), len(groups.get(OF_NO_WORKFLOW, ()))
    sizes: dict[str | None, float] = {name: float(count) for name, count in run_counts.items()}
    sizes[OF_NO_WORKFLOW] = known * lost / max(len(every) - lost, 1) if known else by_time
    details, single = 0.0, 0.0
    for name, size in sizes.items():
        alike = groups.get(name) or every
        details += size * _share(run.pending for run in alike)
        single += size * _share(_takes_a_snapshot(run, mode) for run in alike)
    return Needs(sum(sizes.values()), details, single + _versions(every, mode))


def _takes_a_snapshot(run: Seen, mode: Snapshots) -> bool:
    """Whether a run is asked for a snapshot of its own; with ``version``, those of drafts are."""
    return run.snapshot and (mode == "all" or (mode == "version" and run.version is None))


def _versions(seen: Iterable[Seen], mode: Snapshots) -> int:
    return len({run.version for run in seen if run.snapshot} - {None}) if mode == "version" else 0


def _share(those: Iterable[bool]) -> float:
    found = list(those)
    return sum(found) / max(len(found), 1)


def standard_error(samples: Samples, of: Callable[[Samples], float]) -> float:
    """How far off an estimate may be: what leaving out each of the samples in turn changes (the jackknife)."""
    count = len(samples)
    if count < 2:
        return 0.0
    without = [of([*samples[:place], *samples[place + 1 :]]) for place in range(count)]
    mean = sum(without) / count
    return math.sqrt((count - 1) / count * sum((value - mean) ** 2 for value in without))


class SampledPage(NamedTuple):
    """Rows of one page of a list that has no order but newest first.

    Attributes:
        newest: Age of the newest, seconds.
        oldest: Age of the oldest, seconds.
        rows: How many.
    """

    newest: float
    oldest: float
    rows: int

    @property
    def density(self) -> float:
        """Rows per second."""
        return self.rows / max(self.oldest - self.newest, 0.001)


def rows_in(stretches: Iterable[SampledPage]) -> float:
    """Rows in these stretches, and between them, where they are as dense as around."""
    found = sorted(stretches)
    between = sum(
        (after.newest - before.oldest) * (before.density + after.density) / 2
        for before, after in pairwise(found)
        if after.newest > before.oldest
    )
    return sum(each.rows for each in found) + between
