"""The command line of ``sim-sync``: parses arguments and calls ``commands``.

Importing dlt and Arrow takes about half a second (bench: noop), and both read their settings from the environment at
import time. Each command therefore imports what it needs in its own function.
"""

from __future__ import annotations

import atexit
import gc
import io
import os
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from .cli_options import ACCOUNTS, JSON, SYNC_OPTIONS, TARGET_OPTIONS, WORKSPACES, with_options, with_target
from .screen.visible import lenient_streams, visible

if TYPE_CHECKING:
    from .destination.target import Target
    from .settings import RunSettings

DLT_DEFAULTS = {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "CRITICAL",  # dlt logs only if the user asks for it
    # by default, dlt keeps the files of every completed load in its working directory
    "LOAD__DELETE_COMPLETED_JOBS": "true",
    # by default, the staging tables keep a second copy of the rows that were merged last
    "LOAD__TRUNCATE_STAGING_DATASET": "true",
    # dlt's trace file holds the last 100 steps, including error messages that quote rows
    "ENABLE_RUNTIME_TRACE": "false",
    # extraction uses a single thread, so dlt's pool is always empty: do not wait for it
    "EXTRACT__FUTURES_POLL_INTERVAL": "0",
    "ARROW_DEFAULT_MEMORY_POOL": "system",  # holds back less freed memory than Arrow's default pool
}
"""Defaults that are set before dlt and Arrow are imported. Variables in the environment take precedence."""


