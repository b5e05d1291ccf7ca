"""This project as a library: ``dlt.pipeline(...).run(sim_source(...))`` into DuckDB."""

from __future__ import annotations

import dlt

from bench.programs.common import KEY, arguments, database, say, steps
from sim_source import Watch, sim_source


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
    while True:
        watch = Watch()
        source = sim_source(args.workspace, KEY, args.url, max_runs=args.pieces or None, watch=watch)
        if args.resources:
            source = source.with_resources(*args.resources.split(","))
        pipeline.run(source)
        if watch.failures:
            raise SystemExit(f"failed: {watch.failures}")
        for name, seconds in steps(pipeline).items():
            total[name] = total.get(name, 0.0) + seconds
        if not args.pieces or watch.rows["logs"] < args.pieces:
            break
    say({"steps": total, "rows": watch.rows})


if __name__ == "__main__":
    main()
