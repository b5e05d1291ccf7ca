"""Options that several commands of ``sim-sync`` have."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

TARGET_OPTIONS = (
    click.option("--destination", help="Name of a dlt destination; default: duckdb."),
    click.option("--dataset", help="Dataset (schema) of the tables; default: sim."),
    click.option("--database", type=click.Path(path_type=Path), help="DuckDB file; default: sim_sync.duckdb."),
)
WORKSPACES = click.option(
    "--workspace", "workspaces", multiple=True, help="Workspace id, repeatable, or all; default: SIM_WORKSPACE_ID."
)
ACCOUNTS = click.option(
    "--account", "accounts", multiple=True, help="Name of a configured account, repeatable; default: all."
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object as the last line of stdout.")
SYNC_OPTIONS = (
    ACCOUNTS,
    WORKSPACES,
    click.option("--resources", help="Tables to load, comma-separated; default: all."),
    *TARGET_OPTIONS,
    click.option("--details", help="Runs whose details are read: costly, all or none."),
    click.option("--snapshots", help="Runs whose snapshots are read: version, all or none."),
    click.option("--payloads", help="Whether inputs and outputs are stored: none or full."),
    click.option(
        "--redact-people/--no-redact-people",
        default=None,
        help="Replace names and e-mail addresses with hashes; needs SIM_REDACT_SALT.",
    ),
    click.option("--max-minutes", type=float, help="Stop after this many minutes; the next sync continues."),
    click.option("--publish", metavar="FILE.duckdb", help="Replace this read-only copy of the database at the end."),
    click.option(
        "--processes",
        type=click.IntRange(1, 64),
        default=1,
        show_default=True,
        help="Processes that sync accounts and workspaces at the same time.",
    ),
    JSON,
)
Command = Callable[..., None]


def with_options(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Adds options to a command; the help text shows them in the given order."""

    def added(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return added


def with_target(command: Command) -> Command:
    """Passes a command the ``target`` that its destination options describe."""

    @wraps(command)
    def wrapped(*, destination: str | None, dataset: str | None, database: Path | None, **given: Any) -> None:
        from .destination.target import target_of

        command(target=target_of(destination, dataset, database), **given)

    return wrapped
