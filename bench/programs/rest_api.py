"""The peer: dlt's ``rest_api_source``, written as its documentation shows it.

``--parquet`` asks for ``loader_file_format="parquet"``, the fairest setting a user would find. ``--full`` asks for
full rows, which dlt spreads over nested tables. ``--details`` asks for one detail per run, by a dependent resource.
"""

from __future__ import annotations

from typing import Any

import dlt
from dlt.sources.rest_api import rest_api_source

from bench.programs.common import KEY, arguments, database, say, steps


def config(url: str, workspace: str, *, full: bool, details: bool) -> Any:
    """The declaration of the source."""
    params: dict[str, Any] = {
        "workspaceId": workspace,
        "order": "asc",
        "limit": 1000,
        "startDate": "{incremental.start_value}",
    }
    if full:
        params |= {"details": "full", "includeTraceSpans": "true", "includeFinalOutput": "true"}
    logs: dict[str, Any] = {
        "name": "logs",
        "endpoint": {
            "path": "api/v1/logs",
            "params": params,
            "data_selector": "data",
            "paginator": {"type": "cursor", "cursor_path": "nextCursor", "cursor_param": "cursor"},
            "incremental": {"cursor_path": "startedAt", "initial_value": "2024-01-01T00:00:00.000Z"},
        },
    }
    resources: list[Any] = [logs]
    if details:
        detail = {"path": "api/v1/logs/{resources.logs.id}", "data_selector": "data", "paginator": "single_page"}
        resources.append({"name": "log_details", "endpoint": detail})
    auth = {"type": "api_key", "name": "X-API-Key", "api_key": KEY, "location": "header"}
    return {
        "client": {"base_url": url, "auth": auth},
        "resource_defaults": {"primary_key": "id", "write_disposition": "merge"},
        "resources": resources,
    }


def main() -> None:
    """Runs once."""
    args = arguments("full", "details", "parquet", postgres="")
    pipeline = dlt.pipeline(
        "bench",
        destination=dlt.destinations.postgres(args.postgres)
        if args.postgres
        else dlt.destinations.duckdb(database(args.folder)),
        dataset_name="sim",
        pipelines_dir=str(args.folder / "pipelines"),
    )
    source = rest_api_source(config(args.url, args.workspace, full=args.full, details=args.details))
    options: Any = {"loader_file_format": "parquet"} if args.parquet else {}
    pipeline.run(source, **options)
    say({"steps": steps(pipeline)})


if __name__ == "__main__":
    main()
