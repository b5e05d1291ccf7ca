"""Plans of the kinds of run in the recordings, for small test data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .truth import Block, Json, Plan, ToolUse, Turn

INPUT = {"ticket": "My printer is on fire", "note": "sk-super-secret-input"}
OUTPUT = {"content": "Category: hardware", "note": "sk-super-secret-output"}
VARIABLES = {"REGION": "eu-west-1", "CRM_TOKEN": "sk-super-secret-env"}
"""Fake private data: it must not reach a disk unless requested."""


def start_block(given: Json = None) -> Block:
    """The block that every run begins with."""
    given = INPUT if given is None else given
    return Block("blk-start", "Start", "start_trigger", 0, 3, given, given)


def agent_block(
    model: str = "gpt-4o",
    *,
    start_ms: int = 5,
    tokens: tuple[int, int] = (1200, 340),
    tool_cost: float = 0.005,
    block_id: str = "blk-agent",
    name: str = "Triage Agent",
    pace_ms: int = 885,
    **counted: Any,
) -> Block:
    """An agent that calls its model, a tool (unless the tool cost is zero), and its model again.

    ``counted`` are further tokens of the last call: ``cache_read`` (default 128) and ``reasoning``.
    """
    counted = {"cache_read": 128} | counted
    put_in, put_out = tokens
    first_in, first_out = put_in * 5 // 12, put_out * 2 // 17
    search = ToolUse("exa_search", 800, tool_cost, {"query": "printer fire"}, {"results": [{"title": "Fire"}]})
    last = Turn(
        model, put_in - first_in, put_out - first_out, pace_ms, text=str(OUTPUT["content"]), **counted,
    )  # fmt: skip
    if tool_cost:
        first = Turn(model, first_in, first_out, pace_ms, ttft_ms=pace_ms // 3, finish_reason="tool_calls")
        segments: tuple[Turn | ToolUse, ...] = (first, search, last)
    else:
        segments = (Turn(model, put_in, put_out, pace_ms, text=last.text, **counted),)
    duration = sum(segment.duration_ms + 5 for segment in segments)
    prompt = {
        "systemPrompt": "You triage", "userPrompt": INPUT["ticket"], "model": model, "apiKey": "[REDACTED]",
    }  # fmt: skip
    return Block(block_id, name, "agent", start_ms, duration, prompt, OUTPUT, segments=segments)


def agent_plan(model: str = "gpt-4o", **agent: Json) -> Plan:
    """One agent; costs 0.0164 USD with gpt-4o, as in the recordings."""
    return _plan(start_block(), agent_block(model, **agent))


def two_model_plan() -> Plan:
    """Two agents with different models (the kind `multi`); gpt-4o and claude-sonnet-4-5."""
    first = agent_block("gpt-4o")
    second = agent_block(
        "claude-sonnet-4-5",
        start_ms=first.start_ms + first.duration_ms + 100,
        block_id="blk-review",
        name="Review",
    )
    return _plan(start_block(), first, second)


def tool_plan() -> Plan:
    """An agent and a standalone Exa block with its own cost (log_detail_tool_with_cost: 0.0234)."""
    agent = agent_block()
    start = agent.start_ms + agent.duration_ms + 5
    exa = Block("blk-exa", "Exa Search", "exa", start, 500, {"query": "fire"}, {"results": []}, tool_cost=0.007)
    return _plan(start_block(), agent, exa)


def failing_plan(error: str = "Rate limited by provider", error_type: str | None = None) -> Plan:
    """The agent fails; with an error type it leaves a failed model segment."""
    segments = (Turn("gpt-4o", 0, 0, 2400, error_type=error_type),) if error_type else ()
    prompt = {
        "systemPrompt": "You triage", "userPrompt": INPUT["ticket"], "model": "gpt-4o",
        "apiKey": "[REDACTED]",
    }  # fmt: skip
    agent = Block("blk-agent", "Triage Agent", "agent", 5, 2500, prompt, error=error, segments=segments)
    return _plan(start_block(), agent)


def plain_plan() -> Plan:
    """No model: only the base charge."""
    done = Block("blk-function", "Format", "function", 5, 40, {"code": "return 1"}, {"result": 1, "stdout": ""})
    return _plan(start_block(), done)


def custom_block_plan() -> Plan:
    """What a custom block does in a run of its own: one agent, without the base charge."""
    return replace(agent_plan(), fee=0.0)


def calling_plan(execution_id: str) -> Plan:
    """An agent, and a custom block whose run is named, but neither its spans nor its cost."""
    agent = agent_block()
    start = agent.start_ms + agent.duration_ms + 5
    custom = Block(
        "blk-custom", "Enrich", "custom_block", start, 900, {}, {"ok": True}, extra={"childExecutionId": execution_id}
    )
    return _plan(start_block(), agent, custom)


def file_plan() -> Plan:
    """An agent and a block that writes a PDF."""
    agent = agent_block()
    file = {
        "id": "file_1", "key": "execution/x/report.pdf", "url": "/api/files/serve/execution%2Freport.pdf",
        "name": "report.pdf", "size": 12345, "type": "application/pdf",
    }  # fmt: skip
    start = agent.start_ms + agent.duration_ms + 5
    brief = {key: value for key, value in file.items() if key != "key"}
    pdf = Block("blk-file", "Write PDF", "function", start, 100, {}, {"result": "ok", "files": [brief]})
    return Plan((start_block(), agent, pdf), OUTPUT, INPUT, VARIABLES, (file,))


def loop_plan(rounds: int = 3, model: str = "gemini-2.5-flash") -> Plan:
    """A loop around an agent, then parallel functions: the same block ids recur."""
    inner, at = [], 10
    for index in range(rounds):
        agent = agent_block(model, start_ms=at, tokens=(400 + 100 * index, 90), tool_cost=0, block_id="blk-each")
        inner.append(_in_loop(agent, index))
        at += agent.duration_ms + 10
    loop = Block("loop-1", "Loop 1", "loop", 5, at - 5, children=tuple(inner))
    branches = tuple(
        Block("blk-branch", "Branch", "function", at + 5, 60 + index, {}, {"result": index},
              parallel_id="parallel-1", iteration=index)
        for index in range(2)
    )  # fmt: skip
    parallel = Block("parallel-1", "Parallel 1", "parallel", at + 5, 70, children=branches)
    return _plan(start_block(), loop, parallel)


def _in_loop(block: Block, index: int) -> Block:
    return Block(
        block.block_id, block.name, block.type, block.start_ms, block.duration_ms, block.input, block.output,
        segments=block.segments, loop_id="loop-1", iteration=index,
    )  # fmt: skip


def child_workflow_plan() -> Plan:
    """A block that runs another workflow: its span repeats the sums of its child spans."""
    inner = agent_block("claude-haiku-4-5", start_ms=20, block_id="blk-inner", tool_cost=0)
    child = Block(
        "blk-child", "Research", "workflow", 5, inner.duration_ms + 30, {"workflowId": "child"},
        {"success": True}, children=(inner,),
    )  # fmt: skip
    return _plan(start_block(), child, agent_block(start_ms=child.duration_ms + 20, cache_read=0, reasoning=64))


def _plan(*blocks: Block) -> Plan:
    return Plan(blocks, OUTPUT, INPUT, VARIABLES)


def every_kind() -> dict[str, Plan]:
    """One plan of each kind, by name."""
    return {
        "agent": agent_plan(),
        "multi": two_model_plan(),
        "tool": tool_plan(),
        "fail": failing_plan(),
        "plain": plain_plan(),
        "file": file_plan(),
        "loop": loop_plan(),
        "child": child_workflow_plan(),
        "model_error": failing_plan("overloaded", "APIError"),
    }
