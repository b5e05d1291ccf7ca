"""Splits a run's cost into cost items. Pure functions; amounts are USD as ``Decimal`` with 12 fractional digits.

total = models + standalone tools + a base charge per run that has no field of its own. A model's total includes the
tools that it called (``toolCost``). The items of a run add up to its total exactly: the part that the API does not
itemise is ``other``. Until the split has been read, the whole cost is ``unknown``; it stays so if the trace expires
before it is read (``sim-v0.8.9/log_detail_expired_trace``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from typing import Literal

import msgspec

from ..api import wire
from ..schema import MONEY_SCALE

ItemKind = Literal["model", "tool", "other", "unknown"]

ZERO = Decimal(0)
_LARGEST = 2**63 - 1
_UNIT = Decimal(1).scaleb(-MONEY_SCALE)
_CONTEXT = Context(prec=38, rounding=ROUND_HALF_EVEN)


def money(value: Decimal | None) -> Decimal | None:
    """Rounds an amount to 12 fractional digits: 0.027800000000000002, an artefact of floats, becomes 0.0278.

    Raises:
        decimal.InvalidOperation: The value has more than 26 digits before the point, or is not a number.
    """
    if value is None:
        return None
    if not value.is_finite():  # the text "NaN" is decoded to a Decimal as well
        raise InvalidOperation(f"{value} is not an amount")
    return value.quantize(_UNIT, context=_CONTEXT)


class TokenCount(msgspec.Struct, frozen=True, gc=False):
    """Token counts as reported by the provider; None if not reported."""

    prompt: int | None = None
    completion: int | None = None
    total: int | None = None

    def __add__(self, other: TokenCount) -> TokenCount:
        return TokenCount(
            _plus(self.prompt, other.prompt),
            _plus(self.completion, other.completion),
            _plus(self.total, other.total),
        )

    def __bool__(self) -> bool:
        return not (self.prompt is None and self.completion is None and self.total is None)


NO_TOKENS = TokenCount()


def _plus(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else one + other


def token_count(tokens: wire.Tokens | wire.Number | None) -> TokenCount:
    """Reads token counts under either pair of names; older data have only the total, as a number."""
    if tokens is None:
        return NO_TOKENS
    if not isinstance(tokens, wire.Tokens):
        return TokenCount(total=whole_number(tokens))
    prompt = tokens.prompt if tokens.input is None else tokens.input
    completion = tokens.completion if tokens.output is None else tokens.output
    total = tokens.total
    if total is None and prompt is not None and completion is not None:
        total = prompt + completion
    return TokenCount(whole_number(prompt), whole_number(completion), whole_number(total))


def whole_number(value: wire.Number | None) -> int | None:
    """Converts a count, or a duration in ms, to an integer.

    Raises:
        OverflowError: The value does not fit a 64-bit column, or is infinite.
    """
    if value is None:
        return None
    count = int(value)
    if not -_LARGEST <= count <= _LARGEST:
        raise OverflowError(f"a number of {len(str(abs(count)))} digits is out of range")
    return count


class CostItem(msgspec.Struct, gc=False):
    """One item of a run's cost, USD.

    Attributes:
        entry: The API's entry for the model that the item was built from, or None.
    """

    kind: ItemKind
    name: str
    total: Decimal
    input: Decimal | None = None
    output: Decimal | None = None
    tool: Decimal | None = None
    tokens: TokenCount = NO_TOKENS
    entry: wire.ModelCost | None = None


class Charges(msgspec.Struct, gc=False):
    """Charges found in the trace spans of a run; see ``spans.read_trace``.

    Attributes:
        models: Items by model, computed from blocks.
        tools: USD by name of standalone tool blocks.
        priced: Whether every block that names a model also has a cost.
    """

    models: dict[str, CostItem] = {}
    tools: dict[str, Decimal] = {}
    priced: bool = True

    def add_model(self, model: str, cost: wire.Cost | None, tokens: TokenCount) -> None:
        """Adds a block that used a model; its cost and tokens include those of its segments."""
        if cost is None or cost.total is None:
            self.priced = False
            return
        item = self.models.setdefault(model, CostItem("model", model, ZERO))
        item.total += cost.total
        item.input = _sum(item.input, cost.input)
        item.output = _sum(item.output, cost.output)
        item.tool = _sum(item.tool, cost.tool_cost)
        item.tokens += tokens

    def add_tool(self, name: str, total: Decimal) -> None:
        """Adds the charge of a standalone tool block; summed by block name, as Sim does (Sim's source)."""
        if total > 0:
            self.tools[name] = self.tools.get(name, ZERO) + total


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return other if one is None else one if other is None else one + other


def items(
    total: Decimal | None,
    split: Mapping[str, wire.ModelCost] | None,
    charges: Charges,
    *,
    untold: bool,
) -> list[CostItem]:
    """Builds the cost items of a run.

    Args:
        total: Cost of the run; None gives no items.
        split: The API's split by model, or None; it takes precedence over the spans.
        charges: Charges found in the spans.
        untold: The split is not known yet; gives one ``unknown`` item.

    Returns:
        Items whose ``total`` add up to ``money(total)`` exactly; no items for a run that cost nothing
        and used no model.
    """
    whole_cost = money(total)
    if whole_cost is None:
        return []
    if untold:
        return [CostItem("unknown", "unknown", whole_cost)]
    found = [_model_item(name, entry) for name, entry in split.items()] if split is not None else []
    if split is None and charges.priced:
        found = list(charges.models.values())
    found += [CostItem("tool", name, amount) for name, amount in charges.tools.items()]
    rest = whole_cost
    for item in found:
        item.total = money(item.total) or ZERO
        item.input, item.output, item.tool = money(item.input), money(item.output), money(item.tool)
        rest -= item.total
    if rest:
        found.append(CostItem("other", "other", rest))
    return found


def split_of_lines(lines: Iterable[wire.CostLine]) -> dict[str, wire.ModelCost]:
    """Returns the split by model that the lines of a run's cost in v2 show; lines of other categories are left out."""
    split: dict[str, wire.ModelCost] = {}
    for line in lines:
        if line.category != "model" or not line.description:
            continue
        counted = wire.Tokens(prompt=line.input_tokens, completion=line.output_tokens)
        before = split.get(line.description)
        if before is None:
            split[line.description] = wire.ModelCost(total=line.cost, tokens=counted)
        else:
            tokens = token_count(before.tokens) + token_count(counted)
            together = wire.Tokens(prompt=tokens.prompt, completion=tokens.completion, total=tokens.total)
            split[line.description] = wire.ModelCost(total=_sum(before.total, line.cost), tokens=together)
    return split


def _model_item(name: str, entry: wire.ModelCost) -> CostItem:
    total = entry.total
    if total is None:
        total = (entry.input or ZERO) + (entry.output or ZERO) + (entry.tool_cost or ZERO)
    tokens = token_count(entry.tokens)
    if not tokens:
        prompt, completion = whole_number(entry.prompt), whole_number(entry.completion)
        tokens = TokenCount(prompt, completion, _plus(prompt, completion))
    return CostItem("model", name, total, entry.input, entry.output, entry.tool_cost, tokens, entry)
