"""Runs as the two generations of Sim answer them, serialised once and kept as bytes.

Shapes are those of the recordings: a root span, a start block, one or two agents with their model and
tool segments, a function. 2026-03 (``march``) gives the whole cost object in the list; 2026-08 (``august``) only
the total there, and the split in the per-run detail.
"""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

POOL = 10_000
"""Distinct traces of a workspace; with more runs than that they recur under other runs."""
DAYS = 30
MODELS = (
    ("gpt-4o", "openai", 2.5, 10.0),
    ("claude-sonnet-4-5", "anthropic", 3.0, 15.0),
    ("gpt-4o-mini", "openai", 0.15, 0.6),
)
WORDS = ("order", "refund", "printer", "invoice", "shipping", "account", "password", "delivery", "ticket", "reply")

Json = dict[str, Any]


@dataclass(slots=True)
class Workspace:
    """A workspace's runs, oldest first, each with a startedAt of its own.

    Attributes:
        times: startedAt in epoch ms, strictly increasing.
        rows: List rows; full ones where the kind has them.
        plain: The rows of a list that is not asked for in full.
        details: Per-run details by log id, where the kind has them.
        delay_s: Seconds every answer takes.
        limited: Its rate limit; None where it has none.
        facts: What a client must end up with.
    """

    times: list[int]
    rows: list[bytes]
    plain: list[bytes]
    details: dict[str, bytes] = field(default_factory=dict)
    delay_s: float = 0.0
    limited: str | None = None
    facts: dict[str, float] = field(default_factory=dict)

    def between(self, start: int | None, end: int | None) -> tuple[int, int]:
        """Positions of the runs that started in ``[start, end]``, epoch ms."""
        first = 0 if start is None else bisect_left(self.times, start)
        return first, len(self.times) if end is None else bisect_right(self.times, end)


