"""This project as a library: ``dlt.pipeline(...).run(sim_source(...))`` into DuckDB."""

from __future__ import annotations

from collections import Counter

import dlt

from bench.programs.common import KEY, arguments, database, say, steps
from sim_source import Bounds, sim_source


def main() -> None:
    """Runs once, or with ``--pieces N`` again and again with at most N runs each until nothing new comes."""
    args = arguments(resources="", pieces=0)
    pipeline = dlt.pipeline(
        "bench",
        destination=dlt.destinations.duckdb(database(args.folder)),
        dataset_name="sim",
        pipelines_dir=str(args.folder / "pipelines"),
    )
    total: dict[str, float] = {}
    loaded: Counter[str] = Counter()
    while True:
        source = sim_source(args.workspace, KEY, args.url, bounds=Bounds(runs=args.pieces) if args.pieces else None)
        if args.resources:
            source = source.with_resources(*args.resources.split(","))
        pipeline.run(source)
        rows = pipeline.last_trace.last_normalize_info.row_counts
        for name, seconds in steps(pipeline).items():
            total[name] = total.get(name, 0.0) + seconds
        loaded.update(rows)
        if not args.pieces or rows.get("logs", 0) < args.pieces:
            break
    say({"steps": total, "rows": loaded})


if __name__ == "__main__":
    main()
