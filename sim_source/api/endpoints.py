"""Typed methods for the API's endpoints: each sends a request and returns the decoded response."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ..timestamps import iso
from . import decode, wire
from .client import SimClient, quoted
from .decode import Page, Rejected
from .query import Query

T = TypeVar("T")

PAGE_ATTEMPTS = 3
"""Maximum number of attempts for a page; after that, the caller can request a smaller page."""


class SimApi:
    """The API's endpoints that return data.

    Args:
        client: The HTTP client.
        full: Request run lists with trace spans and final output; needed for every table of runs except ``logs``.
    """

    def __init__(self, client: SimClient, *, full: bool = True) -> None:
        self._client = client
        self._full = full

    def runs(self, workspace_id: str, query: Query) -> Page[wire.Run]:
        """Requests a page of runs.

        Raises:
            SimError: As ``SimClient.get``.
        """
        return self._runs(workspace_id, query, decode.run_page)

    def listed(self, workspace_id: str, query: Query) -> Page[wire.Shown]:
        """Requests the same page as ``runs``, but decodes only a few fields of each row; see ``decode.listed``."""
        return self._runs(workspace_id, query, decode.listed)

    def _runs(self, workspace_id: str, query: Query, read: Callable[[bytes], T]) -> T:
        params = {
            "workspaceId": workspace_id,
            "endDate": iso(query.end),
            "order": query.order,
            "limit": str(query.limit),
        }
        if query.start is not None:
            params["startDate"] = iso(query.start)
        if query.cursor is not None:
            params["cursor"] = query.cursor
        if self._full:
            # a flag that is off is omitted, not sent as "false": servers of 2026-03 treat "false" as true
            params |= {"details": "full", "includeTraceSpans": "true", "includeFinalOutput": "true"}
        params |= dict(query.only)
        attempts = PAGE_ATTEMPTS if query.limit > 1 else None
        return self._client.get("/api/v1/logs", params, read, attempts=attempts)

    def run(self, log_id: str) -> wire.Run | Rejected:
        """Requests the detail of a run; returns ``Rejected`` if it does not fit the structure.

        Raises:
            NotFound: The run was deleted or belongs to another workspace.
        """
        return decode.one_or_rejected(self._client.get(f"/api/v1/logs/{quoted(log_id)}", None, decode.item), wire.Run)

    def execution(self, execution_id: str) -> wire.Execution | Rejected:
        """Requests the snapshot of a run; returns ``Rejected`` if it does not fit the structure.

        Raises:
            NotFound: The snapshot was deleted or belongs to another workspace.
        """
        body = self._client.get(f"/api/v1/logs/executions/{quoted(execution_id)}", None, decode.whole_object)
        return decode.one_or_rejected(body, wire.Execution)

    def audit_logs(self, query: Query) -> Page[wire.AuditLog]:
        """Requests a page of audit logs, newest first.

        Includes the actions of members who have left the organization; otherwise those rows would disappear.

        Raises:
            AccessDenied: 403, if the plan is not Enterprise or the user is not an organization admin.
        """
        params = {"limit": str(query.limit), "endDate": iso(query.end), "includeDeparted": "true", **dict(query.only)}
        if query.start is not None:
            params["startDate"] = iso(query.start)
        return self._client.get("/api/v1/audit-logs", params, lambda body: decode.page_of(body, wire.AuditLog))

    def workflows(self, workspace_id: str, cursor: str | None) -> Page[wire.Workflow]:
        """Requests a page of workflows; the server omits archived ones."""
        params = {"workspaceId": workspace_id, "limit": "100"}
        if cursor is not None:
            params["cursor"] = cursor
        return self._client.get("/api/v1/workflows", params, lambda body: decode.page_of(body, wire.Workflow))

    def usage(self) -> wire.Usage | Rejected:
        """Requests the account's usage; returns ``Rejected`` if it does not fit. This endpoint has no rate limit."""
        body = self._client.get("/api/users/me/usage-limits", None, decode.whole_object, limited=False)
        return decode.one_or_rejected(body, wire.Usage)
