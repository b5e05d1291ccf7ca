"""Typed methods for the endpoints of the v2 API that tell what v1 does not.

Every operation has a rate limit of its own, beside that of v1. A request is tried few times, after a 429 as well: rows
of v1 do not wait for what v2 adds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
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
MOST_REFUSALS = 2
"""Number of 429 responses to a request after which to wait, up to a minute each: rows of v1 wait as well."""
PAGE = 100
"""Most rows of a page of v2's lists, except runs."""


class SimV2Api:
    """The endpoints of ``/api/v2`` that are read. All of them raise ``NotOffered`` if the server has none for this key.

    Args:
        client: The HTTP client.

    Attributes:
        offered: Whether the server offers v2 to this key; None as long as no answer shows it.
        is_exhausted: Whether a request was refused by the rate limit until it was given up; others would be, too.
    """

    def __init__(self, client: SimClient) -> None:
        self._client = client
        self.offered: bool | None = None
        self.is_exhausted = False
        self._oldest_first = dict(_OLDEST_FIRST[0])

    def must_wait(self, bucket: str) -> bool:
        """Whether a request of an operation would have to wait now."""
        return self._client.throttle.must_wait(bucket)

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

    def run_states(
        self, workspace_id: str, query: Query, attempts: int, *, may_wait: bool = False
    ) -> Page[wire.RunState]:
        """Requests a page of runs, oldest first. One row that the server's own validation rejects makes it a 500.

        Args:
            workspace_id: Their workspace.
            query: What to request.
            attempts: Maximum number of attempts.
            may_wait: Whether to wait after a 429.
        """
        params = {"workspaceId": workspace_id, "limit": str(query.limit), "endDate": iso(query.end)}
        params |= {} if query.start is None else {"startDate": iso(query.start)}
        params |= {**_cursor(query.cursor), **dict(query.only)}
        return self._oldest_first_page("logs", params, attempts, MOST_REFUSALS if may_wait else 0)

    def runs_with_status(
        self, workflow_id: str, status: str, first: datetime, last: datetime, cursor: str | None
    ) -> Page[wire.RunState]:
        """Requests a page of the runs of a workflow that started in ``[first, last]`` and have a status.

        ``paused`` also finds those that are pending.

        Raises:
            NotFound: The workflow was archived or deleted.
        """
        params = {
            "status": status,
            "limit": str(PAGE),
            "startDate": iso(first),
            "endDate": iso(last),
            **_cursor(cursor),
        }
        path = f"workflows/{quoted(workflow_id)}/runs"
        return self._page(path, params, wire.RunState, RUNS_BUCKET)

    def snapshot(self, run_id: str) -> wire.Execution | Rejected:
        """Requests the snapshot of a run, as part of its detail; one attempt, since v1 has it, too.

        Raises:
            NotFound: The run was deleted or belongs to another workspace.
        """
        found = self._detail(run_id)
        if isinstance(found, Rejected):
            return found
        about = wire.ExecutionMetadata(
            trigger=found.trigger,
            started_at=found.started_at,
            ended_at=found.ended_at,
            total_duration_ms=found.total_duration_ms,
            cost=None if found.cost is None else wire.Cost(total=found.cost.total),
        )
        return wire.Execution(
            execution_id=found.run_id,
            workflow_id=found.workflow_id,
            workflow_state=found.workflow_state,
            execution_metadata=about,
        )

    def cost_lines(self, run_id: str) -> list[wire.CostLine] | None:
        """Requests the detail of a run for the lines of its cost; None if this server has none.

        Raises:
            NotFound: The run was deleted or belongs to another workspace.
        """
        found = self._detail(run_id)
        return None if isinstance(found, Rejected) or found.cost is None else found.cost.items

    def _detail(self, run_id: str) -> wire.RunSnapshot | Rejected:
        body = self._get(f"logs/{quoted(run_id)}", {}, decode.item, SNAPSHOT_BUCKET, attempts=1)
        return decode.one_or_rejected(body, wire.RunSnapshot)

    def _oldest_first_page(
        self, path: str, params: Mapping[str, str], attempts: int, most_refusals: int
    ) -> Page[wire.RunState]:
        """Requests a page in the order of time; servers spell that order in two ways, and reject the other one."""

        def page() -> Page[wire.RunState]:
            asked = {**params, **self._oldest_first}
            read = partial(decode.page_of, kind=wire.RunState)
            return self._get(path, asked, read, STATES_BUCKET, attempts, most_refusals)

        try:
            return page()
        except errors.BadRequest:
            before = self._oldest_first
            self._oldest_first = next(each for each in _OLDEST_FIRST if each != before)
            try:
                return page()
            except errors.BadRequest:
                self._oldest_first = before
                raise

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

    def _get(
        self,
        path: str,
        params: Mapping[str, str],
        read: Callable[[bytes], T],
        bucket: str,
        attempts: int = ATTEMPTS,
        most_refusals: int = MOST_REFUSALS,
    ) -> T:
        """Sends a request.

        Raises:
            NotOffered: The server has none. If it has answered another request in this sync, that is a fault.
        """
        try:
            answer = self._client.get(
                f"/api/v2/{path}", params, read, attempts=attempts, bucket=bucket, most_refusals=most_refusals
            )
        except errors.Unavailable as failed:
            refused = isinstance(failed.__cause__, errors.RateLimited)
            self.is_exhausted = self.is_exhausted or (refused and attempts > 1 and most_refusals > 0)
            if self.offered is None and attempts >= ATTEMPTS and isinstance(failed.__cause__, errors.UnreadableAnswer):
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
STATES_BUCKET = "logs.list"
SNAPSHOT_BUCKET = "logs.read_detail"
RUNS_BUCKET = "workflows.runs.list"
_OLDEST_FIRST: tuple[dict[str, str], ...] = ({"order": "asc"}, {"sortOrder": "asc"})
"""Parameters for the order of /logs: of v0.8.9, and of Sim's pull request 6912, which replaces ``order``."""


def _cursor(cursor: str | None) -> dict[str, str]:
    return {} if cursor is None else {"cursor": cursor}
