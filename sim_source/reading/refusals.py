"""Errors for an API key or a workspace that the server rejects."""

from __future__ import annotations

from .. import errors


def wrong_key(denied: errors.AccessDenied) -> errors.ConfigurationError:
    """Returns the error for an API key that the server rejects."""
    return errors.ConfigurationError(
        f"the server rejected the API key ({denied.reason}); check SIM_API_KEY, or api_key in the account's section; "
        "keys are created in Sim under Settings, API keys"
    )


def refused_workspace(workspace_id: str, denied: errors.AccessDenied) -> errors.AccessDenied:
    """Returns the error for a workspace that the API key may not read.

    The server's message can be misleading: it also says ``Personal API keys are not allowed for this workspace`` if the
    workspace does not exist (``sim-v0.8.9/logs_workspace_unknown``).
    """
    return errors.AccessDenied(
        f"workspace {workspace_id} cannot be read with this API key (the server says: {denied.reason}). Either the id "
        "is wrong (SIM_WORKSPACE_ID, or workspaces of the account; it is part of the workspace's URL in Sim, "
        "…/workspace/<id>/…), or the key's owner has no access to the workspace, or the workspace does not allow "
        "personal keys: in that case, create a workspace key under its Settings, API keys",
        denied.status,
        denied.reason,
    )
