"""The standard tests of connectors (Singer SDK, Airbyte), asked of every table and every column."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import jsonschema
import pytest

from pipelines.sim_api import DIALECTS, serve
from sim_source import sim_source
from sim_source.tables import TABLES
from tests.helpers.streams import Stream, rich_world, streams_of
from tests.helpers.warehouse import Warehouse

COLUMNS = [f"{table.name}.{column.name}" for table in TABLES.values() for column in table.columns]
DUCKDB = {
    "text": "VARCHAR", "timestamp": "TIMESTAMP WITH TIME ZONE", "bigint": "BIGINT", "double": "DOUBLE",
    "bool": "BOOLEAN", "money": "DECIMAL(38,12)", "json": "JSON",
}  # fmt: skip
DLT = {
    "text": "text", "timestamp": "timestamp", "bigint": "bigint", "double": "double", "bool": "bool",
    "money": "decimal", "json": "json",
}  # fmt: skip
OF_V2 = {"workspaces", "workflow_versions", "billing_logs", "billing_status"}
"""Tables that only the v2 API fills; one of the generations has it here."""
NEVER_FILLED = {
    "usage.workspace_id": "the account has none",
    "cost_items.extra": "items are worked out, nothing is sent beside them",
    "rejected_rows.extra": "the whole row is in row_json",
    "workflow_states.extra": "no field of it is without a column",
    "audit_logs.extra": "no undocumented field of it is known",
    "workflows.extra": "no undocumented field of it is known",
    "workflow_versions.name": "versions of the embedded API have no name",
    "workflow_versions.description": "versions of the embedded API have no description",
    "workflow_versions.extra": "no undocumented field of it is known",
    "billing_logs.extra": "no undocumented field of it is known",
    "billing_status.extra": "no undocumented field of it is known",
    "trace_spans.child_execution_id": "the embedded API has no custom blocks; see test_columns",
}
"""What no answer of any generation fills."""


def of_kind(*kinds: str) -> list[str]:
    return [name for name in COLUMNS if kind(name) in kinds]


def kind(name: str) -> str:
    table, column = name.split(".")
    return next(each.kind for each in TABLES[table].columns if each.name == column)


@pytest.fixture(scope="module")
def warehouses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Warehouse]]:
    """The same world as each generation tells it."""
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        for dialect in DIALECTS:
            folder = tmp_path_factory.mktemp("streams")
            patch.setenv("DLT_DATA_DIR", str(folder / "dlt"))
            found[dialect] = Warehouse(folder)
            with serve(rich_world(), dialect, v2="on" if dialect == "2026-08" else "absent") as server:
                found[dialect].load(server, details="all", snapshots="all", payloads="full")
        yield found


@pytest.fixture(scope="module")
def told(warehouses: dict[str, Warehouse]) -> dict[str, dict[str, Stream]]:
    """The streams of each generation."""
    return {dialect: streams_of(warehouse) for dialect, warehouse in warehouses.items()}


@pytest.fixture(scope="module")
def streams(told: dict[str, dict[str, Stream]]) -> dict[str, Stream]:
    """Every generation's records together."""
    return {
        name: Stream(table, [record for each in told.values() for record in each[name].records])
        for name, table in TABLES.items()
    }


@pytest.fixture
def values(request: pytest.FixtureRequest, streams: dict[str, Stream]) -> list[Any]:
    """What a column holds, without nulls."""
    table, column = request.param.split(".")
    return streams[table].values(column)