class _Commands(click.Group):
    """Lists the commands in the order of their definition, each with its full help text."""

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        cmd.short_help = cmd.help
        super().add_command(cmd, name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sim-sync", message="%(package)s %(version)s")
def app() -> None:
    """Loads workflow runs from Sim's API into SQL tables: cost, tokens, traces, snapshots, audit logs, usage."""


def main() -> None:
    """Entry point of the console script. An error ends it with one line and an exit code."""
    for name, value in DLT_DEFAULTS.items():
        os.environ.setdefault(name, value)
    lenient_streams()
    signal.signal(signal.SIGTERM, _terminate)
    atexit.register(gc.freeze)  # skips a last collection over everything that was imported
    gc.disable()  # objects created by imports stay alive: collecting garbage meanwhile only costs time
    try:
        _commanded()
    finally:
        gc.enable()


_stopped_by = [signal.SIGINT]
"""Signals that can stop a command. The last entry is the one that stopped it."""


def _terminate(number: int, _: object) -> None:
    """Handles SIGTERM (sent by ``timeout`` under cron, or by systemd) like Ctrl-C, so that it is reported as well."""
    _stopped_by.append(signal.Signals(number))
    raise KeyboardInterrupt


def _commanded() -> None:
    """Runs the command and turns errors into a message and an exit code."""
    from sim_source.errors import SimError

    try:
        app(standalone_mode=False)
    except click.ClickException as error:
        said = io.StringIO()
        error.show(said)
        sys.stderr.write(visible(said.getvalue()))
        sys.exit(error.exit_code)
    except BrokenPipeError:  # the reader closed the pipe, like `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(128 + signal.SIGPIPE)
    except SimError as error:
        _end(error)
    except click.Abort:
        from .screen import console

        console.fault("stopped; committed rows are kept, and the next sync continues from there")
        sys.exit(128 + _stopped_by[-1])
    except Exception as error:
        if type(error).__name__ != "TomlProviderReadException":  # dlt raises it when it is imported
            raise
        _end(_unreadable_settings(str(error)))


def _unreadable_settings(told: str) -> Exception:
    """Returns the error for a settings file that is not TOML, without the text around the place: it can be a key."""
    from sim_source.errors import ConfigurationError

    name = "secrets.toml" if "secrets.toml" in told.partition("\n")[0] else "config.toml"
    place = re.search(r"line \d+ col \d+", told)
    where = f", at {place[0]}" if place else ""
    return ConfigurationError(f".dlt/{name} is not valid TOML{where}; nothing was attempted")


def _imported() -> None:
    """Enables garbage collection again, except for the objects that imports have created."""
    gc.freeze()
    gc.enable()


def _end(error: Exception) -> NoReturn:
    from .commands.outcome import code_of
    from .screen import console

    console.fault(str(error))
    sys.exit(code_of(error))


def _run_settings(
    destination: str | None, dataset: str | None, database: Path | None, **chosen: Any
) -> list[RunSettings]:
    from . import settings
    from .destination.target import target_of

    return settings.accounts_settings(target_of(destination, dataset, database), **chosen)


@app.command()
@click.option("--since", help="Start of the time range: ISO date, or an age such as 30d.")
@click.option("--until", help="End of the time range: ISO date, or an age such as 1d.")
@with_options(*SYNC_OPTIONS)
def run(publish: str | None, as_json: bool, processes: int, **chosen: Any) -> None:
    """Syncs every configured workspace once; bounded and resumable. This is the command for cron."""
    from .commands import finish, fleet

    _imported()
    with finish.faults_told(as_json):
        results = fleet.sync_accounts(_run_settings(**chosen), processes, publish)
    finish.finish(results, as_json)


@app.command()
@click.option("--since", required=True, help="Start of the time range: ISO date, or an age such as 30d.")
@click.option("--until", help="End of the time range: ISO date, or an age such as 1d; default: now.")
@click.option("--dry-run", is_flag=True, help="Only print the number of requests and the time it would take.")
@with_options(*SYNC_OPTIONS)
def resync(publish: str | None, dry_run: bool, as_json: bool, processes: int, **chosen: Any) -> None:
    """Reads a time range again, for example to add payloads. Never replaces stored values by less complete ones."""
    from .commands import finish
    from .commands import resync as again

    _imported()
    with finish.faults_told(as_json):
        settings = _run_settings(**chosen)
        again.print_estimate(settings, as_json, dry_run=dry_run)
        results = again.run_resync(settings, processes, publish)
    finish.finish(results, as_json)


@app.command()
@click.option(
    "--database", type=click.Path(path_type=Path), help="DuckDB file; default: sim_demo.duckdb, which is replaced."
)
@click.option(
    "--runs", type=click.IntRange(10, 200_000), default=3000, show_default=True, help="Runs in the generated month."
)
def demo(database: Path | None, runs: int) -> None:
    """Needs no account: syncs a month of generated runs from an embedded Sim API and prints their cost report."""
    from .commands import demo as demonstration

    _imported()
    demonstration.demonstrate(database, runs)


@app.command()
@with_options(ACCOUNTS, WORKSPACES, *TARGET_OPTIONS)
@click.option("--data", is_flag=True, help="Check the consistency of the stored rows instead; sends no API request.")
@JSON
@with_target
def check(target: Target, accounts: tuple[str, ...], workspaces: tuple[str, ...], data: bool, as_json: bool) -> None:
    """Checks API key, workspaces, resources and destination, and estimates the first sync. Loads nothing."""
    from . import settings
    from .commands import check as checking

    _imported()
    if data:
        checking.check_data(target, as_json)
    checking.check_access(settings.accounts_settings(target, accounts=accounts, workspaces=workspaces), as_json)


@app.command()
@WORKSPACES
@click.option("--since", help="Start of the period: ISO date or 30d; default: start of the billing period.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write an HTML page to this file.")
@with_options(*TARGET_OPTIONS, JSON)
@with_target
def report(target: Target, workspaces: tuple[str, ...], since: str | None, html: Path | None, as_json: bool) -> None:
    """Reports cost, failures, latency and budget, compared with the previous period."""
    from .commands import report as reporting

    _imported()
    reporting.make_report(target, workspaces, since, html, as_json=as_json)


@app.command()
@with_options(*TARGET_OPTIONS, JSON)
@with_target
def status(target: Target, as_json: bool) -> None:
    """Shows for each workspace and resource up to when it is synced, open runs, detail backlog, loads and rows."""
    from .commands import status as standing

    _imported()
    standing.print_status(standing.read_status(target), as_json)


@app.command()
@click.option("--older-than", default="7d", show_default=True, help="DuckLake: age from which snapshots are removed.")
@with_options(*TARGET_OPTIONS, JSON)
def maintain(
    older_than: str, as_json: bool, destination: str | None, dataset: str | None, database: Path | None
) -> None:
    """Compacts a DuckDB file or a DuckLake, removes old snapshots and files; vacuums PostgreSQL tables."""
    from .commands import finish
    from .commands import maintain as keeping
    from .destination.target import target_of

    _imported()
    with finish.faults_told(as_json):
        keeping.maintain(target_of(destination, dataset, database), older_than, as_json)


@app.command()
@click.argument("statement", help='SQL statement; "-" reads it from standard input.')
@with_options(*TARGET_OPTIONS)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array of objects.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV with a header.")
@with_target
def sql(target: Target, statement: str, as_json: bool, as_csv: bool) -> None:
    """Runs SQL on the destination (read-only on DuckDB) and prints the result."""
    from .commands import sql as asking

    _imported()
    asking.print_answer(target, sys.stdin.read() if statement == "-" else statement, as_json=as_json, as_csv=as_csv)


@app.command()
@click.argument("file", metavar="FILE.duckdb")
@click.option("--compact", is_flag=True, help="Write the copy without free space: smaller, but slower to write.")
@with_options(*TARGET_OPTIONS, JSON)
@with_target
def publish(target: Target, file: str, compact: bool, as_json: bool) -> None:
    """Replaces a read-only copy of the database for its readers in one step, if anything was loaded since."""
    from .commands import finish
    from .commands import publish as publishing

    _imported()
    with finish.faults_told(as_json):
        publishing.publish_once(target, file, compact=compact, as_json=as_json)


if __name__ == "__main__":
    main()
