"""Compares the shape of two JSON values: the same keys and the same types, all the way down."""

from typing import Any

# Whatever users put there; Sim adds its own keys to an agent's output, which are compared.
FREE = {
    "input",
    "finalOutput",
    "workflowInput",
    "variables",
    "metadata",
    "arguments",
    "result",
    "details",
    "inputs",
}
OUTPUT_KEYS = {"model", "tokens", "toolCalls", "providerTiming", "cost", "error"}
BY_NAME = {"models", "blocks", "subBlocks"}


def kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return type(value).__name__


def differences(recorded: Any, made: Any, where: str = "") -> list[str]:
    """What differs, as readable lines; null has every shape."""
    if recorded is None or made is None:
        return []
    if kind(recorded) != kind(made):
        return [f"{where}: {kind(recorded)} recorded, {kind(made)} made"]
    if isinstance(recorded, dict):
        return _of_objects(recorded, made, where)
    if isinstance(recorded, list):
        pairs = zip(recorded, made, strict=False)
        return [line for n, (one, two) in enumerate(pairs) for line in differences(one, two, f"{where}[{n}]")]
    return []


def _of_objects(recorded: dict[str, Any], made: dict[str, Any], where: str) -> list[str]:
    name = where.rpartition(".")[2]
    if name in FREE:
        return []
    if name in BY_NAME:
        return [
            line
            for one, two in zip(sorted_values(recorded), sorted_values(made), strict=False)
            for line in differences(one, two, f"{where}.*")
        ]
    if name == "output":
        recorded = {key: value for key, value in recorded.items() if key in OUTPUT_KEYS}
        made = {key: value for key, value in made.items() if key in OUTPUT_KEYS}
    found = [f"{where}: {key} only recorded" for key in recorded.keys() - made.keys()]
    found += [f"{where}: {key} only made" for key in made.keys() - recorded.keys()]
    for key in recorded.keys() & made.keys():
        found += differences(recorded[key], made[key], f"{where}.{key}")
    return found


def sorted_values(by_name: dict[str, Any]) -> list[Any]:
    return sorted(by_name.values(), key=lambda value: str(value.get("type", "")))