# streams


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", TABLES)
def test_a_stream_returns_records(told: dict[str, dict[str, Stream]], dialect: str, name: str) -> None:
    assert bool(told[dialect][name].records) == (name not in OF_V2 or dialect == "2026-08")


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", TABLES)
def test_a_primary_key_is_never_null_and_names_one_record(
    told: dict[str, dict[str, Stream]], dialect: str, name: str
) -> None:
    rows = told[dialect][name].records
    keys = [tuple(row[column] for column in TABLES[name].key) for row in rows]
    assert all(None not in key for key in keys)
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("name", TABLES)
def test_a_schema_is_one_and_records_keep_to_it(streams: dict[str, Stream], name: str) -> None:
    stream = streams[name]
    jsonschema.Draft202012Validator.check_schema(stream.schema)
    validator = jsonschema.Draft202012Validator(
        stream.schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    assert [error.message for record in stream.records for error in validator.iter_errors(record)] == []


@pytest.mark.parametrize("name", TABLES)
def test_the_warehouse_and_dlt_know_the_columns_that_are_declared(warehouses: dict[str, Warehouse], name: str) -> None:
    warehouse, table = warehouses["2026-08"], TABLES[name]
    stored = warehouse.ask(
        "SELECT column_name, data_type FROM duckdb_columns() "
        f"WHERE schema_name = 'sim' AND table_name = '{name}' AND column_name NOT LIKE '\\_dlt%' ESCAPE '\\'"
    )
    assert dict(stored) == {column.name: DUCKDB[column.kind] for column in table.columns}
    known = warehouse.pipeline.default_schema.tables[name]["columns"]
    assert {column.name: known[column.name]["data_type"] for column in table.columns} == {
        column.name: DLT[column.kind] for column in table.columns
    }
    assert {column for column in known if known[column].get("primary_key")} == set(table.key)
    later = {column.name for column in table.columns if column.later}  # null in rows of earlier versions
    assert {column for column in table.key if known[column].get("nullable", True)} == later.intersection(table.key)


def test_the_catalog_is_known_before_anything_is_read() -> None:
    catalog = sim_source("w", "a-key").discover_schema()
    assert set(TABLES) <= set(catalog.tables)
    for table in TABLES.values():
        columns = catalog.tables[table.name]["columns"]
        assert {name for name in columns if columns[name].get("primary_key")} == set(table.key)
        assert set(table.column_names) <= set(columns)


# columns


@pytest.mark.parametrize("values", [name for name in COLUMNS if name not in NEVER_FILLED], indirect=True)
def test_a_column_is_filled_by_some_answer(values: list[Any]) -> None:
    assert values


@pytest.mark.parametrize("values", NEVER_FILLED, indirect=True)
def test_what_is_said_to_stay_empty_does(values: list[Any]) -> None:
    assert values == []


@pytest.mark.parametrize("values", of_kind("timestamp"), indirect=True)
def test_a_moment_is_a_moment_in_utc_of_our_days(values: list[str]) -> None:
    for value in values:
        moment = datetime.fromisoformat(value)
        assert moment.utcoffset() == timedelta()
        assert 2024 < moment.year < 2100


@pytest.mark.parametrize("values", of_kind("bigint"), indirect=True)
def test_an_integer_is_one_and_not_negative(values: list[int]) -> None:
    assert [value for value in values if type(value) is not int or value < 0] == []


@pytest.mark.parametrize("values", of_kind("money", "double"), indirect=True)
def test_a_number_is_one_and_finite(values: list[Any]) -> None:
    assert [value for value in values if isinstance(value, bool) or not 0 <= value < 10**9] == []


@pytest.mark.parametrize("values", of_kind("bool"), indirect=True)
def test_a_flag_is_one(values: list[bool]) -> None:
    assert [value for value in values if not isinstance(value, bool)] == []


@pytest.mark.parametrize("values", of_kind("json"), indirect=True)
def test_a_document_is_an_object_or_a_list(values: list[Any]) -> None:
    assert [value for value in values if not isinstance(value, dict | list)] == []


@pytest.mark.parametrize("values", [name for name in COLUMNS if name.endswith(".extra")], indirect=True)
def test_extra_is_an_object_with_something_in_it(values: list[Any]) -> None:
    assert [value for value in values if not (isinstance(value, dict) and value)] == []


@pytest.mark.parametrize("values", of_kind("text"), indirect=True)
def test_text_is_never_empty(values: list[str]) -> None:
    assert [value for value in values if not isinstance(value, str) or value == ""] == []


REFERENCES = (
    ("log_details", "id", "logs", "id"),
    ("cost_items", "log_id", "logs", "id"),
    ("trace_spans", "log_id", "logs", "id"),
    ("execution_snapshots", "execution_id", "logs", "execution_id"),
    ("execution_snapshots", "state_hash", "workflow_states", "state_hash"),
)


@pytest.mark.parametrize(("table", "column", "other", "key"), REFERENCES)
def test_what_a_row_refers_to_is_there(
    warehouses: dict[str, Warehouse], table: str, column: str, other: str, key: str
) -> None:
    for warehouse in warehouses.values():
        lost = f"SELECT {column} FROM {table} WHERE {column} NOT IN (SELECT {key} FROM {other} WHERE {key} IS NOT NULL)"
        assert warehouse.ask(lost) == []


# state


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_final_state_has_nothing_in_hand_and_a_bookmark(warehouses: dict[str, Warehouse], dialect: str) -> None:
    state = warehouses[dialect].remembered()
    (workspace,) = state.workspaces()
    for each in (workspace.logs, state.account("default").audit_logs):
        assert not each.in_hand("walk")
        assert each.watermark is not None


def test_a_bookmark_goes_on_with_time_and_never_back(warehouse: Warehouse) -> None:
    world = rich_world()
    marks = []
    with serve(world) as server:
        for minutes in (0, 10, -30, 0, 90):  # a sync may end earlier than the one before: `until`, or another clock
            world.now_ms += minutes * 60_000
            warehouse.load(server, "logs", "audit_logs")
            state = warehouse.remembered()
            (workspace,) = state.workspaces()
            marks.append((workspace.logs.watermark, state.account("default").audit_logs.watermark))
    assert marks == sorted(marks)  # type: ignore[type-var]
    assert marks[0] < marks[1] < marks[-1]  # type: ignore[operator]
