"""Counts, or extrapolates from samples, the details and snapshots that the runs of a workspace need. Pure, no I/O."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from sim_source.options import Snapshots

OF_NO_WORKFLOW = None
"""Group of the runs whose workflow is not listed, because it is archived or deleted."""


class Seen(NamedTuple):
    """What is known of a run to decide which requests it needs.

    Attributes:
        workflow_id: Id of its workflow.
        version: Id of its deployment version; None for a draft.
        pending: Whether its detail is read.
        snapshot: Whether it has an execution, and so may have a snapshot.
    """

    workflow_id: str | None
    version: str | None
    pending: bool
    snapshot: bool


class Needs(NamedTuple):
    """Number of runs, and of the details and snapshots that they need."""

    runs: float
    details: float
    snapshots: float


Samples = Sequence[Sequence[Seen]]
"""Groups of runs, one per place in time at which a sample was read."""


def counted(seen: Sequence[Seen], mode: Snapshots) -> Needs:
    """Counts what runs need if all of them were read.

    Args:
        seen: The runs.
        mode: Which snapshots are read.
    """
    single = sum(_takes_a_snapshot(run, mode) for run in seen)
    return Needs(len(seen), sum(run.pending for run in seen), single + _versions(seen, mode))


def sampled(samples: Samples, run_counts: Mapping[str, int], mode: Snapshots, by_time: float = 0.0) -> Needs:
    """Extrapolates what all runs need from samples.

    Workflows differ far more from each other than the runs of one workflow do. Each workflow is therefore extrapolated
    by itself: the share of its sampled runs that needs a request is applied to all its runs. Runs of unlisted workflows
    are assumed to be as frequent as in the samples.

    Args:
        samples: Sampled runs.
        run_counts: Runs by workflow, as counted by Sim.
        mode: Which snapshots are read.
        by_time: Number of runs extrapolated from the time range that was read; used if Sim counts none.
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
    """Whether this run needs a snapshot of its own. With ``version``, only drafts do."""
    return run.snapshot and (mode == "all" or (mode == "version" and run.version is None))


def _versions(seen: Iterable[Seen], mode: Snapshots) -> int:
    return len({run.version for run in seen if run.snapshot} - {None}) if mode == "version" else 0


def _share(those: Iterable[bool]) -> float:
    found = list(those)
    return sum(found) / max(len(found), 1)


def standard_error(samples: Samples, of: Callable[[Samples], float]) -> float:
    """Returns the standard error of an estimate, by leaving out each sample in turn (jackknife)."""
    count = len(samples)
    if count < 2:
        return 0.0
    without = [of([*samples[:place], *samples[place + 1 :]]) for place in range(count)]
    mean = sum(without) / count
    return math.sqrt((count - 1) / count * sum((value - mean) ** 2 for value in without))


class SampledPage(NamedTuple):
    """A page of a list that the API can only sort newest first.

    Attributes:
        newest: Age of the newest row in seconds.
        oldest: Age of the oldest row in seconds.
        rows: Number of rows.
    """

    newest: float
    oldest: float
    rows: int

    @property
    def density(self) -> float:
        """Rows per second."""
        return self.rows / max(self.oldest - self.newest, 0.001)


def rows_in(stretches: Iterable[SampledPage]) -> float:
    """Estimates the rows in these time ranges and between them, assuming the mean density of both neighbours there."""
    found = sorted(stretches)
    between = sum(
        (after.newest - before.oldest) * (before.density + after.density) / 2
        for before, after in pairwise(found)
        if after.newest > before.oldest
    )
    return sum(each.rows for each in found) + between
