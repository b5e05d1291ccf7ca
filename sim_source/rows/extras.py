"""Builds the column ``extra``, which keeps fields of the API that have no column of their own. Pure functions.

Known structures keep their numbers, flags and texts, except texts and structures whose field name is that of a payload.
Undocumented fields in a run's trace and ``executionData`` keep their name, and their value only if it cannot be a
payload.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from .. import jsons
from ..api import wire
from ..api.wire import present
from ..jsons import json_text
from . import privacy

Fields = dict[str, Any]

TOKENS: Final = frozenset({"input", "output", "prompt", "completion", "total"})
NONE: Final = frozenset[str]()
_SPAN_TOKENS: Final = TOKENS | {"cacheRead", "cacheWrite", "reasoning"}
_MODEL: Final = frozenset({"input", "output", "total", "toolCost", "prompt", "completion"})
_METADATA: Final = frozenset({"trigger", "startedAt", "endedAt", "totalDurationMs"})
_LIMITS: Final = frozenset({"isLimited", "requestsPerMinute", "maxBurst", "remaining", "resetAt"})
_USAGE: Final = {
    "rateLimit": {"sync": _LIMITS, "async": _LIMITS},
    "usage": frozenset({"currentPeriodCost", "limit", "plan"}),
    "storage": frozenset({"usedBytes", "limitBytes", "percentUsed"}),
}
"""Fields of each structure that have a column."""


def undocumented(payloads: bool) -> Callable[[Fields], Fields]:
    """The function that filters undocumented fields inside a run."""
    return privacy.without_secrets if payloads else privacy.withheld


def fields(structure: wire.Wire, unknown: Callable[[Fields], Fields]) -> Fields:
    """All fields of a structure as plain objects; undocumented fields are put back in their place."""
    told: Fields = privacy.documented(jsons.anything(jsons.encode(structure)), unknown)
    return told


def of_tokens(tokens: wire.Tokens | wire.Number | None, payloads: bool, columns: frozenset[str] = TOKENS) -> Fields:
    """Fields of token counts that have no column."""
    if not isinstance(tokens, wire.Tokens) or (columns and _plain_tokens(tokens)):
        return {}
    return _less(fields(tokens, undocumented(payloads)), columns)


def of_span_tokens(tokens: wire.Tokens, payloads: bool) -> Fields:
    """Fields of a span's token counts that have no column."""
    return of_tokens(tokens, payloads, _SPAN_TOKENS)


def of_span_cost(cost: wire.Cost, payloads: bool) -> Fields:
    """Fields of a span's cost besides its amounts and pricing. They may come from a user's own output."""
    told = fields(cost, undocumented(payloads))
    return _less(told, frozenset({"total", "input", "output", "toolCost", "pricing"}))


def of_timing(timing: wire.ProviderTiming, left_over: list[wire.Segment], payloads: bool) -> Fields:
    """Undocumented fields of a provider's timing, and segments without a matching child span."""
    found = undocumented(payloads)(jsons.anything(timing.unknown)) if timing.unknown is not wire.NO_RAW else {}
    if left_over:
        found["segments"] = [_segment(segment, payloads) for segment in left_over]
    if payloads and timing.time_segments is not wire.NO_RAW:
        found["timeSegments"] = privacy.without_secrets(jsons.anything(timing.time_segments))
    return found


def _segment(segment: wire.Segment, payloads: bool) -> Fields:
    told = fields(segment, undocumented(payloads))
    if payloads:
        for name, raw in (
            ("toolCalls", segment.tool_calls),
            ("assistantContent", segment.assistant_content),
            ("thinkingContent", segment.thinking_content),
        ):
            if raw is not wire.NO_RAW:
                told[name] = privacy.without_secrets(jsons.anything(raw))
    return told


def of_cost(cost: wire.Cost | None) -> Fields:
    """Fields of a run's cost that have no column; the split by model is in ``cost_items``."""
    if cost is None:
        return {}
    if cost.pricing is cost.unknown is wire.NO_RAW and _plain_tokens(cost.tokens):  # all recorded costs
        told = {"input": cost.input, "output": cost.output, "toolCost": cost.tool_cost}
        return {name: amount for name, amount in told.items() if amount is not None}
    told = _less(fields(cost, privacy.without_payloads), frozenset({"total", "models"}))
    return _replaced(told, "tokens", of_tokens(cost.tokens, payloads=False))


