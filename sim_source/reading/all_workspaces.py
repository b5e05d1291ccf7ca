"""Names the workspaces of a plan that asks for all of them."""

from __future__ import annotations

from dataclasses import replace

from .. import errors
from ..api.v2_endpoints import SimV2Api
from ..options import ALL
from ..paging.walk_list import whole_list
from .plan import ReadPlan
from .refusals import wrong_key

ADVICE = "name the workspaces in SIM_WORKSPACE_ID instead"


def named(plan: ReadPlan, api: SimV2Api) -> ReadPlan:
    """Returns the plan with the ids of every workspace that the API key may list, if it asks for all.

    Only the v2 API lists workspaces. A workspace key lists its own.

    Raises:
        ConfigurationError: The server does not offer v2 to this key, the key is wrong, or it may list no workspace.
        SimError: The list could not be read.
    """
    if plan.workspace_ids != (ALL,):
        return plan
    if plan.api == "v1":
        raise errors.ConfigurationError(f'SIM_WORKSPACE_ID=all needs the v2 API, which api = "v1" excludes; {ADVICE}')
    try:
        rows, odd = whole_list(api.workspaces)
    except errors.NotOffered as missing:
        raise errors.ConfigurationError(
            f"SIM_WORKSPACE_ID=all needs the v2 API, which the server does not offer to this API key; {ADVICE}"
        ) from missing
    except errors.AccessDenied as denied:
        raise wrong_key(denied) from denied
    found = {row.id for row in rows} | {row.id for row in odd if row.id is not None}
    if not found:
        raise errors.ConfigurationError("SIM_WORKSPACE_ID=all: this API key may not read any workspace")
    return replace(plan, workspace_ids=tuple(sorted(found)))
