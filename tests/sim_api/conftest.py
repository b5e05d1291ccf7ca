"""A world with everything that was recorded, and a way to ask it without HTTP."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from pipelines.sim_api import (
    FOREIGN_WORKSPACE,
    OWNER_KEY,
    EmbeddedApi,
    RateLimit,
    World,
    audit_burst,
    dialect,
    finished_run,
    one_of_each,
    small_world,
)
from pipelines.sim_api.http.answers import Reply
from pipelines.sim_api.world import plans

Ask = Callable[..., tuple[Reply, Any]]


@pytest.fixture
def world() -> World:
    return small_world()


@pytest.fixture
def full_world() -> World:
    """A run of each kind and state, one of a deleted workflow, one elsewhere, and audit rows."""
    world = small_world()
    one_of_each(world)
    world.add_workflow(world.workflows["wf-triage"].workspace_id, "Gone", workflow_id="wf-gone")
    finished_run(world, "wf-gone", plans.agent_plan())
    world.delete_workflow("wf-gone")
    finished_run(world, "wf-hobby", plans.agent_plan())
    assert world.runs_of(FOREIGN_WORKSPACE)
    audit_burst(world, 10, world.now_ms - 5000)
    return world


def asker(world: World, name: str, limit: RateLimit | None = None, **options: Any) -> Ask:
    """A function that asks a server of this generation and returns the answer and its decoded body."""
    api = EmbeddedApi(world, dialect(name, **options), limit)

    def ask(path: str, query: str = "", key: str | None = OWNER_KEY) -> tuple[Reply, Any]:
        answer = api.answer("GET", path, query, key, None)
        return answer, msgspec.json.decode(answer.body)

    return ask
