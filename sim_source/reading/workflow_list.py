"""The workflows of a workspace as v1 lists them, waiting for the paths of their folders, which only v2 tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..account_tables import WORKFLOWS
from ..api import wire
from ..api.decode import Rejected
from ..paging.source_state import WorkspaceState
from ..rows import account_rows
from ..stored.billing_queries import folder_paths
from ..stored.warehouse import Warehouse
from . import adding
from .batch import Batch


@dataclass(slots=True)
class ListedWorkflows:
    """The workflows that v1 listed.

    Attributes:
        state: The state of their workspace; changed in place.
        found: The workflows.
        odd: Those that could not be parsed.
    """

    state: WorkspaceState
    found: list[wire.Workflow] = field(default_factory=list)
    odd: list[Rejected] = field(default_factory=list)

    def add_to(self, batch: Batch, warehouse: Warehouse, places: Sequence[wire.WorkflowPlace] | None) -> None:
        """Adds the rows; none if they are stored already, so that a sync with nothing new loads nothing.

        Args:
            batch: Receives the rows.
            warehouse: Queried for stored paths, if v2 tells none now.
            places: What v2 tells; None if nothing.
        """
        workspace_id = self.state.id
        paths: dict[str, str | None] = {}
        if places is None:
            paths.update(folder_paths(warehouse, workspace_id))
        else:
            paths.update({place.id: place.folder_path for place in places})
        rows, more = adding.rows_and_rejected(
            self.found, lambda row: account_rows.workflow_row(row, workspace_id, paths.get(row.id))
        )
        adding.set_aside(batch, WORKFLOWS.name, [*self.odd, *more], workspace_id)
        digest = account_rows.rows_hash(rows)
        if self.state.workflows_hash != digest:
            batch.add(WORKFLOWS.name, rows)
            self.state.workflows_hash = digest
