"""This project as cron runs it: ``sim-sync run``."""

from __future__ import annotations

import os
import sys

from bench.programs.common import KEY, arguments, database


def main() -> None:
    """Runs once, with settings from the environment."""
    args = arguments(resources="", postgres="")
    os.environ |= {
        "SIM_API_KEY": KEY,
        "SIM_BASE_URL": args.url,
        "SIM_WORKSPACE_ID": args.workspace,
        "DLT_DATA_DIR": str(args.folder / "dlt"),
    }
    resources = ["--resources", args.resources] if args.resources else []
    where = ["--database", database(args.folder)]
    if args.postgres:
        os.environ["DESTINATION__POSTGRES__CREDENTIALS"] = args.postgres
        where = ["--destination", "postgres"]
    sys.argv = ["sim-sync", "run", *resources, *where, "--json"]
    from pipelines.cli import main as command_line

    command_line()


if __name__ == "__main__":
    main()
