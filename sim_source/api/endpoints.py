"""The endpoints, typed: what is asked, and what comes back decoded."""

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
"""Tries of a page that could be asked for in a smaller size instead."""


class SimApi:
    """Asks the endpoints that hold data.

    Args:
        client: How it asks.
        full: Ask lists for spans and final output (needed for everything but plain logs).
    """

    def __init__(self, client: SimClient, *, full: bool = True) -> None:
        self._client = client
        self._full = full

    def runs(self, workspace_id: str, query: Query) -> Page[wire.Run]:
        """A page of runs.

        Raises:
            UnreadableAnswer and all that ``SimClient.get`` raises.
        """
        return self._runs(workspace_id, query, decode.run_page)

    def listed(self, workspace_id: str, query: Query) -> Page[wire.Shown]:
        """The same page, hardly read; see ``decode.listed``."""
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
            # flags are left out rather than sent as false: 2026-03 reads false as true
            params |= {"details": "full", "includeTraceSpans": "true", "includeFinalOutput": "true"}
        params |= dict(query.only)
        attempts = PAGE_ATTEMPTS if query.limit > 1 else None
        return self._client.get("/api/v1/logs", params, read, attempts=attempts)

    def run(self, log_id: str) -> wire.Run | Rejected:
        """A run's detail, set aside where it is not what a run can be.

        Raises:
            NotFound: Purged or foreign.
        """
        return decode.one_or_rejected(self._client.get(f"/api/v1/logs/{quoted(log_id)}", None, decode.item), wire.Run)

    def execution(self, execution_id: str) -> wire.Execution | Rejected:
        """A run's snapshot, set aside where it is not what one can be.

        Raises:
            NotFound: Purged or foreign.
        """
        body = self._client.get(f"/api/v1/logs/executions/{quoted(execution_id)}", None, decode.whole_object)
        return decode.one_or_rejected(body, wire.Execution)

    def audit_logs(self, query: Query) -> Page[wire.AuditLog]:
        """A page of audit logs, newest first, with those of people who have left: else rows vanish when they leave.

        Raises:
            AccessDenied: 403 without Enterprise plan or organization admin.
        """
        params = {"limit": str(query.limit), "endDate": iso(query.end), "includeDeparted": "true", **dict(query.only)}
        if query.start is not None:
            params["startDate"] = iso(query.start)
        return self._client.get("/api/v1/audit-logs", params, lambda body: decode.page_of(body, wire.AuditLog))

    def workflows(self, workspace_id: str, cursor: str | None) -> Page[wire.Workflow]:
        """A page of workflows; archived ones are left out by the server."""
        params = {"workspaceId": workspace_id, "limit": "100"}
        if cursor is not None:
            params["cursor"] = cursor
        return self._client.get("/api/v1/workflows", params, lambda body: decode.page_of(body, wire.Workflow))

    def usage(self) -> wire.Usage | Rejected:
        """The account's usage, set aside where it is not what it can be; not rate limited."""
        body = self._client.get("/api/users/me/usage-limits", None, decode.whole_object, limited=False)
        return decode.one_or_rejected(body, wire.Usage)
