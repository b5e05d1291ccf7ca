"""Flattens a trace to rows and collects its cost, tokens and error. Pure functions.

Cost is counted as Sim does it (Sim's source, ``calculateCostSummary``): a ``workflow`` span is a container and is never
counted; the cost of a block already includes its model segments; other children are counted on their own.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from .. import jsons
from ..api import decode, wire
from ..api.wire import present
from ..schema import Row
from . import extras, span_extras
from .cost import TokenCount, money, token_count, whole_number
from .run_facts import Trace


class _Place(msgspec.Struct, gc=False):
    """A span and its position in the tree.

    Attributes:
        span: The span.
        parent: Index of the parent span; None for a root.
        depth: Number of ancestors.
        inside_counted: Whether the cost of the parent was counted, which includes that of its segments.
        segment: The segment of the parent's ``providerTiming`` that describes the same call, or None.
        model: The model that the span names; set by ``_read_span``.
    """

    span: wire.Span
    parent: int | None
    depth: int
    inside_counted: bool
    segment: wire.Segment | None = None
    model: str | None = None


def decoded(trace: msgspec.Raw) -> list[wire.Span]:
    """Decodes the root spans of a trace; done per run, not per page, to use less memory at a time.

    Raises:
        msgspec.DecodeError: The value is not a list of spans.
    """
    return decode.several(trace, wire.Span) if present(trace) else []


def read_trace(spans: Iterable[wire.Span] | None, log_id: str, workspace_id: str, *, payloads: bool) -> Trace:
    """Flattens a trace.

    Args:
        spans: The root spans.
        log_id: Id of the run.
        workspace_id: Workspace of the run.
        payloads: Whether inputs and outputs are kept.

    Raises:
        msgspec.DecodeError: A part of a span does not fit its structure.
    """
    trace = Trace(log_id, workspace_id, payloads)
    stack = [_Place(span, None, 0, False) for span in reversed(list(spans or ()))]
    while stack:
        place = stack.pop()
        index = len(trace.rows)
        counted = _read_span(trace, place)
        stack += reversed(_children(place.span, index, place.depth + 1, counted))
    return trace


def _children(span: wire.Span, index: int, depth: int, counted: bool) -> list[_Place]:
    children = span.children or []
    if not children and not present(span.tool_calls):
        return []  # most spans are leaves
    segments = span.provider_timing.segments if span.provider_timing else None
    placed = [
        _Place(child, index, depth, counted, _segment_of(child, position, segments))
        for position, child in enumerate(children)
    ]
    if present(span.tool_calls) and not any(child.type == "tool" for child in children):
        placed += [_Place(call, index, depth, counted) for call in _legacy_tool_calls(span)]
    return placed


def _segment_of(child: wire.Span, position: int, segments: list[wire.Segment] | None) -> wire.Segment | None:
    """The matching segment of ``providerTiming``: 2026-03 servers send tokens and provider only there."""
    if segments is None or position >= len(segments):
        return None
    segment = segments[position]
    return segment if span_extras.is_account_of(segment, child) else None


def _legacy_tool_calls(span: wire.Span) -> list[wire.Span]:
    """Tool calls of servers before 2026, as the child spans that later servers send."""
    found = jsons.anything(span.tool_calls)
    calls = found.get("list") if isinstance(found, dict) else found
    if not isinstance(calls, list):
        return []
    spans = []
    for raw in calls:
        call = decode.one(jsons.encode(raw), wire.ToolCall)
        spans.append(
            wire.Span(
                name=call.name,
                type="tool",
                status=call.status,
                duration=call.duration,
                start_time=call.start_time,
                end_time=call.end_time,
                error_message=extras.error_text(call.error),
                input=call.input,
                output=call.output,
                unknown=call.unknown,
            )
        )
    return spans


def _read_span(trace: Trace, place: _Place) -> bool:
    """Adds a span's row and charges to the trace.

    Returns:
        Whether the cost or tokens of the span were counted, so that its segments must not be.
    """
    span, segment = place.span, place.segment
    output = None if _says_all(place) else _output(span)
    cost = span.cost or (output.cost if output else None)
    tokens = span.tokens
    if tokens is None and segment is not None:
        tokens = segment.tokens
    counts = token_count(tokens)
    place.model = span.model or (span.name if span.type == "model" else None)
    error = extras.error_text(span.error_message or (segment.error_message if segment else None))
    if error is None and span.status == "error" and output is not None:
        error = extras.error_text(output.error)
    counted = _charge(trace, place, cost, counts)
    trace.names_model = trace.names_model or place.model is not None
    if error is not None and trace.error is None:
        trace.error = error
    shown = cost or (segment.cost if segment else None)
    trace.rows.append(_row(trace, place, counts, tokens, error, shown, output))
    return counted


def _charge(trace: Trace, place: _Place, cost: wire.Cost | None, counts: TokenCount) -> bool:
    """Counts a span's cost and tokens by Sim's rules; returns whether anything was counted."""
    span = place.span
    if span.type == "workflow":
        return False
    if span.type in span_extras.SEGMENT_TYPES and place.inside_counted:
        return False
    trace.tokens += counts
    if span.model is not None:
        trace.charges.add_model(span.model, cost, counts)
        return True
    if cost is not None and cost.total is not None:
        trace.charges.add_tool(span.name or span.type or "tool", cost.total)
        return True
    return bool(counts)


def _says_all(place: _Place) -> bool:
    """Whether the output need not be decoded: that of a model segment is only the model's text (recordings)."""
    return place.inside_counted and place.span.type == "model" and place.span.status != "error"


