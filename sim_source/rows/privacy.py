"""Removes payloads, unless they are requested, and secrets, always.

Payloads are the users' data: inputs, outputs, prompts, environment. Without ``payloads=full`` they are never written
anywhere. Secrets are always removed from everything; the structure around them stays. 2026-03 servers return secrets
in snapshots (``recordings/sim-2026-03/execution_multi.http``).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import msgspec

from .. import nesting

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

SECRET_WORDS: Final = frozenset({
    "key", "keys", "apikey", "apikeys", "token", "secret", "secrets", "password", "passwords", "passwd",
    "passphrase", "authorization", "credential", "credentials", "oauth", "bearer", "cookie",
})  # fmt: skip
_SECRET_ENDINGS: Final = (
    "apikey",
    "token",
    "secret",
    "password",
    "credential",
    "authorization",
    "privatekey",
)
_COUNTS: Final = frozenset({"count", "counts", "usage", "limit", "budget"})
"""Last words of names of counters, such as ``tokenCount``; such fields hold no secret."""
_SECRET_VALUE: Final = re.compile(
    r"\b(?:sk|pk|rk)[-_][A-Za-z0-9_-]{8,}|\bgh[pousr]_[A-Za-z0-9]{16,}|\bxox[abprs]-[A-Za-z0-9-]{8,}"
    r"|\bAKIA[0-9A-Z]{12,}|(?<=Bearer )[A-Za-z0-9._~+/=-]{8,}"
)
_JWT_PART: Final = re.compile(r"[A-Za-z0-9_-]+")
_JWT_HEAD: Final = re.compile(r"\beyJ[A-Za-z0-9_-]{8,}")
_LEAST_PART: Final = 8
"""Minimum length of the second part of a JSON Web Token."""
_PASSWORD_OF_ADDRESS: Final = re.compile(r"(?<=://)([^\s/:@]*):[^\s/@]+(?=@)")
_OF_QUERY: Final = re.compile(r"([?&][\w.-]+=)[^&\s#\"']+")
_SECRET_OF_QUERY: Final = re.compile(r"key|token|secret|passw|credential|signature|auth", re.IGNORECASE)
_REFERENCE: Final = re.compile(r"\s*(\{\{[^{}]*\}\}|<[\w.\[\]-]+>)\s*")
"""``{{NAME}}`` and ``<block.field>`` are references to a value, not secrets themselves."""
_LABELS: Final = ("name", "key", "header", "id", "Key", "Name", "Header")
_VALUES: Final = ("value", "Value", "values", "defaultValue")

REDACTED: Final = "[REDACTED]"

PAYLOAD_NAMES: Final = frozenset({
    "input", "inputs", "output", "outputs", "finalOutput", "workflowInput", "environment", "variables",
    "arguments", "args", "params", "result", "results", "content", "assistantContent", "thinkingContent",
    "thinking", "reasoning", "message", "messages", "prompt", "systemPrompt", "userPrompt", "toolCalls",
    "modelToolCalls", "blockExecutions", "blockStates", "executionState", "body", "payload", "data",
    "request", "response", "headers", "text", "value", "values",
})  # fmt: skip
"""Names of fields that hold inputs or outputs of users, anywhere in a run."""

_SAFE_EXECUTION_DATA: Final = {
    "trigger": frozenset({"type", "source", "timestamp"}),
    "lastStartedBlock": None,
    "lastCompletedBlock": None,
    "billingAttribution": None,
    "correlation": None,
    "level": None,
    "completionFailure": None,
}
"""Parts of ``executionData`` that are not private (recordings). Only the listed fields of ``trigger`` are kept, since
it may hold the body of the caller's request in ``data``."""


def words_of(name: str) -> list[str]:
    """Splits a field's name into lower-case words: ``apiKey`` and ``API_KEY`` both give api, key."""
    return [word.lower() for word in _WORD.findall(name)]


