"""The embedded Sim API: a real HTTP server on loopback for the demo and the tests.

    world = demo_month(seed=7)
    with serve(world, "2026-08") as server:
        requests.get(f"{server.base_url}/api/v1/logs", params={"workspaceId": WORKSPACE}, headers=…)

A `World` is the truth, a dialect is how one generation of Sim servers tells it, `Faults` are what goes wrong.
"""

from ..rate_limit import RateLimit
from . import faults, plans
from .app import EmbeddedApi, Request
from .builders import (
    FOREIGN_WORKSPACE,
    FREE_KEY,
    LOCKED_WORKSPACE,
    MEMBER_KEY,
    NOW,
    OWNER_KEY,
    SECOND_WORKSPACE,
    WORKSPACE,
    WORKSPACE_KEY,
    audit_bulk,
    audit_burst,
    finished_run,
    many_runs,
    one_of_each,
    organization,
    small_world,
    tied_runs,
)
from .demo import demo_month
from .dialects import DIALECTS, Dialect, dialect
from .entities import AuditRow, Run, Workflow
from .faults import Fault, Faults, Gate
from .limits import Buckets
from .server import SimServer, serve
from .truth import BASE_CHARGE, Block, Plan, ToolUse, Turn
from .world import World

__all__ = [
    "BASE_CHARGE",
    "DIALECTS",
    "FOREIGN_WORKSPACE",
    "FREE_KEY",
    "LOCKED_WORKSPACE",
    "MEMBER_KEY",
    "NOW",
    "OWNER_KEY",
    "SECOND_WORKSPACE",
    "WORKSPACE",
    "WORKSPACE_KEY",
    "AuditRow",
    "Block",
    "Buckets",
    "Dialect",
    "EmbeddedApi",
    "Fault",
    "Faults",
    "Gate",
    "Plan",
    "RateLimit",
    "Request",
    "Run",
    "SimServer",
    "ToolUse",
    "Turn",
    "Workflow",
    "World",
    "audit_bulk",
    "audit_burst",
    "demo_month",
    "dialect",
    "faults",
    "finished_run",
    "many_runs",
    "one_of_each",
    "organization",
    "plans",
    "serve",
    "small_world",
    "tied_runs",
]