def _output(span: wire.Span) -> wire.SpanOutput | None:
    """Decodes cost and error from a block's output; 2026-08 servers send a span's cost only there."""
    if bytes(memoryview(span.output)[:1]) != b"{":
        return None
    try:
        return decode.one(span.output, wire.SpanOutput)
    except msgspec.DecodeError:
        return None  # a field "cost" or "tokens" of the user, of another shape


def _row(
    trace: Trace,
    place: _Place,
    counts: TokenCount,
    tokens: wire.Tokens | wire.Number | None,
    error: str | None,
    cost: wire.Cost | None,
    output: wire.SpanOutput | None,
) -> Row:
    """Builds a span's row; a plain tuple, which the garbage collector does not have to track."""
    span, segment = place.span, place.segment
    cache = tokens if isinstance(tokens, wire.Tokens) else None
    if output is not None and output.tokens is not None and (cache is None or cache.cache_read is None):
        cache = output.tokens  # only a block's output has its cached and reasoning tokens
    return (
        trace.log_id,
        len(trace.rows),
        trace.workspace_id,
        place.parent,
        place.depth,
        span.id,
        span.block_id,
        span.name,
        span.type,
        span.status,
        place.model,
        span.provider or (segment.provider if segment else None),
        span.start_time,
        span.end_time,
        None if span.duration is None else float(span.duration),
        counts.prompt,
        counts.completion,
        counts.total,
        whole_number(cache.cache_read) if cache else None,
        whole_number(cache.cache_write) if cache else None,
        whole_number(cache.reasoning) if cache else None,
        money(cost.total) if cost else None,
        span.finish_reason or (segment.finish_reason if segment else None),
        _milliseconds(span.ttft if span.ttft is not None else segment.ttft if segment else None),
        span.loop_id,
        span.parallel_id,
        whole_number(span.iteration_index),
        span.child_execution_id,
        span.error_type or (segment.error_type if segment else None),
        error,
        extras.payload_text(span.input) if trace.payloads else None,
        extras.payload_text(span.output) if trace.payloads else None,
        span_extras.extra_text(span, segment, cost, cache if tokens is None else tokens, trace.payloads),
    )


def _milliseconds(value: wire.Number | None) -> float | None:
    return None if value is None else float(value)