def is_secret_name(name: str) -> bool:
    """Whether a field holds a secret, by its name: ``apiKey``, ``access_token``; not ``maxTokens``, ``tokenCount``."""
    found = words_of(name)
    if found and found[-1] in _COUNTS:
        return False
    return any(word in SECRET_WORDS or word.endswith(_SECRET_ENDINGS) for word in found)


def without_secrets(value: Any) -> Any:
    """Returns a copy without secrets; the structure stays.

    Secrets are recognised by the field's name, by a ``password`` flag beside the value, and by an unmistakable format.

    Args:
        value: Plain JSON objects.
    """
    if isinstance(value, dict):
        return _dict_without_secrets(value)
    if isinstance(value, list):
        return [without_secrets(entry) for entry in value]
    if isinstance(value, str):
        return text_without_secrets(value)
    return value


def text_without_secrets(text: str) -> str:
    """Replaces secrets in a text: by their format, in URLs, and by field name if the text is JSON.

    Takes linear time for any text (bench: ``python -m bench.hostile``), since no pattern scans a character twice from
    different starting points.
    """
    clean = _SECRET_VALUE.sub(REDACTED, text)
    if "eyJ" in clean:
        clean = _without_tokens(clean)
    if "://" in clean:
        clean = _PASSWORD_OF_ADDRESS.sub(rf"\1:{REDACTED}", clean)
    if "=" in clean:
        clean = _OF_QUERY.sub(_without_value, clean)
    return _json_without_secrets(clean) if clean[:1] in ("{", "[") else clean


def _without_value(parameter: re.Match[str]) -> str:
    return f"{parameter[1]}{REDACTED}" if _SECRET_OF_QUERY.search(parameter[1]) else parameter[0]


def _without_tokens(text: str) -> str:
    """Replaces JSON Web Tokens: three parts separated by dots, the first of which begins with ``eyJ``."""
    kept, begin, parts = [], 0, list(_JWT_PART.finditer(text))
    place = 0
    while place < len(parts):
        three = parts[place : place + 3]
        head = _JWT_HEAD.search(text, parts[place].start(), parts[place].end()) if _follow(text, three) else None
        if head is None:
            place += 1
            continue
        last = three[2] if len(three) == 3 and three[2].start() == three[1].end() + 1 else None
        kept += [text[begin : head.start()], REDACTED]
        begin = three[1].end() + 1 if last is None else last.end()
        place += 2 if last is None else 3
    return "".join([*kept, text[begin:]]) if kept else text


def _follow(text: str, parts: list[re.Match[str]]) -> bool:
    """Whether the first part is followed by a dot, a sufficiently long second part, and another dot."""
    if len(parts) < 2 or len(parts[1][0]) < _LEAST_PART or parts[1].start() != parts[0].end() + 1:
        return False
    return text[parts[0].end()] == "." and text[parts[1].end() : parts[1].end() + 1] == "."


