"""A world with a marked text of its own in every place where users' data or secrets can be."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from pipelines.sim_api import WORKSPACE, Block, Plan, ToolUse, Turn, World, finished_run, small_world
from pipelines.sim_api.world import plans
from pipelines.sim_api.world.truth import Json

KEY = "canary-account-key-3b9d"
"""A key of no form that gives it away."""


def payload(place: str) -> str:
    """A user's text."""
    return f"canary-payload-{place}-4e1f"


def secret(place: str) -> str:
    """A secret without a form of its own: only its name or its mark gives it away."""
    return f"canary-secret-{place}-9c7a"


def formed(place: str) -> str:
    """A secret that its form gives away, wherever it stands."""
    return f"sk-canary-formed-{place}-51d0"


PAYLOADS = (
    "final-output", "environment", "start-input", "system-prompt", "user-prompt", "agent-output",
    "tool-arguments", "tool-result", "code", "function-output", "row-prompt", "loop-input", "loop-output",
)  # fmt: skip
"""What every generation sends and ``--payloads full`` keeps; ``CARRIED`` comes on top."""
CARRIED = {
    "2026-03": ("assistant-content", "thinking-content", "span-unknown", "data-unknown", "trigger-body", "block-state"),
    "2026-08": (
        "workflow-input", "assistant-content", "thinking-content", "thinking", "span-unknown", "data-unknown",
        "trigger-body", "block-state",
    ),
    "documents": ("span-unknown", "data-unknown", "trigger-body", "block-state"),
}  # fmt: skip
"""What these generations send besides."""
DROPPED = ("assistant-content", "thinking-content", "row-prompt")
"""What is not kept even with ``--payloads full``: it stands elsewhere, or is a field nobody has documented."""
SECRETS = (
    "agent-api-key", "tool-header", "environment", "final-output", "password-mark", "header-table", "tool-params",
    "variable", "row-token", "row-cookie", "audit-key", "audit-nested", "data-unknown",
)  # fmt: skip
FORMED = ("agent-output", "code", "state-code", "audit-text")


def canary_world() -> World:
    """Runs up to now, with marked texts wherever a field can hold one."""
    world = small_world(now=datetime.now(UTC))
    world.add_key(KEY, "user-olga")
    plan = _plan()
    for number in range(3):
        run = finished_run(world, "wf-triage", plan, started_ms=world.now_ms - 600_000 + number * 60_000)
        world.change_run(run.id, extra=_extra(), more_data=_more_data())
    finished_run(world, "wf-triage", plans.plain_plan(), started_ms=world.now_ms - 60_000)
    workflow = world.workflows["wf-triage"]
    workflow.fields.update(_sub_blocks())
    workflow.variables["v1"] = {"id": "v1", "name": "API_TOKEN", "type": "string", "value": secret("variable")}
    world.add_audit(
        "credential.connected",
        workspace_id=WORKSPACE,
        organization_id="org-acme",
        actor_id="user-olga",
        metadata={
            "apiKey": secret("audit-key"),
            "before": [{"clientSecret": secret("audit-nested")}],
            "note": f"made {formed('audit-text')}",
        },
    )
    return world


def _plan() -> Plan:
    start = plans.start_block({"ticket": payload("start-input")})
    search = ToolUse(
        "http_request",
        300,
        0.005,
        {"query": payload("tool-arguments"), "headers": {"Authorization": f"Bearer {secret('tool-header')}"}},
        {"found": payload("tool-result")},
    )
    turns = (
        Turn("gpt-4o", 500, 40, 400, ttft_ms=90, finish_reason="tool_calls", thinking=payload("thinking-content")),
        search,
        Turn("gpt-4o", 700, 300, 500, text=payload("assistant-content"), thinking=payload("thinking")),
    )
    prompt = {
        "systemPrompt": payload("system-prompt"),
        "userPrompt": payload("user-prompt"),
        "model": "gpt-4o",
        "apiKey": secret("agent-api-key"),
    }
    output = {"content": payload("agent-output"), "note": f"use {formed('agent-output')}"}
    agent = Block("blk-agent", "Agent", "agent", 5, 1210, prompt, output, segments=turns)
    function = Block(
        "blk-function",
        "Format",
        "function",
        1300,
        40,
        {"code": f"return '{payload('code')}' + '{formed('code')}'"},
        {"result": payload("function-output"), "stdout": ""},
        extra={"memo": payload("span-unknown"), "attempt": 2},
    )
    inner = replace(function, block_id="blk-each", loop_id="loop-1", iteration=0, extra={})
    inner = replace(inner, input={"item": payload("loop-input")}, output={"result": payload("loop-output")})
    loop = Block("loop-1", "Loop 1", "loop", 1300, 90, children=(inner,))
    return Plan(
        (start, agent, function, loop),
        final_output={"content": payload("final-output"), "accessToken": secret("final-output")},
        workflow_input={"ticket": payload("workflow-input")},
        variables={"REGION": payload("environment"), "CRM_TOKEN": secret("environment")},
    )


def _extra() -> Json:
    return {
        "prompt": payload("row-prompt"),
        "sessionToken": secret("row-token"),
        "session": {"cookie": secret("row-cookie"), "region": "eu-1"},
    }


def _more_data() -> Json:
    return {
        "memory": {"last": payload("data-unknown"), "apiKey": secret("data-unknown")},
        "trigger": {"type": "api", "source": "api", "data": {"note": payload("trigger-body")}},
        "blockStates": {"blk-agent": {"output": payload("block-state")}},
    }


def _sub_blocks() -> Json:
    table = [
        {"id": "1", "cells": {"Key": "Authorization", "Value": secret("header-table")}},
        {"id": "2", "cells": {"Key": "Accept", "Value": "application/json"}},
    ]
    tools = [{"type": "exa", "title": "Exa", "params": {"apiKey": secret("tool-params"), "limit": 3}}]
    return {
        "field7": {"id": "field7", "type": "short-input", "password": True, "value": secret("password-mark")},
        "headers": {"id": "headers", "type": "table", "value": table},
        "tools": {"id": "tools", "type": "tool-input", "value": tools},
        "code": {"id": "code", "type": "code", "value": f"fetch('{formed('state-code')}')"},
    }