def of_model(entry: wire.ModelCost, payloads: bool) -> Fields:
    """Fields of a model's cost within a run that have no column."""
    if entry.pricing is entry.unknown is wire.NO_RAW and _plain_tokens(entry.tokens):
        return {}
    told = _less(fields(entry, undocumented(payloads)), _MODEL)
    return _replaced(told, "tokens", of_tokens(entry.tokens, payloads))


def of_models(models: dict[str, wire.ModelCost], payloads: bool) -> Fields:
    """The whole split by model, for runs whose cost items do not contain it."""
    return {name: fields(entry, undocumented(payloads)) for name, entry in models.items()}


def of_error(error: Any, payloads: bool) -> Fields:
    """Fields of an error other than its message, which has a column."""
    if not isinstance(error, dict) or not isinstance(error.get("message"), str):
        return {}
    return undocumented(payloads)(_less(error, frozenset({"message"})))


def of_metadata(about: wire.ExecutionMetadata) -> Fields:
    """Fields of the run in a snapshot that have no column."""
    told = _less(fields(about, privacy.without_payloads), _METADATA)
    return _replaced(told, "cost", _less(told.get("cost") or {}, frozenset({"total"})))


def of_usage(usage: wire.Usage) -> Fields:
    """Fields of the account's usage that have no column, without ``success``, which carries no information."""
    return _less_columns(_less(fields(usage, privacy.without_payloads), frozenset({"success"})), _USAGE)


def _plain_tokens(tokens: wire.Tokens | wire.Number | None) -> bool:
    """Whether all token counts have a column; true for most, and cheaper to check than to take them apart."""
    if not isinstance(tokens, wire.Tokens):
        return True
    return tokens.unknown is wire.NO_RAW and tokens.cache_read is tokens.cache_write is tokens.reasoning is None


def _less(told: Fields, names: frozenset[str]) -> Fields:
    return {name: value for name, value in told.items() if name not in names}


def _less_columns(told: Fields, columns: Any) -> Fields:
    """Removes fields that have a column, and structures that are empty after that."""
    if isinstance(columns, frozenset):
        return _less(told, columns)
    for name, inner in columns.items():
        if isinstance(told.get(name), dict):
            told = _replaced(told, name, _less_columns(told[name], inner))
    return told


def _replaced(told: Fields, name: str, rest: Fields) -> Fields:
    """A copy in which ``rest`` replaces the field ``name``; without the field if ``rest`` is empty."""
    return _less(told, frozenset({name})) | ({name: rest} if rest else {})


def files_text(files: msgspec.Raw) -> str | None:
    """Value of ``logs.files`` as JSON text."""
    return json_text(jsons.anything(files)) if present(files) else None


def fields_of(raw: msgspec.Raw) -> dict[str, Any]:
    """Fields that no structure declares, without payloads."""
    found: dict[str, Any] = privacy.without_payloads(jsons.anything(raw)) if present(raw) else {}
    return found


def text_of_unknown(raw: msgspec.Raw) -> str | None:
    """Text of ``extra`` if it holds only unknown fields."""
    if raw is wire.NO_RAW:
        return None
    found = fields_of(raw)
    return json_text(found) if found else None


def unknown_text(row: wire.Wire, **known: Any) -> str | None:
    """Text of ``extra``: a row's unknown fields, and known ones without a column."""
    found = {name: value for name, value in known.items() if value is not None} | fields_of(row.unknown)
    return json_text(found) if found else None


def payload_text(raw: msgspec.Raw) -> str | None:
    """A payload as JSON text without secrets; None if absent."""
    if not present(raw):
        return None
    return jsons.encode(privacy.without_secrets(jsons.anything(raw))).decode()


def error_text(value: Any) -> str | None:
    """An error of any JSON type as text, without secrets."""
    if value is None or value == "":
        return None
    if isinstance(value, dict) and isinstance(value.get("message"), str):
        value = value["message"]
    text = value if isinstance(value, str) else jsons.encode(value).decode()
    cleaned: str = privacy.without_secrets(text)
    return cleaned
