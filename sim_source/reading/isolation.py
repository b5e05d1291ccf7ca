"""Limits a failure to the resource that has it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .. import errors
from .refusals import refused_workspace, wrong_key
from .session import SyncSession


@contextmanager
def isolate_failure(session: SyncSession, resource: str, workspace_id: str | None) -> Iterator[None]:
    """Limits a failure to this resource; running out of time ends the resource without a failure.

    Args:
        session: Records the failure; if it is strict, the failure is raised instead.
        resource: The table that is read.
        workspace_id: Its workspace; None for a table of the account.

    Raises:
        ConfigurationError: Nothing can be read: the API key is wrong, or the server is not Sim.
    """
    try:
        yield
    except errors.OutOfTime:
        session.extraction.out_of_time = True
    except errors.AccessDenied as denied:
        if denied.status == 401:
            raise wrong_key(denied) from denied
        told = denied if workspace_id is None else refused_workspace(workspace_id, denied)
        if session.strict:
            raise told from denied
        session.log.failed(resource, workspace_id, told)
    except errors.SimError as error:
        if session.strict or isinstance(error, errors.ConfigurationError):
            raise
        session.log.failed(resource, workspace_id, error)
