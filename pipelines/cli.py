"""The command line: ``sim-sync demo | run | check | status | sql``."""

from __future__ import annotations

import atexit
import csv
import gc
import io
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from .screen.visible import lenient_streams, visible

if TYPE_CHECKING:
    from .commands.sync import Outcome
    from .settings import Target

DLT_DEFAULTS = {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "CRITICAL",  # dlt's own log lines only where asked for
    # what is in the database need not stay in the working folder as well: dlt keeps every load's files for ever,
    "LOAD__DELETE_COMPLETED_JOBS": "true",
    # nor what is in its tables also in dlt's staging tables, a third of the file,
    "LOAD__TRUNCATE_STAGING_DATASET": "true",
    # and after each step writes down the last hundred, with errors that quote rows
    "ENABLE_RUNTIME_TRACE": "false",
    # rows come from one thread: what dlt waits for in its pool never is there
    "EXTRACT__FUTURES_POLL_INTERVAL": "0",
    "ARROW_DEFAULT_MEMORY_POOL": "system",  # the usual one keeps 70 MB more of what was freed
}
"""Set before dlt and Arrow are imported; the environment wins."""

destination_option = click.option("--destination", help="A dlt destination name; duckdb if not given.")
dataset_option = click.option("--dataset", help="Dataset (schema) of the tables; sim if not given.")
database_option = click.option(
    "--database", type=click.Path(path_type=Path), help="DuckDB file; sim_sync.duckdb if not given."
)
workspace_option = click.option(
    "--workspace", "workspaces", multiple=True, help="Workspace id; repeatable. Else SIM_WORKSPACE_ID."
)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object as the last line of stdout.")


