"""Every field that the recorded servers sent is in a column or in `extra`, or on the list of what is not kept.

Each leaf of each recorded answer is replaced by a value that is nowhere else; then that value must be found in the
rows. `NOT_KEPT` is the whole list of exceptions, each with its reason, and holds no entry that is not needed.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from sim_source import jsons
from sim_source.api import decode, wire
from sim_source.rows import account_rows, run_rows, runs, snapshots
from sim_source.schema import Row
from tests.helpers import recorded

Path = tuple[str | int, ...]
Json = Any

NOT_KEPT = {
    "the answer, not a row: the state of the account's limits, and where the next page begins": (
        r"\w+:limits\.",
        r"\w+:nextCursor",
        r"usage:success",
    ),
    "payloads: what users put in and got out": (
        r"(list|detail):.*finalOutput\.",
        r"detail:executionData\.(workflowInput|environment)\.",
        r"detail:executionData\.trigger\.data\.",
        r"(list|detail):.*traceSpans\..*\b(input|output|modelToolCalls)\.",
        r"(list|detail):.*segments\.\*\.(toolCalls|assistantContent)\b",
    ),
    "told twice: the workspace asked for, and the run's own workflowId": (
        r"detail:workflow\.workspaceId",
        r"(list|detail):workflow\.id",
    ),
    "the provider's account of a span: read where the span lacks its own, whose times stand in the columns": (
        r"(list|detail):.*providerTiming\.segments\.\*\.(startTime|endTime|duration)$",
        r"2026-08 (list|detail):.*segments\.\*\.(tokens\.\w+|finishReason|provider|ttft|toolCallId)$",
    ),
    "secrets: removed always, here from a block's sub-blocks": (
        r"execution:workflowState\.blocks\.[\w-]+\.subBlocks\.apiKey\.value",
        r"execution:workflowState\.blocks\.[\w-]+\.data\.canonicalModes\.oauthCredential",
    ),
}
"""Why something is not kept, and which paths that is: kind of answer (of one generation, where it is named), then
names; ``*`` is any place in a list."""


def read_list(told: Json) -> list[Row]:
    run = decode.one(jsons.encode(told), wire.Run)
    return all_rows(runs.read_run(run, recorded.WORKSPACE, run_rows.RunOptions()))


def read_detail(told: Json) -> list[Row]:
    detail = decode.one(jsons.encode(told), wire.Run)
    run = wire.Run(id="x", started_at=datetime(2026, 11, 1, tzinfo=UTC))
    read = runs.read_run(run, recorded.WORKSPACE, run_rows.RunOptions(), detail)
    listed = runs.read_run(detail, recorded.WORKSPACE, run_rows.RunOptions(logs_only=True)).log  # says what both tell
    return [*all_rows(read), listed]


def all_rows(read: run_rows.RunRows) -> list[Row]:
    return [read.log, read.detail, *read.items, *read.spans]


def read_execution(told: Json) -> list[Row]:
    read = snapshots.read_snapshot(decode.one(jsons.encode(told), wire.Execution), recorded.WORKSPACE)
    return [read.snapshot, *([read.state] if read.state else [])]


READ: dict[str, Callable[[Json], list[Row]]] = {
    "list": read_list,
    "detail": read_detail,
    "execution": read_execution,
    "audit": lambda told: [account_rows.audit_row(decode.one(jsons.encode(told), wire.AuditLog))],
    "workflow": lambda told: [account_rows.workflow_row(decode.one(jsons.encode(told), wire.Workflow), "ws")],
    "usage": lambda told: [account_rows.usage_row(decode.one(jsons.encode(told), wire.Usage), datetime.now(UTC))],
}


def answers(generation: str) -> Iterator[tuple[str, str, Json, Json]]:
    """Kind, name, what one row is read from, and what stands around it."""
    for kind, pattern in (("list", "logs_*"), ("audit", "audit_walk_*"), ("workflow", "workflows_*")):
        for name, answer in recorded.named(generation, pattern).items():
            around = {key: value for key, value in answer.json.items() if key != "data"}
            yield from ((kind, f"{name}[{number}]", row, around) for number, row in enumerate(answer.json["data"]))
    for name, answer in recorded.named(generation, "log_detail_*").items():
        yield "detail", name, answer.json["data"], {key: v for key, v in answer.json.items() if key != "data"}
    for name, answer in recorded.named(generation, "execution_*").items():
        yield "execution", name, answer.json, {}
    yield "usage", "usage", recorded.answer(generation, "usage_limits_enterprise").json, {}
    if generation == "2026-08":
        for file in sorted((recorded.FOLDER / "sim-2026-08").glob("life_*.json")):
            moment = recorded.life(file.stem.removeprefix("life_"))
            yield "list", f"{file.stem} list", moment["list_full"], {}
            yield "detail", f"{file.stem} detail", moment["detail"], {}


def leaves(value: Json, path: Path = ()) -> Iterator[tuple[Path, Json]]:
    """Every value that is no object and no list; null tells nothing."""
    if isinstance(value, dict | list):
        for name, entry in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(entry, (*path, name))
    elif value is not None:
        yield path, value


def pattern(path: Path) -> str:
    return ".".join("*" if isinstance(part, int) else part for part in path)


MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T.*Z)?")


def marked(value: Json, number: int) -> Json:
    """A value of the same kind that is nowhere else."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return 77_000_000 + number
    if isinstance(value, Decimal):
        return Decimal(f"0.7{number:08d}")
    if not MOMENT.fullmatch(value):
        return f"marked-{number}"
    moment = datetime(2031, 1, 1, tzinfo=UTC) + timedelta(days=number)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z" if "T" in value else f"{moment:%Y-%m-%d}"