def make(name: str, now_ms: int) -> Workspace:
    """Makes the workspace ``<kind>-<runs>[-<delay>ms][-bucket<a minute>x<burst>]``; kind is basic, march or august."""
    kind, runs, *hindered = name.split("-")
    count, chance = int(runs), random.Random(name)
    step = DAYS * 86_400_000 // count
    delays = [float(part.removesuffix("ms")) / 1000 for part in hindered if part.endswith("ms")]
    limits = [part.removeprefix("bucket") for part in hindered if part.startswith("bucket")]
    workspace = Workspace([], [], [], delay_s=sum(delays), limited=limits[0] if limits else None)
    traces = [] if kind == "basic" else [_trace(chance, kind) for _ in range(min(count, POOL))]
    spans = 0
    for index in range(count):
        at = now_ms - (count - index) * step + chance.randrange(step // 2)
        head = _head(chance, at)
        workspace.times.append(at)
        workspace.plain.append(_joined(head, msgspec.json.encode({"cost": {"total": _cost(chance)}, "files": None})))
        if not traces:
            continue
        trace = traces[index % len(traces)]
        spans += trace.spans
        workspace.rows.append(_joined(head, trace.row))
        if kind == "august":
            workspace.details[head["id"]] = _joined(head, trace.detail)
    workspace.rows = workspace.rows or workspace.plain
    workspace.facts = {"rows": count, "spans": spans, "bytes": sum(map(len, workspace.rows))}
    return workspace


@dataclass(slots=True)
class _Trace:
    row: bytes
    detail: bytes
    spans: int


def _joined(head: Json, rest: bytes) -> bytes:
    return msgspec.json.encode(head)[:-1] + b"," + rest[1:]


def _uuid(chance: random.Random) -> str:
    digits = f"{chance.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"


def iso(epoch_ms: int) -> str:
    """A moment as the API writes it."""
    return f"{datetime.fromtimestamp(epoch_ms / 1000, UTC):%Y-%m-%dT%H:%M:%S}.{epoch_ms % 1000:03d}Z"


def _cost(chance: random.Random) -> float:
    return 0.005 + chance.randrange(1, 400) * 0.000157


def _head(chance: random.Random, at: int) -> Json:
    duration = chance.randrange(200, 20_000)
    return {
        "id": _uuid(chance),
        "workflowId": f"aaaaaaaa-0001-4000-8000-{chance.randrange(20):012d}",
        "executionId": _uuid(chance),
        "deploymentVersionId": f"dddddddd-0001-4000-8000-{chance.randrange(60):012d}",
        "level": "error" if chance.random() < 0.05 else "info",
        "trigger": chance.choice(("api", "schedule", "webhook", "chat", "manual")),
        "startedAt": iso(at),
        "endedAt": iso(at + duration),
        "totalDurationMs": duration,
    }


def _text(chance: random.Random, words: int) -> str:
    return " ".join(chance.choices(WORDS, k=words))


def _trace(chance: random.Random, kind: str) -> _Trace:
    at = 1_790_000_000_000 + chance.randrange(10**9)
    split: dict[str, Json] = {}
    agents = [
        _agent(chance, at + 10 + 2500 * number, kind, split) for number in range(chance.choice((0, 0, 1, 1, 1, 2)))
    ]
    ticket = {"ticket": _text(chance, 20), "n": chance.randrange(99)}
    start = {**_block("Start", "start_trigger", at, 3), "input": ticket, "output": ticket, "children": []}
    code = {
        **_block("Format reply", "function", at + 6000, 40),
        "input": {"code": "return <agent.content>.trim()", "text": _text(chance, 30)},
        "output": {"result": _text(chance, 40), "stdout": ""},
        "children": [],
    }
    children = [start, *agents, code]
    root: Json = {"id": "workflow-execution", "name": "Workflow Execution", "type": "workflow", "status": "success"}
    root |= {"duration": 6100, "startTime": iso(at), "endTime": iso(at + 6100), "children": children}
    total = sum(entry["total"] for entry in split.values()) + 0.005
    tokens = _sum_of_tokens([entry["tokens"] for entry in split.values()])
    cost: Json = {"total": total}
    if kind == "march":
        cost |= {"models": split, "tokens": tokens}
        cost |= {side: sum(entry[side] for entry in split.values()) for side in ("input", "output")}
    workflow: Json = {"id": "aaaaaaaa-0001-4000-8000-000000000001", "name": "Support triage", "deleted": False}
    workflow["description"] = "Classifies tickets and answers them"
    output = {"content": _text(chance, 25), "n": 2}
    row: Json = {"cost": cost, "files": None, "workflow": workflow, "finalOutput": output, "traceSpans": [root]}
    data = {
        "environment": {"variables": {"FOO": "bar"}, "workflowId": workflow["id"]},
        "finalizationPath": "completed",
        "traceSpanCount": 3 + 4 * len(agents),
        "tokens": tokens,
        "models": split,
        "finalOutput": output,
        "workflowInput": ticket,
        "traceSpans": [root],
    }
    detail: Json = {"cost": {"total": total}, "workflow": workflow | {"folderId": None}, "executionData": data}
    return _Trace(msgspec.json.encode(row), msgspec.json.encode(detail), 3 + 4 * len(agents))


def _sum_of_tokens(parts: list[Json]) -> Json:
    return {name: sum(part[name] for part in parts) for name in ("input", "output", "total")}


def _block(name: str, kind: str, at: int, duration: int) -> Json:
    number = f"blk-{name.lower().replace(' ', '-')}"
    return {
        "id": f"{number}-{at}",
        "name": name,
        "type": kind,
        "status": "success",
        "blockId": number,
        "duration": duration,
        "startTime": iso(at),
        "endTime": iso(at + duration),
        "relativeStartMs": at % 9000,
    }


def _agent(chance: random.Random, at: int, kind: str, split: dict[str, Json]) -> Json:
    model, provider, input_price, output_price = chance.choice(MODELS)
    counts = [(chance.randrange(300, 3000), chance.randrange(20, 700)) for _ in range(2)]
    prices = [(i * input_price / 1e6, o * output_price / 1e6) for i, o in counts]
    tokens = {"input": sum(i for i, _ in counts), "output": sum(o for _, o in counts)}
    tokens["total"] = tokens["input"] + tokens["output"]
    cost: Json = {"input": sum(i for i, _ in prices), "output": sum(o for _, o in prices), "toolCost": 0.005}
    cost["total"] = cost["input"] + cost["output"] + 0.005
    _add_to_split(split, model, cost, tokens)
    segments = []
    for (i, o), (ic, oc) in zip(counts, prices, strict=True):
        segment: Json = {"type": "model", "name": model, "startTime": at, "endTime": at + 800, "duration": 800}
        segment["tokens"] = {"input": i, "output": o, "total": i + o, "cacheRead": 128, "reasoning": 0}
        segment["cost"] = {"input": ic, "output": oc, "total": ic + oc}
        segments.append(segment | {"provider": provider, "ttft": 312, "finishReason": "stop"})
    call = {"type": "tool", "name": "exa_search", "startTime": at, "endTime": at + 700, "duration": 700}
    segments.insert(1, call)
    output: Json = {"content": _text(chance, 60), "model": model, "tokens": tokens | {"cacheRead": 128}}
    output["cost"] = cost | {"pricing": {"input": input_price, "output": output_price, "updatedAt": "2026-01-01"}}
    block: Json = {
        **_block("Triage Agent", "agent", at, 2400),
        "model": model,
        "tokens": tokens,
        "input": {"model": model, "systemPrompt": _text(chance, 40), "userPrompt": _text(chance, 30)},
        "output": output,
        "providerTiming": {"duration": 2300, "startTime": iso(at), "endTime": iso(at + 2300), "segments": segments},
        "children": [_segment(chance, at, number, entry, kind) for number, entry in enumerate(segments)],
    }
    if kind == "march":  # 2026-08 gives no cost on spans
        block["cost"] = output["cost"]
    return block


def _segment(chance: random.Random, at: int, number: int, segment: Json, kind: str) -> Json:
    span = _block(segment["name"], segment["type"], at + 800 * number, segment["duration"])
    span |= {"id": f"blk-agent-{at}-segment-{number}"}
    del span["blockId"]
    if segment["type"] == "tool":
        results = [{"url": f"https://example.com/{chance.randrange(999)}", "title": _text(chance, 4)} for _ in range(3)]
        return span | {"input": {"query": _text(chance, 5)}, "output": {"results": results}}
    if kind == "august":  # 2026-03 tells these only in the provider's segments
        span |= {name: segment[name] for name in ("tokens", "provider", "ttft", "finishReason")} | {
            "model": span["name"]
        }
    return span


def _add_to_split(split: dict[str, Json], model: str, cost: Json, tokens: Json) -> None:
    known = split.get(model)
    entry = {name: cost[name] for name in ("input", "output", "toolCost", "total")} | {"tokens": dict(tokens)}
    if known is not None:
        for name in ("input", "output", "toolCost", "total"):
            entry[name] += known[name]
        entry["tokens"] = _sum_of_tokens([known["tokens"], tokens])
    split[model] = entry
