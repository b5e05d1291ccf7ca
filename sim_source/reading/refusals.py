"""What to say where the server refuses the key or a workspace."""

from __future__ import annotations

from .. import errors


def wrong_key(denied: errors.AccessDenied) -> errors.ConfigurationError:
    """What to say of a key the server does not take."""
    return errors.ConfigurationError(
        f"SIM_API_KEY: the server does not take the key ({denied.reason}); make one in Sim under Settings, API keys"
    )


def refused_workspace(workspace_id: str, denied: errors.AccessDenied) -> errors.AccessDenied:
    """What to say of a workspace that the key may not read.

    The server's words can mislead: it answers ``Personal API keys are not allowed for this workspace`` where there is
    no such workspace, too (``sim-v0.8.9/logs_workspace_unknown``).
    """
    return errors.AccessDenied(
        f"SIM_WORKSPACE_ID: workspace {workspace_id} cannot be read with this key (the server says: {denied.reason}). "
        "Either the id is wrong (it is in the workspace's address in Sim, …/workspace/<id>/…), or the key is of "
        "somebody who may not read it, or the workspace takes no personal keys: then make a key of its own under its "
        "Settings, API keys",
        denied.status,
        denied.reason,
    )
