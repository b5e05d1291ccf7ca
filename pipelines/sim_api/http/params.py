"""Parses query parameters like Sim's validation, zod 3 and zod 4, including its quirks."""

from __future__ import annotations

import math
from typing import Any
from urllib.parse import parse_qsl

from ..world.moments import js_date
from .answers import BadRequestError, ServerError
from .dialects import Dialect


class Params:
    """The query of one request; of a repeated parameter, the last one counts."""

    def __init__(self, query: str, dialect: Dialect) -> None:
        self.dialect = dialect
        self.values = dict(parse_qsl(query, keep_blank_values=True))

    def text(self, name: str) -> str | None:
        """Returns a plain text parameter, None if absent or empty."""
        return self.values.get(name) or None

    def texts(self, name: str) -> list[str] | None:
        """A comma-separated list."""
        value = self.text(name)
        return None if value is None else [part.strip() for part in value.split(",") if part.strip()]

    def workspace_id(self) -> str:
        """Returns `workspaceId`, which is required; 2026-03 accepts an empty one (logs_empty_workspaceId)."""
        value = self.values.get("workspaceId")
        required = "Workspace ID is required"
        if value is None:
            kind = {"code": "invalid_type", "expected": "string"}
            raise BadRequestError(
                "workspaceId",
                {**kind, "received": "undefined", "message": "Required"},
                {**kind, "message": required},
            )
        if not value and self.dialect.zod == 4:
            short = {"origin": "string", "code": "too_small", "minimum": 1, "inclusive": True}
            raise BadRequestError("workspaceId", {}, {**short, "message": required})
        return value

    def choice(self, name: str, options: tuple[str, ...]) -> str | None:
        """Returns one of several words; None if absent, 400 for anything else."""
        value = self.values.get(name)
        if value is None or value in options:
            return value
        old = " | ".join(f"'{option}'" for option in options)
        new = "|".join(f'"{option}"' for option in options)
        raise BadRequestError(
            name,
            {
                "received": value, "code": "invalid_enum_value", "options": list(options),
                "message": f"Invalid enum value. Expected {old}, received '{value}'",
            },
            {
                "code": "invalid_value", "values": list(options),
                "message": f"Invalid option: expected one of {new}",
            },
        )  # fmt: skip

    def flag(self, name: str) -> bool:
        """Returns a boolean. On 2026-03 any text is true, even "false" and "0"; on 2026-08, true and 1 are."""
        value = self.values.get(name, "")
        return bool(value) if self.dialect.any_flag_is_true else value.lower() in ("true", "1")

    def number(self, name: str) -> float | None:
        """`Number(text)`: an empty text is 0, words are 400."""
        text = self.values.get(name)
        if text is None:
            return None
        try:
            value = float(text.strip() or "0")
        except ValueError:
            value = math.nan
        if math.isnan(value):
            raise BadRequestError(
                name,
                {
                    "code": "invalid_type", "expected": "number", "received": "nan",
                    "message": "Expected number, received nan",
                },
                {
                    "expected": "number", "code": "invalid_type", "received": "NaN",
                    "message": "Invalid input: expected number, received NaN",
                },
            )  # fmt: skip
        return value

    def log_limit(self) -> int:
        """Returns `limit` of /logs, default 100: clamped to 1..1000 on 2026-08, without limit on 2026-03."""
        value = self.number("limit")
        if value is None:
            return 100
        if self.dialect.zod == 3 and not value.is_integer():
            raise ServerError("a fraction reaches the database (logs_limit_1.9)")
        if self.dialect.max_limit is None:
            return int(value)
        return max(1, min(self.dialect.max_limit, int(value)))

    def strict_limit(self, default: int) -> int:
        """`limit` of /audit-logs and /workflows: 1..100, else 400 (audit_limit_0, audit_limit_101)."""
        value = self.number("limit")
        if value is None:
            return default
        if value < 1:
            edge = {"code": "too_small", "minimum": 1, "inclusive": True}
            raise _out_of_range(edge, "greater than or equal to 1", "small: expected number to be >=1")
        if value > 100:
            edge = {"code": "too_big", "maximum": 100, "inclusive": True}
            raise _out_of_range(edge, "less than or equal to 100", "big: expected number to be <=100")
        return int(value)

    def date(self, name: str, strict: bool) -> int | None:
        """Returns a date as epoch milliseconds. A malformed one is 400 on /audit-logs (strict), 500 on /logs."""
        text = self.text(name)
        if text is None:
            return None
        moment = js_date(text)
        if moment is not None:
            return moment
        if not strict:
            raise ServerError("Invalid Date reaches the database (logs_startDate_malformed)")
        words = {"code": "custom", "message": "Invalid date format. Use ISO 8601."}
        raise BadRequestError(name, words, words)


def _out_of_range(edge: dict[str, Any], old: str, new: str) -> BadRequestError:
    return BadRequestError(
        "limit",
        {**edge, "type": "number", "exact": False, "message": f"Number must be {old}"},
        {**edge, "origin": "number", "message": f"Too {new}"},
    )
