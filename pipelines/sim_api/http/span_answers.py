"""Renders a run's plan as the trace spans that each server generation returns."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from ..world.entities import Legacy, SimRun
from ..world.moments import iso_of_ms
from ..world.prices import PRICES
from ..world.truth import Block, ToolUse, TrueModelCost, agent_cost, cost_of, walk
from .agent_spans import (
    Span,
    all_tokens,
    cost_of_span,
    early_tool_calls,
    model_facts,
    placed_segments,
    timing,
    token_counts,
    tool_list,
)
from .dialects import Dialect


class SpanWriter:
    """Writes the spans of one run; afterwards, `count` is Sim's `traceSpanCount`."""

    def __init__(self, dialect: Dialect, run: SimRun) -> None:
        self.dialect = dialect
        self.run = run
        self.legacy: Legacy | None = run.legacy or (None if dialect.tool_children else "tool_calls")
        self.count = 0
        self.order = 0

    def trace(self) -> list[Span]:
        """The whole tree: one `workflow` root with the executed blocks."""
        blocks = self.run.seen.blocks
        if not blocks:
            return []
        failed = any(block.error for block in blocks)
        length = self.run.seen.duration_ms
        root = self._span("workflow-execution", "Workflow Execution", "workflow", 0, length, failed)
        root["children"] = [self._block(block) for block in blocks]
        return [{**root, **self.run.extra}]

    def _span(self, span_id: str, name: str, kind: str, start_ms: int, duration_ms: int, failed: bool) -> Span:
        self.count += 1
        start = self.run.started_ms + start_ms
        return {
            "id": span_id,
            "name": name,
            "type": kind,
            "duration": duration_ms,
            "startTime": iso_of_ms(start),
            "endTime": iso_of_ms(start + duration_ms),
            "status": "error" if failed else "success",
        }

    def _block(self, block: Block) -> Span:
        if block.type in ("loop", "parallel"):
            return self._container(block)
        moment = self.run.started_ms + block.start_ms
        span_id = f"{block.block_id}-{moment}"
        failed = block.error is not None
        span = self._span(span_id, block.name, block.type, block.start_ms, block.duration_ms, failed)
        span["blockId"] = block.block_id
        if self.dialect.run_facts:
            self.order += 1
            span["executionOrder"] = self.order
        for key, value in (
            ("loopId", block.loop_id), ("parallelId", block.parallel_id), ("iterationIndex", block.iteration)
        ):  # fmt: skip
            if value is not None:
                span[key] = value
        span.update(block.extra)
        span["input"] = block.input
        span["output"] = {"error": block.error} if failed else block.output
        cost = agent_cost(block)
        if cost is not None:
            self._agent(span, block, cost)
        elif block.tool_cost:
            charge = {"input": 0, "output": 0, "total": block.tool_cost}
            span["output"] = {**span["output"], "cost": charge}
            if self.dialect.span_costs:
                span["cost"] = charge
        elif block.type == "workflow":
            self._child_workflow(span, block)
        span["relativeStartMs"] = block.start_ms
        if self.legacy is None or not block.segments:
            segments = self._segments(block, span_id) if block.segments else []
            span["children"] = [*segments, *(self._block(child) for child in block.children)]
        return span

    def _container(self, block: Block) -> Span:
        """A loop or parallel: it contains iterations, which contain blocks (the same block id recurs)."""
        failed = any(child.error for child in walk(block.children))
        span_id = f"{block.type}-execution-{block.block_id}"
        span = self._span(span_id, block.name, block.type, block.start_ms, block.duration_ms, failed)
        span["children"] = []
        for index, group in groupby(block.children, key=lambda child: child.iteration):
            inner = list(group)
            start = min(child.start_ms for child in inner)
            end = max(child.start_ms + child.duration_ms for child in inner)
            iteration = self._span(
                f"{block.block_id}-iteration-{index}", f"Iteration {index}", f"{block.type}-iteration", start,
                end - start, any(child.error for child in inner),
            )  # fmt: skip
            iteration["children"] = [self._block(child) for child in inner]
            span["children"].append(iteration)
        return span

    def _child_workflow(self, span: Span, block: Block) -> None:
        """A workflow block repeats the sums of its child spans."""
        cost = cost_of(block.children).all_models
        span["tokens"] = token_counts(self.dialect, cost)
        if self.dialect.span_costs:
            span["cost"] = cost_of_span(cost)

    def _agent(self, span: Span, block: Block, cost: TrueModelCost) -> None:
        model = block.model or ""
        charge = {**cost_of_span(cost), "pricing": PRICES[model].pricing()}
        tokens: Any = token_counts(self.dialect, cost)
        if self.legacy is None:
            facts, segments = timing(self.dialect, block, self.run.started_ms)
            span["output"] = {
                **span["output"], "model": model, "tokens": all_tokens(self.dialect, cost),
                "toolCalls": tool_list(block, self.run.started_ms),
                "providerTiming": {**facts, "timeSegments": segments}, "cost": charge,
            }  # fmt: skip
            common = {key: facts[key] for key in ("duration", "startTime", "endTime")}
            span["providerTiming"] = {**common, "segments": segments}
        elif self.legacy == "bare_tokens":
            tokens = tokens["total"]
        span["tokens"] = tokens
        span["model"] = model
        if self.dialect.span_costs:
            span["cost"] = charge
        if self.legacy is not None:
            span["toolCalls"] = early_tool_calls(block, self.run.started_ms)

    def _segments(self, block: Block, span_id: str) -> list[Span]:
        """Children of an agent span: model calls and tools."""
        return [
            self._segment(block, f"{span_id}-segment-{place}", place, at, duration)
            for place, (at, duration, _) in enumerate(placed_segments(block))
        ]

    def _segment(self, block: Block, span_id: str, place: int, at: int, duration: int) -> Span:
        segment = block.segments[place]
        if isinstance(segment, ToolUse):
            span = self._span(span_id, segment.name, "tool", at, duration, False)
            span.update(input=segment.arguments, output=segment.result)
            if self.dialect.segment_tokens:
                span["toolCallId"] = f"call_{place}"
        else:
            failed = segment.error_type is not None
            span = self._span(span_id, segment.model, "model", at, duration, failed)
            if self.dialect.segment_tokens:
                span.update(model_facts(self.dialect, block, segment, place))
        span["relativeStartMs"] = at
        return span
