"""Counts what a program loaded; run after it, in a process of its own, and not measured."""

from __future__ import annotations

import re
import sys

import duckdb

from bench.programs.common import say

SPANS_OF_PEER = re.compile(r"(logs|log_details__execution_data)__trace_spans(__children)*")


def main() -> None:
    """Prints rows, distinct ids, spans and whether cost items add up."""
    connection = duckdb.connect(sys.argv[1], read_only=True)
    tables = [
        row[0]
        for row in connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'sim'"
        ).fetchall()
    ]

    def ask(sql: str) -> float:
        row = connection.execute(sql).fetchone()
        return 0 if row is None or row[0] is None else row[0]

    spans = [name for name in tables if name == "trace_spans" or SPANS_OF_PEER.fullmatch(name)]
    facts = {
        "rows": ask("SELECT count(*) FROM sim.logs"),
        "ids": ask("SELECT count(DISTINCT id) FROM sim.logs"),
        "spans": sum(ask(f"SELECT count(*) FROM sim.{name}") for name in spans),
    }
    if "log_details" in tables:
        facts["details"] = ask("SELECT count(*) FROM sim.log_details")
    if "cost_items" in tables:
        facts["cost_difference"] = float(
            ask("SELECT (SELECT sum(cost_total) FROM sim.logs) - (SELECT sum(total_cost) FROM sim.cost_items)")
        )
        facts["unknown_items"] = ask("SELECT count(*) FROM sim.cost_items WHERE kind = 'unknown'")
    say(facts)


if __name__ == "__main__":
    main()
