"""What the runs of each workflow in the demo month do, how long they take, and what they cost."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from .plans import VARIABLES, agent_block
from .truth import Block, Json, Plan, Turn

TOPICS = (
    "printer on fire",
    "late parcel",
    "broken login",
    "double charge",
    "refund",
    "angry review",
    "new seats",
)
FOUND = {"results": [{"title": "About us"}]}
BROKEN = "Cannot read properties of undefined (reading 'category')"


def _around(source: random.Random, middle: float, spread: float = 0.35) -> int:
    """Returns a positive number around the middle, with a long tail."""
    return max(1, int(source.lognormvariate(0.0, spread) * middle))


def _chain(blocks: list[Block]) -> tuple[Block, ...]:
    """Places blocks one after the other, 5 ms apart."""
    placed, at = [], 0
    for block in blocks:
        shift = at - block.start_ms
        inner = tuple(replace(child, start_ms=child.start_ms + shift) for child in block.children)
        placed.append(replace(block, start_ms=at, children=inner))
        at += block.duration_ms + 5
    return tuple(placed)


def _plan(source: random.Random, topic: str, blocks: list[Block]) -> Plan:
    given = {"ticket": topic, "customer": f"c-{source.randrange(400)}", "note": "sk-super-secret-input"}
    start = Block("blk-start", "Start", "start_trigger", 0, 3, given, given)
    output = {"content": f"Done: {topic}", "note": "sk-super-secret-output"}
    return Plan(_chain([start, *blocks]), output, given, VARIABLES)


def _step(name: str, kind: str, duration_ms: int, output: Json = None, error: str | None = None) -> Block:
    block_id = f"blk-{name.lower().replace(' ', '-')}"
    given = {"result": "ok", "stdout": ""} if output is None else output
    return Block(block_id, name, kind, 0, duration_ms, {"step": name}, given, error)


def _agent(source: random.Random, name: str, model: str, put_in: float, put_out: float, tool: float = 0.0) -> Block:
    tokens = (_around(source, put_in), _around(source, put_out, 0.5))
    cached = tokens[0] // 3 if source.random() < 0.3 else 0
    thinking = tokens[1] // 4 if model.startswith("gemini") else 0
    return agent_block(
        model, tokens=tokens, tool_cost=tool, block_id=f"blk-{name.lower().replace(' ', '-')}", name=name,
        cache_read=cached, reasoning=thinking, pace_ms=_around(source, 300 + put_out * 4),
    )  # fmt: skip


def _failed(source: random.Random, agent: Block) -> Block:
    """Returns the agent as failed at its provider, at no cost."""
    error, kind = source.choice(
        (("Rate limited by provider", "RateLimitError"), ("The model is overloaded", "APIError"))
    )
    turn = Turn(agent.model or "gpt-4o", 0, 0, 900, error_type=kind)
    return replace(agent, segments=(turn,), duration_ms=905, error=error)


def triage(source: random.Random, broken: bool) -> Plan:
    """Support triage: gpt-4o, sometimes with a search; in a broken version, the block after the agent fails."""
    topic = source.choice(TOPICS)
    agent = _agent(source, "Triage Agent", "gpt-4o", 1400, 260, 0.005 if source.random() < 0.25 else 0.0)
    if source.random() < 0.02:
        return _plan(source, topic, [_failed(source, agent)])
    error = BROKEN if broken and source.random() < 0.6 else None
    return _plan(source, topic, [agent, _step("Route Ticket", "function", 40, error=error)])


def chat(source: random.Random, jumped: bool) -> Plan:
    """Website chat: small and fast; after the jump it reads the whole manual with an expensive model."""
    topic = source.choice(TOPICS)
    model, put_in = ("claude-sonnet-4-5", 16000.0) if jumped else ("gpt-4o-mini", 1100.0)
    blocks = [
        _step("Search Knowledge", "knowledge", _around(source, 220), {"results": []}),
        _agent(source, "Answer", model, put_in, 210),
    ]
    return _plan(source, topic, blocks)


def report_plan(source: random.Random, day: int) -> Plan:
    """Nightly report: a loop over the regions, then a summary; slow and expensive, one PDF a night."""
    inner, at = [], 0
    for index in range(4):
        agent = _agent(source, "Summarize Region", "claude-haiku-4-5", 2600, 420)
        inner.append(replace(agent, start_ms=at, loop_id="loop-regions", iteration=index))
        at += agent.duration_ms + 10
    loop = Block("loop-regions", "Regions", "loop", 0, at, children=tuple(inner))
    pdf = {
        "id": f"file_{day}", "key": f"execution/demo/report-{day}.pdf", "type": "application/pdf",
        "url": f"/api/files/serve/report-{day}.pdf", "name": f"report-{day}.pdf",
        "size": _around(source, 90_000),
    }  # fmt: skip
    blocks = [loop, _agent(source, "Write Summary", "claude-sonnet-4-5", 5200, 1300)]
    blocks.append(_step("Write PDF", "function", 300, {"result": "ok", "files": [pdf]}))
    return replace(_plan(source, "nightly report", blocks), files=(pdf,))


def enrichment(source: random.Random, _: bool) -> Plan:
    """Lead enrichment: paid Exa searches in parallel, then a cheap model."""
    searches = tuple(
        Block("blk-exa", "Exa Search", "exa", index, 400 + source.randrange(300), {"query": "lead"}, FOUND,
              tool_cost=0.007, parallel_id="parallel-web", iteration=index)
        for index in range(source.choice((1, 2, 2, 3)))
    )  # fmt: skip
    parallel = Block("parallel-web", "Web", "parallel", 0, 720, children=searches)
    return _plan(source, "new lead", [parallel, _agent(source, "Score", "gemini-2.5-flash", 3200, 160)])


def invoices(source: random.Random, _: bool) -> Plan:
    """Invoice intake: no model, fast; now and then the bookkeeping service is down."""
    error = "Request failed with status 503" if source.random() < 0.05 else None
    blocks = [
        _step("Parse Invoice", "function", _around(source, 60)),
        _step("Book", "api", _around(source, 420)),
    ]
    return _plan(source, "invoice", [blocks[0], replace(blocks[1], error=error)])


def sync_plan(source: random.Random, _: bool) -> Plan:
    """CRM sync: no model, every hour, with rare time-outs after a long wait."""
    slow = source.random() < 0.03
    error = "Request timed out after 30000ms" if slow else None
    fetch = _step("Fetch Contacts", "api", 30_000 if slow else _around(source, 900), error=error)
    return _plan(source, "crm sync", [fetch] if slow else [fetch, _step("Upsert", "function", _around(source, 200))])


def review(source: random.Random, _: bool) -> Plan:
    """Contract review: another workflow does the research, then a human approves."""
    inner = _agent(source, "Find Clauses", "claude-haiku-4-5", 6000, 500)
    child = Block(
        "blk-research", "Research", "workflow", 0, inner.duration_ms + 20, {"contract": "c-1"},
        {"success": True}, children=(replace(inner, start_ms=10),),
    )  # fmt: skip
    judge = _agent(source, "Judge", "claude-sonnet-4-5", 4200, 800)
    return _plan(source, "contract", [child, judge, _step("Send", "function", 60)])


Behaviour = Callable[[random.Random, bool], Plan]