def _json_without_secrets(text: str) -> str:
    """Removes secrets from a text that is JSON, after cutting it if nested too deep; other texts stay unchanged."""
    try:
        parsed = _json.decode(text)
        kept = without_secrets(parsed)
    except RecursionError:
        shallow = nesting.cut(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")
        return text if shallow == text else _json_without_secrets(shallow) if _is_json(shallow) else text
    except ValueError:
        return text
    return text if kept == parsed else _encoder.encode(kept).decode()


def _is_json(text: str) -> bool:
    try:
        _json.decode(text)
    except (ValueError, RecursionError):
        return False
    return True


_json: Final = msgspec.json.Decoder(float_hook=Decimal)
_encoder: Final = msgspec.json.Encoder(decimal_format="number")


def _dict_without_secrets(value: dict[str, Any]) -> dict[str, Any]:
    held = next((name for name in _VALUES if name in value), None)
    marked = held is not None and (value.get("password") is True or _has_secret_label(value))
    clean: dict[str, Any] = {}
    for name, entry in value.items():
        if marked and name in _VALUES:
            clean[name] = _blank(entry)
        elif held is not None and name in _LABELS:
            clean[name] = without_secrets(entry)  # the label of a name-value pair, not a secret
        elif is_secret_name(name):
            clean[name] = _secret_entry(entry)
        else:
            clean[name] = without_secrets(entry)
    return clean


def _has_secret_label(value: dict[str, Any]) -> bool:
    return any(isinstance(value.get(label), str) and is_secret_name(value[label]) for label in _LABELS)


def _secret_entry(entry: Any) -> Any:
    """Blanks the value of a field with a secret name; in a sub-block, only its ``value``."""
    if isinstance(entry, dict) and "value" in entry:
        return {name: _blank(part) if name == "value" else without_secrets(part) for name, part in entry.items()}
    return _blank(entry)


def _blank(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _blank(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_blank(entry) for entry in value]
    if isinstance(value, bool) or value is None or value == "":
        return value
    if isinstance(value, str) and _REFERENCE.fullmatch(value):
        return value
    return None


def without_payloads(value: Any) -> Any:
    """Returns a copy without payload fields and secrets, at any depth; for undocumented fields of rows."""
    if isinstance(value, dict):
        return {
            name: without_payloads(_secret_entry(entry) if is_secret_name(name) else entry)
            for name, entry in value.items()
            if name not in PAYLOAD_NAMES
        }
    if isinstance(value, list):
        return [without_payloads(entry) for entry in value]
    return without_secrets(value)


UNKNOWN: Final = "~unknown"
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[T ][\d:.]+(?:Z|[+-]\d\d:?\d\d)?)?")
_NUMBERS: Final = (bool, int, float, Decimal)


def withheld(fields: dict[str, Any]) -> dict[str, Any]:
    """Keeps the names of undocumented fields of a span or of ``executionData``, and values that cannot be payloads.

    Texts and structures become null, as they may be a user's input. Numbers and flags are kept, unless the field has
    the name of a payload or a secret.
    """
    return {
        name: entry if isinstance(entry, _NUMBERS) and name not in PAYLOAD_NAMES and not is_secret_name(name) else None
        for name, entry in fields.items()
    }


def documented(value: Any, unknown: Callable[[dict[str, Any]], dict[str, Any]] = withheld) -> Any:
    """Returns a copy of a known structure without secrets, and without texts and structures with names of payloads.

    Args:
        value: Its plain objects, as encoded by ``wire``: undocumented fields are under ``~unknown``.
        unknown: Filters the undocumented fields.
    """
    if isinstance(value, list):
        return [documented(entry, unknown) for entry in value]
    if not isinstance(value, dict):
        return without_secrets(value)
    known = {
        name: _secret_entry(entry) if is_secret_name(name) else documented(entry, unknown)
        for name, entry in value.items()
        if name != UNKNOWN and (isinstance(entry, _NUMBERS) or name not in PAYLOAD_NAMES)
    }
    return known | unknown(value.get(UNKNOWN) or {})


def numbers_and_moments(fields: dict[str, Any]) -> dict[str, Any]:
    """Keeps the names of fields that may be a user's own output, and values that are numbers, flags or timestamps."""
    return {
        name: entry if isinstance(entry, _NUMBERS) or (isinstance(entry, str) and _MOMENT.fullmatch(entry)) else None
        for name, entry in fields.items()
    }


def safe_execution_data(data: dict[str, Any]) -> dict[str, Any]:
    """Returns the part of ``executionData`` that may be kept without ``payloads=full``; unknown fields are withheld."""
    kept: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    for name, entry in data.items():
        if name not in _SAFE_EXECUTION_DATA:
            if name not in PAYLOAD_NAMES:
                rest[name] = entry
            continue
        fields = _SAFE_EXECUTION_DATA[name]
        if fields is not None and isinstance(entry, dict):
            entry = {part: text for part, text in entry.items() if part in fields}
        kept[name] = without_payloads(entry)
    return kept | withheld(rest)
