"""A client of an embedded Sim API with one run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pipelines.sim_api import (
    OWNER_KEY,
    WORKSPACE,
    finished_run,
    plans,
    serve,
    small_world,
)
from sim_source import SimClient, decode

LIST = "/api/v1/logs"
HERE = {"workspaceId": WORKSPACE}


def client(base_url: str, **options: Any) -> SimClient:
    return SimClient(OWNER_KEY, base_url, **{"backoff_s": 0.001, **options})


def ids(body: bytes) -> list[str]:
    return [row.id for row in decode.runs(body).rows]


@contextmanager
def serving(dialect: str = "2026-08", **options: Any) -> Iterator[Any]:
    world = small_world()
    finished_run(world, "wf-triage", plans.plain_plan())
    with serve(world, dialect, **options) as server:
        yield server
