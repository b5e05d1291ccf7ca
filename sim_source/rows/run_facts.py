"""What the answers of a run say together: the detail before the list. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from .. import jsons
from ..api import decode, wire
from ..api.wire import present
from . import cost, privacy, spans
from .run_rows import RunOptions


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
    trace: spans.Trace
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
    def tokens(self) -> cost.TokenCount:
        """Tokens of the run: told by its cost, by executionData, or else summed over its blocks."""
        told = self.latest.cost.tokens if self.latest.cost else None
        for tokens in (told, self.data.tokens, self.data.token_breakdown):
            counted = cost.token_count(tokens)
            if counted:
                return counted
        return self.trace.tokens


def facts_of(
    run: wire.Run, workspace_id: str, options: RunOptions, detail: wire.Run | None = None, *, asked: bool = False
) -> RunFacts:
    """Reads what a run's answers say together; see ``runs.read``."""
    data, rest = NO_DATA, {}
    source = run if detail is None else detail
    if present(source.execution_data):
        data = decode.one(source.execution_data, wire.ExecutionData)
        rest = _rest_of(source.execution_data, options)
    roots = spans.decoded(data.trace_spans) or spans.decoded(run.trace_spans)  # a trace may expire between the two
    trace = spans.read(roots, run.id, workspace_id, payloads=options.full)
    split = _split(detail)
    if split is None:
        split = _split(run)
    return RunFacts(
        run=run,
        detail=detail,
        workspace_id=workspace_id,
        options=options,
        asked=asked,
        trace=trace,
        data=data,
        data_rest=rest,
        split=data.models if split is None else split,
    )


NO_DATA = wire.ExecutionData()


_COLUMNS_OF_EXECUTION_DATA = frozenset(
    {"traceSpans", "finalOutput", "finalizationPath", "tokens", "models", "tokenBreakdown", "error"}
)


def _rest_of(raw: msgspec.Raw, options: RunOptions) -> dict[str, Any]:
    """What of executionData has no column of its own."""
    shallow: dict[str, msgspec.Raw] = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    rest = {
        name: jsons.anything(entry)
        for name, entry in shallow.items()
        if name not in _COLUMNS_OF_EXECUTION_DATA and (options.full or name not in privacy.PAYLOAD_NAMES)
    }
    cleaned: dict[str, Any] = privacy.without_secrets(rest) if options.full else privacy.safe_execution_data(rest)
    return cleaned


def _split(answer: wire.Run | None) -> dict[str, wire.ModelCost] | None:
    return answer.cost.models if answer is not None and answer.cost is not None else None
