"""The spans of an agent block: its model calls and tools, in every place where a response repeats them."""

from __future__ import annotations

from typing import Any

from ..world.moments import iso_of_ms
from ..world.prices import PRICES
from ..world.truth import Block, ToolUse, TrueModelCost, Turn, turn_cost
from .dialects import Dialect

Span = dict[str, Any]
Placed = tuple[int, int, Turn | ToolUse]
_GAP_MS = 5


def token_counts(dialect: Dialect, cost: TrueModelCost) -> dict[str, int]:
    """`{input, output, total}`; `{prompt, completion, total}` in the documents dialect."""
    first, second = dialect.token_keys
    put_in, put_out = cost.input_tokens, cost.output_tokens
    return {first: put_in, second: put_out, "total": put_in + put_out}


def all_tokens(dialect: Dialect, cost: TrueModelCost) -> dict[str, int]:
    """As `token_counts`, plus cached and reasoning tokens, which are included in the other counts."""
    tokens = {**token_counts(dialect, cost), "cacheRead": cost.cache_read, "reasoning": cost.reasoning}
    if cost.cache_write:
        tokens["cacheWrite"] = cost.cache_write
    return tokens


def cost_of_span(cost: TrueModelCost) -> dict[str, float]:
    """A `cost` object, USD."""
    amounts = {"input": cost.input, "output": cost.output, "total": cost.total}
    return {**amounts, "toolCost": cost.tool} if cost.tool else amounts


def placed_segments(block: Block) -> list[Placed]:
    """(start, duration, segment) in ms from the start of the run, one after the other."""
    placed, at = [], block.start_ms
    for segment in block.segments:
        placed.append((at, segment.duration_ms, segment))
        at += segment.duration_ms + _GAP_MS
    return placed


def tool_list(block: Block, started_ms: int) -> dict[str, Any]:
    """`output.toolCalls` of an agent."""
    calls = [
        {
            "name": tool.name, "duration": duration, "startTime": iso_of_ms(started_ms + at),
            "endTime": iso_of_ms(started_ms + at + duration), "arguments": tool.arguments, "result": tool.result,
        }
        for at, duration, tool in placed_segments(block)
        if isinstance(tool, ToolUse)
    ]  # fmt: skip
    return {"count": len(calls), "list": calls}


def early_tool_calls(block: Block, started_ms: int) -> list[dict[str, Any]]:
    """A span's own `toolCalls`, as the earliest servers recorded tools (log_detail_2025-09_style_row)."""
    return [
        {
            "name": call["name"], "input": call["arguments"], "output": call["result"], "status": "success",
            "duration": call["duration"], "startTime": call["startTime"], "endTime": call["endTime"],
        }
        for call in tool_list(block, started_ms)["list"]
    ]  # fmt: skip


def asked_tools(block: Block, place: int) -> list[dict[str, Any]]:
    """The tools requested by the model call at this position: those directly after it."""
    calls = []
    for index, segment in enumerate(block.segments[place + 1 :], start=place + 1):
        if not isinstance(segment, ToolUse):
            break
        calls.append({"id": f"call_{index}", "name": segment.name, "arguments": segment.arguments})
    return calls


def timing(dialect: Dialect, block: Block, started_ms: int) -> tuple[dict[str, Any], list[Span]]:
    """`providerTiming` and its segments: the only place with times as epoch milliseconds."""
    placed = placed_segments(block)
    start, end = placed[0][0], placed[-1][0] + placed[-1][1]
    facts = {
        "startTime": iso_of_ms(started_ms + start),
        "endTime": iso_of_ms(started_ms + end),
        "duration": end - start,
        "modelTime": sum(duration for _, duration, segment in placed if isinstance(segment, Turn)),
        "toolsTime": sum(duration for _, duration, segment in placed if isinstance(segment, ToolUse)),
        "firstResponseTime": placed[0][1],
        "iterations": sum(isinstance(segment, Turn) for _, _, segment in placed),
    }
    return facts, [_time_segment(dialect, block, n, started_ms + at) for n, (at, _, _) in enumerate(placed)]


def _time_segment(dialect: Dialect, block: Block, place: int, start_ms: int) -> Span:
    segment = block.segments[place]
    span: Span = {
        "type": "model" if isinstance(segment, Turn) else "tool",
        "name": segment.model if isinstance(segment, Turn) else segment.name,
        "startTime": start_ms,
        "endTime": start_ms + segment.duration_ms,
        "duration": segment.duration_ms,
    }
    if isinstance(segment, ToolUse):
        return {**span, "toolCallId": f"call_{place}"}
    cost = turn_cost(segment)
    span["tokens"] = all_tokens(dialect, cost)
    span["cost"] = cost_of_span(cost)
    span["finishReason"] = segment.finish_reason
    calls = asked_tools(block, place)
    span.update({"toolCalls": calls} if calls else {"assistantContent": segment.text})
    if segment.thinking:
        span["thinkingContent"] = segment.thinking
    span["provider"] = PRICES[segment.model].provider
    if segment.ttft_ms is not None:
        span["ttft"] = segment.ttft_ms
    return span


def model_facts(dialect: Dialect, block: Block, turn: Turn, place: int) -> Span:
    """The fields that a model segment has itself on 2026-08; before, only `providerTiming` had them."""
    facts: Span = {"model": turn.model, "provider": PRICES[turn.model].provider}
    if turn.error_type is not None:
        return {**facts, "errorType": turn.error_type, "errorMessage": block.error}
    calls = asked_tools(block, place)
    facts.update({"modelToolCalls": calls} if calls else {"output": {"content": turn.text}})
    if turn.thinking:
        facts["thinking"] = turn.thinking
    facts["finishReason"] = turn.finish_reason
    facts["tokens"] = all_tokens(dialect, turn_cost(turn))
    if turn.ttft_ms is not None:
        facts["ttft"] = turn.ttft_ms
    return facts
