"""Reads what only the v2 API tells about an account, except its ledger: workspaces, folders, versions, credits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from .. import errors
from ..account_tables import BILLING_STATUS, WORKFLOW_VERSIONS, WORKSPACES
from ..api import wire
from ..api.v2_endpoints import VERSIONS_BUCKET, SimV2Api
from ..paging.source_state import SourceState, WorkspaceState
from ..paging.walk_list import walk_by_cursor, whole_list
from ..rows import account_rows, billing_rows
from ..timestamps import utc
from . import adding
from .batch import Batch


@dataclass(slots=True)
class AccountLists:
    """Reads small lists of the v2 API into a batch. Methods raise ``NotOffered`` or ``AccessDenied``, as the API does.

    Attributes:
        api: The endpoints.
        state: The state of the source; changed in place.
        batch: Receives the rows.
        account: Name of the account.
    """

    api: SimV2Api
    state: SourceState
    batch: Batch
    account: str

    def workspaces(self) -> None:
        """Reads the workspaces that the key may read; loads them only if something changed."""
        found, odd = whole_list(self.api.workspaces)
        rows, more = adding.rows_and_rejected(found, billing_rows.workspace_row)
        digest = account_rows.rows_hash(rows)
        account = self.state.account(self.account)
        if account.workspaces_hash != digest:
            self.batch.add(WORKSPACES.name, rows)
            self.state.reads_account(self.account)
            account.workspaces_hash = digest
        adding.set_aside(self.batch, WORKSPACES.name, [*odd, *more], None)

    def places(self, workspace_id: str) -> list[wire.WorkflowPlace]:
        """Returns folder and deployment of each workflow of a workspace, except archived ones."""
        return whole_list(partial(self.api.workflow_places, workspace_id))[0]

    def versions(self, state: WorkspaceState, places: Sequence[wire.WorkflowPlace]) -> None:
        """Reads the versions of workflows that were deployed or undeployed since; as many as the rate limit allows now.

        The rest is read by later syncs.
        """
        for place in places:
            deployed = "" if place.deployed_at is None else utc(place.deployed_at).isoformat()
            if state.deployed.get(place.id, "") == deployed:
                continue
            if self.api.must_wait(VERSIONS_BUCKET):
                return
            try:
                self._versions_of(state.id, place.id)
            except errors.NotFound:
                continue  # archived meanwhile
            state.deployed[place.id] = deployed

    def _versions_of(self, workspace_id: str, workflow_id: str) -> None:
        for page in walk_by_cursor(partial(self.api.versions, workflow_id)):
            adding.add(
                self.batch,
                WORKFLOW_VERSIONS.name,
                page.rows,
                lambda row: billing_rows.version_row(row, workspace_id, workflow_id),
                page.rejected,
                workspace_id,
            )

    def status(self, workspace_id: str) -> None:
        """Reads the credits of whoever pays for a workspace."""
        told, now = self.api.billing_status(workspace_id), datetime.now(UTC)
        adding.add_one(
            self.batch,
            BILLING_STATUS.name,
            told,
            lambda row: billing_rows.status_row(row, workspace_id, now, self.account),
            workspace_id,
        )