class _Commands(click.Group):
    """Lists its commands as they are written down, with all that their help says."""

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        cmd.short_help = cmd.help
        super().add_command(cmd, name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def app() -> None:
    """Loads what Sim's API tells of workflow runs into SQL: cost, tokens, traces, snapshots, audit, usage."""


def main() -> None:
    """Entry of the console script; faults become one line and an exit code."""
    for name, value in DLT_DEFAULTS.items():
        os.environ.setdefault(name, value)
    lenient_streams()
    signal.signal(signal.SIGTERM, _terminate)
    atexit.register(gc.freeze)  # else all that was imported is searched for garbage once more before the process ends
    gc.disable()  # importing dlt makes much that stays: collecting meanwhile costs a fifth of the time
    try:
        _commanded()
    finally:
        gc.enable()


_stopped_by = [signal.SIGINT]
"""The signals that may stop a command, the one that did last."""


def _terminate(number: int, _: object) -> None:
    """Ends the command as Ctrl-C does: a supervisor's SIGTERM (cron's ``timeout``, systemd) is told of, too."""
    _stopped_by.append(signal.Signals(number))
    raise KeyboardInterrupt


def _commanded() -> None:
    """Runs the command."""
    from sim_source.errors import SimError

    try:
        app(standalone_mode=False)
    except click.ClickException as error:
        said = io.StringIO()
        error.show(said)
        sys.stderr.write(visible(said.getvalue()))
        sys.exit(error.exit_code)
    except BrokenPipeError:  # who read the answer has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(128 + signal.SIGPIPE)
    except SimError as error:
        _end(error)
    except click.Abort:
        from .screen import console

        console.fault("stopped; what was committed is kept, the next run goes on from there")
        sys.exit(128 + _stopped_by[-1])


def _imported() -> None:
    """From here on garbage is collected again; what was imported is left out of it."""
    gc.freeze()
    gc.enable()


def _end(error: Exception) -> NoReturn:
    from .commands.sync import code_of
    from .screen import console

    console.fault(str(error))
    sys.exit(code_of(error))


def _sync_options(command: Callable[..., None]) -> Callable[..., None]:
    """Options of the commands that load, but for the period; named as ``settings.run_settings`` names them."""
    for option in reversed(
        (
            workspace_option,
            click.option("--resources", help="Tables, comma-separated; all if not given."),
            destination_option,
            dataset_option,
            database_option,
            click.option("--details", help="Per-run details: costly, all or none."),
            click.option("--snapshots", help="Snapshots: version, all or none."),
            click.option("--payloads", help="Inputs and outputs: none or full."),
            click.option(
                "--redact-people/--no-redact-people",
                default=None,
                help="Names and e-mail addresses as hashes; needs SIM_REDACT_SALT.",
            ),
            click.option("--max-minutes", type=float, help="Stop after so many minutes; the next run goes on."),
            json_option,
        )
    ):
        command = option(command)
    return command


@app.command()
@click.option("--since", help="Earliest run: ISO date, or 30d.")
@click.option("--until", help="Latest run: ISO date, or 1d.")
@_sync_options
def run(destination: str | None, dataset: str | None, database: Path | None, as_json: bool, **chosen: Any) -> None:
    """One sync of every configured workspace, bounded and resumable; what cron calls."""
    from . import settings
    from .commands import sync

    _imported()
    with _told(as_json):
        outcome = sync.watched(settings.run_settings(settings.target(destination, dataset, database), **chosen))
    _finish(outcome, as_json)


@contextmanager
def _told(as_json: bool) -> Iterator[None]:
    """A fault before anything is attempted is told with ``--json``, too."""
    from sim_source.errors import SimError

    from .commands import sync

    try:
        yield
    except SimError as error:
        if as_json:
            print(json.dumps(sync.failed(error)))
        raise


def _finish(outcome: Outcome, as_json: bool) -> NoReturn:
    """Says how a sync went; ends with its exit code."""
    from .screen import console

    for text in outcome.watch.warnings:
        console.warning(text)
    for failure in outcome.watch.failures:
        where = f" of workspace {failure.workspace_id}" if failure.workspace_id else ""
        console.fault(f"{failure.resource}{where}: {failure.message}; what was read is kept, the next run tries again")
    if outcome.fault is not None:
        console.fault(str(outcome.fault))
    console.line(summary(outcome))
    if as_json:
        print(json.dumps(outcome.as_json()))
    sys.exit(outcome.exit_code)


@app.command()
@click.option("--since", required=True, help="Where the stretch begins: ISO date, or 30d.")
@click.option("--until", help="Where it ends: ISO date, or 1d; now if not given.")
@click.option("--dry-run", is_flag=True, help="Only says what it would take.")
@_sync_options
def resync(
    destination: str | None, dataset: str | None, database: Path | None, dry_run: bool, as_json: bool, **chosen: Any
) -> None:
    """Reads a stretch again, whatever is stored of it, which gets no poorer: after payloads were switched on, say."""
    from . import settings
    from .commands import resync as again

    _imported()
    with _told(as_json):
        wanted = settings.run_settings(settings.target(destination, dataset, database), **chosen)
        foretold = again.foretold(wanted)
        if dry_run or not foretold.ok:
            if as_json:
                print(json.dumps(foretold.as_json()))
            sys.exit(0 if foretold.ok else 2)
        outcome = again.run(wanted)
    _finish(outcome, as_json)


def _read(outcome: Outcome) -> str:
    """What a sync has read, in words. Rows that runs fill are told as runs: one completed later is handed on again."""
    from sim_source.reading.run_reader import LIST_TABLES

    runs = outcome.watch.runs
    told = [f"{runs['new']:,} new runs"] if runs["new"] else []
    told += [f"{runs['changed']:,} changed"] if runs["changed"] else []
    told += [f"{runs['unchanged']:,} looked at and unchanged"] if runs["unchanged"] else []
    rows = outcome.rows
    if not (runs["new"] or runs["changed"]):  # details that earlier syncs left
        told += [f"{count:,} {name}" for name, count in rows.items() if name in LIST_TABLES]
    told += [f"{count:,} {name}" for name, count in rows.items() if name not in LIST_TABLES]
    return ", ".join(told) or "nothing new"


def summary(outcome: Outcome) -> str:
    """A sync in one line."""
    counters = outcome.watch.counters
    parts = [f"{outcome.status}: {_read(outcome)} into {outcome.target} in {outcome.duration_s:.1f} s"]
    parts.append(f"{counters.requests:,} requests")
    if counters.waited_s >= 1:
        parts.append(f"waited {counters.waited_s:.0f} s")
    if outcome.open_runs:
        parts.append(f"{outcome.open_runs:,} runs still open")
    if outcome.detail_backlog:
        parts.append(f"details of {outcome.detail_backlog:,} runs still to be read")
    return "; ".join(parts)


@app.command()
@click.option(
    "--database", type=click.Path(path_type=Path), help="DuckDB file; sim_demo.duckdb, made anew, if not given."
)
@click.option(
    "--runs", type=click.IntRange(10, 200_000), default=3000, show_default=True, help="Runs in the invented month."
)
def demo(database: Path | None, runs: int) -> None:
    """No account: an embedded Sim API, a month of invented runs, and their cost report."""
    from sim_source import Watch

    from .commands import demo as demonstration
    from .report import figures
    from .report import terminal as drawn
    from .screen import console, terminal

    _imported()
    where, watch = demonstration.demo_target(database), Watch()
    with console.progress(watch):
        outcome = demonstration.run(where, watch, console.line, runs)
    if outcome.exit_code:
        _finish(outcome, False)
    console.line(summary(outcome))
    terminal.out.print()
    drawn.show(figures.read(where), terminal.out)
    terminal.out.print()
    terminal.out.print("Ask it anything:", style="bold")
    terminal.out.print("  " + demonstration.hint(where), markup=False)


@app.command()
@workspace_option
@destination_option
@dataset_option
@database_option
@click.option("--data", is_flag=True, help="Whether what is stored holds together, instead; asks no API.")
@json_option
def check(
    workspaces: tuple[str, ...],
    destination: str | None,
    dataset: str | None,
    database: Path | None,
    data: bool,
    as_json: bool,
) -> None:
    """Proves key, workspaces, resources and destination; says what a first sync takes. Loads nothing."""
    from . import settings
    from .check import access as checking
    from .screen import terminal

    _imported()
    where = settings.target(destination, dataset, database)
    if data:
        _check_data(where, as_json)
    checked = checking.check(settings.run_settings(where, workspaces=workspaces))
    for finding in checked.findings:
        terminal.finding(finding.ok, f"{finding.what}: {finding.told}")
    if checked.first_sync is not None:
        terminal.out.print(str(checked.first_sync), markup=False)
    if as_json:
        print(json.dumps(checked.as_json()))
    sys.exit(0 if checked.ok else 2)


@app.command()
@workspace_option
@click.option("--since", help="Begin of the period: ISO date, or 30d; that of the billing period if not given.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write a page into this file instead.")
@destination_option
@dataset_option
@database_option
@json_option
def report(
    workspaces: tuple[str, ...],
    since: str | None,
    html: Path | None,
    destination: str | None,
    dataset: str | None,
    database: Path | None,
    as_json: bool,
) -> None:
    """What runs cost, against the period before; what spends it, what fails, what comes."""
    from sim_source.errors import ConfigurationError

    from . import settings
    from .report import figures
    from .report import terminal as drawn
    from .screen import terminal

    _imported()
    where = settings.target(destination, dataset, database)
    now = datetime.now(UTC)
    start = settings.moment("--since", since, now)
    if start is not None and start >= now:
        raise ConfigurationError(f"--since {since} is not before now")
    if html is not None:
        from .report import page
        from .screen import console

        page.write(where, html, workspaces=workspaces, since=start, now=now)
        console.line(f"{html}: the report as one page, which needs no network")
        return
    found = figures.read(where, workspaces=workspaces, since=start, now=now)
    if as_json:
        print(json.dumps(found.as_json()))
    else:
        drawn.show(found, terminal.out)


def _check_data(where: Target, as_json: bool) -> NoReturn:
    """Says which rules what is stored breaks; ends with 1 where there is one."""
    from .check import data
    from .destination import query
    from .screen import terminal

    verdicts = data.check(where)
    for verdict in verdicts:
        terminal.finding(verdict.ok, f"{verdict.what}: {verdict.told}")
        for example in verdict.examples:
            terminal.out.print(
                "      " + ", ".join(f"{name}={query.plain(value)}" for name, value in example.items()), markup=False
            )
    ok = all(verdict.ok is not False for verdict in verdicts)
    if as_json:
        print(json.dumps({"ok": ok, "findings": [verdict.as_json() for verdict in verdicts]}))
    sys.exit(0 if ok else 1)


@app.command()
@destination_option
@dataset_option
@database_option
@json_option
def status(destination: str | None, dataset: str | None, database: Path | None, as_json: bool) -> None:
    """Per workspace and resource: synced up to when, open runs, backlog, last loads, rows."""
    from . import settings
    from .commands import status as standing
    from .screen import terminal

    _imported()
    found = standing.read(settings.target(destination, dataset, database))
    if as_json:
        print(json.dumps(found.as_json()))
        return
    terminal.table(
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
    terminal.table(("table", "rows"), [(name, f"{count:,}") for name, count in found.rows.items()])
    if found.last_loads:
        shown = ", ".join(moment.strftime("%Y-%m-%d %H:%M:%S") for moment in found.last_loads)
        terminal.out.print(f"last loads (UTC): {shown}")


@app.command()
@click.argument("statement", help='SQL; "-" reads it from standard input.')
@destination_option
@dataset_option
@database_option
@click.option("--json", "as_json", is_flag=True, help="One JSON array of objects.")
@click.option("--csv", "as_csv", is_flag=True, help="CSV with a header.")
def sql(
    statement: str, destination: str | None, dataset: str | None, database: Path | None, as_json: bool, as_csv: bool
) -> None:
    """Runs SQL on the destination (read-only on DuckDB) and prints the answer."""
    from . import settings
    from .destination import query
    from .screen import terminal

    _imported()
    where: Target = settings.target(destination, dataset, database)
    text = sys.stdin.read() if statement == "-" else statement
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")  # whatever the locale
    answer = query.ask(where, text)
    if as_json:
        print(json.dumps(query.plain(answer.dicts), allow_nan=False))
    elif as_csv:
        if sys.stdout.isatty():
            csv.writer(sys.stdout).writerows([visible(str(value)) for value in row] for row in answer.table)
        else:
            if hasattr(sys.stdout, "reconfigure"):
                sys.stdout.reconfigure(encoding="utf-8")  # whatever the locale: a file is to be exact
            csv.writer(sys.stdout).writerows(answer.table)
    else:
        terminal.table(answer.columns, answer.rows)


if __name__ == "__main__":
    main()
