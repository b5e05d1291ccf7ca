"""The results of the syncs of one command: as lines, as JSON and as an exit code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sim_source import SyncLog
from sim_source.reading.sync_log import Failure

from ..destination.target import Target
from .outcome import FAILED, OK, Outcome


@dataclass(slots=True)
class Results:
    """The outcomes of one command.

    Attributes:
        target: Destination of the rows.
        outcomes: Each with a label and the name of its account.
        warnings: Warnings about the command as a whole.
        duration_s: Duration in seconds.
    """

    target: Target
    outcomes: list[tuple[str, str, Outcome]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    duration_s: float = 0.0

    def add(self, label: str, account: str, outcome: Outcome) -> None:
        """Adds an outcome. The label is empty if there is only one."""
        self.outcomes.append((label, account, outcome))

    @property
    def last_line(self) -> str:
        """The last outcome in one line."""
        label, _, outcome = self.outcomes[-1]
        return f"{label}: {outcome.fault or outcome.summary}"

    @property
    def exit_code(self) -> int:
        """0 if everything is synced, the code of all outcomes if they agree, or else 1."""
        codes = {outcome.exit_code for _, _, outcome in self.outcomes}
        return codes.pop() if len(codes) == 1 else FAILED if codes else OK

    @property
    def out_of_time(self) -> bool:
        """Whether a sync stopped at ``--max-minutes``."""
        return any(outcome.out_of_time for _, _, outcome in self.outcomes)

    @property
    def all_warnings(self) -> list[str]:
        """Every warning once, with the account or workspace it is about."""
        found = [*self.warnings]
        found += [
            f"{label}: {text}" if label else text
            for label, _, outcome in self.outcomes
            for text in outcome.log.warnings
        ]
        return list(dict.fromkeys(found))

    def failures(self) -> Iterator[tuple[str, str, Failure]]:
        """Yields every failure with its label and its account."""
        for label, account, outcome in self.outcomes:
            yield from ((label, account, failure) for failure in outcome.log.failures)

    @property
    def whole(self) -> Outcome:
        """All outcomes as one."""
        if len(self.outcomes) == 1:
            return self.outcomes[0][2]
        log = SyncLog()
        whole = Outcome(log, self.target, 0, duration_s=self.duration_s, out_of_time=self.out_of_time)
        for _, _, outcome in self.outcomes:
            log.rows.update(outcome.log.rows)
            log.runs.update(outcome.log.runs)
            log.failures += outcome.log.failures
            for name in ("requests", "retries", "rate_limited", "waited_s"):
                setattr(log.counters, name, getattr(log.counters, name) + getattr(outcome.log.counters, name))
            whole.workspaces += outcome.workspaces
            whole.open_runs += outcome.open_runs
            whole.detail_backlog += outcome.detail_backlog
        faults = [outcome.fault for _, _, outcome in self.outcomes if outcome.fault is not None]
        log.failures += [Failure("sync", None, str(fault), fault) for fault in faults]
        if faults and len(faults) == len(self.outcomes):
            whole.fault = faults[0]
        return whole

    @property
    def summary(self) -> str:
        """Everything in one line."""
        if len(self.outcomes) == 1:
            return self.whole.summary
        states = Counter(outcome.status for _, _, outcome in self.outcomes)
        told = ", ".join(f"{states[status]:,} {status}" for status in ("ok", "partial", "failed") if states[status])
        return f"{len(self.outcomes):,} syncs ({told}); {self.whole.summary}"

    def as_json(self) -> dict[str, Any]:
        """Returns the JSON object that ``--json`` prints."""
        found = self.whole.as_json()
        found["errors"] = [
            {
                "account": account,
                "resource": failure.resource,
                "workspace": failure.workspace_id,
                "message": failure.message,
            }
            for _, account, failure in self.failures()
        ]
        found["errors"] += [
            {"account": account, "resource": None, "workspace": None, "message": str(outcome.fault)}
            for _, account, outcome in self.outcomes
            if outcome.fault is not None
        ]
        found["warnings"] = self.all_warnings
        if len(self.outcomes) > 1:
            found["syncs"] = [
                {
                    "account": account,
                    "workspaces": list(outcome.workspace_ids),
                    **{name: outcome.as_json()[name] for name in ("status", "rows", "requests", "duration_s")},
                    "exit_code": outcome.exit_code,
                }
                for _, account, outcome in self.outcomes
            ]
        return found
