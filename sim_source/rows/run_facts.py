"""What the answers of a run say together: the detail before the list. Pure."""

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
    """A run's trace as read.

    Attributes:
        log_id: The run's.
        workspace_id: Where the run belongs.
        payloads: Whether inputs and outputs are kept.
        rows: Its spans, depth first, as rows of ``trace_spans``.
        charges: What they say of cost.
        tokens: Sum over blocks; segments are not counted again.
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
        """Whether the spans leave open what the run's cost is made of: there are none, or models without a cost."""
        return not self.rows or (self.names_model and not self.charges.priced)


class RunFacts(msgspec.Struct, gc=False):
    """What a run's answers say together, and what is wanted of it.

    Attributes:
        run: Its list row.
        detail: Its per-run detail, where that was read.
        asked: The detail was asked for.
        data: ``executionData`` of the latest answer; ``NO_DATA`` where it has none.
        data_rest: What of that has no column of its own.
        split: The API's own split by model; None where no answer gives one.
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
        """The detail, else the list row."""
        return self.detail or self.run

    @property
    def total(self) -> Decimal | None:
        """What the run cost in USD, as told."""
        cost_told = self.latest.cost
        return cost_told.total if cost_told else None

    @property
    def final_output(self) -> msgspec.Raw:
        """The final output: of the detail alone where that was read."""
        return self.run.final_output if self.detail is None else self.data.final_output

    @property
    def workflow_id(self) -> str | None:
        """The workflow. A hard-deleted one's id survives in the run's environment (recorded)."""
        if self.latest.workflow_id or not present(self.data.environment):
            return self.latest.workflow_id
        environment = jsons.anything(self.data.environment)
        found = environment.get("workflowId") if isinstance(environment, dict) else None
        return found if isinstance(found, str) else None

    @property
    def tokens(self) -> TokenCount:
        """Tokens of the run: told by its cost, by executionData, or else summed over its blocks."""
        told = self.latest.cost.tokens if self.latest.cost else None
        for tokens in (told, self.data.tokens, self.data.token_breakdown):
            counted = token_count(tokens)
            if counted:
                return counted
        return self.trace.tokens


NO_DATA = wire.ExecutionData()
