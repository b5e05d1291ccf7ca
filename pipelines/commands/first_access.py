"""Checks the API key before a sync creates a new DuckDB file."""

from __future__ import annotations

from collections.abc import Callable

from sim_source import SimClient, errors
from sim_source.api.endpoints import SimApi
from sim_source.reading.refusals import refused_workspace, wrong_key

from ..settings import RunSettings


def check_access_first(settings: RunSettings, client_of: Callable[[], SimClient]) -> None:
    """Checks the API key and access to at least one workspace, if the DuckDB file does not exist yet.

    Raises:
        ConfigurationError: The server rejected the API key, or access to every workspace.
    """
    file = settings.target.database
    if file is None or file.exists():
        return
    refusals: list[errors.ConfigurationError] = []
    with client_of() as client:
        try:
            SimApi(client).usage()
        except errors.AccessDenied as denied:
            raise wrong_key(denied) from denied
        for workspace_id in settings.plan.workspace_ids:
            try:
                SimApi(client).workflows(workspace_id, None)
            except errors.AccessDenied as denied:
                refusals.append(_refusal(workspace_id, denied))
            else:
                return
    raise refusals[0]


def _refusal(workspace_id: str, denied: errors.AccessDenied) -> errors.ConfigurationError:
    if denied.status == 401:
        return wrong_key(denied)
    return errors.ConfigurationError(str(refused_workspace(workspace_id, denied)))
