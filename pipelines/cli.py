"""The command line of ``sim-sync``: parses arguments and calls ``commands``.

dlt and Arrow take half a second to import, and their settings must be in the environment before: so each command
imports what it needs.
"""

from __future__ import annotations

import atexit
import gc
import io
import os
import signal
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from .screen.visible import lenient_streams, visible

if TYPE_CHECKING:
    from .destination.target import Target
    from .settings import RunSettings

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


class _Commands(click.Group):
    """Lists its commands as they are written down, with all that their help says."""

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        cmd.short_help = cmd.help
        super().add_command(cmd, name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sim-sync", message="%(package)s %(version)s")
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
    from .commands.outcome import code_of
    from .screen import console

    console.fault(str(error))
    sys.exit(code_of(error))


_target_options = (
    click.option("--destination", help="A dlt destination name; duckdb if not given."),
    click.option("--dataset", help="Dataset (schema) of the tables; sim if not given."),
    click.option("--database", type=click.Path(path_type=Path), help="DuckDB file; sim_sync.duckdb if not given."),
)
_workspaces = click.option(
    "--workspace", "workspaces", multiple=True, help="Workspace id; repeatable. Else SIM_WORKSPACE_ID."
)
_json = click.option("--json", "as_json", is_flag=True, help="One JSON object as the last line of stdout.")
_sync_options = (
    _workspaces,
    click.option("--resources", help="Tables, comma-separated; all if not given."),
    *_target_options,
    click.option("--details", help="Per-run details: costly, all or none."),
    click.option("--snapshots", help="Snapshots: version, all or none."),
    click.option("--payloads", help="Inputs and outputs: none or full."),
    click.option(
        "--redact-people/--no-redact-people",
        default=None,
        help="Names and e-mail addresses as hashes; needs SIM_REDACT_SALT.",
    ),
    click.option("--max-minutes", type=float, help="Stop after so many minutes; the next run goes on."),
    _json,
)
Command = Callable[..., None]


def _with(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Adds options in the order in which help shows them."""

    def added(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return added


def _with_target(command: Command) -> Command:
    """Hands a command the ``target`` that its options name."""

    @wraps(command)
    def wrapped(*, destination: str | None, dataset: str | None, database: Path | None, **given: Any) -> None:
        from .destination.target import target_of

        command(target=target_of(destination, dataset, database), **given)

    return wrapped


def _run_settings(destination: str | None, dataset: str | None, database: Path | None, **chosen: Any) -> RunSettings:
    from . import settings
    from .destination.target import target_of

    return settings.run_settings(target_of(destination, dataset, database), **chosen)


@app.command()
@click.option("--since", help="Earliest run: ISO date, or 30d.")
@click.option("--until", help="Latest run: ISO date, or 1d.")
@_with(*_sync_options)
def run(as_json: bool, **chosen: Any) -> None:
    """One sync of every configured workspace, bounded and resumable; what cron calls."""
    from .commands import finish, sync

    _imported()
    with finish.faults_told(as_json):
        outcome = sync.watched(_run_settings(**chosen))
    finish.finish(outcome, as_json)


@app.command()
@click.option("--since", required=True, help="Where the stretch begins: ISO date, or 30d.")
@click.option("--until", help="Where it ends: ISO date, or 1d; now if not given.")
@click.option("--dry-run", is_flag=True, help="Only says what it would take.")
@_with(*_sync_options)
def resync(dry_run: bool, as_json: bool, **chosen: Any) -> None:
    """Reads a stretch again, whatever is stored of it, which gets no poorer: after payloads were switched on, say."""
    from .commands import finish
    from .commands import resync as again

    _imported()
    with finish.faults_told(as_json):
        settings = _run_settings(**chosen)
        again.foretell(settings, as_json, dry_run=dry_run)
        outcome = again.run_resync(settings)
    finish.finish(outcome, as_json)


@app.command()
@click.option(
    "--database", type=click.Path(path_type=Path), help="DuckDB file; sim_demo.duckdb, made anew, if not given."
)
@click.option(
    "--runs", type=click.IntRange(10, 200_000), default=3000, show_default=True, help="Runs in the invented month."
)
def demo(database: Path | None, runs: int) -> None:
    """No account: an embedded Sim API, a month of invented runs, and their cost report."""
    from .commands import demo as demonstration

    _imported()
    demonstration.demonstrate(database, runs)


@app.command()
@_with(_workspaces, *_target_options)
@click.option("--data", is_flag=True, help="Whether what is stored holds together, instead; asks no API.")
@_json
@_with_target
def check(target: Target, workspaces: tuple[str, ...], data: bool, as_json: bool) -> None:
    """Proves key, workspaces, resources and destination; says what a first sync takes. Loads nothing."""
    from . import settings
    from .commands import check as checking

    _imported()
    if data:
        checking.check_data(target, as_json)
    checking.check_access(settings.run_settings(target, workspaces=workspaces), as_json)


@app.command()
@_workspaces
@click.option("--since", help="Begin of the period: ISO date, or 30d; that of the billing period if not given.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write a page into this file instead.")
@_with(*_target_options, _json)
@_with_target
def report(target: Target, workspaces: tuple[str, ...], since: str | None, html: Path | None, as_json: bool) -> None:
    """What runs cost, against the period before; what spends it, what fails, what comes."""
    from .commands import report as reporting

    _imported()
    reporting.make_report(target, workspaces, since, html, as_json=as_json)


@app.command()
@_with(*_target_options, _json)
@_with_target
def status(target: Target, as_json: bool) -> None:
    """Per workspace and resource: synced up to when, open runs, backlog, last loads, rows."""
    from .commands import status as standing

    _imported()
    standing.print_status(standing.read_status(target), as_json)


@app.command()
@click.argument("statement", help='SQL; "-" reads it from standard input.')
@_with(*_target_options)
@click.option("--json", "as_json", is_flag=True, help="One JSON array of objects.")
@click.option("--csv", "as_csv", is_flag=True, help="CSV with a header.")
@_with_target
def sql(target: Target, statement: str, as_json: bool, as_csv: bool) -> None:
    """Runs SQL on the destination (read-only on DuckDB) and prints the answer."""
    from .commands import sql as asking

    _imported()
    asking.print_answer(target, sys.stdin.read() if statement == "-" else statement, as_json=as_json, as_csv=as_csv)


if __name__ == "__main__":
    main()
