"""Counts what a program loaded; run after it, in a process of its own, and not measured."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from contextlib import closing
from typing import Any

from bench.programs.common import say

SPANS_OF_PEER = re.compile(r"(logs|log_details__execution_data)__trace_spans(__children)*")


def _queries(where: str) -> Callable[[str], list[tuple[Any, ...]]]:
    """A function that asks a DuckDB file, or the PostgreSQL at a URL."""
    if not where.startswith("postgresql:"):
        import duckdb

        connection = duckdb.connect(where, read_only=True)
        return lambda sql: connection.execute(sql).fetchall()

    import psycopg2

    def query(sql: str) -> list[tuple[Any, ...]]:
        with closing(psycopg2.connect(where)) as server, server.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    return query


def main() -> None:
    """Prints rows, distinct ids, spans and whether cost items add up."""
    query = _queries(sys.argv[1])
    tables = [row[0] for row in query("SELECT table_name FROM information_schema.tables WHERE table_schema = 'sim'")]

    def ask(sql: str) -> float:
        rows = query(sql)
        return 0 if not rows or rows[0][0] is None else rows[0][0]

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
