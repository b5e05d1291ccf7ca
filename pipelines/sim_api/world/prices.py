"""Prices of the models that the embedded Sim API runs, USD per million tokens.

These are list prices, so the ratios between models and between input and output tokens are realistic. The format is
that of `output.cost.pricing` in the agent spans of the recordings.
"""

from __future__ import annotations

from dataclasses import dataclass

PRICED_ON = "2026-01-01"


@dataclass(frozen=True, slots=True)
class Price:
    """The price of one model, USD per million tokens."""

    provider: str
    input: float
    output: float
    cached_input: float

    def pricing(self) -> dict[str, float | str]:
        """The `pricing` object that Sim returns beside an agent's cost."""
        return {
            "input": self.input,
            "output": self.output,
            "cachedInput": self.cached_input,
            "updatedAt": PRICED_ON,
        }


PRICES: dict[str, Price] = {
    "gpt-4o": Price("openai", 2.5, 10.0, 1.25),
    "gpt-4o-mini": Price("openai", 0.15, 0.6, 0.075),
    "claude-sonnet-4-5": Price("anthropic", 3.0, 15.0, 0.3),
    "claude-haiku-4-5": Price("anthropic", 1.0, 5.0, 0.1),
    "gemini-2.5-flash": Price("google", 0.3, 2.5, 0.03),
}


def token_cost(model: str, input_tokens: int, output_tokens: int) -> tuple[float, float]:
    """Cost of a model call in USD: (input, output), each rounded to 8 places as Sim does."""
    price = PRICES[model]
    return (
        round(input_tokens * price.input / 1_000_000, 8),
        round(output_tokens * price.output / 1_000_000, 8),
    )
