"""The combined responses of a run; the detail takes precedence over the list row. Pure functions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from .. import jsons
from ..api import wire
from ..api.wire import present
from ..schema import Row
from .cost import NO_TOKENS, Charges, TokenCount, token_count
from .run_rows import RunOptions


class Trace(msgspec.Struct, gc=False):
    """A run's trace as rows and totals.

    Attributes:
        log_id: Id of the run.
        workspace_id: Workspace of the run.
        payloads: Whether inputs and outputs are kept.
        rows: Rows of ``trace_spans``, depth first.
        charges: Charges found in the spans.
        tokens: Sum over blocks; segments of a counted block are not added again.
        names_model: Whether any span names a model.
        error: Message of the first failed block.
    """

    log_id: str
    workspace_id: str
    payloads: bool = False
    rows: list[Row] = []
    charges: Charges = msgspec.field(default_factory=Charges)
    tokens: TokenCount = NO_TOKENS
    names_model: bool = False
    error: str | None = None

    @property
    def untold(self) -> bool:
        """Whether the spans do not show the split of the cost: there are none, or models without a cost."""
        return not self.rows or (self.names_model and not self.charges.priced)


class RunFacts(msgspec.Struct, gc=False):
    """The combined responses of a run, and the options for reading it.

    Attributes:
        run: Its list row.
        detail: Its detail, or None if that was not read.
        workspace_id: Its workspace.
        options: What to keep of it.
        asked: Whether the detail was requested; if so and ``detail`` is None, the server no longer has it (404).
        trace: Its trace.
        data: ``executionData`` of the detail, else of the list row; ``NO_DATA`` if it has none.
        data_rest: The part of ``executionData`` that has no column of its own.
        split: The API's split by model; None if no response has one.
    """

    run: wire.Run
    detail: wire.Run | None
    workspace_id: str
    options: RunOptions
    asked: bool
    trace: Trace
    data: wire.ExecutionData
    data_rest: dict[str, Any]
    split: dict[str, wire.ModelCost] | None

    @property
    def latest(self) -> wire.Run:
        """The detail if it was read, else the list row."""
        return self.detail or self.run

    @property
    def total(self) -> Decimal | None:
        """Cost of the run in USD, as sent by the API."""
        cost_told = self.latest.cost
        return cost_told.total if cost_told else None

    @property
    def final_output(self) -> msgspec.Raw:
        """The final output: that of the detail if it was read, even if empty; else that of the list row."""
        return self.run.final_output if self.detail is None else self.data.final_output

    @property
    def workflow_id(self) -> str | None:
        """Id of the workflow; for a hard-deleted workflow, from the run's environment (recordings)."""
        if self.latest.workflow_id or not present(self.data.environment):
            return self.latest.workflow_id
        environment = jsons.anything(self.data.environment)
        found = environment.get("workflowId") if isinstance(environment, dict) else None
        return found if isinstance(found, str) else None

    @property
    def tokens(self) -> TokenCount:
        """Token counts of the run: from its cost, else from ``executionData``, else the sum over its blocks."""
        told = self.latest.cost.tokens if self.latest.cost else None
        for tokens in (told, self.data.tokens, self.data.token_breakdown):
            counted = token_count(tokens)
            if counted:
                return counted
        return self.trace.tokens


NO_DATA = wire.ExecutionData()
