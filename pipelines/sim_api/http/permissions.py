"""Who may read what: keys, workspaces, and the Enterprise admin's audit logs."""

from __future__ import annotations

from dataclasses import dataclass

from ..world.entities import Account, ApiKey, User
from ..world.world import World
from .answers import Reply, error
from .dialects import Dialect


@dataclass(frozen=True, slots=True)
class Caller:
    """The holder of a valid key."""

    key: ApiKey
    user: User
    account: Account


def caller_of(world: World, key: str | None) -> Caller | None:
    """Returns who sends this key, None for an invalid one."""
    found = world.keys.get(key or "")
    if found is None:
        return None
    user = world.users[found.user_id]
    return Caller(found, user, world.accounts[user.account_id])


def may_read(world: World, caller: Caller, workspace_id: str) -> bool:
    """Whether the caller's user can read this workspace with this key."""
    workspace = world.workspaces.get(workspace_id)
    if workspace is None or caller.user.id not in workspace.readers:
        return False
    if caller.key.workspace_id is None:
        return workspace.allows_personal_keys
    return caller.key.workspace_id == workspace_id


def workspace_refusal(world: World, caller: Caller, workspace_id: str) -> Reply | None:
    """403 of 2026-08 for a workspace that the caller may not read, None otherwise."""
    key = caller.key
    if key.workspace_id is not None and key.workspace_id != workspace_id:
        return error(403, "API key is not authorized for this workspace")
    workspace = world.workspaces.get(workspace_id)
    # An unknown workspace gets the message of one that forbids personal keys (logs_workspace_unknown).
    if key.workspace_id is None and (workspace is None or not workspace.allows_personal_keys):
        return error(403, "Personal API keys are not allowed for this workspace")
    if not may_read(world, caller, workspace_id):
        return error(403, "Access denied")
    return None


def list_refusal(world: World, dialect: Dialect, caller: Caller, workspace_id: str) -> Reply | None:
    """As `workspace_refusal`, with the messages of the generation.

    2026-03 has no message of its own for personal keys: it says `Access denied` if the caller may not read the
    workspace.
    """
    if dialect.zod == 4:
        return workspace_refusal(world, caller, workspace_id)
    if caller.key.workspace_id not in (None, workspace_id):
        return error(403, "API key is not authorized for this workspace")
    return None if may_read(world, caller, workspace_id) else error(403, "Access denied")


def audit_refusal(caller: Caller) -> Reply | None:
    """403 unless the caller is owner or admin of an organization on the Enterprise plan."""
    role = caller.account.members.get(caller.user.id)
    if role is None:
        return error(403, "Not a member of any organization")
    if role not in ("owner", "admin"):
        return error(403, "Organization admin or owner role required")
    if caller.account.plan != "enterprise":
        return error(403, "Active enterprise subscription required")
    return None
