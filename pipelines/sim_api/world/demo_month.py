"""A realistic month of one workspace, for `sim-sync demo` and for tests that need realistic data."""

from __future__ import annotations

import random
from bisect import bisect
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate

from . import demo_plans
from .builders import WORKSPACE, organization
from .demo_audit import add_audit_month
from .demo_plans import Behaviour
from .entities import SimRun, SimWorkflow
from .moments import to_ms
from .truth import Plan
from .world import World
from .world_setup import DAY_MS

HOUR_MS = 3_600_000
DAYS = 30
JUMP_DAY = 21
"""The chat's cost jumps on this day (counted from the month's first)."""
BROKEN_HOURS = (17 * 24 + 14, 19 * 24 + 9)
"""Hours of the month in which a failing version of the triage workflow goes live and is replaced."""


@dataclass(frozen=True, slots=True)
class Character:
    """A workflow of the demo: how often, when and how it runs."""

    id: str
    name: str
    share: float
    triggers: tuple[str, ...]
    behaviour: Behaviour
    hours: tuple[int, int] = (7, 19)
    """Its busy hours (UTC)."""
    weekend: float = 0.25
    """Activity on weekends relative to a working day."""
    model: str | None = None
    folder_id: str | None = None
    drafts: float = 0.06
    """Share of manual runs of an undeployed draft."""


CHARACTERS = (
    Character("wf-triage", "Support triage", 0.32, ("webhook", "webhook", "api"), demo_plans.triage, model="gpt-4o"),
    Character("wf-chat", "Website chat", 0.21, ("chat",), demo_plans.chat, (8, 23), 0.8, "gpt-4o-mini"),
    Character("wf-lead", "Lead enrichment", 0.08, ("api",), demo_plans.enrichment, model="gemini-2.5-flash"),
    Character(
        "wf-invoice",
        "Invoice intake",
        0.15,
        ("webhook",),
        demo_plans.invoices,
        (6, 16),
        0.1,
        folder_id="fld-1",
    ),
    Character(
        "wf-sync", "CRM sync", 0.20, ("schedule",), demo_plans.sync_plan, (0, 24), 1.0, folder_id="fld-1", drafts=0
    ),
    Character(
        "wf-contract",
        "Contract review",
        0.03,
        ("api", "manual"),
        demo_plans.review,
        model="claude-sonnet-4-5",
    ),
)


