"""Reads recorded answers of real servers: `.http` files with status, headers and body."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from sim_source import jsons
from sim_source.api import decode, wire

FOLDER = Path(__file__).parents[1] / "recordings"
GENERATIONS = ("2026-03", "2026-08")
"""Servers of which a whole account was recorded; of ``v0.8.9`` only lives of runs."""
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


def listed(generation: str, name: str) -> wire.Run:
    """The full list row of a recorded run, by its kind."""
    (page,) = _bodies(generation, f"logs_full_{name}") or _bodies(generation, f"logs_full_spans_output_{name}")
    return decode.run_page(page).rows[0]


def detailed(generation: str, name: str) -> wire.Run:
    """The detail of a recorded run, by its kind."""
    return decode.one(jsons.encode(answer(generation, f"log_detail_{name}").json["data"]), wire.Run)


def kinds(generation: str) -> set[str]:
    """The kinds of runs of which a list row or a detail was recorded."""
    stems = {file.stem for file in (FOLDER / f"sim-{generation}").iterdir()}
    prefixes = ("logs_full_spans_output_", "logs_full_", "log_detail_")
    found = ((stem, next((start for start in prefixes if stem.startswith(start)), None)) for stem in stems)
    return {stem.removeprefix(start) for stem, start in found if start is not None}


def _bodies(generation: str, stem: str) -> list[bytes]:
    files = (FOLDER / f"sim-{generation}").glob(f"{stem}.*")
    return [read(file).body if file.suffix == ".http" else file.read_bytes() for file in files]
