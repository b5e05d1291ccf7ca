"""``sim-sync sql``: prints a query result as a table, as JSON or as CSV."""

from __future__ import annotations

import csv
import json
import sys

from ..destination import questions
from ..destination.target import Target
from ..screen import terminal
from ..screen.visible import visible
from . import answering


def print_answer(target: Target, statement: str, *, as_json: bool, as_csv: bool) -> None:
    """Runs a statement and prints its result.

    Raises:
        ConfigurationError: The database does not exist.
        TryLater: A sync is writing to the database, and it has no published copy.
        SqlFault: The destination rejected the statement.
    """
    with answering.one_state(target):
        answer = questions.ask(target, statement.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
    if as_json:
        print(json.dumps(questions.as_json_value(answer.dicts), allow_nan=False))
    elif not as_csv:
        terminal.table(answer.columns, answer.rows)
    elif sys.stdout.isatty():
        csv.writer(sys.stdout).writerows([visible(str(value)) for value in row] for row in answer.table)
    else:
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(encoding="utf-8")  # independent of the locale
        csv.writer(sys.stdout).writerows(answer.table)
