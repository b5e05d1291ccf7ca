"""``make torture``: hundreds of kills, and a table of what came of them.

make torture ARGS="--kills 600 --seed 3"
make torture ARGS="--scenario lost"
"""

from __future__ import annotations

import argparse
import itertools
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field

from tests.torture.lab import Lab, Ordeal, Verdict, lab
from tests.torture.points import PHASES, WHENS, spread
from tests.torture.servers import SYNCS
from tests.torture.worlds import DIALECTS

CLOCK = "by the clock"
KINDS = (*PHASES, CLOCK)
SCENARIOS = {
    "once": "killed, run again",
    "twice": "killed, killed again, run again",
    "lost": "killed, working folder lost, run again",
    "moved": "killed, database moved, killed again, moved, run again",
}


@dataclass(slots=True)
class Tally:
    """Figures by (scenario, kind of point)."""

    tried: Counter[tuple[str, str]] = field(default_factory=Counter)
    killed: Counter[tuple[str, str]] = field(default_factory=Counter)
    torn: Counter[tuple[str, str]] = field(default_factory=Counter)
    wrong: Counter[tuple[str, str]] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, case: Case, verdict: Verdict) -> None:
        """Counts one, and says where it went wrong."""
        key = (case.scenario, case.kind)
        with self._lock:
            self.tried[key] += 1
            self.killed[key] += verdict.killed
            self.torn[key] += verdict.torn > 0
            self.wrong[key] += bool(verdict.differences)
            if verdict.differences:
                print(f"\n{case.ordeal.dialect}, {case.ordeal.sync} sync, {verdict.story}:")
                print("\n".join(f"  {line}" for line in verdict.differences[:20]), flush=True)
            elif sum(self.tried.values()) % 10 == 0:
                print(f"{sum(self.tried.values())} syncs killed", file=sys.stderr, flush=True)


@dataclass(frozen=True, slots=True)
class Case:
    """One ordeal, and where it is counted."""

    scenario: str
    kind: str
    ordeal: Ordeal


def cases(here: Lab, scenarios: list[str], kills: int, seed: int) -> Iterator[Case]:
    """Kills spread evenly over scenarios, dialects, first and second sync, phases and the clock."""
    groups = list(itertools.product(scenarios, DIALECTS, SYNCS, KINDS))
    each = -(-kills // len(groups))
    for number, (scenario, dialect, sync, kind) in enumerate(groups):
        done = here.undisturbed(dialect, sync)
        calls = [call for call in done.calls if call.phase == kind]
        chosen = (
            [done.seconds * (place + (0.5 + 0.618034 * seed) % 1) / each for place in range(each)]
            if kind == CLOCK
            else spread(calls, each, seed * each + number)
        )
        for place, kill in enumerate(chosen):
            again = seed + number + place if scenario in ("twice", "moved") else None
            yield Case(scenario, kind, Ordeal(dialect, sync, kill, again, scenario == "lost", scenario == "moved"))


def main() -> int:
    """Kills, compares, reports; 1 where anything differed."""
    parser = argparse.ArgumentParser(prog="make torture", description=__doc__)
    parser.add_argument("--kills", type=int, default=320, help="how many syncs are killed, at least")
    parser.add_argument("--seed", type=int, default=0, help="another one finds other points")
    parser.add_argument("--scenario", action="append", choices=list(SCENARIOS), help="repeatable; else once and twice")
    parser.add_argument("--jobs", type=int, default=2, help="syncs at a time")
    options = parser.parse_args()
    started = time.monotonic()
    tally = Tally()
    with ExitStack() as stack:
        labs = [stack.enter_context(lab()) for _ in range(options.jobs)]
        chosen = list(cases(labs[0], options.scenario or ["once", "twice"], options.kills, options.seed))
        points = Counter(
            call.phase for d, s in itertools.product(DIALECTS, SYNCS) for call in labs[0].undisturbed(d, s).calls
        )
        with ThreadPoolExecutor(options.jobs) as pool:
            for done in [
                pool.submit(_work, here, chosen[place :: options.jobs], tally) for place, here in enumerate(labs)
            ]:
                done.result()
    _report(tally, points, time.monotonic() - started)
    return 1 if tally.wrong.total() else 0


def _work(here: Lab, chosen: list[Case], tally: Tally) -> None:
    for case in chosen:
        tally.add(case, here.through(case.ordeal))


def _report(tally: Tally, points: Counter[str], seconds: float) -> None:
    print("\n| killed | in | points there are | kills | database torn meanwhile | tables that differ in the end |")
    print("|---|---|--:|--:|--:|--:|")
    for scenario, words in SCENARIOS.items():
        for kind in KINDS:
            key = (scenario, kind)
            if tally.tried[key]:
                there = points[kind] * len(WHENS) or ""
                print(f"| {words} | {kind} | {there} | {tally.killed[key]} | {tally.torn[key]} | {tally.wrong[key]} |")
    print(f"| all | | | {tally.killed.total()} | {tally.torn.total()} | {tally.wrong.total()} |")
    late = tally.tried.total() - tally.killed.total()
    print(f"\n{seconds:.0f} s" + (f"; {late} kills came when the sync was over" if late else ""))


if __name__ == "__main__":
    sys.exit(main())
