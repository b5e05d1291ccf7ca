"""What the programs share: their arguments and the line they end with."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

KEY = "sk-sim-bench"


def arguments(*flags: str, **options: str | int | None) -> argparse.Namespace:
    """``--url``, ``--workspace``, ``--folder`` and a program's own flags and options with their defaults."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--workspace", required=True)
    parser.add_argument("--folder", required=True, type=Path)
    for flag in flags:
        parser.add_argument(f"--{flag}", action="store_true")
    for name, default in options.items():
        kind = int if isinstance(default, int) else str
        parser.add_argument(f"--{name}", type=kind, default=default)
    return parser.parse_args()


def database(folder: Path) -> str:
    """The DuckDB file of a program; the dataset in it is ``sim``."""
    return str(folder / "bench.duckdb")


def steps(pipeline: Any) -> dict[str, float]:
    """Seconds of dlt's own steps in the last run."""
    found: dict[str, float] = {}
    for step in pipeline.last_trace.steps:
        if step.finished_at is not None and step.step in ("extract", "normalize", "load"):
            found[step.step] = found.get(step.step, 0.0) + (step.finished_at - step.started_at).total_seconds()
    return found


def say(facts: dict[str, Any]) -> None:
    """Ends a program's output with one JSON line."""
    print(json.dumps(facts), flush=True)
