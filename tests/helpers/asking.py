"""A client of an embedded Sim API with one run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pipelines.sim_api import OWNER_KEY, WORKSPACE, finished_run, serve, small_world
from pipelines.sim_api.world import plans
from sim_source import SimClient
from sim_source.api import decode
from sim_source.api.throttle import Throttle

LIST = "/api/v1/logs"
HERE = {"workspaceId": WORKSPACE}


def client(base_url: str, **options: Any) -> SimClient:
    throttle = Throttle(**{name: options.pop(name) for name in ("deadline", "on_wait", "pacer") if name in options})
    return SimClient(OWNER_KEY, base_url, throttle=throttle, **{"backoff_s": 0.001, **options})


def ids(body: bytes) -> list[str]:
    return [row.id for row in decode.run_page(body).rows]


@contextmanager
def serving(dialect: str = "2026-08", **options: Any) -> Iterator[Any]:
    world = small_world()
    finished_run(world, "wf-triage", plans.plain_plan())
    with serve(world, dialect, **options) as server:
        yield server
