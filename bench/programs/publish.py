"""``sim-sync publish``; says how long it took without the imports."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from bench.programs.common import say
from pipelines.commands.publish import publish_once
from pipelines.destination.target import target_of


def main() -> None:
    """Publishes once."""
    parser = argparse.ArgumentParser()
    parser.add_argument("database", type=Path)
    parser.add_argument("file")
    parser.add_argument("--compact", action="store_true")
    args = parser.parse_args()
    begun = time.perf_counter()
    publish_once(target_of(database=args.database), args.file, compact=args.compact, as_json=False)
    say({"seconds": time.perf_counter() - begun})


if __name__ == "__main__":
    main()