def demo_month(seed: int = 7, now: datetime | None = None, runs: int = 3000) -> World:
    """Creates one workspace (`WORKSPACE`) with thirty days of runs up to now.

    It has a day on which the chat's cost jumps, a failing version of the triage workflow, runs that are still running,
    paused, cancelled or killed, an archived and a hard-deleted workflow, old runs with expired traces, and audit rows
    with bursts within one millisecond. About 60 % of the runs use a model.

    Args:
        seed: The same seed and now produce the same data.
        now: The current time of the data (aware); by default, the machine's.
        runs: Approximate number of runs.
    """
    moment = (now or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
    world = organization(seed, moment)
    first_ms = to_ms(moment) - DAYS * DAY_MS
    source = random.Random(seed)
    due = [*_nightly(world, source, first_ms, runs)]
    for character in CHARACTERS:
        workflow = _add(world, character, first_ms)
        due += _runs_of(world, source, character, workflow, int(runs * character.share))
    due += _retired(world, source, first_ms)
    for started_ms, workflow_id, plan, trigger, draft in sorted(due, key=lambda item: item[:2]):
        run = world.start_run(workflow_id, plan, trigger=trigger, started_ms=started_ms, draft=draft)
        world.end_run(run.id)
    world.archive_workflow("wf-newsletter")
    world.delete_workflow("wf-prototype")
    _fates(world, source)
    add_audit_month(world, source, first_ms)
    return world


Due = tuple[int, str, Plan, str, bool]


def _add(world: World, character: Character, first_ms: int) -> SimWorkflow:
    workflow = world.add_workflow(
        WORKSPACE, character.name, workflow_id=character.id, model=character.model,
        folder_id=character.folder_id, description=f"{character.name} of Acme",
        created_ms=first_ms - 40 * DAY_MS,
    )  # fmt: skip
    if character.id == "wf-triage":
        for hour in (6 * 24 + 10, *BROKEN_HOURS):
            world.deploy(workflow.id, deployed_ms=first_ms + hour * HOUR_MS)
    if character.id == "wf-chat":
        world.deploy(workflow.id, deployed_ms=first_ms + JUMP_DAY * DAY_MS)
    return workflow


def _weights(world: World, character: Character) -> list[float]:
    """Cumulative activity over the hours of the month."""
    first = world.now_ms - DAYS * DAY_MS
    busy_from, busy_to = character.hours
    activity = []
    for hour in range(DAYS * 24):
        moment = datetime.fromtimestamp((first + hour * HOUR_MS) / 1000, UTC)
        weight = 1.0 if busy_from <= moment.hour < busy_to else 0.08
        activity.append(weight * (character.weekend if moment.weekday() >= 5 else 1.0))
    return list(accumulate(activity))


def _runs_of(world: World, source: random.Random, character: Character, workflow: SimWorkflow, count: int) -> list[Due]:
    first, sums = world.now_ms - DAYS * DAY_MS, _weights(world, character)
    due: list[Due] = []
    for place in range(count):
        hour = place * DAYS * 24 // count
        at = source.randrange(120_000)
        if character.triggers != ("schedule",):
            hour, at = bisect(sums, source.random() * sums[-1]), source.randrange(HOUR_MS)
        draft = source.random() < character.drafts
        trigger = "manual" if draft else source.choice(character.triggers)
        odd = (character.id == "wf-triage" and BROKEN_HOURS[0] <= hour < BROKEN_HOURS[1] and not draft) or (
            character.id == "wf-chat" and hour >= JUMP_DAY * 24
        )
        started = first + hour * HOUR_MS + at
        due.append((started, workflow.id, character.behaviour(source, odd), trigger, draft))
    return due


def _nightly(world: World, source: random.Random, first_ms: int, runs: int) -> list[Due]:
    """The nightly reports at 02:00 UTC."""
    world.add_workflow(
        WORKSPACE, "Nightly report", workflow_id="wf-report", model="claude-sonnet-4-5", folder_id="fld-1",
        created_ms=first_ms - 20 * DAY_MS,
    )  # fmt: skip
    midnight = first_ms - first_ms % DAY_MS + DAY_MS
    nights = [midnight + day * DAY_MS + 2 * HOUR_MS + source.randrange(900) for day in range(DAYS)]
    plans = [demo_plans.report_plan(source, day) for day in range(min(DAYS, max(1, runs // 4)))]
    return [
        (night, "wf-report", plan, "schedule", False)
        for night, plan in zip(nights, plans, strict=False)
        if night < world.now_ms - HOUR_MS
    ]


def _retired(world: World, source: random.Random, first_ms: int) -> list[Due]:
    """A few runs of a workflow that is archived today, and of one that was deleted for good."""
    due: list[Due] = []
    for workflow_id, name in (("wf-newsletter", "Old newsletter"), ("wf-prototype", "Prototype")):
        world.add_workflow(WORKSPACE, name, workflow_id=workflow_id, created_ms=first_ms - 50 * DAY_MS, model="gpt-4o")
        for _ in range(8):
            started = first_ms + source.randrange(6 * DAY_MS)
            due.append((started, workflow_id, demo_plans.triage(source, False), "manual", True))
    return due


def _fates(world: World, source: random.Random) -> None:
    """Ends some runs differently: paused, cancelled, killed, expired; and starts some that are still running."""
    day = world.now_ms - DAY_MS
    contracts = [run for run in world.runs_of(WORKSPACE) if run.workflow.id == "wf-contract"]
    for run in contracts[-6:]:
        world.ledger.unbill(run)
    for run in contracts[-3:]:
        world.pause_run(run.id, blocks=2, ended_ms=run.started_ms + 9_000)
    for run in contracts[-6:-3]:
        # Approved by a human a few hours later: endedAt is long after the last block.
        run.was_resumed = True
        world.end_run(run.id, ended_ms=run.started_ms + (3 + source.randrange(20)) * HOUR_MS)
    quiet = [run for run in world.runs_of(WORKSPACE) if run.started_ms < day and run not in contracts]
    chosen: list[SimRun] = source.sample(quiet, min(12, len(quiet)))
    for run in chosen[:6]:
        world.ledger.unbill(run)
    for run in chosen[:4]:
        world.cancel_run(run.id, blocks=2)
    for run in chosen[4:6]:
        world.sweep_run(run.id, ended_ms=run.started_ms + 95 * 60_000)
    for run in quiet[:40]:
        world.expire_trace(run.id)
    for minutes in (1, 3, 8):
        plan = demo_plans.triage(source, False)
        world.start_run("wf-triage", plan, trigger="webhook", started_ms=world.now_ms - minutes * 60_000)
