"""Builds ``extra`` of a span: fields of the span, and of structures in it, that have no column. Pure functions."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import msgspec

from .. import jsons
from ..api import wire
from . import extras, privacy

SEGMENT_TYPES = ("model", "tool")


class _Extra(msgspec.Struct, rename="camel", omit_defaults=True, gc=False):
    """Known fields of a span that have no column."""

    execution_order: Any = None
    relative_start_ms: Any = None
    tool_call_id: Any = None
    error_handled: Any = None
    tries: Any = None
    child_workflow_id: Any = None
    child_workflow_snapshot_id: Any = None
    child_trace_access: Any = None
    parent_iterations: Any = None
    input_cost: Any = None
    output_cost: Any = None
    tool_cost: Any = None
    cost: Any = None
    provider_timing: Any = None


class _Timing(msgspec.Struct, rename="camel", omit_defaults=True, gc=False):
    """Fields of ``providerTiming`` other than its segments; timestamps as sent by the API."""

    duration: Any = None
    start_time: Any = None
    end_time: Any = None
    model_time: Any = None
    tools_time: Any = None
    first_response_time: Any = None
    iterations: Any = None


_NO_TIMING = _Timing()
_SHORT = re.compile(rb'-?\d{1,20}(?:\.\d{1,20})?(?:[eE][+-]?\d\d?)?|"[\w.:+-]{1,80}"')
_encoder = msgspec.json.Encoder(decimal_format="number")


def is_account_of(segment: wire.Segment, child: wire.Span) -> bool:
    """Whether a segment of ``providerTiming`` describes the same call as a child span."""
    return child.type in SEGMENT_TYPES and segment.type == child.type and segment.name == child.name


def extra_text(
    span: wire.Span,
    segment: wire.Segment | None,
    cost: wire.Cost | None,
    tokens: wire.Tokens | wire.Number | None,
    payloads: bool,
) -> str | None:
    """Returns the text of a span's ``extra``, or None.

    Args:
        span: The span.
        segment: The segment of ``providerTiming`` that describes the same call, or None.
        cost: The cost stored in its row.
        tokens: The token counts stored in its row.
        payloads: Whether inputs and outputs are kept.
    """
    timing = span.provider_timing
    call: Any = span.tool_call_id
    if call is None and segment is not None and segment.tool_call_id is not wire.NO_RAW:
        call = _short(segment.tool_call_id)
    known = _Extra(  # positional arguments are faster than keywords here
        span.execution_order,
        span.relative_start_ms,
        call,
        span.error_handled,
        span.tries,
        span.child_workflow_id,
        span.child_workflow_snapshot_id,
        span.child_trace_access,
        span.parent_iterations if wire.present(span.parent_iterations) else None,
        cost.input if cost else None,
        cost.output if cost else None,
        cost.tool_cost if cost else None,
        _pricing(bytes(cost.pricing), payloads) if cost and wire.present(cost.pricing) else None,
        _timing(timing) if timing else None,
    )
    found = _encoder.encode(known)
    # most spans have nothing more and skip the slow part
    told = cost is not None or tokens is not None or timing is not None or segment is not None
    if payloads or span.unknown is not wire.NO_RAW or (told and _has_more(span, segment, cost, tokens)):
        more = _more(span, segment, cost, tokens, payloads)
        found = jsons.encode(_merged(jsons.anything(found), more))
    return None if found == b"{}" else found.decode()


@lru_cache(maxsize=1024)
def _pricing(pricing: bytes, payloads: bool) -> msgspec.Raw:
    """Prices of a span's cost as JSON; cached, as many spans share them. They may come from a user's own output."""
    kept, told = privacy.without_secrets if payloads else privacy.numbers_and_moments, jsons.anything(pricing)
    found = {"pricing": kept(told)} if isinstance(told, dict) else kept({"pricing": told})
    return msgspec.Raw(jsons.encode(found))


def _timing(timing: wire.ProviderTiming) -> _Timing | None:
    found = _Timing(
        timing.duration,
        _short(timing.start_time),
        _short(timing.end_time),
        timing.model_time,
        timing.tools_time,
        timing.first_response_time,
        timing.iterations,
    )
    return None if found == _NO_TIMING else found


def _short(raw: msgspec.Raw) -> msgspec.Raw | None:
    """Returns a number, or a text that is too short and simple to be a payload, such as a timestamp or an id."""
    return raw if _SHORT.fullmatch(raw) else None


def _has_more(
    span: wire.Span, segment: wire.Segment | None, cost: wire.Cost | None, tokens: wire.Tokens | wire.Number | None
) -> bool:
    """Whether the structures in a span have fields that ``_more`` has to collect."""
    timing = span.provider_timing
    return (
        (cost is not None and (cost.unknown is not wire.NO_RAW or cost.tokens is not None or cost.models is not None))
        or (isinstance(tokens, wire.Tokens) and tokens.unknown is not wire.NO_RAW)
        or (timing is not None and (timing.unknown is not wire.NO_RAW or bool(_left_over(span, timing))))
        or (segment is not None and segment.unknown is not wire.NO_RAW)
    )


def _more(
    span: wire.Span,
    segment: wire.Segment | None,
    cost: wire.Cost | None,
    tokens: wire.Tokens | wire.Number | None,
    payloads: bool,
) -> dict[str, Any]:
    """Undocumented fields of a span and of the structures in it, and segments without a matching child span."""
    timing, unknown = span.provider_timing, extras.undocumented(payloads)
    more: dict[str, Any] = {}
    for holder in (segment, span):
        if holder is not None and wire.present(holder.unknown):
            more |= unknown(jsons.anything(holder.unknown))
    if isinstance(tokens, wire.Tokens):
        more["tokens"] = extras.of_span_tokens(tokens, payloads)
    if cost is not None:
        more["cost"] = extras.of_span_cost(cost, payloads)
    if timing is not None:
        more["providerTiming"] = extras.of_timing(timing, _left_over(span, timing), payloads)
    if payloads:
        for name, raw in (("modelToolCalls", span.model_tool_calls), ("thinking", span.thinking)):
            if wire.present(raw):
                more[name] = privacy.without_secrets(jsons.anything(raw))
    return more


def _left_over(span: wire.Span, timing: wire.ProviderTiming) -> list[wire.Segment]:
    """Segments without a matching child span."""
    segments, children = timing.segments or (), span.children or ()
    return [
        segment
        for position, segment in enumerate(segments)
        if position >= len(children) or not is_account_of(segment, children[position])
    ]


def _merged(known: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    for name, value in more.items():
        if isinstance(value, dict) and isinstance(known.get(name), dict):
            known[name] |= value
        elif value != {}:
            known[name] = value
    return known
