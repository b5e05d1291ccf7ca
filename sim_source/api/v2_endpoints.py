"""Typed methods for the endpoints of the v2 API that tell what v1 does not.

Every operation has a rate limit of its own, beside that of v1. A request is tried few times: rows of v1 do not wait for
what v2 adds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from .. import errors
from ..timestamps import iso
from . import decode, wire
from .client import SimClient, quoted
from .decode import Page, Rejected
from .query import Query

T = TypeVar("T")

ATTEMPTS = 3
"""Maximum number of attempts of a request."""
PAGE = 100
"""Most rows of a page of v2's lists, except runs."""


class SimV2Api:
    """The endpoints of ``/api/v2`` that are read. All of them raise ``NotOffered`` if the server has none for this key.

    Args:
        client: The HTTP client.

    Attributes:
        offered: Whether the server offers v2 to this key; None as long as no answer shows it.
    """

    def __init__(self, client: SimClient) -> None:
        self._client = client
        self.offered: bool | None = None

    @property
    def versions_left(self) -> int | None:
        """Requests for versions that the rate limit allows now without waiting; None if no limit is known."""
        return self._client.throttle.available_in(VERSIONS_BUCKET)

    def workspaces(self, cursor: str | None) -> Page[wire.ReadableWorkspace]:
        """Requests a page of the workspaces that the key may read; a workspace key reads one."""
        params = {"limit": str(PAGE), "sortBy": "createdAt", "sortOrder": "asc", **_cursor(cursor)}
        return self._page("workspaces", params, wire.ReadableWorkspace, "workspaces.list_public")

    def workflow_places(self, workspace_id: str, cursor: str | None) -> Page[wire.WorkflowPlace]:
        """Requests a page of workflows: their folders, and when they were last deployed."""
        params = {"workspaceId": workspace_id, "limit": str(PAGE), **_cursor(cursor)}
        return self._page("workflows", params, wire.WorkflowPlace, "workflows.list")

    def versions(self, workflow_id: str, cursor: str | None) -> Page[wire.WorkflowVersion]:
        """Requests a page of a workflow's deployment versions, newest first.

        Raises:
            NotFound: The workflow was archived or deleted.
        """
        path = f"workflows/{quoted(workflow_id)}/versions"
        return self._page(path, {"limit": str(PAGE), **_cursor(cursor)}, wire.WorkflowVersion, VERSIONS_BUCKET)

    def ledger(self, query: Query) -> Page[wire.BillingEvent]:
        """Requests a page of the billing ledger, newest first.

        A workspace key reads the events of its workspace, a personal key those that its owner caused, in any workspace.
        """
        params = {"period": "custom", "limit": str(query.limit), "endDate": iso(query.end), **dict(query.only)}
        params["startDate"] = iso(query.start) if query.start is not None else "2000-01-01T00:00:00.000Z"
        return self._page("billing/logs", params, wire.BillingEvent, "billing.logs.list")

    def billing_status(self, workspace_id: str) -> wire.BillingStatus | Rejected:
        """Requests the credits of whoever pays for a workspace; returns ``Rejected`` if the answer does not fit.

        Raises:
            NotFound: The key may not read the workspace.
        """
        body = self._get("billing/status", {"workspaceId": workspace_id}, decode.item, "billing.status.read")
        return decode.one_or_rejected(body, wire.BillingStatus)

    def is_workspace_key(self) -> bool:
        """Whether the key is that of a workspace: v2 refuses it audit logs before it looks at the organization."""
        params = {"organizationId": "none", "limit": "1"}
        try:
            self._page("audit-logs", params, wire.AuditLog, "audit_logs.list")
        except errors.AccessDenied as denied:
            return "PRINCIPAL_KIND_NOT_PERMITTED" in denied.reason
        except (errors.BadRequest, errors.NotFound):  # an unknown organization: the kind of key was no obstacle
            return False
        return False

    def _page(self, path: str, params: Mapping[str, str], kind: type[decode.W], bucket: str) -> Page[decode.W]:
        return self._get(path, params, lambda body: decode.page_of(body, kind), bucket)

    def _get(self, path: str, params: Mapping[str, str], read: Callable[[bytes], T], bucket: str) -> T:
        """Sends a request.

        Raises:
            NotOffered: The server has none. If it has answered another request in this sync, that is a fault.
        """
        try:
            answer = self._client.get(f"/api/v2/{path}", params, read, attempts=ATTEMPTS, bucket=bucket)
        except errors.Unavailable as failed:
            if self.offered is None and isinstance(failed.__cause__, errors.UnreadableAnswer):
                self.offered = False  # what stands before an older server answers 200 with a page of HTML
                raise errors.NotOffered(f"{failed}", everything=True) from failed
            raise
        except errors.NotOffered as missing:
            if self.offered is None and missing.everything:
                self.offered = False
            if self.offered and missing.everything:
                raise errors.Unavailable(f"{missing}, although it has just answered; try again later") from missing
            raise
        self.offered = True
        return answer


VERSIONS_BUCKET = "workflows.versions.list"


def _cursor(cursor: str | None) -> dict[str, str]:
    return {} if cursor is None else {"cursor": cursor}