def values(rows: list[Row]) -> Iterator[Any]:
    """Everything in rows, JSON taken apart; moments as they are sent."""
    for row in rows:
        for cell in row:
            if isinstance(cell, str) and cell[:1] in ("{", "["):
                yield from (leaf for _, leaf in leaves(json.loads(cell, parse_float=Decimal)))
            elif isinstance(cell, datetime):
                yield f"{cell:%Y-%m-%dT%H:%M:%S}Z"
            else:
                yield cell


def is_kept(kind: str, told: Json, where: list[Path]) -> bool:
    """Whether the values at these places, all of one pattern, are found in the rows."""
    changed = copy.deepcopy(told)
    marks = []
    for number, path in enumerate(where):
        holder = changed
        for part in path[:-1]:
            holder = holder[part]
        holder[path[-1]] = marked(holder[path[-1]], number)
        marks.append(holder[path[-1]])
    rows = READ[kind](changed)
    if isinstance(marks[0], bool):  # two values are everywhere: told by what changes
        return list(map(str, values(rows))) != list(map(str, values(READ[kind](told))))
    found = list(values(rows))
    return all(any(_same(mark, value) for value in found) for mark in marks)


def _same(mark: Any, value: Any) -> bool:
    if isinstance(mark, str):
        return isinstance(value, str) and mark.replace(".000Z", "") in value
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool) and Decimal(str(value)) == mark


@cache
def walked(generation: str) -> dict[str, dict[str, bool]]:
    """Of every recorded answer every path, and whether it is kept; a path that was found lost once is lost."""
    kept: dict[str, dict[str, bool]] = {}
    seen: set[tuple[str, str]] = set()
    for kind, name, told, around in answers(generation):
        by_pattern: dict[str, list[Path]] = {}
        for path, _ in leaves(told):
            by_pattern.setdefault(f"{generation} {kind}:{pattern(path)}", []).append(path)
        shape = repr(sorted(by_pattern))
        if (kind, shape) in seen and "walk" in name:
            continue  # hundreds of rows alike
        seen.add((kind, shape))
        for text, where in by_pattern.items():
            kept.setdefault(text, {})[name] = is_kept(kind, told, where)
        for path, _ in leaves(around):
            kept.setdefault(f"{generation} {kind}:{pattern(path)}", {})[name] = False
    return kept


def listed(each: str, path: str) -> bool:
    return re.match(each if each.startswith("20") else rf"\S+ {each}", path) is not None


def reason(path: str) -> str | None:
    return next((why for why, paths in NOT_KEPT.items() if any(listed(each, path) for each in paths)), None)


@pytest.mark.parametrize("generation", recorded.GENERATIONS)
def test_every_field_is_kept_or_listed_with_a_reason(generation: str) -> None:
    lost = {path: names for path, names in walked(generation).items() if not all(names.values())}
    without_reason = {path: [n for n, kept in names.items() if not kept] for path, names in lost.items()}
    assert {path: names for path, names in without_reason.items() if reason(path) is None} == {}


def test_the_list_holds_nothing_that_is_kept() -> None:
    lost = {path for g in recorded.GENERATIONS for path, names in walked(g).items() if not all(names.values())}
    idle = [each for paths in NOT_KEPT.values() for each in paths if not any(listed(each, path) for path in lost)]
    assert idle == []
