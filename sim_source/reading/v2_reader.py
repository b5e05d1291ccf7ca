"""Reads the lists that only the v2 API tells, after everything of v1: v1 never waits for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from ..account_tables import BILLING_STATUS, WORKFLOW_VERSIONS, WORKFLOWS, WORKSPACES
from ..paging.source_state import SourceState
from ..run_tables import LOGS
from ..stored.warehouse import Warehouse
from .account_lists import AccountLists
from .batch import Batch, Tables
from .plan import Bounds
from .v2_session import V2Session
from .workflow_list import ListedWorkflows


@dataclass(slots=True)
class V2Reader:
    """Reads small tables of v2, and stores workflows, whose folders only v2 tells.

    Attributes:
        batch_of: Returns a new batch for these tables.
    """

    access: V2Session
    bounds: Bounds
    warehouse: Warehouse
    state: SourceState
    batch_of: Callable[..., Batch]

    def tables(
        self, listed: Mapping[str, ListedWorkflows], confirm: Callable[..., Iterator[Tables]]
    ) -> Iterator[Tables]:
        """Reads everything that is due.

        Args:
            listed: The workflows that v1 listed in this extraction, by workspace.
            confirm: Confirms the status of stored runs of a workspace; see ``RunStates.confirm``.
        """
        if self.bounds.audit_logs:  # the first piece of a sync
            yield from self._lists(listed)
        if self.bounds.ledger and LOGS.name in self.access.selected:
            for workspace_id in self.access.plan.workspace_ids:
                yield from confirm(workspace_id, may_wait=not self.bounds.runs)

    def _lists(self, listed: Mapping[str, ListedWorkflows]) -> Iterator[Tables]:
        access = self.access
        batch = self.batch_of(WORKFLOWS.name, WORKFLOW_VERSIONS.name, WORKSPACES.name, BILLING_STATUS.name)
        lists = AccountLists(access.api, self.state, batch, access.plan.account)
        for id_ in access.plan.workspace_ids:
            places = access.read(WORKFLOWS.name, id_, partial(lists.places, id_))
            if places is not None:
                access.read(WORKFLOW_VERSIONS.name, id_, partial(lists.versions, self.state.workspace(id_), places))
            if id_ in listed:
                listed[id_].add_to(batch, self.warehouse, places)
            access.read(BILLING_STATUS.name, id_, partial(lists.status, id_))
        access.read(WORKSPACES.name, None, lists.workspaces)
        yield from batch.flush()
