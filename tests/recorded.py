"""Reads recorded answers of real servers: `.http` files with status, headers and body."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

FOLDER = Path(__file__).parent / "recordings"
GENERATIONS = ("2026-03", "2026-08")
WORKSPACE = "11111111-1111-4111-8111-111111111111"
"""The workspace of which all recorded runs are."""
SECRETS = ("sk-super-secret",)
"""Planted in recorded snapshots."""
PAYLOADS = (
    "printer on fire",
    "My printer",
    "Category: hardware",
    "naïve",
    "printer fire",
    "https://example.com",
    '"FOO"',
)
"""Strings of recorded inputs, outputs, prompts, tool calls and environments."""

_json = msgspec.json.Decoder(float_hook=Decimal)


@dataclass(frozen=True)
class Answer:
    """One recorded answer; amounts in the body are exact decimals."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return _json.decode(self.body)


def read(file: Path) -> Answer:
    """Reads an `.http` file: lines with # are the request, then status, headers, blank line, body."""
    head, _, body = file.read_bytes().replace(b"\r\n", b"\n").partition(b"\n\n")
    lines = [line for line in head.decode().split("\n") if not line.startswith("#")]
    fields = (line.partition(": ") for line in lines[1:])
    return Answer(int(lines[0].split()[1]), {name.lower(): value for name, _, value in fields}, body)


def answer(generation: str, name: str) -> Answer:
    """A recorded answer by its name, such as `log_detail_multi`."""
    return read(FOLDER / f"sim-{generation}" / f"{name}.http")


def named(generation: str, pattern: str) -> dict[str, Answer]:
    """Recorded answers by name, for instance `execution_*`."""
    return {file.stem: read(file) for file in sorted((FOLDER / f"sim-{generation}").glob(f"{pattern}.http"))}


def life(name: str) -> dict[str, Any]:
    """A moment in the life of a run on 2026-08: `list_full` and `detail`."""
    (file,) = (FOLDER / "sim-2026-08").glob(f"life_{name}.json")
    found: dict[str, Any] = _json.decode(file.read_bytes())
    return found
