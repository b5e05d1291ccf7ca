"""Fields that the API sent and that have no column of their own, as ``extra`` keeps them. Pure.

Known structures keep their numbers, flags and texts, but for texts and structures under the names of payloads;
of undocumented fields in a run's trace and ``executionData`` only the name is kept, and a value that can be no payload.
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
    """What is kept of undocumented fields inside a run."""
    return privacy.without_secrets if payloads else privacy.withheld


def fields(structure: wire.Wire, unknown: Callable[[Fields], Fields]) -> Fields:
    """All that a structure tells, as plain objects; its undocumented fields where they stood."""
    told: Fields = privacy.documented(jsons.anything(jsons.encode(structure)), unknown)
    return told


def of_tokens(tokens: wire.Tokens | wire.Number | None, payloads: bool, columns: frozenset[str] = TOKENS) -> Fields:
    """What of token counts has no column."""
    if not isinstance(tokens, wire.Tokens) or (columns and _plain_tokens(tokens)):
        return {}
    return _less(fields(tokens, undocumented(payloads)), columns)


def of_span_tokens(tokens: wire.Tokens, payloads: bool) -> Fields:
    """What of a span's token counts has no column."""
    return of_tokens(tokens, payloads, _SPAN_TOKENS)


def of_span_cost(cost: wire.Cost, payloads: bool) -> Fields:
    """What of a span's cost has no place yet: its amounts and pricing have. It may be a user's own output."""
    told = fields(cost, undocumented(payloads))
    return _less(told, frozenset({"total", "input", "output", "toolCost", "pricing"}))


def of_timing(timing: wire.ProviderTiming, left_over: list[wire.Segment], payloads: bool) -> Fields:
    """Undocumented fields of a provider's timing, and segments that no child span stands for."""
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
    """What of a run's cost has no column; the split by model is in ``cost_items``."""
    if cost is None:
        return {}
    if cost.pricing is cost.unknown is wire.NO_RAW and _plain_tokens(cost.tokens):  # as all recorded ones
        told = {"input": cost.input, "output": cost.output, "toolCost": cost.tool_cost}
        return {name: amount for name, amount in told.items() if amount is not None}
    told = _less(fields(cost, privacy.without_payloads), frozenset({"total", "models"}))
    return _replaced(told, "tokens", of_tokens(cost.tokens, payloads=False))


def of_model(entry: wire.ModelCost, payloads: bool) -> Fields:
    """What of a model's cost within a run has no column."""
    if entry.pricing is entry.unknown is wire.NO_RAW and _plain_tokens(entry.tokens):
        return {}
    told = _less(fields(entry, undocumented(payloads)), _MODEL)
    return _replaced(told, "tokens", of_tokens(entry.tokens, payloads))


def of_models(models: dict[str, wire.ModelCost], payloads: bool) -> Fields:
    """A whole split by model, where no cost items tell it."""
    return {name: fields(entry, undocumented(payloads)) for name, entry in models.items()}


def of_error(error: Any, payloads: bool) -> Fields:
    """What of an error has no column: its message has."""
    if not isinstance(error, dict) or not isinstance(error.get("message"), str):
        return {}
    return undocumented(payloads)(_less(error, frozenset({"message"})))


def of_metadata(about: wire.ExecutionMetadata) -> Fields:
    """What a snapshot says of its run beyond the columns."""
    told = _less(fields(about, privacy.without_payloads), _METADATA)
    return _replaced(told, "cost", _less(told.get("cost") or {}, frozenset({"total"})))


def of_usage(usage: wire.Usage) -> Fields:
    """What of the account's usage has no column; ``success`` says only that this is an answer."""
    return _less_columns(_less(fields(usage, privacy.without_payloads), frozenset({"success"})), _USAGE)


def _plain_tokens(tokens: wire.Tokens | wire.Number | None) -> bool:
    """Whether token counts have nothing but columns, as most have: taking them apart costs more than asking."""
    if not isinstance(tokens, wire.Tokens):
        return True
    return tokens.unknown is wire.NO_RAW and tokens.cache_read is tokens.cache_write is tokens.reasoning is None


def _less(told: Fields, names: frozenset[str]) -> Fields:
    return {name: value for name, value in told.items() if name not in names}


def _less_columns(told: Fields, columns: Any) -> Fields:
    """Takes off what has a column, and what is empty then."""
    if isinstance(columns, frozenset):
        return _less(told, columns)
    for name, inner in columns.items():
        if isinstance(told.get(name), dict):
            told = _replaced(told, name, _less_columns(told[name], inner))
    return told


def _replaced(told: Fields, name: str, rest: Fields) -> Fields:
    """The same with this in the place of a field, or without it where nothing is left."""
    return _less(told, frozenset({name})) | ({name: rest} if rest else {})


def files_text(files: msgspec.Raw) -> str | None:
    """Text of ``logs.files``."""
    return json_text(jsons.anything(files)) if present(files) else None


def fields_of(raw: msgspec.Raw) -> dict[str, Any]:
    """Fields that no structure knows, without payloads."""
    found: dict[str, Any] = privacy.without_payloads(jsons.anything(raw)) if present(raw) else {}
    return found


def text_of_unknown(raw: msgspec.Raw) -> str | None:
    """Text of ``extra`` where it holds unknown fields alone."""
    if raw is wire.NO_RAW:
        return None
    found = fields_of(raw)
    return json_text(found) if found else None


def unknown_text(row: wire.Wire, **known: Any) -> str | None:
    """Text of ``extra``: a row's unknown fields, and known ones without a column."""
    found = {name: value for name, value in known.items() if value is not None} | fields_of(row.unknown)
    return json_text(found) if found else None


def payload_text(raw: msgspec.Raw) -> str | None:
    """A payload as JSON text, secrets removed; None where absent."""
    if not present(raw):
        return None
    return jsons.encode(privacy.without_secrets(jsons.anything(raw))).decode()


def error_text(value: Any) -> str | None:
    """An error as text, whatever shape it came in."""
    if value is None or value == "":
        return None
    if isinstance(value, dict) and isinstance(value.get("message"), str):
        value = value["message"]
    text = value if isinstance(value, str) else jsons.encode(value).decode()
    cleaned: str = privacy.without_secrets(text)
    return cleaned
