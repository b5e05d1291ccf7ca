"""Questions to the destination: a table that is not there has no rows, a mistake is an error."""

from __future__ import annotations

import pytest
from dlt.destinations.exceptions import DatabaseException

from pipelines.sim_api import WORKSPACE, serve, small_world
from pipelines.sim_api.world import plans
from sim_source.rows.life import OpenRun
from sim_source.run_tables import LOGS
from sim_source.stored import torn_queries
from sim_source.stored.queries import WorkspaceQueries
from sim_source.stored.warehouse import Warehouse as Stored
from tests.helpers.warehouse import Warehouse


@pytest.fixture
def stored(warehouse: Warehouse) -> Stored:
    """A destination that holds one run in ``logs`` and no other table."""
    world = small_world()
    world.start_run("wf-triage", plans.plain_plan())
    with serve(world) as server:
        warehouse.load(server, "logs")
    return Stored(warehouse.pipeline)


def test_a_table_that_nobody_selected_has_no_rows(stored: Stored) -> None:
    assert stored.has("logs")
    assert not stored.has("cost_items")
    assert stored.ask("SELECT count(*) FROM {logs}") == [(1,)]
    assert stored.ask("SELECT count(*) FROM {logs} l JOIN {cost_items} c ON c.log_id = l.id") == []


@pytest.mark.parametrize(
    "sql",
    ["SELECT started FROM {logs}", "SELECT 1 FROM sim.lgos", "SELECT 1 FROM {logs} JOIN sim.cost_items USING (id)"],
    ids=["a column", "a table", "a table without braces"],
)
def test_a_mistake_does_not_look_like_an_empty_table(stored: Stored, sql: str) -> None:
    with pytest.raises(DatabaseException):
        stored.ask(sql)
    with pytest.raises(KeyError):
        stored.ask("SELECT 1 FROM {lgos}")


def open_runs(queries: WorkspaceQueries) -> list[OpenRun]:
    place = LOGS.column_names.index("started_at")
    return [OpenRun(log[0], log[place]) for log in queries.open_runs()]


def test_every_question_about_runs_can_be_asked_where_only_logs_are_there(stored: Stored) -> None:
    queries = WorkspaceQueries(stored, WORKSPACE)
    assert [log[0] for log in queries.open_runs()]
    assert queries.torn(lambda _: True) == queries.half_read(lambda _: True) == []
    assert queries.unfinished("costly", snapshots="version") == (1, 0, 0)
    assert len(queries.stored(open_runs(queries), anew=True)) == 1


def test_a_column_that_the_destination_does_not_have_yet_is_null(stored: Stored) -> None:
    """An earlier version had fewer columns, and dlt adds the new ones only with the next load."""
    stored.execute("ALTER TABLE {logs} DROP COLUMN deployment_version_id")
    queries = WorkspaceQueries(Stored(stored._pipeline), WORKSPACE)
    (found,) = queries.stored(open_runs(queries), anew=True).values()
    assert len(found.log) == len(LOGS.columns)
    row = dict(zip(LOGS.column_names, found.log, strict=True))
    assert (row["deployment_version_id"], row["workflow_id"]) == (None, "wf-triage")


def test_as_many_ids_as_there_are_can_be_asked_for(stored: Stored) -> None:
    ids = [row[0] for row in stored.ask("SELECT id FROM {logs}")]
    found = stored.ask("SELECT id FROM {logs} WHERE workspace_id = %s AND id IN ({ids})", WORKSPACE, ids=[*ids, "x"])
    assert [row[0] for row in found] == ids


def test_without_a_table_to_compare_with_no_run_is_torn() -> None:
    assert torn_queries.torn([]) is None
    assert torn_queries.half_read(["log_details"]) is None
