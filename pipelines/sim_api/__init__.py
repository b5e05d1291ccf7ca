"""The embedded Sim API: a real HTTP server on loopback for the demo and the tests.

    world = demo_month(seed=7)
    with serve(world, "2026-08") as server:
        requests.get(f"{server.base_url}/api/v1/logs", params={"workspaceId": WORKSPACE}, headers=…)

A `World` holds the data, a dialect says how one generation of Sim servers returns it, `Faults` are injected errors.

Imports no other folder.
"""

from ..rate_limit import RateLimit
from .http import faults
from .http.dialects import DIALECTS, Dialect, dialect
from .http.embedded_api import EmbeddedApi, Request
from .http.faults import Fault, Faults, Gate
from .http.limits import Buckets
from .http.server import SimServer, serve
from .world import plans
from .world.builders import (
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
    custom_block_call,
    finished_run,
    many_runs,
    one_of_each,
    organization,
    small_world,
    tied_runs,
)
from .world.demo_ledger import add_charges
from .world.demo_month import demo_month
from .world.entities import AuditRow, SimRun, SimWorkflow
from .world.truth import BASE_CHARGE, Block, Plan, ToolUse, Turn
from .world.world import World

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
    "SimRun",
    "SimServer",
    "SimWorkflow",
    "ToolUse",
    "Turn",
    "World",
    "add_charges",
    "audit_bulk",
    "audit_burst",
    "custom_block_call",
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
