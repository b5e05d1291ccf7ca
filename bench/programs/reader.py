"""Reads a published file, or what ``sim-sync sql`` reads, in a loop until its standard input ends.

Ends with one JSON line: reads, those that failed with their first message, those whose costs did not add up, and those
that a published copy answered in place of the database.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
from pathlib import Path
from typing import Any

import duckdb

from pipelines.destination import duckdb_file
from pipelines.destination.target import Target
from sim_source.errors import SimError

SUMS = "SELECT (SELECT sum(cost_total) FROM sim.logs), (SELECT sum(total_cost) FROM sim.cost_items)"


def main() -> None:
    """Reads: each time with a new connection, as a notebook or a job would."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--published", type=Path)
    parser.add_argument("--database", type=Path)
    args = parser.parse_args()
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    found = {"reads": 0, "failed": 0, "wrong": 0, "from_copy": 0}
    errors: list[str] = []
    print("reading", flush=True)
    while not over.is_set() or not found["reads"]:
        found["reads"] += 1
        try:
            (runs, items), from_copy = _published(args.published) if args.published else _asked(args.database)
        except (duckdb.Error, SimError) as error:
            found["failed"] += 1
            errors.append(str(error)[:300])
        else:
            found["wrong"] += runs is None or runs != items
            found["from_copy"] += from_copy
        over.wait(0.2 if args.database else 0.1)  # a database that is read without a break starves its sync
    print(json.dumps(found | {"error": errors[0] if errors else ""}), flush=True)


def _published(file: Path) -> tuple[Any, bool]:
    with duckdb.connect(str(file), read_only=True) as connection:
        return connection.execute(SUMS).fetchall()[0], True


def _asked(database: Path) -> tuple[Any, bool]:
    with duckdb_file.kept_open(Target(database=database)) as opened:
        return opened.connection.execute(SUMS).fetchall()[0], opened.as_of is not None


if __name__ == "__main__":
    main()
