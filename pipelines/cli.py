"""The command line: ``sim-sync demo | run | check | status | sql``."""

from __future__ import annotations

import csv
import gc
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from .settings import Target
    from .sync import Outcome

app = typer.Typer(
    help="Loads what Sim's API tells of workflow runs into SQL: cost, tokens, traces, snapshots, audit, usage.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Destination = Annotated[str | None, typer.Option(help="A dlt destination name; duckdb if not given.")]
Dataset = Annotated[str | None, typer.Option(help="Dataset (schema) of the tables; sim if not given.")]
Database = Annotated[Path | None, typer.Option(help="DuckDB file; sim_sync.duckdb if not given.")]
Workspace = Annotated[list[str] | None, typer.Option(help="Workspace id; repeatable. Else SIM_WORKSPACE_ID.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object as the last line of stdout.")]


def main() -> None:
    """Entry of the console script; faults become one line and an exit code."""
    # set before dlt is imported: no telemetry, and its own log lines only where asked for
    os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
    os.environ.setdefault("RUNTIME__LOG_LEVEL", "CRITICAL")
    # what is in the database need not stay in the working folder as well: dlt keeps every load's files for ever
    os.environ.setdefault("LOAD__DELETE_COMPLETED_JOBS", "true")
    gc.disable()  # importing dlt makes much that stays: collecting meanwhile costs a fifth of the time
    from sim_source.errors import SimError

    try:
        app()
    except SimError as error:
        _end(error)
    except KeyboardInterrupt:
        from . import show

        show.fault("stopped; what was committed is kept, the next run goes on from there")
        sys.exit(130)


def _imported() -> None:
    """From here on garbage is collected again; what was imported is left out of it."""
    gc.freeze()
    gc.enable()


def _end(error: Exception) -> NoReturn:
    from . import show
    from .sync import code_of

    show.fault(str(error))
    sys.exit(code_of(error))


@app.command()
def run(
    workspace: Workspace = None,
    resources: Annotated[str | None, typer.Option(help="Tables, comma-separated; all if not given.")] = None,
    since: Annotated[str | None, typer.Option(help="Earliest run: ISO date, or 30d.")] = None,
    until: Annotated[str | None, typer.Option(help="Latest run: ISO date, or 1d.")] = None,
    destination: Destination = None,
    dataset: Dataset = None,
    database: Database = None,
    details: Annotated[str | None, typer.Option(help="Per-run details: costly, all or none.")] = None,
    snapshots: Annotated[str | None, typer.Option(help="Snapshots: version, all or none.")] = None,
    payloads: Annotated[str | None, typer.Option(help="Inputs and outputs: none or full.")] = None,
    redact_people: Annotated[
        bool | None,
        typer.Option(
            "--redact-people/--no-redact-people", help="Names and e-mail addresses as hashes; needs SIM_REDACT_SALT."
        ),
    ] = None,
    max_minutes: Annotated[float | None, typer.Option(help="Stop after so many minutes; the next run goes on.")] = None,
    as_json: Json = False,
) -> None:
    """One sync of every configured workspace, bounded and resumable; what cron calls."""
    from sim_source import Watch
    from sim_source.errors import SimError

    from . import settings, show, sync

    _imported()
    watch = Watch()
    try:
        where = settings.target(destination, dataset, database)
        chosen = settings.run_settings(
            where,
            workspaces=workspace or (),
            resources=resources,
            since=since,
            until=until,
            details=details,
            snapshots=snapshots,
            payloads=payloads,
            redact_people=redact_people,
            max_minutes=max_minutes,
        )
        open_file = settings.readable_secrets()
        if open_file is not None:
            watch.warn(f"{open_file} can be read by others on this machine; chmod 600 {open_file}")
        with show.progress(watch):
            outcome = sync.Sync(chosen, watch, show.line).run()
    except SimError as error:
        if as_json:
            print(json.dumps(sync.failed(error)))
        raise
    _finish(outcome, as_json)


def _finish(outcome: Outcome, as_json: bool) -> NoReturn:
    """Says how a sync went; ends with its exit code."""
    from . import show

    for text in outcome.watch.warnings:
        show.warning(text)
    for failure in outcome.watch.failures:
        where = f" of workspace {failure.workspace_id}" if failure.workspace_id else ""
        show.fault(f"{failure.resource}{where}: {failure.message}; what was read is kept, the next run tries again")
    if outcome.fault is not None:
        show.fault(str(outcome.fault))
    show.line(summary(outcome))
    if as_json:
        print(json.dumps(outcome.as_json()))
    sys.exit(outcome.exit_code)


def summary(outcome: Outcome) -> str:
    """A sync in one line."""
    rows = ", ".join(f"{count:,} {name}" for name, count in outcome.rows.items()) or "nothing new"
    counters = outcome.watch.counters
    parts = [f"{outcome.status}: {rows} into {outcome.target} in {outcome.duration_s:.1f} s"]
    parts.append(f"{counters.requests:,} requests")
    if counters.waited_s >= 1:
        parts.append(f"waited {counters.waited_s:.0f} s")
    if outcome.open_runs:
        parts.append(f"{outcome.open_runs:,} runs still open")
    if outcome.detail_backlog:
        parts.append(f"details of {outcome.detail_backlog:,} runs still to be read")
    return "; ".join(parts)


@app.command()
def demo(
    database: Annotated[
        Path | None, typer.Option(help="DuckDB file; sim_demo.duckdb, made anew, if not given.")
    ] = None,
    runs: Annotated[int, typer.Option(help="Runs in the invented month.", min=10, max=200_000)] = 3000,
) -> None:
    """No account: an embedded Sim API, a month of invented runs, and their cost report."""
    from sim_source import Watch

    from . import demo as demonstration
    from . import report, show

    _imported()
    where, watch = demonstration.demo_target(database), Watch()
    with show.progress(watch):
        outcome = demonstration.run(where, watch, show.line, runs)
    if outcome.exit_code:
        _finish(outcome, False)
    show.line(summary(outcome))
    report.show_costs(where)
    show.out.print("Ask it anything:", style="bold")
    show.out.print("  " + demonstration.hint(where), markup=False)


@app.command()
def check(
    workspace: Workspace = None,
    destination: Destination = None,
    dataset: Dataset = None,
    database: Database = None,
    as_json: Json = False,
) -> None:
    """Proves key, workspaces, resources and destination; says what a first sync takes. Loads nothing."""
    from . import check as checking
    from . import settings, show

    where = settings.target(destination, dataset, database)
    checked = checking.check(settings.run_settings(where, workspaces=workspace or ()))
    marks = {True: "[green]ok[/]", False: "[red]no[/]", None: "[yellow]--[/]"}
    for finding in checked.findings:
        show.out.print(f"{marks[finding.ok]}  ", end="")
        show.out.print(f"{finding.what}: {finding.told}", markup=False)
    if checked.first_sync is not None:
        show.out.print(str(checked.first_sync), markup=False)
    if as_json:
        print(json.dumps(checked.as_json()))
    sys.exit(0 if checked.ok else 2)


@app.command()
def status(
    destination: Destination = None, dataset: Dataset = None, database: Database = None, as_json: Json = False
) -> None:
    """Per workspace and resource: synced up to when, open runs, backlog, last loads, rows."""
    from . import settings, show
    from . import status as standing

    found = standing.read(settings.target(destination, dataset, database))
    if as_json:
        print(json.dumps(found.as_json()))
        return
    show.table(
        ("workspace", "resource", "synced to (UTC)", "behind", "open runs", "details to read", ""),
        [
            (
                each.workspace or "account",
                each.resource,
                each.synced_to.strftime("%Y-%m-%d %H:%M:%S") if each.synced_to else "–",
                f"{each.lag_s / 60:.0f} min" if each.lag_s is not None else "–",
                each.open_runs,
                each.detail_backlog,
                "under way" if each.unfinished else "",
            )
            for each in found.resources
        ],
    )
    show.table(("table", "rows"), [(name, f"{count:,}") for name, count in found.rows.items()])
    if found.last_loads:
        shown = ", ".join(moment.strftime("%Y-%m-%d %H:%M:%S") for moment in found.last_loads)
        show.out.print(f"last loads (UTC): {shown}")


@app.command()
def sql(
    statement: Annotated[str, typer.Argument(help='SQL; "-" reads it from standard input.')],
    destination: Destination = None,
    dataset: Dataset = None,
    database: Database = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array of objects.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV with a header.")] = False,
) -> None:
    """Runs SQL on the destination (read-only on DuckDB) and prints the answer."""
    from . import query, settings, show

    where: Target = settings.target(destination, dataset, database)
    text = sys.stdin.read() if statement == "-" else statement
    answer = query.ask(where, text)
    if as_json:
        print(json.dumps([dict(zip(answer.columns, row, strict=True)) for row in answer.rows], default=_plain))
    elif as_csv:
        writer = csv.writer(sys.stdout)
        writer.writerow(answer.columns)
        writer.writerows(answer.rows)
    else:
        show.table(answer.columns, answer.rows)


def _plain(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


if __name__ == "__main__":
    main()
