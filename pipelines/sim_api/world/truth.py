"""What a run really does: blocks, model calls, tool calls, and their costs.

A `Plan` is the source; the dialects render it as the different servers would. Plans are immutable, so thousands of runs
can share one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from .prices import token_cost

Json = Any
"""Any value that JSON can hold."""

BASE_CHARGE = 0.005
"""USD for every run, not in a field of its own (sim-api notes, `log_detail_fail`: total 0.005, no models)."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One model call inside an agent block; tokens are counts, times are milliseconds."""

    model: str
    input_tokens: int
    output_tokens: int
    duration_ms: int
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0
    ttft_ms: int | None = None
    finish_reason: str = "stop"
    text: str = ""
    thinking: str = ""
    error_type: str | None = None


@dataclass(frozen=True, slots=True)
class ToolUse:
    """One tool call inside an agent block; its cost (USD) is the `toolCost` of the agent's model."""

    name: str
    duration_ms: int
    cost: float = 0.0
    arguments: Json = field(default_factory=dict)
    result: Json = None


@dataclass(frozen=True, slots=True)
class Block:
    """One executed block, or a container (`loop`, `parallel`, `workflow`) of blocks.

    `start_ms` counts from the start of the run. `tool_cost` (USD) is the cost of a standalone tool block.
    """

    block_id: str
    name: str
    type: str
    start_ms: int
    duration_ms: int
    input: Json = field(default_factory=dict)
    output: Json = field(default_factory=dict)
    error: str | None = None
    segments: tuple[Turn | ToolUse, ...] = ()
    tool_cost: float = 0.0
    loop_id: str | None = None
    parallel_id: str | None = None
    iteration: int | None = None
    children: tuple[Block, ...] = ()
    extra: dict[str, Json] = field(default_factory=dict)
    """Undocumented fields, put on its span."""

    @property
    def turns(self) -> list[Turn]:
        """The model calls of this block, without failed ones (they have no tokens and no cost)."""
        return [s for s in self.segments if isinstance(s, Turn) and s.error_type is None]

    @property
    def model(self) -> str | None:
        """The model of an agent block."""
        return next((turn.model for turn in self.turns), None)


@dataclass(slots=True)
class TrueModelCost:
    """Cost (USD) and tokens of one model, or of one agent block."""

    input: float = 0.0
    output: float = 0.0
    tool: float = 0.0
    total: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0

    def add(self, other: TrueModelCost) -> None:
        """Adds another cost as JavaScript does: plain floats, in order."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(slots=True)
class TrueCost:
    """Cost of a run in USD: total = models + standalone tools + fee."""

    models: dict[str, TrueModelCost]
    tools: dict[str, float]
    total: float
    fee: float = BASE_CHARGE

    @property
    def all_models(self) -> TrueModelCost:
        """Sum over the models."""
        return added(self.models.values())


@dataclass(frozen=True, eq=False)
class Plan:
    """Everything that a run will do, in order; immutable, can be shared by many runs."""

    blocks: tuple[Block, ...]
    final_output: Json = field(default_factory=lambda: {"content": "Done"})
    workflow_input: Json = field(default_factory=dict)
    variables: Json = field(default_factory=lambda: {"REGION": "eu-west-1"})
    files: tuple[dict[str, Json], ...] = ()
    fee: float = BASE_CHARGE
    """USD charged for the run itself: nothing for a run of a custom block."""

    @cached_property
    def _parts(self) -> dict[int, Plan]:
        return {}

    @cached_property
    def cost(self) -> TrueCost:
        """The cost of the whole plan."""
        return cost_of(self.blocks, self.fee)

    @property
    def duration_ms(self) -> int:
        """Milliseconds until the end of the last block."""
        return max((b.start_ms + b.duration_ms for b in self.blocks), default=0)

    def upto(self, count: int) -> Plan:
        """The plan with only its first blocks: what a paused run has done so far."""
        part = self._parts.get(count)
        if part is None:
            part = replace(self, blocks=self.blocks[:count])
            self._parts[count] = part
        return part


def added(costs: Iterable[TrueModelCost]) -> TrueModelCost:
    """The sum of several costs."""
    total = TrueModelCost()
    for cost in costs:
        total.add(cost)
    return total


def turn_cost(turn: Turn) -> TrueModelCost:
    """Cost of one model call, without tools."""
    put_in, put_out = token_cost(turn.model, turn.input_tokens, turn.output_tokens)
    return TrueModelCost(
        put_in, put_out, 0.0, put_in + put_out, turn.input_tokens, turn.output_tokens,
        turn.cache_read, turn.cache_write, turn.reasoning,
    )  # fmt: skip


def agent_cost(block: Block) -> TrueModelCost | None:
    """Cost of an agent block: its model calls plus the tools they used; None without a model call."""
    turns = block.turns
    if not turns:
        return None
    cost = added(turn_cost(turn) for turn in turns)
    cost.tool = sum(s.cost for s in block.segments if isinstance(s, ToolUse))
    cost.total = cost.input + cost.output + cost.tool
    return cost


def walk(blocks: Iterable[Block]) -> Iterator[Block]:
    """Every block, containers first."""
    for block in blocks:
        yield block
        yield from walk(block.children)


def cost_of(blocks: Iterable[Block], fee: float = BASE_CHARGE) -> TrueCost:
    """Cost of a run that executed these blocks; summed as JavaScript does it (0.027800000000000002)."""
    models: dict[str, TrueModelCost] = {}
    tools: dict[str, float] = {}
    for block in walk(blocks):
        cost = agent_cost(block)
        if cost is not None and block.model is not None:
            models.setdefault(block.model, TrueModelCost()).add(cost)
        if block.tool_cost:
            tools[block.type] = tools.get(block.type, 0.0) + block.tool_cost
    total = fee
    for model in models.values():
        total += model.total
    for tool in tools.values():
        total += tool
    return TrueCost(models, tools, total, fee)
