"""What a run's cost is made of. Pure; USD as ``Decimal`` with 12 fractional digits.

total = models + standalone tools + a base charge per run that no field names. A model's total includes the tools
it called (``toolCost``). The items of a run add up to its total exactly: what the API does not itemise is
``other``; as long as nothing has told the split, the whole cost is ``unknown``, for ever where the trace has expired
before it was read (``sim-v0.8.9/log_detail_expired_trace``).
"""

from __future__ import annotations

from collections.abc import Mapping
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
    """An amount with 12 fractional digits: 0.027800000000000002 is a float's way to say 0.0278.

    Raises:
        decimal.InvalidOperation: More than 26 digits before the point, or not a number.
    """
    if value is None:
        return None
    if not value.is_finite():  # text like "NaN" is a Decimal too
        raise InvalidOperation(f"{value} is no amount")
    return value.quantize(_UNIT, context=_CONTEXT)


class TokenCount(msgspec.Struct, frozen=True, gc=False):
    """Tokens as counted by the provider; None where not told."""

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
    """Tokens under either pair of names; older data give the total as a bare number."""
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
    """A count or a number of ms as an integer.

    Raises:
        OverflowError: More than any table can hold.
    """
    if value is None:
        return None
    count = int(value)
    if not -_LARGEST <= count <= _LARGEST:
        raise OverflowError(f"a number of {len(str(abs(count)))} digits is no count")
    return count


class CostItem(msgspec.Struct, gc=False):
    """One item of a run's cost, USD.

    Attributes:
        entry: The API's own entry of a model, where the item is taken from one.
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
    """What the spans of a run say of its cost; see ``spans.read``.

    Attributes:
        models: Items by model, worked out from blocks.
        tools: USD by name of standalone tool blocks.
        priced: Whether every block that names a model also gives a cost.
    """

    models: dict[str, CostItem] = {}
    tools: dict[str, Decimal] = {}
    priced: bool = True

    def add_model(self, model: str, cost: wire.Cost | None, tokens: TokenCount) -> None:
        """A block that used a model; its cost and tokens include its segments."""
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
        """A standalone tool block that charges; Sim, too, sums such charges by the block's name (source)."""
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
    """The items of a run's cost.

    Args:
        total: Cost of the run; None gives no items.
        split: The API's own split by model, where it gave one; it wins over the spans.
        charges: What the spans say.
        untold: Nothing has told the split: one ``unknown`` item.

    Returns:
        Items whose ``total`` add up to ``money(total)`` exactly; none for a run that cost nothing
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


def _model_item(name: str, entry: wire.ModelCost) -> CostItem:
    total = entry.total
    if total is None:
        total = (entry.input or ZERO) + (entry.output or ZERO) + (entry.tool_cost or ZERO)
    tokens = token_count(entry.tokens)
    if not tokens:
        prompt, completion = whole_number(entry.prompt), whole_number(entry.completion)
        tokens = TokenCount(prompt, completion, _plus(prompt, completion))
    return CostItem("model", name, total, entry.input, entry.output, entry.tool_cost, tokens, entry)
